//! WeChat: website sign-in (QR page, long poll, phone), in-app authorization of official accounts,
//! codes of mini-programs, and the API behind them, all on one port.
//!
//! One address stands for three hosts of the real thing: `open.weixin.qq.com`,
//! `lp.open.weixin.qq.com` and `api.weixin.qq.com`; their paths do not collide. Not here: mobile
//! apps, third-party platforms, the desktop client's fast login.

mod api;
mod config;
mod confirm;
mod control;
mod errcode;
mod in_app;
mod js_code;
mod ledger;
mod picture;
mod poll;
mod qrconnect;
mod route;
mod sign_in;
mod simulation;

pub use config::{
    App, AppKind, CallbackDomain, DEFAULT_APPID, DEFAULT_MINI_PROGRAM_APPID, DEFAULT_OFFICIAL_ACCOUNT_APPID,
    DEFAULT_SECRET, ErrmsgSuffix, Switches, WechatConfig,
};

use crate::server::{self, Running};
use simulation::World;
use std::io;
use tokio::net::{TcpListener, ToSocketAddrs};

/// The simulated WeChat.
#[derive(Debug)]
pub struct Wechat;

impl Wechat {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the configuration contradicts itself
    /// (`io::ErrorKind::InvalidInput`).
    pub async fn start(address: impl ToSocketAddrs, config: WechatConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Wechat::start`].
    pub fn on(listener: TcpListener, mut config: WechatConfig) -> io::Result<Running> {
        server::run(listener, config.base_url.take(), |_base_url| World::new(config), route::routes())
    }
}
