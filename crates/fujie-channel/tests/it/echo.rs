//! The echo mode over sockets, sentence by sentence: what the server of the `asyncio` tutorial does.

use std::{sync::Arc, time::Duration};

use fujie_channel::serve::{ECHO_TARGET, Limits};
use tokio::task::JoinSet;

use crate::{house::House, terminal};

/// Long enough for a slow machine to say something first.
fn brief() -> Limits {
    Limits { idle: Duration::from_secs(2), ..Limits::default() }
}

#[tokio::test]
async fn a_line_comes_back_and_a_ping_is_answered() {
    let house = House::echo(Limits::default());
    let mut peer = house.peer().await;
    peer.says("Hello World!\n").await;
    peer.hears("from server: Hello World!").await;
    peer.says("ping\n").await;
    peer.hears("pong").await;
    peer.says("  ping\t\r\n 你好 🌟 \n\n").await;
    peer.hears("pong").await;
    peer.hears("from server: 你好 🌟").await;
    peer.hears("from server: ").await;
}

#[tokio::test]
async fn a_peer_that_ends_is_answered_to_its_last_half_line() {
    let house = House::echo(Limits::default());
    let mut peer = house.peer().await;
    peer.says("a\nb").await;
    peer.ends().await;
    peer.hears_last("from server: a\nfrom server: b\n").await;
}

#[tokio::test]
async fn a_silent_peer_is_told_so_and_cut_off() {
    let house = House::echo(brief());
    let mut peer = house.peer().await;
    peer.says("half a line").await;
    peer.hears_last("超时断开连接\n").await;
}

#[tokio::test]
async fn ten_thousand_pings_at_once_are_all_answered() {
    let house = House::echo(Limits::default());
    let mut peer = house.peer().await;
    peer.says("ping\n".repeat(10_000)).await;
    peer.ends().await;
    peer.hears_last(&"pong\n".repeat(10_000)).await;
}

#[tokio::test]
async fn peers_do_not_wait_for_each_other() {
    let house = Arc::new(House::echo(Limits::default()));
    let mut peers = JoinSet::new();
    for number in 0..200 {
        let house = Arc::clone(&house);
        peers.spawn(async move {
            let mut peer = house.peer().await;
            for round in 0..20 {
                peer.says(format!("{number} {round}\n")).await;
                peer.hears(&format!("from server: {number} {round}")).await;
            }
        });
    }
    peers.join_all().await;
}

#[tokio::test]
async fn a_server_that_stops_says_bye() {
    let house = House::echo(Limits::default());
    let mut peers = Vec::new();
    for _ in 0..20 {
        let mut peer = house.peer().await;
        peer.says("ping\n").await;
        peer.hears("pong").await;
        peers.push(peer);
    }
    let stopping = tokio::spawn(house.stop());
    for mut peer in peers {
        peer.hears_last("bye\n").await;
    }
    stopping.await.unwrap();
}

#[tokio::test]
async fn the_terminal_shows_what_the_tutorial_shows() {
    terminal::keep();
    assert_eq!(ECHO_TARGET, "fujie_channel::echo");
    let house = House::echo(brief());
    let port = house.address.port();
    let mut first = house.peer().await;
    first.says("Hello World!\n").await;
    first.hears("from server: Hello World!").await;
    let stream = first.into_stream();
    let (ours, theirs) = (stream.local_addr().unwrap().port(), port);
    drop(stream);
    let mut second = house.peer().await;
    second.hears_last("超时断开连接\n").await;
    house.stop().await;
    let expected = format!(
        "Serving on ('127.0.0.1', {theirs})\n\
         Received 'Hello World!\\n' from ('127.0.0.1', {ours})\n\
         断开连接\n\
         Close the connection\n\
         超时断连\n\
         Close the connection\n"
    );
    assert_eq!(terminal::logged(), expected);
}
