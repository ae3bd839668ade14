//! GitHub's deliveries, seen by a receiver, and the log that tells them.

use crate::github_story::{Receiver, deliveries, house, house_with, text};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &str = "It's a Secret to Everybody";

fn id_of(delivery: &Value) -> String {
    delivery.get("id").unwrap().to_string()
}

#[tokio::test]
async fn github_delivery_has_the_live_header_set_with_its_letters_as_they_are() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "thanks").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "content_type": "json", "secret": SECRET });
    let (hook, ping) = tokio::join!(house.hook(&token, config, &["push"]), receiver.next());
    assert!(ping.head.starts_with("POST /hook?x=1 HTTP/1.1\r\n"));
    let repository = house.call(&token, "GET", "/repos/xiaoming/demo", "").await.json();
    let names: Vec<_> = ping.head.lines().skip(1).map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(
        names,
        [
            "Host",
            "Connection",
            "Accept",
            "Content-Type",
            "User-Agent",
            "X-GitHub-Delivery",
            "X-GitHub-Event",
            "X-GitHub-Hook-ID",
            "X-GitHub-Hook-Installation-Target-ID",
            "X-GitHub-Hook-Installation-Target-Type",
            "X-Hub-Signature",
            "X-Hub-Signature-256",
            "Content-Length",
        ]
    );
    assert_eq!(ping.header("Accept"), Some("*/*"));
    assert_eq!(ping.header("Content-Type"), Some("application/json"), "no charset");
    let agent = ping.header("User-Agent").unwrap().strip_prefix("GitHub-Hookshot/").unwrap();
    assert!(agent.len() == 7 && agent.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let guid = ping.header("X-GitHub-Delivery").unwrap();
    let lengths: Vec<_> = guid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(ping.header("X-GitHub-Event"), Some("ping"));
    assert!(hook.ends_with(ping.header("X-GitHub-Hook-ID").unwrap()));
    let target = repository.get("id").unwrap().to_string();
    assert_eq!(ping.header("X-GitHub-Hook-Installation-Target-ID"), Some(target.as_str()));
    assert_eq!(ping.header("X-GitHub-Hook-Installation-Target-Type"), Some("repository"));
    assert_eq!(ping.header("X-Hub-Signature").map(str::len), Some("sha1=".len() + 40));
    assert_eq!(ping.header("X-Hub-Signature-256").map(str::len), Some("sha256=".len() + 64));
}

#[tokio::test]
async fn github_ping_is_sent_on_creation_and_on_demand_with_the_hook_masked() {
    let (house, receiver) = (house().await, Receiver::new("204 No Content", "").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "content_type": "json", "secret": SECRET });
    let (hook, ping) = tokio::join!(house.hook(&token, config, &["push"]), receiver.next());
    let body = ping.json();
    assert!(body.get("zen").unwrap().is_string());
    assert!(hook.ends_with(&body.get("hook_id").unwrap().to_string()));
    assert_eq!(body.pointer("/hook/config/secret"), Some(&json!("********")));
    assert_eq!(body.pointer("/repository/full_name"), Some(&json!("xiaoming/demo")));
    assert_eq!(body.pointer("/sender/login"), Some(&json!("xiaoming")));
    let path = format!("{hook}/pings");
    let (answer, again) = tokio::join!(house.call(&token, "POST", &path, ""), receiver.next());
    assert_eq!((answer.status, again.header("X-GitHub-Event")), (204, Some("ping")));
}

#[tokio::test]
async fn github_signatures_cover_the_raw_body_and_are_absent_without_a_secret() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "content_type": "json", "secret": SECRET });
    tokio::join!(house.hook(&token, config, &["push"]), receiver.next());
    let event = json!({ "repository": "xiaoming/demo", "event": "push", "payload": { "zen": "x" } });
    let (_, pushed) = tokio::join!(house.control("events", &event), receiver.next());
    assert_eq!(pushed.body, r#"{"zen":"x"}"#);
    assert_eq!(
        pushed.header("X-Hub-Signature-256"),
        Some("sha256=eb1372a523dc74783f89c0f177a5ab15fc608b4720b33e697cee863f8b0d0d51")
    );
    let unsigned = json!({ "url": format!("{}&plain", receiver.url()) });
    let (_, ping) = tokio::join!(house.hook(&token, unsigned, &["issues"]), receiver.next());
    assert_eq!((ping.header("X-Hub-Signature"), ping.header("X-Hub-Signature-256")), (None, None));
}

