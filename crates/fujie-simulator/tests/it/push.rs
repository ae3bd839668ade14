//! The push service as a sender sees it. Its tokens are made here, with the library alone.

use crate::http::{self, Answer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fujie_simulator::{Push, PushConfig, Running};
use serde_json::{Value, json};

struct House {
    running: Running,
    pair: EcdsaKeyPair,
}

async fn house() -> House {
    let running = Push::start("127.0.0.1:0", PushConfig::default()).await.unwrap();
    House { running, pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
}

/// One record of `length` bytes in all, with an empty salt.
fn record(length: usize) -> String {
    // Letters alone, so that it can be sent as text: a size of "0000" and a key that begins with 4.
    let mut body = "s".repeat(16) + "0000" + "A\u{4}" + &"k".repeat(64);
    body.push_str(&"r".repeat(length - body.len()));
    body
}

impl House {
    fn base(&self) -> &str {
        self.running.base_url()
    }

    fn key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key())
    }

    async fn now(&self) -> u64 {
        http::get(self.base(), "/_simulate").await.json()["now"].as_u64().unwrap()
    }

    async fn claims(&self) -> Value {
        json!({ "aud": self.base(), "exp": self.now().await + 3600, "sub": "mailto:admin@example.com" })
    }

    fn authorization(&self, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", encode(&json!({ "typ": "JWT", "alg": "ES256" })), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("Authorization: vapid t={input}.{}, k={}", URL_SAFE_NO_PAD.encode(signature), self.key())
    }

    async fn post(&self, id: &str, headers: &[&str], body: &str) -> Answer {
        http::send(self.base(), "POST", &format!("/push/{id}"), headers, body).await
    }

    async fn control(&self, path: &str, body: &Value) {
        let answer = http::send(self.base(), "POST", &format!("/_simulate/{path}"), &[], &body.to_string()).await;
        assert!(answer.status < 300, "{path}");
    }

    async fn kept(&self) -> Vec<Value> {
        http::get(self.base(), "/_simulate/messages").await.json().as_array().unwrap().clone()
    }
}

const ENCODING: &str = "Content-Encoding: aes128gcm";
const TTL: &str = "TTL: 60";

#[tokio::test]
async fn a_message_is_taken_with_a_location_and_kept_as_it_came() {
    let house = house().await;
    let claims = house.claims().await;
    let authorization = house.authorization(&claims);
    let headers = [authorization.as_str(), ENCODING, TTL, "Urgency: high", "Topic: event-17"];
    let answer = house.post("demo", &headers, &record(200)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("location"), Some(format!("{}/message/1", house.base()).as_str()));
    assert_eq!(answer.header("ttl"), Some("60"));
    let kept = house.kept().await;
    assert_eq!(kept.len(), 1);
    let expected =
        [("subscription", json!("demo")), ("ttl", json!(60)), ("urgency", json!("high")), ("topic", json!("event-17"))];
    for (member, value) in expected {
        assert_eq!(kept[0][member], value);
    }
    assert_eq!(kept[0]["claims"], claims);
    assert_eq!(kept[0]["application_server_key"], json!(house.key()));
    assert_eq!(URL_SAFE_NO_PAD.decode(kept[0]["body"].as_str().unwrap()).unwrap(), record(200).into_bytes());
    let gone = http::send(house.base(), "DELETE", "/message/1", &[], "").await;
    assert_eq!((gone.status, house.kept().await.len()), (204, 0));
}

