//! The line protocol over TCP, served beside everything else: the same tokens, the same events, and an end.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpStream, tcp},
    time::timeout,
};

use super::listener;
use crate::house::{House, LINES};

struct Peer {
    lines: BufReader<tcp::OwnedReadHalf>,
    writer: tcp::OwnedWriteHalf,
}

impl Peer {
    async fn connect(house: &House) -> Self {
        let (reader, writer) = TcpStream::connect(house.line).await.unwrap().into_split();
        Self { lines: BufReader::new(reader), writer }
    }

    /// The next line; empty at the end.
    async fn hear(&mut self) -> String {
        let mut line = String::new();
        timeout(Duration::from_secs(60), self.lines.read_line(&mut line)).await.unwrap().unwrap();
        line
    }

    async fn ask(&mut self, line: &str) -> String {
        self.writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.hear().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_hears_over_tcp_what_was_posted_over_http() {
    let mut house = House::new().await;
    let (bot, token) = house.team().await;
    let mut peer = Peer::connect(&house).await;
    assert_eq!(peer.ask("ping").await, "pong\n");
    assert_eq!(peer.ask(&format!("auth {token}")).await, "ok auth\n");
    let subscribed = peer.ask("subscribe team").await;
    assert!(subscribed.starts_with("ok subscribe team "), "{subscribed}");
    let posted = house.tell(&token, "application/json", r#"{"title":"hello"}"#).await;
    assert_eq!(peer.hear().await, format!("event {}\n", posted.body));
    let named = house.tell(&token, "application/cloudevents+json", super::NAMED).await;
    assert!(named.body.contains(r#""delivery":"run-7""#), "{}", named.body);
    assert_eq!(peer.hear().await, format!("event {}\n", named.body));
    let foreign = house.own_token(&bot, "read_contacts").await;
    let writes = house.own_token(&bot, "channel:write").await;
    for (token, error) in
        [("fj_at_junk", "invalid_token"), (&foreign, "insufficient_scope"), (&writes, "insufficient_scope")]
    {
        let mut stranger = Peer::connect(&house).await;
        let answer = stranger.ask(&format!("auth {token}")).await;
        assert!(answer.starts_with(&format!("error {error} ")), "{answer}");
        assert_eq!(stranger.hear().await, "");
    }
    timeout(Duration::from_secs(25), house.halt()).await.expect("it waited for its peers");
    assert_eq!((peer.hear().await.as_str(), peer.hear().await.as_str()), ("bye\n", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_takes_most_of_the_places_and_not_all() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let auth = format!("auth {token}");
    let mut peers = Vec::new();
    for _ in 0..LINES - LINES / 4 {
        let mut peer = Peer::connect(&house).await;
        assert_eq!(peer.ask(&auth).await, "ok auth\n");
        peers.push(peer);
    }
    let mut one_more = Peer::connect(&house).await;
    let answer = one_more.ask(&auth).await;
    assert!(answer.starts_with("error temporarily_unavailable "), "{answer}");
    assert_eq!(one_more.hear().await, "");
    let other = house.add(listener("other")).await;
    let other = house.own_token(&other, "channel:read").await;
    assert_eq!(Peer::connect(&house).await.ask(&format!("auth {other}")).await, "ok auth\n", "others have theirs");
    assert_eq!(peers[0].ask(&auth).await, "ok auth\n", "who says it again keeps its place");
    peers.truncate(1);
    let room = async { while Peer::connect(&house).await.ask(&auth).await != "ok auth\n" {} };
    timeout(Duration::from_secs(60), room).await.expect("who goes makes no room");
}
