//! A channel on loopback with everything it needs, and peers that talk to it line by line.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use fujie_channel::{
    gate::{Gate, Refusal},
    hub::{Hub, Overflow},
    serve::{Limits, Listener},
    session::Exchange,
};
use fujie_core::secret::Secret;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use crate::memory::{Handle, Memory};

/// Longer than anything here should take, on any machine.
pub const SOON: Duration = Duration::from_secs(20);

/// Tokens and who they stand for; topics and their members.
#[derive(Default)]
pub struct Doorman {
    pub tokens: Mutex<HashMap<&'static str, Result<&'static str, Refusal>>>,
    pub members: Mutex<HashSet<(&'static str, &'static str)>>,
}

impl Doorman {
    /// `alice` and `bob` of the topic `team`, and tokens of all kinds.
    pub fn new() -> Arc<Self> {
        let doorman = Self::default();
        *doorman.tokens.lock().unwrap() = HashMap::from([
            ("of-alice", Ok("alice")),
            ("of-bob", Ok("bob")),
            ("of-carol", Ok("carol")),
            ("of-a-reader-of-mail", Err(Refusal::InsufficientScope)),
            ("in-a-bad-moment", Err(Refusal::Unavailable)),
        ]);
        *doorman.members.lock().unwrap() =
            HashSet::from([("alice", "team"), ("bob", "team"), ("alice", "quiet"), ("alice", "busy")]);
        Arc::new(doorman)
    }

    pub fn set(&self, token: &'static str, outcome: Result<&'static str, Refusal>) {
        self.tokens.lock().unwrap().insert(token, outcome);
    }
}

impl Gate for Doorman {
    type Pass = &'static str;

    async fn admit(&self, token: &Secret, _: Option<&&'static str>) -> Result<&'static str, Refusal> {
        tokio::task::yield_now().await;
        self.tokens.lock().unwrap().get(token.expose()).copied().unwrap_or(Err(Refusal::InvalidToken))
    }

    async fn may_read(&self, pass: &&'static str, topic: &str) -> Result<(), Refusal> {
        tokio::task::yield_now().await;
        let members = self.members.lock().unwrap();
        if topic == "in-a-bad-moment" {
            return Err(Refusal::Unavailable);
        }
        if !members.iter().any(|(_, known)| *known == topic) {
            return Err(Refusal::UnknownTopic);
        }
        let is_member = members.iter().any(|(member, known)| member == pass && *known == topic);
        if is_member { Ok(()) } else { Err(Refusal::AccessDenied) }
    }
}

/// A running server.
pub struct House {
    pub address: SocketAddr,
    pub memory: Arc<Memory>,
    pub doorman: Arc<Doorman>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    following: JoinHandle<()>,
}

pub fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

impl House {
    /// A channel with a log of its own.
    pub fn channel() -> Self {
        Self::channel_of(Memory::new(), loopback(), Limits::default(), Overflow::Cut)
    }

    pub fn channel_of(memory: Arc<Memory>, address: SocketAddr, limits: Limits, overflow: Overflow) -> Self {
        let listener = Listener::bind(address).unwrap().with_limits(limits);
        Self::serving(listener, memory, overflow)
    }

    pub fn serving(listener: Listener, memory: Arc<Memory>, overflow: Overflow) -> Self {
        crate::terminal::install();
        let address = listener.local_addr().unwrap();
        let (doorman, hub) = (Doorman::new(), Hub::new(Arc::new(Handle(Arc::clone(&memory)))));
        let running = Arc::clone(&hub);
        let following = tokio::spawn(async move { running.run(std::future::pending()).await });
        let exchange = Arc::new(Exchange { hub, gate: Arc::clone(&doorman), overflow });
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(listener.channel(exchange, async { drop(stopped.await) }));
        Self { address, memory, doorman, stop: Some(stop), serving, following }
    }

    /// An echo server.
    pub fn echo(limits: Limits) -> Self {
        crate::terminal::install();
        let listener = Listener::bind(loopback()).unwrap().with_limits(limits);
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(listener.echo(async { drop(stopped.await) }));
        let following = tokio::spawn(async {});
        let (memory, doorman) = (Memory::new(), Doorman::new());
        Self { address, memory, doorman, stop: Some(stop), serving, following }
    }

    pub async fn peer(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// A peer that has said who it is.
    pub async fn peer_of(&self, token: &str) -> Peer {
        let mut peer = self.peer().await;
        peer.says(&format!("auth {token}\n")).await;
        peer.hears("ok auth").await;
        peer
    }

    /// Says that it should stop, and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        timeout(SOON, &mut self.serving).await.unwrap().unwrap();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.serving.abort();
        self.following.abort();
    }
}

/// A peer on a socket.
pub struct Peer {
    stream: BufReader<TcpStream>,
}

impl Peer {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    pub async fn says(&mut self, text: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(text.as_ref()).await.unwrap();
    }

    /// Says nothing more.
    pub async fn ends(&mut self) {
        self.stream.get_mut().shutdown().await.unwrap();
    }

    /// The next line without its line feed; empty when the server has closed.
    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(SOON, self.stream.read_line(&mut line)).await.expect("no line came").unwrap();
        line.strip_suffix('\n').unwrap_or(&line).to_owned()
    }

    pub async fn hears(&mut self, expected: &str) {
        assert_eq!(self.line().await, expected);
    }

    /// The next line is an event with this id.
    pub async fn hears_event(&mut self, id: i64) {
        let line = self.line().await;
        assert!(line.starts_with(&format!(r#"event {{"specversion":"1.0","id":"{id}","#)), "{line}, not {id}");
    }

    /// The server has closed, after it said only this.
    pub async fn hears_last(&mut self, expected: &str) {
        let mut text = String::new();
        timeout(SOON, self.stream.read_to_string(&mut text)).await.expect("it did not close").unwrap();
        assert_eq!(text, expected);
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}
