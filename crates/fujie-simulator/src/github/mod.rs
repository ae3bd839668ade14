//! GitHub: OAuth apps and GitHub Apps, device flow, the parts of the API that a sign-in and a hook
//! need, and deliveries to hooks, all on one port.
//!
//! One address stands for `github.com`, `api.github.com` (at `/`, and under `/api/v3` as on
//! Enterprise Server) and `avatars.githubusercontent.com`. Not here: organizations, installation
//! tokens, code.

mod callback;
mod config;
mod control;
mod date;
mod device;
mod hook;
mod ledger;
mod limit;
mod login;
mod reply;
mod rest;
mod route;
mod scope;
mod token;
mod world;

pub use callback::Callback;
pub use config::{
    App, AppKind, DEFAULT_CLIENT_ID, DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET, GithubConfig, Repository, Switches,
};

use crate::server::{self, Running};
use std::io;
use tokio::net::{TcpListener, ToSocketAddrs};
use world::World;

/// The simulated GitHub.
#[derive(Debug)]
pub struct Github;

impl Github {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the configuration contradicts itself
    /// (`io::ErrorKind::InvalidInput`).
    pub async fn start(address: impl ToSocketAddrs, config: GithubConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Github::start`].
    pub fn on(listener: TcpListener, mut config: GithubConfig) -> io::Result<Running> {
        let base_url = config.base_url.take();
        server::run(listener, base_url, |base_url| World::new(config, base_url), route::routes())
    }
}