#[tokio::test]
async fn who_sends_is_proven() {
    let house = house().await;
    let good = house.claims().await;
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        house.authorization(&claims)
    };
    let now = house.now().await;
    let other = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let forged = house.authorization(&good).replace(&house.key(), &URL_SAFE_NO_PAD.encode(other.public_key()));
    for (authorization, expected) in [
        (house.authorization(&good), 201),
        (house.authorization(&good).replace(", k=", ",k="), 201),
        ("Authorization: Bearer x".to_owned(), 401),
        ("X-None: 1".to_owned(), 401),
        (forged, 403),
        (house.authorization(&good).replace(", k=", ", j="), 403),
        (with("aud", json!("https://push.example.net")), 403),
        (with("aud", json!(format!("{}/", house.base()))), 403),
        (with("exp", json!(now - 1)), 403),
        (with("exp", json!(now + 86_500)), 403),
        (with("exp", Value::Null), 403),
        (with("sub", json!("admin")), 403),
    ] {
        let answer = house.post("demo", &[&authorization, ENCODING, TTL], &record(120)).await;
        assert_eq!(answer.status, expected, "{authorization}: {}", answer.text());
    }
    // A subscription made for one key is for no other (RFC 8292 §4).
    for (key, expected) in [(house.key(), 201), (URL_SAFE_NO_PAD.encode(other.public_key()), 403)] {
        house.control("apps", &json!({ "id": "own", "application_server_key": key })).await;
        let answer = house.post("own", &[&house.authorization(&good), ENCODING, TTL], &record(120)).await;
        assert_eq!(answer.status, expected);
    }
    assert_eq!(house.post("demo", &[ENCODING, TTL], &record(120)).await.status, 401);
    house.control("switches", &json!({ "authorization_needed": false })).await;
    assert_eq!(house.post("demo", &[ENCODING, TTL], &record(120)).await.status, 201);
}

#[tokio::test]
async fn the_rules_of_the_headers_and_of_the_size_hold() {
    let house = house().await;
    house.control("switches", &json!({ "authorization_needed": false })).await;
    let cases: [(&[&str], String, u16); 11] = [
        (&[ENCODING, TTL], record(4096), 201),
        (&[ENCODING, TTL], record(4097), 413),
        (&[ENCODING, TTL], record(103), 201),
        (&[ENCODING, TTL], record(102), 400),
        (&[ENCODING, TTL], "short".to_owned(), 400),
        (&[ENCODING], record(120), 400),
        (&[ENCODING, "TTL: soon"], record(120), 400),
        (&[TTL], record(120), 415),
        (&["Content-Encoding: aesgcm", TTL], record(120), 415),
        (&[ENCODING, TTL, "Urgency: urgent"], record(120), 400),
        (&[ENCODING, TTL, "Topic: a.b"], record(120), 400),
    ];
    for (headers, body, expected) in cases {
        let answer = house.post("demo", headers, &body).await;
        assert_eq!(answer.status, expected, "{headers:?}: {}", answer.text());
    }
    let long = format!("Topic: {}", "t".repeat(33));
    assert_eq!(house.post("demo", &[ENCODING, TTL, &long], &record(120)).await.status, 400);
    assert_eq!(house.post("demo", &[TTL], "").await.status, 201, "a message may be empty");
    assert_eq!(http::get(house.base(), "/push/demo").await.status, 405);
}

#[tokio::test]
async fn a_subscription_may_be_unknown_ended_or_told_to_fail() {
    let house = house().await;
    house.control("switches", &json!({ "authorization_needed": false })).await;
    let post = async |id: &str| house.post(id, &[ENCODING, TTL], &record(120)).await;
    assert_eq!(post("nobody").await.status, 404);
    house.control("apps", &json!({ "id": "phone", "ended": true })).await;
    assert_eq!(post("phone").await.status, 410);
    house.control("apps", &json!({ "id": "phone" })).await;
    assert_eq!(post("phone").await.status, 201);
    for status in [404, 410, 413, 500] {
        house.control("faults", &json!({ "at": "/push/phone", "kind": "error", "error": status })).await;
        assert_eq!(post("phone").await.status, status);
    }
    house.control("faults", &json!({ "at": "/push/*", "kind": "rate_limit" })).await;
    let limited = post("phone").await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("60")));
    assert_eq!(post("phone").await.status, 201);
}

#[tokio::test]
async fn what_waits_is_on_the_page_in_two_languages() {
    let house = house().await;
    house.control("switches", &json!({ "authorization_needed": false })).await;
    house.post("demo", &[ENCODING, TTL, "Topic: event-1"], &record(203)).await;
    let (chinese, english) =
        (http::get(house.base(), "/phone?lang=cn").await, http::get(house.base(), "/phone?lang=en").await);
    for (page, expected) in [
        (&chinese, ["推送消息", "加密消息，203 字节", "normal · event-1", "已订阅"]),
        (&english, ["Push messages", "Encrypted message, 203 bytes", "normal · event-1", "subscribed"]),
    ] {
        for text in expected {
            assert!(page.text().contains(text), "{text}: {}", page.text());
        }
    }
}