#[tokio::test]
async fn github_form_delivery_is_one_field_whose_encoded_body_is_signed() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "secret": SECRET });
    let (_, ping) = tokio::join!(house.hook(&token, config, &["push"]), receiver.next());
    assert_eq!(ping.header("Content-Type"), Some("application/x-www-form-urlencoded"));
    assert!(ping.body.starts_with("payload=%7B%22hook%22%3A") && ping.body.contains("Design+for+failure."));
    let event = json!({ "repository": "xiaoming/demo", "event": "push", "payload": { "zen": "x" } });
    let (_, pushed) = tokio::join!(house.control("events", &event), receiver.next());
    assert_eq!(pushed.body, "payload=%7B%22zen%22%3A%22x%22%7D");
    assert_eq!(
        pushed.header("X-Hub-Signature-256"),
        Some("sha256=9e518bab52dd49be0a3cab84bf12fed8157f4905144554e29e99e7d137ca8e5c")
    );
}

#[tokio::test]
async fn github_push_has_numbers_for_times_and_an_owner_with_name_and_email() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "content_type": "json" });
    tokio::join!(house.hook(&token, config, &["*"]), receiver.next());
    let (_, pushed) = tokio::join!(house.happen("push"), receiver.next());
    assert!(pushed.body.starts_with("{\"after\":\""), "compact");
    assert!(pushed.body.contains("小明🌟"), "UTF-8 as it is");
    let push = pushed.json();
    assert_eq!(text(&push, "ref"), "refs/heads/main");
    assert_eq!(text(&push, "after").len(), 40);
    for name in ["created", "deleted", "forced"] {
        assert_eq!(push.get(name), Some(&json!(false)), "{name}");
    }
    assert_eq!(push.get("action"), None);
    assert!(push.pointer("/repository/created_at").unwrap().is_u64());
    assert!(push.pointer("/repository/pushed_at").unwrap().is_u64());
    assert_eq!(push.pointer("/repository/owner/name"), Some(&json!("xiaoming")));
    assert_eq!(push.pointer("/repository/owner/email"), Some(&json!("xiaoming@example.com")));
    assert_eq!(push.pointer("/commits/0/id"), push.pointer("/head_commit/id"));
    assert_eq!(push.pointer("/pusher/name"), Some(&json!("xiaoming")));
    let (_, issue) = tokio::join!(house.happen("issues"), receiver.next());
    let issue = issue.json();
    assert_eq!(text(&issue, "action"), "opened");
    assert!(issue.pointer("/repository/created_at").unwrap().is_string(), "in push alone");
    assert_eq!(issue.pointer("/issue/state"), Some(&json!("open")));
    let (_, other) = tokio::join!(house.happen("star"), receiver.next());
    assert!(other.json().get("starred_at").is_some());
}

#[tokio::test]
async fn github_events_go_to_active_hooks_that_want_them() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "").await);
    let token = house.access_token("repo", "xiaoming").await;
    let (hook, _) = tokio::join!(house.hook(&token, json!({ "url": receiver.url() }), &["issues"]), receiver.next());
    assert_eq!(house.happen("push").await, Vec::<Value>::new());
    let (told, _) = tokio::join!(house.happen("issues"), receiver.next());
    assert_eq!(told.len(), 1);
    house.call(&token, "PATCH", &hook, r#"{"active":false}"#).await;
    assert_eq!(house.happen("issues").await, Vec::<Value>::new());
    let injected = json!({ "repository": "xiaoming/demo", "event": "push\r\nX-Evil: 1" });
    assert_eq!(house.control("events", &injected).await.status, 400, "a name is not a line");
}

