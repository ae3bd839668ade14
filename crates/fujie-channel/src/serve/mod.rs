//! The listener of the line protocol: TCP or TLS, the echo mode or the channel.
//!
//! Owns accepting and stopping, and the limits of connections; `connection` drives one of them, `echo` and
//! [`crate::session`] hold the conversations.

mod channel;
mod connection;
mod echo;
mod stop;
mod stranger;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    gate::Gate,
    line::{Address, IDLE_TIMEOUT},
    session::{ADMISSION_TIMEOUT, Exchange},
};
use channel::Guest;
use connection::{Connection, Conversation, Transport};
pub use echo::ECHO_TARGET;
use echo::Echo;
use stop::Stop;
use stranger::{Stranger, Strangers};

/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 8192;
/// After an accept that failed for want of something, the listener rests so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After `stop`, peers have so long to take their last lines, and a little more for the rest.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What a peer may do, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Without a whole line for so long, a peer is cut off.
    pub idle: Duration,
    /// In a channel, a peer must have said who it is by then.
    pub admission: Duration,
    /// A peer that takes nothing of what waits for it for so long is cut off.
    pub stall: Duration,
    /// A TLS handshake must be over by then.
    pub handshake: Duration,
    /// Connections at once. More wait for a place; in a channel whoever has not said who it is gives its own up.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: IDLE_TIMEOUT,
            admission: ADMISSION_TIMEOUT,
            stall: Duration::from_secs(15),
            handshake: Duration::from_secs(10),
            connections: 100_000,
        }
    }
}

impl Limits {
    /// The defaults, and no more connections than this process may open files, so that some are left for everything
    /// else. Where the system does not tell, the defaults.
    pub fn of_this_process() -> Self {
        let limits = Self::default();
        let most = open_files_max().map_or(u32::MAX, |files| files - files / 8 - 16.min(files / 8));
        Self { connections: limits.connections.min(most), ..limits }
    }
}

/// How many files this process may have open (Linux).
fn open_files_max() -> Option<u32> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    // "unlimited" is not a number, and not a limit.
    soft.parse().ok()
}

/// A listening socket and how it serves.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

impl Listener {
    /// Binds `address`, with room for a burst of connections. Must be called within a Tokio runtime.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // On Windows this option would let another process take the port over.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { tcp: socket.listen(BACKLOG)?, tls: None, limits: Limits::default() })
    }

    /// Speaks TLS.
    #[must_use]
    pub fn with_tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Some(config.into());
        self
    }

    /// Serves within `limits`.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Within which limits it serves.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Answers `ping` with `pong` and every other line with itself, until `stop` resolves. Says what it sees in events of
    /// [`ECHO_TARGET`].
    pub async fn echo(self, stop: impl Future<Output = ()>) {
        if let Ok(address) = self.local_addr() {
            tracing::info!(target: ECHO_TARGET, "Serving on {}", Address(address));
        }
        // Nobody is asked who it is, and so nobody is a stranger.
        self.serve(stop, |peer, _| Echo::new(peer)).await;
    }

    /// Serves the channel of `exchange` until `stop` resolves. The exchange's hub must run.
    pub async fn channel<G: Gate>(self, exchange: Arc<Exchange<G>>, stop: impl Future<Output = ()>) {
        self.serve(stop, |_, stranger| Guest::new(Arc::clone(&exchange), stranger)).await;
    }

    async fn serve<C: Conversation>(self, stop: impl Future<Output = ()>, begin: impl Fn(SocketAddr, Stranger) -> C) {
        let places = Arc::new(Semaphore::new(self.limits.connections as usize));
        let strangers = Arc::new(Strangers::default());
        let shared = Arc::new(Shared { limits: self.limits, stop: Stop::default(), tls: self.tls });
        let mut stop = std::pin::pin!(stop);
        let mut accepting = Accepting::default();
        loop {
            let placed = async {
                let (stream, peer) = accepting.accept(&self.tcp).await;
                (stream, peer, place(&places, &strangers).await)
            };
            let (stream, peer, place) = tokio::select! {
                () = &mut stop => break,
                placed = placed => placed,
            };
            let (conversation, shared) = (begin(peer, strangers.enter(peer)), Arc::clone(&shared));
            let task = if shared.tls.is_some() {
                tokio::spawn(shared.shake_hands(stream, conversation, peer, place))
            } else {
                tokio::spawn(shared.run(stream, conversation, peer, place))
            };
            strangers.last_is_served_by(task.abort_handle());
        }
        drop(self.tcp);
        shared.stop.begin();
        // Everybody gives a place back; connections end by themselves.
        if timeout(STOP_TIMEOUT * 2, places.acquire_many(self.limits.connections)).await.is_err() {
            tracing::warn!("connections were still open when the time to stop was over");
        }
    }
}

/// A place for one more; if none is free, that of the stranger who came first.
async fn place(places: &Arc<Semaphore>, strangers: &Strangers) -> OwnedSemaphorePermit {
    if places.available_permits() == 0 {
        strangers.cut_first();
    }
    // The semaphore is never closed.
    let Ok(place) = Arc::clone(places).acquire_owned().await else { std::future::pending().await };
    place
}

/// What the connections of one listener share.
struct Shared {
    limits: Limits,
    stop: Stop,
    tls: Option<TlsAcceptor>,
}

impl Shared {
    async fn run<S: Transport, C: Conversation>(
        self: Arc<Self>,
        stream: S,
        conversation: C,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) {
        Connection::new(stream, conversation, &self.limits).run(&self.stop, peer).await;
        drop(place);
    }

    async fn shake_hands<C: Conversation>(
        self: Arc<Self>,
        stream: TcpStream,
        conversation: C,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) {
        let Some(tls) = &self.tls else { return };
        // A handshake is far larger than a connection; its memory goes with the box.
        let handshake = Box::pin(timeout(self.limits.handshake, tls.accept(stream)));
        let shaken = tokio::select! {
            () = self.stop.begun() => return,
            shaken = handshake => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => Self::run(Arc::clone(&self), stream, conversation, peer, place).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
        }
    }
}

/// Accepts, whatever happens.
#[derive(Default)]
struct Accepting {
    /// The last accept failed: it is not said again.
    is_failing: bool,
}

impl Accepting {
    async fn accept(&mut self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    self.is_failing = false;
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "TCP_NODELAY");
                    }
                    return (stream, peer);
                }
                Err(error) if is_of_one_connection(&error) => tracing::debug!(%error, "a connection was gone at once"),
                Err(error) => self.rest(&error).await,
            }
        }
    }

    /// No file descriptor is left, or no memory: others may soon give some back.
    async fn rest(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(%error, "no connection can be accepted for now");
        }
        sleep(ACCEPT_PAUSE).await;
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_left_for_everything_else() {
        let limits = Limits::of_this_process();
        let files = open_files_max().unwrap_or(u32::MAX);
        assert!((1..=100_000).contains(&limits.connections) && limits.connections < files);
        assert_eq!(Limits { connections: 100_000, ..limits }, Limits::default());
    }
}
