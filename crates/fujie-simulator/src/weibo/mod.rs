//! Weibo sign-in (`api.weibo.com`) and the calls that go with it, all on one port.
//!
//! Not here: posting and reading posts, the OAuth 1.0a that came before, and the mobile SDK's own protocol.

mod answer;
mod api;
mod authorize;
mod basic;
mod config;
mod error;
mod identity;
mod ledger;
mod limit;
mod request;
mod route;
mod token;
mod token_info;
mod user;
mod world;

pub use config::{App, Callback, DEFAULT_CLIENT_ID, DEFAULT_SECRET, SCOPES, Switches, WeiboConfig};

use crate::server::{self, Running};
use std::io;
use tokio::net::{TcpListener, ToSocketAddrs};
use world::World;

/// Starts simulated Weibos.
#[derive(Debug)]
pub struct Weibo;

impl Weibo {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the configuration contradicts itself (`io::ErrorKind::InvalidInput`).
    pub async fn start(address: impl ToSocketAddrs, config: WeiboConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Weibo::start`].
    pub fn on(listener: TcpListener, config: WeiboConfig) -> io::Result<Running> {
        let base_url = config.base_url.clone();
        server::run(listener, base_url, |_base_url| World::new(config), route::routes())
    }
}