#[tokio::test]
async fn github_tests_sends_the_latest_push_again_or_nothing() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "content_type": "json" });
    let (hook, _) = tokio::join!(house.hook(&token, config, &["push"]), receiver.next());
    let (_, pushed) = tokio::join!(house.happen("push"), receiver.next());
    let path = format!("{hook}/tests");
    let (answer, again) = tokio::join!(house.call(&token, "POST", &path, ""), receiver.next());
    assert_eq!((answer.status, &again.body), (204, &pushed.body));
    assert_ne!(again.header("X-GitHub-Delivery"), pushed.header("X-GitHub-Delivery"));
    house.call(&token, "PATCH", &hook, r#"{"events":["issues"]}"#).await;
    assert_eq!(house.call(&token, "POST", &path, "").await.status, 204);
    assert_eq!(deliveries(&house, &token, &hook, 3).await.len(), 3, "ping, push, test");
}

#[tokio::test]
async fn github_redelivery_keeps_guid_and_body_under_a_new_id() {
    let (house, receiver) = (house().await, Receiver::new("500 Oops", "broken").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "content_type": "json", "secret": SECRET });
    let (hook, first) = tokio::join!(house.hook(&token, config, &["push"]), receiver.next());
    let list = deliveries(&house, &token, &hook, 1).await;
    let path = format!("{hook}/deliveries/{}/attempts", id_of(list.first().unwrap()));
    let (answer, second) = tokio::join!(house.call(&token, "POST", &path, ""), receiver.next());
    assert_eq!((answer.status, answer.text()), (202, "{}"));
    assert_eq!(second.body, first.body);
    for name in ["X-GitHub-Delivery", "X-Hub-Signature-256"] {
        assert_eq!(second.header(name), first.header(name), "{name}");
    }
    let list = deliveries(&house, &token, &hook, 2).await;
    let told: Vec<_> = list.iter().map(|one| one.get("redelivery").unwrap().as_bool().unwrap()).collect();
    assert_eq!(told, [true, false], "the newest first");
    assert_ne!(id_of(list.first().unwrap()), id_of(list.get(1).unwrap()));
    assert_eq!(list.first().unwrap().get("guid"), list.get(1).unwrap().get("guid"));
    let only = house.call(&token, "GET", &format!("{hook}/deliveries?redelivery=true"), "").await.json();
    assert_eq!(only.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn github_delivery_log_tells_request_and_response() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "谢谢").await);
    let token = house.access_token("repo", "xiaoming").await;
    let config = json!({ "url": receiver.url(), "content_type": "json" });
    let (hook, ping) = tokio::join!(house.hook(&token, config, &["push"]), receiver.next());
    let list = deliveries(&house, &token, &hook, 1).await;
    let item = list.first().unwrap();
    for (name, value) in [
        ("status", json!("OK")),
        ("status_code", json!(200)),
        ("event", json!("ping")),
        ("action", Value::Null),
        ("installation_id", Value::Null),
        ("throttled_at", Value::Null),
        ("redelivery", json!(false)),
        ("url", json!(receiver.url())),
    ] {
        assert_eq!(item.get(name), Some(&value), "{name}");
    }
    assert!(item.get("duration").unwrap().is_f64() && item.get("request").is_none());
    let whole = house.call(&token, "GET", &format!("{hook}/deliveries/{}", id_of(item)), "").await.json();
    assert_eq!(whole.pointer("/request/payload"), Some(&ping.json()), "parsed JSON");
    assert_eq!(whole.pointer("/request/headers/X-GitHub-Event"), Some(&json!("ping")));
    assert_eq!(whole.pointer("/response/payload"), Some(&json!("谢谢")));
    assert_eq!(whole.pointer("/response/headers/X-Told"), Some(&json!("yes")));
}

