//! The client against servers that break, repeat themselves, fall silent or refuse.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use fujie_channel::{
    client::{Channel, ChannelError, Endpoint, Heartbeat, Incoming, Need, TokenError, TokenSource},
    hub::Overflow,
    line::ErrorCode,
    serve::{Limits, Listener},
};
use fujie_core::secret::Secret;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::{
    chance,
    house::{House, Peer, SOON, loopback},
    memory::Memory,
};

/// Quick enough for a test.
fn brisk() -> Heartbeat {
    let millis = Duration::from_millis;
    Heartbeat { first: millis(50), every: millis(100), patience: Duration::from_secs(2) }
}

/// The same token always.
fn token(text: &'static str) -> impl TokenSource {
    move |_: Need| async move { Ok(Secret::new(text.to_owned())) }
}

fn connect(address: std::net::SocketAddr, tokens: impl TokenSource) -> Channel {
    let endpoint = Endpoint::parse(&format!("tcp://{address}")).unwrap();
    Channel::connect_with(endpoint, tokens, chance::random(1), brisk())
}

/// The next thing that comes, whatever the connections do meanwhile.
async fn next(channel: &mut Channel) -> Result<Incoming, ChannelError> {
    loop {
        match any(channel).await {
            Ok(Incoming::Subscribed { .. } | Incoming::Lost { .. }) => {}
            came => return came,
        }
    }
}

async fn any(channel: &mut Channel) -> Result<Incoming, ChannelError> {
    timeout(SOON, channel.next()).await.expect("nothing came")
}

async fn next_id(channel: &mut Channel) -> i64 {
    match next(channel).await {
        Ok(Incoming::Event(event)) => event.id,
        other => panic!("{other:?}"),
    }
}

