//! A storm of deliveries, seen by a receiver that keeps connections open and fails at times.

use crate::github_story::{Delivered, House, deliveries, house, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How a receiver takes the deliveries, by how many came before.
type Manner = fn(usize) -> Reaction;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reaction {
    Accepts,
    /// The connection ends after the answer.
    AcceptsAndCloses,
    /// The answer never comes: the connection breaks.
    Breaks,
    Fails,
}

/// Somebody to whom a storm goes.
struct Shore {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    deliveries: Vec<(Delivered, Reaction)>,
    connections: usize,
}

impl Shore {
    async fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared), manner));
            }
        });
        Self { url, seen }
    }

    /// GUIDs in the order in which they came.
    fn guids(&self) -> Vec<String> {
        self.seen.lock().unwrap().deliveries.iter().map(|(one, _)| guid(one)).collect()
    }
}

fn guid(delivered: &Delivered) -> String {
    delivered.header("X-GitHub-Delivery").unwrap().to_owned()
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>, manner: Manner) {
    let mut bytes = Vec::new();
    while let Some(delivered) = request(&mut stream, &mut bytes).await {
        let reaction = {
            let mut seen = seen.lock().unwrap();
            let reaction = manner(seen.deliveries.len());
            seen.deliveries.push((delivered, reaction));
            reaction
        };
        let answer = match reaction {
            Reaction::Accepts => "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",
            Reaction::AcceptsAndCloses => "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            Reaction::Fails => "HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nbroken",
            Reaction::Breaks => return,
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        if reaction == Reaction::AcceptsAndCloses {
            return;
        }
    }
}

/// The next request on a connection; `None` at its end.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Delivered> {
    loop {
        if let Some(border) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..border].to_vec()).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
            let end = border + 4 + length.parse::<usize>().unwrap();
            if bytes.len() >= end {
                let body = String::from_utf8(bytes[border + 4..end].to_vec()).unwrap();
                bytes.drain(..end);
                return Some(Delivered { head, body });
            }
        }
        if stream.read_buf(bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// A hook of xiaoming's on pushes, whose ping is over.
async fn hook(house: &House, url: &str, content_type: &str) -> u64 {
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": url, "content_type": content_type, "secret": "s" });
    let hook = house.hook(&token, config, &["push"]).await;
    deliveries(house, &token, &hook, 1).await;
    hook.rsplit('/').next().unwrap().parse().unwrap()
}

/// Orders a storm and waits for its end; its last progress.
async fn storm(house: &House, order: Value) -> Value {
    let answer = house.control("storm", &order).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    loop {
        let progress = house.get("/_simulate/storm").await.json();
        if progress["done"] == true {
            return progress;
        }
        let _waited = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
    }
}

#[tokio::test]
async fn github_storm_ends_when_a_receiver_that_fails_at_times_took_every_sending() {
    let shore = Shore::new(|before| match before {
        before if before % 7 == 3 => Reaction::Fails,
        before if before % 11 == 5 => Reaction::Breaks,
        before if before % 13 == 6 => Reaction::AcceptsAndCloses,
        _ => Reaction::Accepts,
    })
    .await;
    let house = house().await;
    let hook = hook(&house, &shore.url, "json").await;
    shore.seen.lock().unwrap().deliveries.clear();
    let progress = storm(&house, json!({ "hook_id": hook, "count": 300, "seed": 7, "concurrency": 8 })).await;

    let listed = house.get("/_simulate/storm/acknowledged").await;
    let seen = shore.seen.lock().unwrap();
    let mut taken: BTreeMap<String, u64> = BTreeMap::new();
    for (delivered, reaction) in &seen.deliveries {
        if matches!(reaction, Reaction::Accepts | Reaction::AcceptsAndCloses) {
            *taken.entry(guid(delivered)).or_default() += 1;
        }
    }
    let numbers: Vec<_> = taken.keys().map(|guid| u32::from_str_radix(&guid[..8], 16).unwrap()).collect();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>(), "each was taken at least once");
    assert!(listed.text().lines().eq(taken.keys()), "the GUIDs can be asked for");
    let storm_of = |guid: &String| guid[8..].to_owned();
    assert!(taken.keys().all(|guid| storm_of(guid) == storm_of(taken.keys().next().unwrap())));
    assert!((1..=5).all(|times| taken.values().any(|taken| *taken == times)), "once to five times: {taken:?}");
    assert!(taken.values().all(|times| *times <= 5));

    let (all, took) = (seen.deliveries.len() as u64, taken.values().sum::<u64>());
    for (name, expected) in [
        ("count", 300),
        ("sent", all),
        ("acknowledged", 300),
        ("repeated", took - 300),
        ("failed_attempts", all - took),
    ] {
        assert_eq!(progress[name], expected, "{name} in {progress}");
    }
    assert!(all - took >= 100, "many failed");
    assert!((8..all as usize / 4).contains(&seen.connections), "{} connections are kept", seen.connections);
}

