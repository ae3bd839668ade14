//! A push service (RFC 8030): takes encrypted messages for subscriptions and keeps them for whoever asks.
//!
//! Checks what a real one checks: `TTL`, `Urgency`, `Topic`, the size, the form of `aes128gcm` (RFC 8188), and who sends
//! (RFC 8292). It cannot read a message, and has no browser: a test makes a subscription with `/_simulate/apps` and keys
//! of its own. Not here: delivery, receipts, and replacing what has the same topic.

mod authorization;
mod config;
mod inbox;
mod receive;
mod world;

pub use config::{App, PushConfig, Switches};

use crate::server::{self, Running, script};
use axum::Router;
use axum::routing::{any, get};
use std::io;
use std::sync::Arc;
use tokio::net::{TcpListener, ToSocketAddrs};
use world::{Simulation, World};

/// The simulated push service.
#[derive(Debug)]
pub struct Push;

impl Push {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the configuration contradicts itself
    /// (`io::ErrorKind::InvalidInput`).
    pub async fn start(address: impl ToSocketAddrs, config: PushConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Push::start`].
    pub fn on(listener: TcpListener, mut config: PushConfig) -> io::Result<Running> {
        let base_url = config.base_url.take();
        server::run(listener, base_url, |_base_url| World::new(config), routes())
    }
}

fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/push/{id}", any(receive::post))
        .route("/message/{id}", any(receive::message))
        .route("/phone", get(inbox::page))
        .route("/_simulate/messages", get(inbox::messages).delete(inbox::clear))
        .route("/_simulate/assets/chat.js", get(|| script(crate::robot::CHAT_SCRIPT)))
}
