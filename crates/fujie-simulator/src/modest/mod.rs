//! Providers of the modest kind: Gitee, DingTalk, Feishu, WeCom, Douyin, Alipay, Baidu, Discord.
//!
//! Each is small: one sign-in, the user, a refresh where there is one, refusal and errors, at the
//! real paths and in the real notation. One engine drives them (`world`), one file each holds what
//! is particular. Not here: the rest of what those platforms do, and older sign-ins they still
//! have (DingTalk's `sns`, Feishu's v1, WeChat in WeCom).

mod alipay;
mod baidu;
mod config;
mod dialect;
mod dingtalk;
mod discord;
mod douyin;
mod feishu;
mod gitee;
mod wecom;
mod world;

pub use config::{App, CallbackCode, DEFAULT_SECRET, Kind, ModestConfig, Switches};

use crate::server::{self, Running};
use axum::routing::get;
use dialect::Dialect;
use std::io;
use tokio::net::{TcpListener, ToSocketAddrs};
use world::World;

/// A simulated provider of the modest kind.
#[derive(Debug)]
pub struct Modest;

impl Modest {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, the configuration contradicts itself
    /// (`io::ErrorKind::InvalidInput`), or no key could be made.
    pub async fn start(address: impl ToSocketAddrs, config: ModestConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Modest::start`].
    pub fn on(listener: TcpListener, config: ModestConfig) -> io::Result<Running> {
        match config.kind {
            Kind::Gitee => run::<gitee::Gitee>(listener, config),
            Kind::Dingtalk => run::<dingtalk::Dingtalk>(listener, config),
            Kind::Feishu => run::<feishu::Feishu>(listener, config),
            Kind::Wecom => run::<wecom::Wecom>(listener, config),
            Kind::Douyin => run::<douyin::Douyin>(listener, config),
            Kind::Alipay => run::<alipay::Alipay>(listener, config),
            Kind::Baidu => run::<baidu::Baidu>(listener, config),
            Kind::Discord => run::<discord::Discord>(listener, config),
        }
    }
}

fn run<D: Dialect>(listener: TcpListener, config: ModestConfig) -> io::Result<Running> {
    let page = |routes: dialect::Routes<D>, path: &&str| routes.route(path, get(world::authorize::<D>));
    let routes = D::AUTHORIZE.iter().fold(D::routes(), page);
    server::run(listener, config.base_url.clone(), |base_url| World::<D>::new(config, base_url), routes)
}
