//! The channel over sockets: who may read, what is answered, and what ends a session.

use std::{sync::Arc, time::Duration};

use fujie_channel::{
    hub::Overflow,
    serve::{Limits, Listener},
};

use crate::{
    house::{House, loopback},
    memory::Memory,
};

#[tokio::test]
async fn a_member_reads_a_topic_from_where_it_says() {
    let house = House::channel();
    house.memory.append("team");
    house.memory.append("quiet");
    house.memory.append("team");
    let mut peer = house.peer().await;
    peer.says("auth of-alice\nsubscribe team 1\nping\n").await;
    peer.hears("ok auth").await;
    peer.hears("ok subscribe team 1").await;
    // An answer may come between: events wait until the peer has taken what was said before.
    let (mut is_alive, mut has_event) = (false, false);
    for _ in 0..2 {
        let line = peer.line().await;
        is_alive |= line == "pong";
        has_event |= line.starts_with(r#"event {"specversion":"1.0","id":"3","#);
    }
    assert!(is_alive && has_event);
    peer.says("subscribe quiet\n").await;
    peer.hears("ok subscribe quiet 3").await;
    house.memory.append("team");
    peer.hears_event(4).await;
    house.memory.append("quiet");
    peer.hears_event(5).await;
    peer.says("unsubscribe team\n").await;
    peer.hears("ok unsubscribe team").await;
    house.memory.append("team");
    house.memory.append("quiet");
    peer.hears_event(7).await;
    peer.says("bye\n").await;
    peer.hears_last("bye\n").await;
}

#[tokio::test]
async fn an_event_line_is_the_event_byte_for_byte() {
    let house = House::channel();
    let mut peer = house.peer_of("of-alice").await;
    peer.says("subscribe team 0\n").await;
    peer.hears("ok subscribe team 0").await;
    house.memory.append("team");
    peer.hears(concat!(
        r#"event {"specversion":"1.0","id":"1","source":"/","type":"notice","time":"1970-01-01T00:00:00.001Z","#,
        r#""topic":"team","datacontenttype":"application/json","data":""}"#
    ))
    .await;
}

#[tokio::test]
async fn whoever_may_not_read_is_told_why() {
    let house = House::channel();
    for (token, error) in [
        ("of-nobody", "error invalid_token the token is not valid here\n"),
        ("of-a-reader-of-mail", "error insufficient_scope the token lacks the scope channel:read\n"),
        ("in-a-bad-moment", "error temporarily_unavailable not now, come again later\n"),
    ] {
        let mut peer = house.peer().await;
        peer.says(format!("auth {token}\nsubscribe team\n")).await;
        peer.hears_last(error).await;
    }
    let mut peer = house.peer_of("of-carol").await;
    peer.says("subscribe team\nsubscribe nowhere\nping\n").await;
    peer.hears("error access_denied team: not a member of this topic").await;
    peer.hears("error unknown_topic nowhere: there is no such topic").await;
    peer.hears("pong").await;
    peer.says("subscribe in-a-bad-moment\n").await;
    peer.hears_last("error temporarily_unavailable not now, come again later\n").await;
}

#[tokio::test]
async fn a_stranger_may_ping_and_nothing_else() {
    let house = House::channel();
    let mut peer = house.peer().await;
    peer.says("ping\nsubscribe team\n").await;
    peer.hears("pong").await;
    peer.hears("error invalid_token say: auth TOKEN").await;
    peer.says("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    peer.hears_last("error invalid_request no such command\n").await;
}

#[tokio::test]
async fn a_mistake_of_somebody_known_does_not_end_the_session() {
    let house = House::channel();
    let mut peer = house.peer_of("of-alice").await;
    peer.says("subscribe Team\nsubscribe team -1\nwhat\nping\n").await;
    peer.hears("error invalid_request a topic is named by lower-case letters, digits and hyphens").await;
    peer.hears("error invalid_request an id is a number").await;
    peer.hears("error invalid_request no such command").await;
    peer.hears("pong").await;
}

#[tokio::test]
async fn a_session_follows_at_most_64_topics() {
    let house = House::channel();
    let topics: Vec<&'static str> = (0..65).map(|number| &*format!("t{number}").leak()).collect();
    house.doorman.members.lock().unwrap().extend(topics.iter().map(|topic| ("alice", *topic)));
    let mut peer = house.peer_of("of-alice").await;
    for topic in &topics[..64] {
        peer.says(format!("subscribe {topic}\n")).await;
        peer.hears(&format!("ok subscribe {topic} 0")).await;
    }
    peer.says("subscribe t64\n").await;
    peer.hears("error invalid_request at most 64 topics").await;
    for topic in topics {
        house.memory.append(topic);
    }
    for id in 1..=64 {
        peer.hears_event(id).await;
    }
}

#[tokio::test]
async fn a_second_subscription_of_a_topic_replaces_the_first() {
    let house = House::channel();
    (0..3).for_each(|_| _ = house.memory.append("team"));
    let mut peer = house.peer_of("of-alice").await;
    for from in [2, 1] {
        peer.says(format!("subscribe team {from}\n")).await;
        peer.hears(&format!("ok subscribe team {from}")).await;
        for id in from + 1..=3 {
            peer.hears_event(id).await;
        }
    }
    house.memory.append("team");
    peer.hears_event(4).await;
    peer.says("ping\n").await;
    peer.hears("pong").await;
}

/// On a slow machine, too, nobody is cut off for another reason than the one that is tested.
fn patient() -> Limits {
    let minutes = Duration::from_secs(180);
    Limits { idle: minutes, stall: minutes, ..Limits::default() }
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_cut_and_resumes_without_loss() {
    let house = House::channel_of(Memory::new(), loopback(), patient(), Overflow::Cut);
    let mut slow = house.peer_of("of-alice").await;
    let mut quick = house.peer_of("of-bob").await;
    for peer in [&mut slow, &mut quick] {
        peer.says("subscribe team\n").await;
        peer.hears("ok subscribe team 0").await;
    }
    // More than sockets hold.
    let events = 400;
    for id in 1..=events {
        house.memory.append_sized("team", 40_000);
        quick.hears_event(id).await;
    }
    let (mut seen, mut end) = (0, String::new());
    loop {
        let line = slow.line().await;
        if !line.starts_with("event ") {
            end.push_str(&line);
            break;
        }
        seen += 1;
        assert!(line.contains(&format!(r#""id":"{seen}","#)));
    }
    assert_eq!(end, "error too_slow come again and resume");
    assert!(seen < events - 100, "{seen}");
    let mut again = house.peer_of("of-alice").await;
    again.says(format!("subscribe team {seen}\n")).await;
    again.hears(&format!("ok subscribe team {seen}")).await;
    for id in seen + 1..=events {
        again.hears_event(id).await;
    }
}

#[tokio::test]
async fn a_reader_that_is_too_slow_may_be_spared_the_oldest_events() {
    let house = House::channel_of(Memory::new(), loopback(), patient(), Overflow::DropOldest);
    let mut slow = house.peer_of("of-alice").await;
    slow.says("subscribe team\n").await;
    slow.hears("ok subscribe team 0").await;
    let mut quick = house.peer_of("of-bob").await;
    quick.says("subscribe team\n").await;
    quick.hears("ok subscribe team 0").await;
    let events = 400;
    for id in 1..=events {
        house.memory.append_sized("team", 40_000);
        quick.hears_event(id).await;
    }
    let (mut next, mut gaps) = (1, 0);
    while next <= events {
        let line = slow.line().await;
        if let Some(gap) = line.strip_prefix("dropped team ") {
            let (after, until) = gap.split_once(' ').unwrap();
            assert_eq!(after, (next - 1).to_string());
            next = until.parse::<i64>().unwrap() + 1;
            gaps += 1;
        } else {
            assert!(line.contains(&format!(r#""id":"{next}","#)), "{line:.60}, not {next}");
            next += 1;
        }
    }
    assert!(gaps > 0);
}

#[tokio::test]
async fn whoever_reads_nothing_may_still_ping() {
    let house = House::channel_of(Memory::new(), loopback(), patient(), Overflow::Cut);
    let mut frozen = house.peer_of("of-alice").await;
    frozen.says("subscribe team\n").await;
    frozen.hears("ok subscribe team 0").await;
    (0..200).for_each(|_| _ = house.memory.append_sized("team", 40_000));
    for _ in 0..20 {
        frozen.says("ping\n").await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // It reads after all: every event once, and every pong.
    let (mut events, mut pongs) = (0, 0);
    while (events, pongs) != (200, 20) {
        match frozen.line().await.as_str() {
            "pong" => pongs += 1,
            line => {
                events += 1;
                assert!(line.contains(&format!(r#""id":"{events}","#)), "{line:.60}");
            }
        }
    }
}

#[tokio::test]
async fn the_channel_is_spoken_over_tls() {
    let (server, client) = crate::tls::configurations();
    let listener = Listener::bind(loopback()).unwrap().with_tls(server);
    let house = House::serving(listener, Memory::new(), Overflow::Cut);
    let mut peer = crate::tls::connect(house.address, client).await;
    peer.says("auth of-alice\nsubscribe team\n").await;
    peer.hears("ok auth").await;
    peer.hears("ok subscribe team 0").await;
    house.memory.append_sized("team", 45_000);
    assert!(peer.line().await.starts_with(r#"event {"specversion":"1.0","id":"1","#));
    let stopping = tokio::spawn(house.stop());
    peer.hears("bye").await;
    peer.hears("").await;
    drop(peer);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_tls_handshake_does_not_take_for_ever() {
    let (server, _) = crate::tls::configurations();
    let house = |limits: Limits| {
        let listener = Listener::bind(loopback()).unwrap().with_tls(Arc::clone(&server)).with_limits(limits);
        House::serving(listener, Memory::new(), Overflow::Cut)
    };
    let hasty = house(Limits { handshake: Duration::from_millis(200), ..Limits::default() });
    let mut silent = hasty.peer().await;
    silent.hears_last("").await;
    let house = house(Limits::default());
    let mut plain = house.peer().await;
    plain.says("auth of-alice\n").await;
    // An alert, and the end.
    assert!(!plain.line().await.contains("ok"));
}
