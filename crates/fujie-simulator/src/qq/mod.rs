//! QQ sign-in (`graph.qq.com`) for websites, and the one profile call that goes with it, all on one port.
//!
//! Not here: the WAP host `graph.z.qq.com` with notations of its own, the native SDK, and the rest of the open API.

mod answer;
mod authorize;
mod callback;
mod config;
mod error;
mod identity;
mod ledger;
mod me;
mod profile;
mod request;
mod route;
mod token;
mod user_info;
mod world;

pub use callback::{Callback, CallbackRule};
pub use config::{App, Cancel, ContentType, DEFAULT_CLIENT_ID, DEFAULT_SECRET, LargeAvatar, QqConfig, Switches};

use crate::server::{self, Running};
use std::io;
use tokio::net::{TcpListener, ToSocketAddrs};
use world::World;

/// Starts simulated QQs.
#[derive(Debug)]
pub struct Qq;

impl Qq {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the configuration contradicts itself (`io::ErrorKind::InvalidInput`).
    pub async fn start(address: impl ToSocketAddrs, config: QqConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Qq::start`].
    pub fn on(listener: TcpListener, config: QqConfig) -> io::Result<Running> {
        let base_url = config.base_url.clone();
        server::run(listener, base_url, |_base_url| World::new(config), route::routes())
    }
}