async fn refusal(channel: &mut Channel) -> ErrorCode {
    match next(channel).await {
        Err(ChannelError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn events_come_whole_from_several_topics() {
    let house = House::channel();
    house.memory.append("team");
    let mut channel = connect(house.address, token("of-alice"));
    channel.subscribe("team", Some(0));
    let Ok(Incoming::Event(event)) = next(&mut channel).await else { panic!() };
    assert_eq!((event.id, &*event.topic), (1, "team"));
    let attributes: serde_json::Value = serde_json::from_slice(&event.line).unwrap();
    assert_eq!(attributes["type"], "notice");
    channel.subscribe("quiet", Some(0));
    house.memory.append("quiet");
    assert_eq!(next_id(&mut channel).await, 2);
}

#[tokio::test]
async fn a_client_speaks_tls() {
    let (server, client) = crate::tls::configurations();
    let listener = Listener::bind(loopback()).unwrap().with_tls(server);
    let house = House::serving(listener, Memory::new(), Overflow::Cut);
    let address = format!("tls://localhost:{}", house.address.port());
    let endpoint = Endpoint::parse(&address).unwrap().with_tls(client);
    let mut channel = Channel::connect(endpoint, token("of-alice"), chance::random(1));
    channel.subscribe("team", Some(0));
    house.memory.append("team");
    assert_eq!(next_id(&mut channel).await, 1);
}

#[tokio::test]
async fn what_cannot_be_helped_is_said_once() {
    let house = House::channel();
    let mut channel = connect(house.address, token("of-a-reader-of-mail"));
    assert_eq!(refusal(&mut channel).await, ErrorCode::InsufficientScope);
    assert!(matches!(next(&mut channel).await, Err(ChannelError::Closed)));

    let mut channel = connect(house.address, token("of-carol"));
    channel.subscribe("team", None);
    assert_eq!(refusal(&mut channel).await, ErrorCode::AccessDenied);

    let echo = House::echo(Limits::default());
    let mut channel = connect(echo.address, token("of-alice"));
    assert!(matches!(next(&mut channel).await, Err(ChannelError::NotAChannel)));

    let far = Endpoint::parse("tcp://192.0.2.1:1").unwrap();
    let mut channel = Channel::connect(far, token("of-alice"), chance::random(1));
    assert!(matches!(next(&mut channel).await, Err(ChannelError::Endpoint(_))));

    let gone = |_: Need| async { Err(TokenError::Gone("nobody has signed in".into())) };
    let mut channel = connect(house.address, gone);
    assert!(matches!(next(&mut channel).await, Err(ChannelError::Token(_))));
}

/// Gives these tokens, one after the other, and remembers what was asked.
fn tokens(texts: &[&'static str]) -> (impl TokenSource, Arc<Mutex<Vec<Need>>>) {
    let asked: Arc<Mutex<Vec<Need>>> = Arc::default();
    let (mut texts, log) = (VecDeque::from(texts.to_vec()), Arc::clone(&asked));
    let source = move |need: Need| {
        log.lock().unwrap().push(need);
        let text = texts.pop_front();
        async move { text.map(|text| Secret::new(text.to_owned())).ok_or(TokenError::Gone("no more".into())) }
    };
    (source, asked)
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_once() {
    let house = House::channel();
    let (source, asked) = tokens(&["ended", "of-alice"]);
    let mut channel = connect(house.address, source);
    channel.subscribe("team", Some(0));
    house.memory.append("team");
    assert_eq!(next_id(&mut channel).await, 1);
    assert_eq!(*asked.lock().unwrap(), [Need::Any, Need::Another]);

    let (source, asked) = tokens(&["ended", "also-ended", "of-alice"]);
    let mut channel = connect(house.address, source);
    assert_eq!(refusal(&mut channel).await, ErrorCode::InvalidToken);
    assert_eq!(*asked.lock().unwrap(), [Need::Any, Need::Another]);
}

/// A server that says what the test wants: one connection after the other.
struct Script(TcpListener);

impl Script {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The next connection, after who it is and what it wants.
    async fn accepts(&self, wants: &str) -> Peer {
        let (stream, _) = timeout(SOON, self.0.accept()).await.expect("nobody connects").unwrap();
        let mut peer = Peer::new(stream);
        peer.hears("auth of-alice").await;
        peer.says("ok auth\n").await;
        loop {
            match peer.line().await {
                line if line == "ping" => peer.says("pong\n").await,
                line => {
                    assert_eq!(line, wants);
                    return peer;
                }
            }
        }
    }
}

fn event(id: i64) -> String {
    format!("event {{\"id\":\"{id}\",\"topic\":\"team\"}}\n")
}

#[tokio::test]
async fn a_client_resumes_and_gives_every_event_once() {
    let script = Script::new().await;
    let mut channel = connect(script.0.local_addr().unwrap(), token("of-alice"));
    channel.subscribe("team", None);

    let mut server = script.accepts("subscribe team").await;
    server.says(format!("ok subscribe team 4\n{}{}{}{}", event(4), event(5), event(5), event(6))).await;
    assert_eq!((next_id(&mut channel).await, next_id(&mut channel).await), (5, 6));
    drop(server);

    let mut server = script.accepts("subscribe team 6").await;
    server.says(format!("ok subscribe team 6\n{}{}bye\n", event(6), event(7))).await;
    assert_eq!(next_id(&mut channel).await, 7);

    // Too slow, and then some events are gone.
    let mut server = script.accepts("subscribe team 7").await;
    server.says("ok subscribe team 7\nerror too_slow come again and resume\n").await;
    let mut server = script.accepts("subscribe team 7").await;
    server.says(format!("ok subscribe team 7\ndropped team 7 20\n{}", event(21))).await;
    let dropped = Incoming::Dropped { topic: "team".to_owned(), after: 7, until: 20 };
    assert_eq!(next(&mut channel).await.unwrap(), dropped);
    assert_eq!(next_id(&mut channel).await, 21);
    drop(server);

    // A log that was lost: its ids begin again.
    let mut server = script.accepts("subscribe team 21").await;
    server.says(format!("ok subscribe team 3\n{}", event(4))).await;
    assert_eq!(next_id(&mut channel).await, 4);
    drop(server);

    // A half line is nothing.
    let mut server = script.accepts("subscribe team 4").await;
    server.says("ok subscribe team 4\nevent {\"id\":\"5\",\"to").await;
    drop(server);
    let mut server = script.accepts("subscribe team 4").await;
    server.says(event(5)).await;
    assert_eq!(next_id(&mut channel).await, 5);
}

#[tokio::test]
async fn a_program_is_told_of_connections_and_says_goodbye() {
    let script = Script::new().await;
    let mut channel = connect(script.0.local_addr().unwrap(), token("of-alice"));
    channel.subscribe("team", None);
    let subscribed = |from| Incoming::Subscribed { topic: "team".to_owned(), from };
    let mut server = script.accepts("subscribe team").await;
    server.says("ok subscribe team 4\nbye\n").await;
    assert_eq!(any(&mut channel).await.unwrap(), subscribed(4));
    let Ok(Incoming::Lost { why, is_unreachable: false, .. }) = any(&mut channel).await else { panic!() };
    assert_eq!(why, "bye");
    // A token that ends is replaced, and the connection is made anew.
    let mut server = script.accepts("subscribe team 4").await;
    server.says("ok subscribe team 4\nerror invalid_token it is over\n").await;
    assert_eq!(any(&mut channel).await.unwrap(), subscribed(4));
    let Ok(Incoming::Lost { why, is_unreachable: false, .. }) = any(&mut channel).await else { panic!() };
    assert_eq!(why, "the token has ended");
    // Also when more came than is taken.
    let mut server = script.accepts("subscribe team 4").await;
    server.says((5..200).map(event).collect::<String>()).await;
    assert_eq!(next_id(&mut channel).await, 5);
    channel.close().await;
    loop {
        match server.line().await.as_str() {
            "ping" => {}
            line => break assert_eq!(line, "bye"),
        }
    }

    let channel = connect(script.0.local_addr().unwrap(), token("of-alice"));
    drop(script);
    // Nothing was said yet, and nobody is there: leaving takes no longer for that.
    timeout(SOON, channel.close()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let script = Script::new().await;
    let mut channel = connect(script.0.local_addr().unwrap(), token("of-alice"));
    channel.subscribe("team", Some(1));
    let _silent = script.accepts("subscribe team 1").await;
    let mut server = script.accepts("subscribe team 1").await;
    server.says(event(2)).await;
    assert_eq!(next_id(&mut channel).await, 2);
}

#[tokio::test]
async fn a_program_that_is_slow_keeps_its_connection() {
    let limits = Limits { idle: Duration::from_secs(2), ..Limits::default() };
    let house = House::channel_of(Memory::new(), loopback(), limits, Overflow::Cut);
    let mut channel = connect(house.address, token("of-alice"));
    channel.subscribe("team", Some(0));
    (0..200).for_each(|_| _ = house.memory.append("team"));
    assert_eq!(next_id(&mut channel).await, 1);
    // Several times the server's patience, with more waiting than the client holds. A cut would show: the token is gone.
    house.doorman.set("of-alice", Err(fujie_channel::gate::Refusal::InsufficientScope));
    sleep(Duration::from_secs(6)).await;
    for id in 2..=200 {
        assert_eq!(next_id(&mut channel).await, id);
    }
    house.memory.append("team");
    assert_eq!(next_id(&mut channel).await, 201);
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    // An address that no other test listens at or comes from: nobody takes the port meanwhile.
    let listener = TcpListener::bind("127.0.0.3:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut channel = connect(address, token("of-alice"));
    channel.subscribe("team", Some(0));
    assert!(matches!(any(&mut channel).await, Ok(Incoming::Lost { is_unreachable: true, .. })));
    let house = House::channel_of(Memory::new(), address, Limits::default(), Overflow::Cut);
    house.memory.append("team");
    assert_eq!(next_id(&mut channel).await, 1);
}
