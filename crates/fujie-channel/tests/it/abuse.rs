//! Peers that mean no good, or cannot do better: others do not notice, and nothing grows.

use std::{path::PathBuf, process::Stdio, time::Duration};

use fujie_channel::{hub::Overflow, serve::Limits};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::Command,
    time::{Instant, sleep, timeout},
};

#[cfg(target_os = "linux")]
use crate::process::cpu_seconds;
use crate::{
    house::{House, Peer, SOON, loopback},
    memory::Memory,
};

/// A peer that has nothing to do with the others, and is answered.
async fn assert_alive(house: &House) {
    let mut peer = house.peer().await;
    peer.says("ping\n").await;
    peer.hears("pong").await;
}

#[tokio::test]
async fn a_line_of_a_gigabyte_is_cut_off_after_four_kilobytes() {
    for house in [House::echo(Limits::default()), House::channel()] {
        let (mut read, mut write) = TcpStream::connect(house.address).await.unwrap().into_split();
        let sending = async {
            let (piece, mut sent) = (vec![b'x'; 64 * 1024], 0_usize);
            while sent < 1 << 30 && write.write_all(&piece).await.is_ok() {
                sent += piece.len();
            }
            sent
        };
        let hearing = async {
            let mut text = String::new();
            // What came before the reset is what counts.
            let _ = timeout(SOON, read.read_to_string(&mut text)).await.expect("it does not close");
            text
        };
        let (sent, heard) = tokio::join!(sending, hearing);
        assert_eq!(heard, "error line_too_long a line is at most 4096 bytes\n");
        // Two sockets' buffers and what the server throws away.
        assert!(sent < 64 << 20, "{sent}");
        assert_alive(&house).await;
    }
}

#[tokio::test]
async fn odd_bytes_are_answered_or_end_the_connection_and_nothing_else() {
    let house = House::echo(Limits::default());
    let mut peer = house.peer().await;
    peer.says(b"a\0b\n\rping\r\r\n\x1b[2J\n").await;
    peer.hears("from server: a\0b").await;
    peer.hears("pong").await;
    peer.hears("from server: \u{1b}[2J").await;
    for bytes in [&b"\xff\xfe\n"[..], b"\xc0\xafping\n", b"\xed\xa0\x80\n", b"\xf5\x80\x80\x80\n"] {
        let mut peer = house.peer().await;
        peer.says(b"ping\n").await;
        peer.says(bytes).await;
        peer.hears_last("pong\n").await;
    }
    let house = House::channel();
    for (bytes, error) in [
        (&b"\xff\n"[..], "error invalid_request a line is UTF-8\n"),
        (b"ping\0\n", "error invalid_request no such command\n"),
        (b"auth \xff\n", "error invalid_request a line is UTF-8\n"),
        (b"\n", "error invalid_request no such command\n"),
    ] {
        let mut peer = house.peer().await;
        peer.says(bytes).await;
        peer.hears_last(error).await;
    }
    assert_alive(&house).await;
}

#[tokio::test]
async fn half_requests_and_sudden_ends_leave_nothing_behind() {
    for house in [House::echo(Limits::default()), House::channel()] {
        for bytes in ["", "p", "ping", "auth of-al", "auth of-alice\nsubscribe te"] {
            for is_abrupt in [false, true] {
                let mut peer = house.peer().await;
                peer.says(bytes).await;
                let stream = peer.into_stream();
                if is_abrupt {
                    stream.set_zero_linger().unwrap();
                }
                drop(stream);
            }
        }
        assert_alive(&house).await;
        // Would wait for connections that are still there.
        let since = Instant::now();
        house.stop().await;
        assert!(since.elapsed() < Duration::from_secs(4));
    }
}

