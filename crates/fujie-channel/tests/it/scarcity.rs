//! A server that runs out of something: file descriptors, or what somebody's endless line would take.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    time::{Duration, Instant},
};

use fujie_channel::serve::{Limits, Listener};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    again::{self, Other, cpu_seconds, resident_kib},
    house::{Peer, SOON, loopback},
};

/// An echo server in a process of its own, with at most so many file descriptors.
struct Server {
    process: Other,
    address: SocketAddr,
}

impl Server {
    fn start(test: &str, descriptors: usize) -> Self {
        let limited = format!(r#"ulimit -n {descriptors} && exec "$0" "$@""#);
        let process = Other::start(&["sh", "-c", &limited], test, "server");
        let address = process.hear("listening").parse().unwrap();
        Self { process, address }
    }

    async fn peer(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).await.unwrap())
    }
}

/// The part of the server.
async fn serve() {
    // Nobody should be cut off for being waited for on a slow machine.
    let limits = Limits { idle: Duration::from_secs(300), ..Limits::default() };
    let listener = Listener::bind(loopback()).unwrap().with_limits(limits);
    again::tell(&format!("listening {}", listener.local_addr().unwrap()));
    listener.echo(std::future::pending()).await;
}

/// Pings; does the answer come soon?
async fn is_served(mut peer: Peer, patience: Duration) -> (Peer, bool) {
    let is_served = timeout(patience, peer.hears("pong")).await.is_ok();
    (peer, is_served)
}

/// Sorts peers that have said `ping` into those that were answered and the others.
async fn sort(peers: Vec<Peer>, patience: Duration) -> (Vec<Peer>, Vec<Peer>) {
    let asked: JoinSet<_> = peers.into_iter().map(|peer| is_served(peer, patience)).collect();
    let (served, waiting): (Vec<_>, Vec<_>) = asked.join_all().await.into_iter().partition(|(_, is_served)| *is_served);
    (served.into_iter().map(|(peer, _)| peer).collect(), waiting.into_iter().map(|(peer, _)| peer).collect())
}

#[tokio::test]
async fn a_server_without_file_descriptors_keeps_those_it_has_and_takes_others_when_they_leave() {
    if again::part().is_some() {
        return serve().await;
    }
    let test = "scarcity::a_server_without_file_descriptors_keeps_those_it_has_and_takes_others_when_they_leave";
    let server = Server::start(test, 256);
    let mut peers = Vec::new();
    for _ in 0..400 {
        let mut peer = server.peer().await;
        peer.says("ping\n").await;
        peers.push(peer);
    }
    // A descriptor each, and a few are the server's own. The others wait, and nobody is turned away.
    let (mut served, waiting) = sort(peers, Duration::from_secs(5)).await;
    assert!((200..256).contains(&served.len()), "{} are served", served.len());
    let cpu = cpu_seconds(server.process.pid());
    sleep(Duration::from_secs(2)).await;
    let cpu = cpu_seconds(server.process.pid()) - cpu;
    assert!(cpu < 0.5, "{cpu} s of CPU in 2 s without anything to do");
    for peer in &mut served {
        peer.says("ping\n").await;
        peer.hears("pong").await;
    }
    // Whoever waited is served as soon as others leave, and has lost nothing of what it said.
    let stay = served.split_off(served.len() - 20);
    drop(served);
    let (came, waiting) = sort(waiting, SOON).await;
    assert!(waiting.is_empty(), "{} are still waiting", waiting.len());
    for mut peer in came.into_iter().chain(stay) {
        peer.says("still here\n").await;
        peer.hears("from server: still here").await;
    }
}

#[tokio::test]
async fn a_line_of_a_gigabyte_costs_the_server_nothing() {
    if again::part().is_some() {
        return serve().await;
    }
    let server = Server::start("scarcity::a_line_of_a_gigabyte_costs_the_server_nothing", 256);
    let mut other = server.peer().await;
    other.says("ping\n").await;
    other.hears("pong").await;
    let before = resident_kib(server.process.pid());
    let since = Instant::now();
    let floods: JoinSet<_> = (0..8).map(|_| flood(server.address)).collect();
    while !floods.is_empty() && since.elapsed() < Duration::from_secs(1) {
        other.says("ping\n").await;
        other.hears("pong").await;
        let grown = resident_kib(server.process.pid()).saturating_sub(before);
        assert!(grown < 4096, "grown by {grown} KiB");
        sleep(Duration::from_millis(20)).await;
    }
    for taken in timeout(SOON, floods.join_all()).await.expect("the server reads on") {
        assert!(taken < GIGABYTE, "the server took it all");
    }
    other.says("ping\n").await;
    other.hears("pong").await;
}

const GIGABYTE: usize = 1 << 30;

/// Sends a gigabyte without a line feed, as fast as it is taken. How much was.
async fn flood(address: SocketAddr) -> usize {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (piece, mut taken) = (vec![b'x'; 1 << 16], 0);
    while taken < GIGABYTE {
        match stream.write(&piece).await {
            Ok(length) => taken += length,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
                break;
            }
        }
    }
    taken
}
