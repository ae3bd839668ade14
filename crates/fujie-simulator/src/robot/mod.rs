//! Group robots of DingTalk, Feishu (Lark) and WeCom, and the chats in which they speak, all on one port.
//!
//! One address stands for `oapi.dingtalk.com`, `open.feishu.cn`, `open.larksuite.com` and `qyapi.weixin.qq.com`: their
//! paths differ. One engine keeps the chats and the limits (`world`), one file each knows what a provider checks and
//! answers. Not here: the rest of what a robot can send (cards, pictures, files), and robots that are spoken to.

mod chat;
mod config;
mod dingtalk;
mod feishu;
mod markdown;
mod wecom;
mod world;

pub(crate) use chat::SCRIPT as CHAT_SCRIPT;
pub use config::{App, DEFAULT_DINGTALK_SECRET, DEFAULT_FEISHU_SECRET, Kind, RobotConfig, Switches};

use crate::server::{self, Running, script};
use axum::Router;
use axum::routing::{any, get};
use std::io;
use std::sync::Arc;
use tokio::net::{TcpListener, ToSocketAddrs};
use world::{Simulation, World};

/// The simulated robots.
#[derive(Debug)]
pub struct Robot;

impl Robot {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the configuration contradicts itself
    /// (`io::ErrorKind::InvalidInput`).
    pub async fn start(address: impl ToSocketAddrs, config: RobotConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Robot::start`].
    pub fn on(listener: TcpListener, mut config: RobotConfig) -> io::Result<Running> {
        let base_url = config.base_url.take();
        server::run(listener, base_url, |_base_url| World::new(config), routes())
    }
}

fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route(dingtalk::PATH, any(dingtalk::send))
        .route(feishu::PATH, any(feishu::send))
        .route(wecom::PATH, any(wecom::send))
        .route("/phone", get(chat::page))
        .route("/_simulate/messages", get(chat::messages).delete(chat::clear))
        .route("/_simulate/assets/chat.js", get(|| script(chat::SCRIPT)))
}
