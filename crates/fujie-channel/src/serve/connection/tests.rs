//! One connection over memory, with a clock that is moved by waiting: what ends it, and when exactly.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    net::TcpListener,
    sync::Semaphore,
    task::JoinHandle,
    time::sleep,
};

use super::*;
use crate::serve::{Shared, echo::Echo};

impl Transport for DuplexStream {
    fn abandon(&self) {}
}

/// Echoes, and remembers why it ended.
struct Told<C>(C, Arc<std::sync::Mutex<String>>);

impl<C: Conversation> Conversation for Told<C> {
    fn receive(&mut self, line: &str, output: &mut Output) -> ControlFlow<()> {
        self.0.receive(line, output)
    }

    fn fault(&mut self, fault: Fault, output: &mut Output) {
        self.0.fault(fault, output);
    }

    fn is_admitted(&self) -> bool {
        self.0.is_admitted()
    }

    fn poll_next(&mut self, context: &mut Context<'_>, output: &mut Output) -> Poll<ControlFlow<()>> {
        self.0.poll_next(context, output)
    }

    fn ended(&self, end: &End, _: SocketAddr) {
        *self.1.lock().unwrap() = end.to_string();
    }
}

/// Echoes to whoever must say who it is, and never does.
struct Stranger(Echo);

impl Conversation for Stranger {
    fn receive(&mut self, line: &str, output: &mut Output) -> ControlFlow<()> {
        self.0.receive(line, output)
    }

    fn fault(&mut self, fault: Fault, output: &mut Output) {
        self.0.fault(fault, output);
    }

    fn is_admitted(&self) -> bool {
        false
    }

    fn ended(&self, _: &End, _: SocketAddr) {}
}

struct Peer {
    stream: DuplexStream,
    stop: Arc<Stop>,
    end: Arc<std::sync::Mutex<String>>,
    running: JoinHandle<()>,
    began_at: Instant,
}

const SOMEBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5);

fn peer(conversation: impl Conversation, pipe: usize) -> Peer {
    let (stream, ours) = duplex(pipe);
    let (stop, end) = (Arc::new(Stop::default()), Arc::default());
    let told = Told(conversation, Arc::clone(&end));
    let stopping = Arc::clone(&stop);
    let running = tokio::spawn(async move {
        Connection::new(ours, told, &Limits::default()).run(&stopping, SOMEBODY).await;
    });
    Peer { stream, stop, end, running, began_at: Instant::now() }
}

fn echo() -> Echo {
    Echo::new(SOMEBODY)
}

