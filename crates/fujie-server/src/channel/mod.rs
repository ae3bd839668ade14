//! The channel as this server runs it: what it is made of, and the traits of `fujie-channel` over the store and the
//! tokens. The endpoints that people and machines ask are in [`crate::endpoint`].

pub(crate) mod access;
pub(crate) mod gate;
pub(crate) mod log;
pub(crate) mod post;
pub(crate) mod targets;
mod transport;

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use fujie_channel::{
    hub::{Hub, Overflow},
    outbox::{Outbox, Simulators},
    serve::{Limits, Listener},
    session::Exchange,
};
use fujie_core::{random::SystemRandom, time::Lifetime};
use fujie_store::Store;
use tokio::task::JoinSet;

use crate::{
    place::{Places, Readers},
    server::Server,
};
use gate::ServerGate;
use log::StoredLog;
use targets::StoredTargets;
use transport::Poster;

pub use access::may_belong;

/// How the channel is run.
pub struct ChannelSettings {
    /// The listener of the line protocol, if there is one.
    pub line: Option<Line>,
    /// How long events are kept: whoever comes back within this time misses nothing.
    pub keep: Lifetime,
    /// What becomes of readers that fall behind.
    pub overflow: Overflow,
    /// How many read over SSE and WebSocket.
    pub readers: Readers,
    /// How often a stream that has nothing to say gives a sign of life; every second time it is asked whether its
    /// reader may still read.
    pub heartbeat: Duration,
    /// Where simulated robots and push services lie.
    pub simulators: Simulators,
    /// Where people of push services find the operator (RFC 8292 §2.1), `mailto:` or an https page; without it, the
    /// issuer.
    pub push_contact: Option<String>,
}

/// The line protocol's listener, bound already.
pub struct Line {
    /// The listener.
    pub listener: Listener,
    /// Where it is, as metadata say it: `tls://host:port` or `tcp://host:port`.
    pub endpoint: String,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            line: None,
            keep: Lifetime::from_days(7),
            overflow: Overflow::Cut,
            readers: Readers::default(),
            heartbeat: Duration::from_secs(15),
            simulators: Simulators::default(),
            push_contact: None,
        }
    }
}

/// The hub over the store's log.
pub(crate) fn hub(store: &Store, issuer: &str) -> Arc<Hub> {
    Hub::new(Arc::new(log(store, issuer)))
}

/// What conversations share whose peers take these places.
pub(crate) fn exchange(
    hub: &Arc<Hub>,
    settings: &ChannelSettings,
    server: Weak<Server>,
    places: Arc<Places>,
) -> Arc<Exchange<ServerGate>> {
    let gate = ServerGate { server, places };
    Arc::new(Exchange { hub: Arc::clone(hub), gate, overflow: settings.overflow })
}

/// Of the listener's connections nobody has more than three quarters: a fleet may share one client.
fn line_readers(limits: &Limits) -> Readers {
    Readers { at_once: limits.connections, per_member: limits.connections - limits.connections / 4, strangers: 0 }
}

fn log(store: &Store, issuer: &str) -> StoredLog {
    StoredLog { store: store.clone(), issuer: issuer.into() }
}

/// The listener, until it is served.
pub(crate) type Unserved = Mutex<Option<Listener>>;

/// The channel's tasks: the hub that follows the log, the listener of the line protocol, and the outbox. They end when
/// the server stops, the hub last.
pub(crate) struct Running {
    /// Never ends by itself.
    following: JoinSet<()>,
    ending: JoinSet<()>,
}

impl Running {
    /// Starts them.
    pub fn start(server: &Arc<Server>) -> Self {
        let hub = Arc::clone(&server.exchange.hub);
        let (mut following, mut ending) = (JoinSet::new(), JoinSet::new());
        following.spawn(async move { hub.run(std::future::pending()).await });
        // Nobody panics while it is held.
        if let Some(listener) = server.line.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let (own, settings) = (Arc::clone(server), &server.settings.channel);
            let places = Arc::new(Places::new(line_readers(listener.limits())));
            let exchange = exchange(&server.exchange.hub, settings, Arc::downgrade(server), places);
            ending.spawn(async move { listener.channel(exchange, own.stopped()).await });
        }
        match Poster::new() {
            Ok(poster) => {
                let (own, clock) = (Arc::clone(server), server.clock().clone());
                let log = Arc::new(log(server.store(), server.issuer()));
                let targets = StoredTargets(Arc::clone(server));
                let outbox = Outbox::new(log, targets, poster, move || clock.now(), SystemRandom);
                ending.spawn(async move { outbox.run(own.stopped()).await });
            }
            Err(error) => tracing::error!(%error, "nothing can be posted to robots and browsers"),
        }
        Self { following, ending }
    }

    /// Waits for those that have something to end, and ends the others.
    pub async fn end(self) {
        self.ending.join_all().await;
        drop(self.following);
    }
}