#[tokio::test]
async fn github_storm_comes_out_of_order_and_with_the_same_seed_in_the_same_order() {
    let shore = Shore::new(|_| Reaction::Accepts).await;
    let house = house().await;
    let hook = hook(&house, &shore.url, "json").await;
    let mut orders = Vec::new();
    for seed in [7, 7, 8] {
        shore.seen.lock().unwrap().deliveries.clear();
        storm(&house, json!({ "hook_id": hook, "count": 50, "seed": seed, "concurrency": 1 })).await;
        orders.push(shore.guids());
    }
    let numbers = |guids: &[String]| guids.iter().map(|guid| guid[..8].to_owned()).collect::<Vec<_>>();
    let order = numbers(&orders[0]);
    assert!(!order.is_sorted() && !order.iter().rev().is_sorted());
    assert_eq!(order, numbers(&orders[1]));
    assert_ne!(order, numbers(&orders[2]));
    assert!(orders[0].iter().all(|guid| !orders[1].contains(guid)), "another storm has other GUIDs");
}

#[tokio::test]
async fn github_storm_signs_a_push_that_tells_a_commit_of_its_own() {
    for content_type in ["json", "form"] {
        let shore = Shore::new(|_| Reaction::Accepts).await;
        let house = house().await;
        let id = hook(&house, &shore.url, content_type).await;
        let order = json!({ "repository": "xiaoming/demo", "count": 5, "repeat_max": 1 });
        let progress = storm(&house, order).await;
        assert_eq!((&progress["repeated"], &progress["failed_attempts"]), (&json!(0), &json!(0)));
        let seen = shore.seen.lock().unwrap();
        let (ping, pushes) = seen.deliveries.split_first().unwrap();
        assert_eq!(pushes.len(), 5);
        for (push, _) in pushes {
            let names = |one: &Delivered| -> Vec<String> {
                one.head.lines().skip(1).map(|line| line.split_once(": ").unwrap().0.to_owned()).collect()
            };
            let mut as_ever = names(&ping.0);
            as_ever.retain(|name| name != "Connection");
            assert_eq!(names(push), as_ever);
            assert_eq!(push.header("X-GitHub-Hook-ID"), Some(id.to_string().as_str()));
            assert_eq!(push.header("X-Hub-Signature-256"), Some(signature(&push.body).as_str()));
            let json = match content_type {
                "json" => push.json(),
                _ => serde_json::from_str(&field(&push.body)).unwrap(),
            };
            let digits = guid(push).replace('-', "");
            assert_eq!(json["after"], json["commits"][0]["id"]);
            let after = text(&json, "after");
            assert!(after.starts_with(&digits) && after.len() == 40, "{after} is the commit of {digits}");
            assert_eq!(json["repository"]["full_name"], "xiaoming/demo");
        }
    }
}

