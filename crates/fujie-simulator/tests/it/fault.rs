//! Faults to order, each kind on a real socket, as a client would meet it.

#![expect(clippy::disallowed_methods, reason = "the witness looks at the machine's clock")]

use crate::http;
use crate::story::{House, house};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

const TOKEN: &str = "/sns/oauth2/access_token";
const AUTH: &str = "/sns/auth";
/// What `/sns/auth` says without anything.
const MISSING: i64 = 41001;

async fn order(house: &House, fault: serde_json::Value) {
    assert_eq!(house.control("faults", &fault.to_string()).await.status, 204, "{fault}");
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_right() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "slow", "seconds": 0.3})).await;
    let asked = Instant::now();
    assert_eq!(house.get(AUTH).await.errcode(), MISSING);
    assert!(asked.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn every_call_is_counted_also_one_that_fails_on_order() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "status", "status": 500})).await;
    assert_eq!(house.get(AUTH).await.status, 500);
    assert_eq!(house.get(&format!("{AUTH}?openid=1")).await.status, 200);
    assert_eq!(house.get("/_simulate/calls").await.json(), json!({ AUTH: 2 }));
}

#[tokio::test]
async fn a_slow_answer_does_not_hold_up_the_end() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "slow", "seconds": 600})).await;
    let held = http::begin(house.base(), "GET", AUTH, &[], "").await;
    // Connections are accepted in order: once this is answered, the call before it is held.
    assert_eq!(house.get("/_simulate").await.status, 200);
    house.wechat.shutdown().await.unwrap();
    assert_eq!(http::finish(held).await.errcode(), MISSING);
}

#[tokio::test]
async fn a_cut_answer_breaks_after_so_many_bytes_of_what_its_head_promised() {
    let house = house().await;
    for (bytes, expected) in [(10, "{\"errcode\""), (0, "")] {
        order(&house, json!({"at": AUTH, "kind": "cut", "bytes": bytes})).await;
        let answer = house.get(AUTH).await;
        assert_eq!((answer.status, answer.text()), (200, expected));
        let promised: usize = answer.header("content-length").unwrap().parse().unwrap();
        assert!(promised > 50, "{promised}");
        assert_eq!(answer.header("transfer-encoding"), None);
    }
}

#[tokio::test]
async fn a_cut_far_behind_the_end_still_breaks_the_connection() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "cut", "bytes": 5000})).await;
    let answer = house.get(AUTH).await;
    assert_eq!(answer.errcode(), MISSING);
    assert_eq!(answer.header("content-length"), Some("5001"));
}

#[tokio::test]
async fn a_cut_connection_is_not_used_again() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "cut", "bytes": 3})).await;
    let host = house.base().strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET {AUTH} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // Without `Connection: close`, only the break ends this.
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    assert!(bytes.ends_with(b"\r\n\r\n{\"e"), "{}", String::from_utf8_lossy(&bytes));
}

#[tokio::test]
async fn a_status_comes_with_its_body_and_spends_nothing() {
    let house = house().await;
    let code = house.sign_in("xiaoming").await;
    let page = "<html>502 Bad Gateway</html>";
    order(&house, json!({"at": TOKEN, "kind": "status", "status": 502, "body": page, "content_type": "text/html"}))
        .await;
    let failed = house.redeem(&code).await;
    assert_eq!((failed.status, failed.text(), failed.header("content-type")), (502, page, Some("text/html")));
    assert_eq!(house.redeem(&code).await.errcode(), 0);
    order(&house, json!({"at": AUTH, "kind": "status", "status": 500})).await;
    let failed = house.get(AUTH).await;
    assert_eq!((failed.status, failed.text()), (500, ""));
}

#[tokio::test]
async fn a_redirect_leads_elsewhere_with_the_status_that_was_asked_for() {
    let house = house().await;
    let evil = "http://127.0.0.1:9/evil";
    order(&house, json!({"at": TOKEN, "kind": "redirect", "location": evil})).await;
    for status in [301, 303, 307, 308] {
        order(&house, json!({"at": TOKEN, "kind": "redirect", "location": "//evil.example/", "status": status})).await;
    }
    let answer = house.get(TOKEN).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some(evil)));
    for status in [301, 303, 307, 308] {
        let answer = house.get(TOKEN).await;
        assert_eq!((answer.status, answer.header("location")), (status, Some("//evil.example/")));
    }
}

#[tokio::test]
async fn garbage_has_the_right_label_and_is_neither_text_nor_json() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "garbage"})).await;
    order(&house, json!({"at": AUTH, "kind": "garbage", "bytes": 100_000})).await;
    for length in [64, 100_000] {
        let answer = house.get(AUTH).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain")));
        let body = answer.content();
        assert_eq!(body.len(), length);
        assert!(std::str::from_utf8(&body).is_err());
    }
}

#[tokio::test]
async fn a_huge_body_is_all_there_and_tells_no_length() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "huge", "bytes": 20_000_000})).await;
    let answer = house.get(AUTH).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, None));
    let body = answer.content();
    assert_eq!(body.len(), 20_000_000);
    assert!(body.iter().all(|byte| *byte == b'a'));
}