impl Peer {
    async fn says(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Everything the server still says, until it closes.
    async fn hears_to_the_end(&mut self) -> String {
        let mut text = String::new();
        self.stream.read_to_string(&mut text).await.unwrap();
        text
    }

    async fn hears(&mut self, expected: &str) {
        let mut bytes = vec![0; expected.len()];
        self.stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    fn seconds(&self) -> f64 {
        self.began_at.elapsed().as_secs_f64()
    }

    async fn ended(self) -> String {
        self.running.await.unwrap();
        self.end.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_cut_off_after_thirty_seconds() {
    let mut peer = peer(echo(), 1024);
    assert_eq!(peer.hears_to_the_end().await, "超时断开连接\n");
    assert!((30.0..30.1).contains(&peer.seconds()), "{}", peer.seconds());
    assert_eq!(peer.ended().await, "the peer was silent");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_keeps_a_connection_and_its_last_line_counts() {
    let mut peer = peer(echo(), 1024);
    for _ in 0..10 {
        sleep(Duration::from_secs(29)).await;
        peer.says(b"ping\n").await;
        peer.hears("pong\n").await;
    }
    assert_eq!(peer.hears_to_the_end().await, "超时断开连接\n");
    assert!((320.0..320.1).contains(&peer.seconds()), "{}", peer.seconds());
}

#[tokio::test(start_paused = true)]
async fn bytes_of_a_line_that_does_not_end_keep_nobody_connected() {
    let mut peer = peer(echo(), 1024);
    for _ in 0..29 {
        sleep(Duration::from_secs(1)).await;
        peer.says(b"x").await;
    }
    assert_eq!(peer.hears_to_the_end().await, "超时断开连接\n");
    assert!((30.0..30.1).contains(&peer.seconds()), "{}", peer.seconds());
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_line_at_the_end_is_answered() {
    let mut peer = peer(echo(), 1024);
    peer.says(b"a\n ping").await;
    peer.stream.shutdown().await.unwrap();
    assert_eq!(peer.hears_to_the_end().await, "from server: a\npong\n");
    assert_eq!(peer.ended().await, "the peer closed it");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_is_told_so_after_those_before_were_answered() {
    let mut peer = peer(echo(), 1024);
    peer.says(format!("{}\n", "x".repeat(4096)).as_bytes()).await;
    peer.hears(&format!("from server: {}\n", "x".repeat(4096))).await;
    peer.says(b"ping\n").await;
    peer.says(&[b'x'; 4097]).await;
    peer.hears("pong\nerror line_too_long a line is at most 4096 bytes\n").await;
    // The peer goes on for a while: it is not read, and does not keep the connection.
    while peer.stream.write_all(&[b'x'; 1024]).await.is_ok() {
        sleep(Duration::from_millis(10)).await;
    }
    assert!((1.0..1.1).contains(&peer.seconds()), "{}", peer.seconds());
    assert_eq!(peer.ended().await, "the line is too long");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_not_utf_8_ends_the_connection() {
    let mut peer = peer(echo(), 1024);
    peer.says(b"ping\n\xff\xfe\nping\n").await;
    assert_eq!(peer.hears_to_the_end().await, "pong\n");
    assert_eq!(peer.ended().await, "the line is not UTF-8");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_cut_off_and_its_memory_is_bounded() {
    let mut peer = peer(echo(), 64);
    let flood = b"x\n".repeat(1_000_000);
    // Not all of it is taken: reading stops while answers wait.
    let taken = tokio::time::timeout(Duration::from_secs(60), peer.stream.write_all(&flood)).await;
    assert!(taken.unwrap().is_err());
    assert!((15.0..15.1).contains(&peer.seconds()), "{}", peer.seconds());
    assert_eq!(peer.ended().await, "the peer does not read");
}

/// Says more than the pipe holds, at second 20.
struct Speaker(Pin<Box<Sleep>>, bool);

impl Conversation for Speaker {
    fn receive(&mut self, _: &str, _: &mut Output) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn fault(&mut self, _: Fault, _: &mut Output) {}

    fn poll_next(&mut self, context: &mut Context<'_>, output: &mut Output) -> Poll<ControlFlow<()>> {
        if self.1 {
            return Poll::Pending;
        }
        ready!(self.0.as_mut().poll(context));
        self.1 = true;
        output.push_echo(&"x".repeat(1000));
        Poll::Ready(ControlFlow::Continue(()))
    }

    fn ended(&self, _: &End, _: SocketAddr) {}
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_silent_and_takes_nothing_is_cut_off_without_a_word() {
    let speaker = Speaker(Box::pin(sleep(Duration::from_secs(20))), false);
    let peer = peer(speaker, 64);
    peer.running.await.unwrap();
    assert!((30.0..30.1).contains(&peer.began_at.elapsed().as_secs_f64()), "{:?}", peer.began_at.elapsed());
    assert_eq!(*peer.end.lock().unwrap(), "the peer does not read");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_slowly_is_served_to_the_end() {
    let Peer { stream, end, running, .. } = peer(echo(), 64);
    let (mut read, mut write) = tokio::io::split(stream);
    let lines = 20_000;
    let writing = async {
        write.write_all(&b"x\n".repeat(lines)).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let reading = async {
        // Ten bytes per second at first, so that lines stay unread for longer than the idle time.
        let mut text = Vec::new();
        for _ in 0..60 {
            sleep(Duration::from_secs(1)).await;
            let mut bytes = [0; 10];
            read.read_exact(&mut bytes).await.unwrap();
            text.extend_from_slice(&bytes);
        }
        read.read_to_end(&mut text).await.unwrap();
        text
    };
    let ((), text) = tokio::join!(writing, reading);
    assert_eq!(text, b"from server: x\n".repeat(lines));
    running.await.unwrap();
    assert_eq!(*end.lock().unwrap(), "the peer closed it");
}

#[tokio::test(start_paused = true)]
async fn whoever_only_sends_heartbeats_must_say_who_it_is() {
    let mut peer = peer(Stranger(echo()), 1024);
    for _ in 0..2 {
        sleep(Duration::from_secs(14)).await;
        peer.says(b"ping\n").await;
        peer.hears("pong\n").await;
    }
    assert_eq!(peer.hears_to_the_end().await, "error invalid_token say: auth TOKEN\n");
    assert!((30.0..30.1).contains(&peer.seconds()), "{}", peer.seconds());
    assert_eq!(peer.ended().await, "the peer did not say who it is");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_bye_and_waits_for_nobody() {
    let mut reading = peer(echo(), 1024);
    let mut frozen = peer(echo(), 4);
    reading.says(b"ping\n").await;
    reading.hears("pong\n").await;
    frozen.says(b"ping\n").await;
    sleep(Duration::from_secs(1)).await;
    reading.stop.begin();
    frozen.stop.begin();
    assert_eq!(reading.hears_to_the_end().await, "bye\n");
    drop(reading.stream);
    reading.running.await.unwrap();
    assert!((1.0..1.1).contains(&reading.began_at.elapsed().as_secs_f64()));
    frozen.running.await.unwrap();
    assert!((6.0..6.1).contains(&frozen.began_at.elapsed().as_secs_f64()));
}

/// The goal is 2 KiB of resident memory per connection, of which the runtime takes about 600 bytes.
#[tokio::test]
async fn an_idle_connection_is_small() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let shared = Arc::new(Shared { limits: Limits::default(), stop: Stop::default(), tls: None });
    let place = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
    let size = size_of_val(&shared.run(stream, echo(), SOMEBODY, place));
    assert!(size <= 800, "{size} bytes");
}