/// HMAC-SHA256 of a body under the secret `s`.
fn signature(body: &str) -> String {
    use aws_lc_rs::hmac;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"s"), body.as_bytes());
    format!("sha256={}", tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The only field of a form.
fn field(form: &str) -> String {
    let (name, value) = url::form_urlencoded::parse(form.as_bytes()).next().unwrap();
    assert_eq!(name, "payload");
    value.into_owned()
}

#[tokio::test]
async fn github_storm_carries_a_payload_of_ones_own_and_is_not_in_the_list_of_deliveries() {
    let (house, shore) = (house().await, Shore::new(|_| Reaction::Accepts).await);
    let id = hook(&house, &shore.url, "json").await;
    shore.seen.lock().unwrap().deliveries.clear();
    let order = json!({ "hook_id": id, "count": 3, "repeat_max": 1, "payload": { "zen": "x", "after": "short" } });
    storm(&house, order).await;
    let bodies =
        || -> Vec<String> { shore.seen.lock().unwrap().deliveries.iter().map(|(one, _)| one.body.clone()).collect() };
    assert_eq!(bodies(), [r#"{"after":"short","zen":"x"}"#; 3]);
    let token = house.access_token("repo", "xiaoming").await;
    assert_eq!(deliveries(&house, &token, &format!("/repos/xiaoming/demo/hooks/{id}"), 1).await.len(), 1, "the ping");
}

#[tokio::test]
async fn github_storm_waits_for_a_receiver_that_is_away_until_it_is_called_off() {
    let house = house().await;
    // Its port is its own while it is away, and refuses who comes.
    let receiver = TcpSocket::new_v4().unwrap();
    receiver.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    hook(&house, &format!("http://{}/hook", receiver.local_addr().unwrap()), "json").await;
    let order = json!({ "repository": "xiaoming/demo", "count": 4, "repeat_max": 1, "concurrency": 2 });
    assert_eq!(house.control("storm", &order).await.status, 202);
    assert_eq!(house.control("storm", &order).await.status, 409, "one at a time");
    let progress = loop {
        let progress = house.get("/_simulate/storm").await.json();
        if progress["failed_attempts"].as_u64().unwrap() >= 6 {
            break progress;
        }
        let _waited = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
    };
    assert_eq!((&progress["acknowledged"], &progress["done"]), (&json!(0), &json!(false)));
    assert_eq!(house.get("/_simulate/storm/acknowledged").await.text(), "");
    assert_eq!(progress["last_failure"], "failed to connect to host");
    let back = receiver.listen(1024).unwrap();
    let (mut stream, _) = back.accept().await.unwrap();
    assert!(request(&mut stream, &mut Vec::new()).await.is_some(), "it is there again, and is tried again");
    let ended = crate::http::send(house.base(), "DELETE", "/_simulate/storm", &[], "").await;
    assert_eq!(ended.status, 204);
    assert!(request(&mut stream, &mut Vec::new()).await.is_none(), "called off, the connections end");
    assert_eq!(house.get("/_simulate/storm").await.status, 404);
}

#[tokio::test]
async fn github_storm_that_cannot_be_is_refused() {
    let (house, shore) = (house().await, Shore::new(|_| Reaction::Accepts).await);
    let id = hook(&house, &shore.url, "json").await;
    let token = house.access_token("repo", "xiaoming").await;
    let secure = house.hook(&token, json!({ "url": "https://127.0.0.1:1/" }), &["push"]).await;
    let secure: u64 = secure.rsplit('/').next().unwrap().parse().unwrap();
    for (order, error) in [
        (json!({ "count": 1 }), "name a hook_id"),
        (json!({ "count": 1, "hook_id": 1 }), "no active hook"),
        (json!({ "count": 1, "hook_id": id, "event": "issues" }), "no active hook"),
        (json!({ "count": 1, "hook_id": id, "event": "push\r\nX-Evil: 1" }), "event is a name"),
        (json!({ "count": 1, "repository": "xiaoming/demo" }), "more than one hook"),
        (json!({ "count": 1, "repository": "nobody/demo" }), "no such repository"),
        (json!({ "count": 1, "hook_id": secure }), "http alone"),
        (json!({ "count": 0, "hook_id": id }), "count is 1 to"),
        (json!({ "count": 1_000_001, "hook_id": id }), "count is 1 to"),
        (json!({ "count": 1, "hook_id": id, "repeat_max": 17 }), "repeat_max 1 to 16"),
        (json!({ "count": 1, "hook_id": id, "concurrency": 0 }), "concurrency 1 to"),
        (json!({ "hook_id": id }), "count"),
        (json!({ "count": 1, "hook_id": id, "speed": 9 }), "unknown field"),
    ] {
        let answer = house.control("storm", &order).await;
        assert_eq!(answer.status, 400, "{order}");
        assert!(answer.text().contains(error), "{order}: {}", answer.text());
    }
}