#[tokio::test]
async fn whoever_floods_and_reads_nothing_hinders_nobody() {
    let house = House::echo(Limits { stall: Duration::from_secs(2), ..Limits::default() });
    let (mut read, mut write) = TcpStream::connect(house.address).await.unwrap().into_split();
    let flooding = tokio::spawn(async move {
        let piece = "ping\n".repeat(10_000);
        while write.write_all(piece.as_bytes()).await.is_ok() {}
    });
    for _ in 0..20 {
        assert_alive(&house).await;
        sleep(Duration::from_millis(10)).await;
    }
    timeout(SOON, flooding).await.expect("it is not cut off").unwrap();
    let mut answers = Vec::new();
    let _ = read.read_to_end(&mut answers).await;
    assert!(answers.len() < 64 << 20, "{}", answers.len());
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let house = House::echo(Limits { connections: 10, ..Limits::default() });
    let mut peers = Vec::new();
    for _ in 0..10 {
        let mut peer = house.peer().await;
        peer.says("ping\n").await;
        peer.hears("pong").await;
        peers.push(peer);
    }
    let mut eleventh = house.peer().await;
    eleventh.says("ping\n").await;
    assert!(timeout(Duration::from_millis(200), eleventh.line()).await.is_err());
    peers.pop();
    eleventh.hears("pong").await;
}

#[tokio::test]
async fn silent_peers_that_take_all_places_keep_no_listener_out() {
    let limits = Limits { connections: 10, ..Limits::default() };
    let house = House::channel_of(Memory::new(), loopback(), limits, Overflow::Cut);
    let mut listeners = vec![house.peer_of("of-alice").await];
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(house.peer().await);
    }
    while listeners.len() < 10 {
        listeners.push(house.peer_of("of-bob").await);
    }
    // Who has said nothing goes, whoever has been there longest first; nobody who is known does.
    for peer in &mut silent {
        peer.hears_last("").await;
    }
    let mut eleventh = house.peer().await;
    eleventh.says("ping\n").await;
    assert!(timeout(Duration::from_millis(200), eleventh.line()).await.is_err());
    for listener in &mut listeners {
        listener.says("ping\n").await;
        listener.hears("pong").await;
    }
    listeners.pop();
    eleventh.hears("pong").await;
}

/// The example, which `cargo test` builds, in a process that may open 256 files.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_without_file_descriptors_keeps_those_it_has_and_takes_others_when_they_leave() {
    let example: PathBuf = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples").join("echo");
    assert!(example.exists(), "cargo test builds {}", example.display());
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 256 && exec \"$0\" 127.0.0.1:0"])
        .arg(example)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    let serving = timeout(SOON, printed.next_line()).await.unwrap().unwrap().unwrap();
    let port: u16 = serving.rsplit_once(", ").unwrap().1.trim_end_matches(')').parse().unwrap();
    // What it says about each of them must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = printed.next_line().await {} });
    let mut peers = Vec::new();
    for _ in 0..400 {
        let mut peer = Peer::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        peer.says("ping\n").await;
        peers.push(peer);
    }
    // One descriptor for each, and a few are the server's own. Nobody is turned away: the others wait.
    let mut waiting = peers.split_off(200);
    for peer in &mut peers {
        peer.hears("pong").await;
    }
    assert!(timeout(Duration::from_millis(200), waiting[100].line()).await.is_err());
    // It does not try to accept as fast as it can meanwhile, and those who are connected are served.
    let (pid, since) = (child.id().unwrap(), Instant::now());
    let cpu = cpu_seconds(pid);
    while since.elapsed() < Duration::from_secs(2) {
        for peer in &mut peers[..20] {
            peer.says("ping\n").await;
            peer.hears("pong").await;
        }
        sleep(Duration::from_millis(200)).await;
    }
    let cpu = cpu_seconds(pid) - cpu;
    assert!(cpu < 0.5, "{cpu} s of CPU in 2 s with next to nothing to do");
    // Whoever waited is served as soon as others leave.
    drop(peers);
    for peer in &mut waiting {
        peer.hears("pong").await;
    }
}