#[tokio::test]
async fn github_only_2xx_is_a_success_and_redirects_are_not_followed() {
    let elsewhere = Receiver::new("200 OK", "").await;
    let moved = format!("HTTP/1.1 301 Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.url());
    for (answer, status, code, last) in [
        (moved, "Invalid HTTP Response: 301", 301, "misconfigured"),
        ("HTTP/1.1 500 Oops\r\n\r\nbroken".to_owned(), "Invalid HTTP Response: 500", 500, "misconfigured"),
        ("HTTP/1.1 202 Accepted\r\n\r\n".to_owned(), "OK", 202, "active"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_owned(), "OK", 200, "active"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n".to_owned(), "OK", 204, "active"),
        ("nonsense\r\n\r\n".to_owned(), "failed to connect to host", 502, "connection_error"),
    ] {
        let (house, receiver) = (house().await, Receiver::saying(answer).await);
        let token = house.access_token("repo", "xiaoming").await;
        let (hook, _) = tokio::join!(house.hook(&token, json!({ "url": receiver.url() }), &["push"]), receiver.next());
        let list = deliveries(&house, &token, &hook, 1).await;
        let told = list.first().unwrap();
        assert_eq!((text(told, "status").as_str(), told.get("status_code")), (status, Some(&json!(code))));
        let read = house.call(&token, "GET", &hook, "").await.json();
        assert_eq!(read.pointer("/last_response/status"), Some(&json!(last)));
    }
}

#[tokio::test]
async fn github_a_receiver_that_is_too_slow_has_timed_out() {
    let house = house_with(|config| config.delivery_timeout = Duration::from_millis(50)).await;
    let token = house.access_token("repo", "xiaoming").await;
    // Connections are accepted by the system and never answered.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let hook = house.hook(&token, json!({ "url": url }), &["push"]).await;
    let list = deliveries(&house, &token, &hook, 1).await;
    let told = list.first().unwrap();
    assert_eq!((text(told, "status").as_str(), told.get("status_code")), ("timed out", Some(&json!(0))));
    let path = format!("{hook}/deliveries/{}", id_of(told));
    let whole = house.call(&token, "GET", &path, "").await.json();
    assert_eq!(whole.get("response"), Some(&json!({ "headers": null, "payload": null })));
}

#[tokio::test]
async fn github_nobody_there_is_a_failure_to_connect_and_nothing_is_repeated() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let hook = house.hook(&token, json!({ "url": "http://127.0.0.1:1/" }), &["push"]).await;
    let list = deliveries(&house, &token, &hook, 1).await;
    assert_eq!(text(list.first().unwrap(), "status"), "failed to connect to host");
    house.advance(3600).await;
    assert_eq!(deliveries(&house, &token, &hook, 1).await.len(), 1);
}

#[tokio::test]
async fn github_a_payload_over_25_mb_is_not_sent() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let hook = house.hook(&token, json!({ "url": "http://127.0.0.1:1/", "content_type": "json" }), &["push"]).await;
    deliveries(&house, &token, &hook, 1).await;
    let payload = json!({ "text": "a".repeat(25 * 1024 * 1024) });
    let event = json!({ "repository": "xiaoming/demo", "event": "push", "payload": payload });
    let answer = house.control("events", &event).await;
    let told = answer.json();
    assert_eq!(told.pointer("/deliveries/0/status_code"), Some(&json!(0)), "{}", answer.status);
}

#[tokio::test]
async fn github_deliveries_are_kept_three_days_and_listed_by_cursor() {
    let (house, receiver) = (house().await, Receiver::new("200 OK", "").await);
    let token = house.access_token("repo", "xiaoming").await;
    let (hook, _) = tokio::join!(house.hook(&token, json!({ "url": receiver.url() }), &["push"]), receiver.next());
    for _ in 0..2 {
        tokio::join!(house.happen("push"), receiver.next());
    }
    let all = deliveries(&house, &token, &hook, 3).await;
    let first = house.call(&token, "GET", &format!("{hook}/deliveries?per_page=2"), "").await;
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    let link = first.header("link").unwrap().strip_prefix(&format!("<{}", house.base())).unwrap();
    let (next, rel) = link.split_once('>').unwrap();
    assert!(next.starts_with("/repositories/") && rel == "; rel=\"next\"", "{link}");
    assert!(next.contains("cursor=") && !next.contains("page=1"), "{next}");
    let rest = house.call(&token, "GET", next, "").await;
    assert_eq!(rest.json().as_array().unwrap().first(), all.get(2));
    assert_eq!(rest.header("link"), None);
    for bad in ["redelivery=maybe", "cursor=nonsense", "status=maybe"] {
        assert_eq!(house.call(&token, "GET", &format!("{hook}/deliveries?{bad}"), "").await.status, 422, "{bad}");
    }
    house.advance(3 * 86_400).await;
    assert_eq!(house.call(&token, "GET", &format!("{hook}/deliveries"), "").await.json(), json!([]));
    let old = format!("{hook}/deliveries/{}/attempts", id_of(all.first().unwrap()));
    assert_eq!(house.call(&token, "POST", &old, "").await.status, 404);
}