#[tokio::test]
async fn a_huge_body_is_made_while_it_is_read() {
    let house = house().await;
    // A petabyte: whoever built it first would never answer.
    order(&house, json!({"at": AUTH, "kind": "huge", "bytes": 1_000_000_000_000_000_u64})).await;
    let mut stream = http::begin(house.base(), "GET", AUTH, &[], "").await;
    let mut seen = vec![0; 1_000_000];
    stream.read_exact(&mut seen).await.unwrap();
    assert!(seen.ends_with(b"aaaaaaaa"));
    // Whoever has enough hangs up, and the simulator goes on.
    drop(stream);
    assert_eq!(house.get(AUTH).await.errcode(), MISSING);
}

#[tokio::test]
async fn the_right_body_can_carry_the_wrong_type() {
    let house = house().await;
    order(&house, json!({"at": AUTH, "kind": "content_type", "content_type": "text/html; charset=gbk"})).await;
    let answer = house.get(AUTH).await;
    assert_eq!((answer.errcode(), answer.header("content-type")), (MISSING, Some("text/html; charset=gbk")));
}

#[tokio::test]
async fn errors_and_limits_are_in_the_providers_words() {
    let house = house().await;
    order(&house, json!({"at": TOKEN, "kind": "error", "error": 40029})).await;
    order(&house, json!({"at": TOKEN, "kind": "error", "error": "-1"})).await;
    order(&house, json!({"at": TOKEN, "kind": "rate_limit"})).await;
    for expected in [40029, -1, 45011] {
        let answer = house.get(TOKEN).await;
        assert_eq!(
            (answer.status, answer.errcode(), answer.header("content-type")),
            (200, expected, Some("text/plain"))
        );
    }
}

#[tokio::test]
async fn a_fault_strikes_its_path_alone_once_or_so_many_times_or_always() {
    let house = house().await;
    for times in [json!(null), json!(2), json!("always")] {
        let mut fault = json!({"at": AUTH, "kind": "status", "status": 503});
        if !times.is_null() {
            fault.as_object_mut().unwrap().insert("times".to_owned(), times.clone());
        }
        order(&house, fault).await;
        assert_eq!(house.get(TOKEN).await.status, 200, "another path");
        let struck = times.as_u64().unwrap_or(if times.is_null() { 1 } else { 20 });
        for _ in 0..struck {
            assert_eq!(house.get(AUTH).await.status, 503, "{times}");
        }
        let expected = if times == json!("always") { 503 } else { 200 };
        assert_eq!(house.get(AUTH).await.status, expected, "{times}");
    }
    http::send(house.base(), "DELETE", "/_simulate/faults", &[], "").await;
    assert_eq!(house.get(AUTH).await.status, 200);
}

#[tokio::test]
async fn a_star_stands_for_all_paths_that_begin_so_and_the_first_ordered_strikes_first() {
    let house = house().await;
    order(&house, json!({"at": "/sns/*", "kind": "status", "status": 503})).await;
    order(&house, json!({"at": AUTH, "kind": "status", "status": 504, "times": "always"})).await;
    assert_eq!(house.get("/connect/qrconnect").await.status, 200);
    assert_eq!(house.get(AUTH).await.status, 503);
    assert_eq!(house.get(AUTH).await.status, 504);
    assert_eq!(house.get(TOKEN).await.status, 200);
}

#[tokio::test]
async fn what_cannot_strike_is_refused_when_it_is_ordered() {
    let house = house().await;
    let cases = [
        json!({"kind": "status", "status": 500}),
        json!({"at": "sns/auth", "kind": "status", "status": 500}),
        json!({"at": "/_simulate/clock", "kind": "status", "status": 500}),
        json!({"at": AUTH}),
        json!({"at": AUTH, "kind": "dance"}),
        json!({"at": AUTH, "kind": "status", "status": 99}),
        json!({"at": AUTH, "kind": "status", "status": 500, "bodi": ""}),
        json!({"at": AUTH, "kind": "redirect", "location": "http://a/\n"}),
        json!({"at": AUTH, "kind": "redirect", "location": "http://a/", "status": 200}),
        json!({"at": AUTH, "kind": "content_type", "content_type": "a\r\nb"}),
        json!({"at": AUTH, "kind": "slow", "seconds": -1}),
        json!({"at": AUTH, "kind": "slow", "seconds": 601}),
        json!({"at": AUTH, "kind": "cut", "bytes": -1}),
        json!({"at": AUTH, "kind": "rate_limit", "times": -1}),
        json!({"at": AUTH, "kind": "rate_limit", "times": "twice"}),
        json!({"at": AUTH, "kind": "error", "error": "not a number"}),
        json!({"at": AUTH, "kind": "error", "error": null}),
    ];
    for fault in cases {
        let answer = house.control("faults", &fault.to_string()).await;
        assert_eq!(answer.status, 400, "{fault}");
        assert!(answer.json().get("error").is_some());
    }
    assert_eq!(house.get(AUTH).await.errcode(), MISSING, "nothing was ordered");
}
