//! Deliveries: proven over the raw body, taken in once, refused before they are read when they are too large.

use fujie_store::IntegrationKind;

use super::SECRET;
use crate::{
    browser::Page,
    house::{House, read},
};

const PUSH: &str = r#"{"ref":"refs/heads/main","commits":[{"message":"你好"}]}"#;
const DELIVERY: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

/// HMAC-SHA256 in hexadecimal digits, by code that is not the server's.
fn sign(secret: &str, body: &[u8]) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    aws_lc_rs::hmac::sign(&key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A house with `team`, a GitHub integration `gh`, and a token that reads.
async fn house() -> (House, String) {
    let house = House::new().await;
    let (_, token) = house.team().await;
    house.integration("gh", IntegrationKind::Github, "X-Hub-Signature-256").await;
    (house, token)
}

/// Delivers as GitHub would; `changes` replace headers, an empty one takes it away.
async fn deliver(house: &House, to: &str, body: &[u8], changes: &[(&str, &str)]) -> Page {
    let signature = format!("sha256={}", sign(SECRET, body));
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "GitHub-Hookshot/1"),
        ("x-github-delivery", DELIVERY),
        ("x-github-event", "push"),
        ("x-hub-signature-256", &signature),
    ];
    let kept = headers.iter().filter(|(name, _)| !changes.iter().any(|(own, _)| own == name));
    let mut request = house.http.post(format!("{}/hooks/{to}", house.issuer)).body(body.to_vec());
    for (name, value) in kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())) {
        request = request.header(*name, *value);
    }
    read(request).await
}

async fn count(house: &House, token: &str) -> usize {
    house.events(token, "").await.json()["events"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_github_delivery_becomes_an_event_once() {
    let (house, token) = house().await;
    let page = deliver(&house, "gh", PUSH.as_bytes(), &[]).await;
    assert_eq!(page.status, 202, "{}", page.body);
    let event = house.events(&token, "").await.json()["events"][0].clone();
    assert_eq!(event["id"], page.json()["event"]);
    assert_eq!(
        (&event["type"], &event["source"], &event["topic"]),
        (&"com.github.push".into(), &"/hooks/gh".into(), &"team".into())
    );
    assert_eq!(event["delivery"], DELIVERY, "as GitHub's own list names it");
    assert_eq!(event["data"]["commits"][0]["message"], "你好");
    let again = deliver(&house, "gh", PUSH.as_bytes(), &[]).await;
    assert_eq!((again.status, &again.json()["event"]), (200, &event["id"]));
    let other = deliver(&house, "gh", PUSH.as_bytes(), &[("x-github-delivery", "another")]).await;
    assert_eq!((other.status, count(&house, &token).await), (202, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_and_a_form_are_deliveries_like_others() {
    let (house, token) = house().await;
    let ping = [("x-github-event", "ping"), ("x-github-delivery", "1")];
    assert_eq!(deliver(&house, "gh", br#"{"zen":"Keep it logically awesome."}"#, &ping).await.status, 202);
    let form = "payload=%7B%22zen%22%3A%22a+b%22%7D";
    let changes = [("content-type", "application/x-www-form-urlencoded"), ("x-github-delivery", "2")];
    assert_eq!(deliver(&house, "gh", form.as_bytes(), &changes).await.status, 202);
    let events = house.events(&token, "").await.json()["events"].clone();
    assert_eq!((&events[0]["type"], &events[1]["data"]["zen"]), (&"com.github.ping".into(), &"a b".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_deliveries_are_refused_and_leave_nothing_behind() {
    let (house, token) = house().await;
    let reordered = r#"{"commits":[{"message":"你好"}],"ref":"refs/heads/main"}"#;
    let of_reordered = format!("sha256={}", sign(SECRET, reordered.as_bytes()));
    let of_another_key = format!("sha256={}", sign("another secret", PUSH.as_bytes()));
    let cut = format!("sha256={}", &sign(SECRET, PUSH.as_bytes())[..63]);
    let sha1 = [("x-hub-signature-256", ""), ("x-hub-signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")];
    let cases: &[&[(&str, &str)]] = &[
        &[("x-hub-signature-256", "")],
        &[("x-hub-signature-256", &of_reordered)],
        &[("x-hub-signature-256", &of_another_key)],
        &[("x-hub-signature-256", &cut)],
        &[("x-hub-signature-256", "sha256=")],
        &sha1,
    ];
    for changes in cases {
        let page = deliver(&house, "gh", PUSH.as_bytes(), changes).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_signature"), "{changes:?}");
        assert_eq!(page.header("www-authenticate"), "Webhook header=\"x-hub-signature-256\"");
        assert!(page.headers.get("access-control-allow-origin").is_none());
    }
    assert_eq!(deliver(&house, "nothing", PUSH.as_bytes(), &[]).await.status, 404);
    assert_eq!(count(&house, &token).await, 0);
    assert_eq!(house.server.store().deliveries("gh", None, 10).await.unwrap(), []);
    assert!(!crate::log::text().contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_proven_but_not_understood_is_told_so() {
    let (house, token) = house().await;
    for (body, changes, status) in [
        ("not JSON", vec![], 400),
        (PUSH, vec![("x-github-delivery", "")], 400),
        (PUSH, vec![("x-github-event", "Push Event")], 400),
        (PUSH, vec![("content-type", "text/plain")], 415),
    ] {
        let page = deliver(&house, "gh", body.as_bytes(), &changes).await;
        assert_eq!((page.status, page.error().as_str()), (status, "invalid_request"), "{changes:?}");
    }
    assert_eq!(count(&house, &token).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_who_signs_or_brings_the_token_is_taken_in() {
    let (house, token) = house().await;
    house.integration("signed", IntegrationKind::Hmac, "X-Signature").await;
    house.integration("token", IntegrationKind::Token, "X-Gitlab-Token").await;
    let body = br#"{"a":1}"#;
    let signature = sign(SECRET, body);
    let good = [("x-signature", signature.as_str()), ("x-delivery", "1"), ("x-event", "build")];
    assert_eq!(deliver(&house, "signed", body, &good).await.status, 202);
    assert_eq!(deliver(&house, "signed", body, &good).await.status, 200);
    assert_eq!(deliver(&house, "signed", b"{}", &good).await.status, 401);
    let good = [("x-gitlab-token", SECRET), ("x-event", "Push Hook")];
    assert_eq!(deliver(&house, "token", body, &good).await.status, 202);
    let wrong = [("x-gitlab-token", "It's a Secret to Everybody "), ("x-event", "Push Hook")];
    assert_eq!(deliver(&house, "token", body, &[("x-gitlab-token", "It")]).await.status, 401);
    assert_eq!(deliver(&house, "token", body, &wrong[..0]).await.status, 401);
    let events = house.events(&token, "").await.json()["events"].clone();
    let types: Vec<_> = events.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["build", "Push Hook"]);
    assert_eq!((&events[0]["delivery"], events[1].get("delivery")), (&"1".into(), None), "no name of our own making");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_visible_ascii_is_not_told() {
    let (house, token) = house().await;
    let spaced = [("x-github-delivery", "d 1")];
    assert_eq!(deliver(&house, "gh", PUSH.as_bytes(), &spaced).await.status, 202);
    assert_eq!(deliver(&house, "gh", PUSH.as_bytes(), &spaced).await.status, 200, "a name nevertheless");
    let page = house.events(&token, "").await;
    assert_eq!(page.json()["events"].as_array().unwrap().len(), 1);
    assert!(!page.body.contains("delivery"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_of_one_delivery_at_once_are_one_event() {
    let (house, token) = house().await;
    let house = std::sync::Arc::new(house);
    let all = (0..64).map(|_| {
        let house = std::sync::Arc::clone(&house);
        tokio::spawn(async move { deliver(&house, "gh", PUSH.as_bytes(), &[]).await })
    });
    let mut fresh = 0;
    let mut ids = std::collections::HashSet::new();
    for answer in all.collect::<Vec<_>>() {
        let page = answer.await.unwrap();
        assert!([200, 202].contains(&page.status), "{}", page.body);
        fresh += usize::from(page.status == 202);
        ids.insert(page.json()["event"].to_string());
    }
    assert_eq!((fresh, ids.len(), count(&house, &token).await), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_delivery_is_kept_whole_beside_its_event() {
    let (house, token) = house().await;
    let body = format!(r#"{{"text":"{}"}}"#, "长".repeat(2_000_000));
    assert_eq!(deliver(&house, "gh", body.as_bytes(), &[]).await.status, 202);
    let event = house.events(&token, "").await.json()["events"][0].clone();
    assert_eq!((event.get("data"), &event["delivery"]), (None, &DELIVERY.into()));
    let address = event["dataref"].as_str().unwrap();
    assert_eq!(address, format!("{}/topics/team/events/{}", house.issuer, event["id"].as_str().unwrap()));
    let data = read(house.http.get(address).bearer_auth(&token)).await;
    assert_eq!((data.status, data.header("content-type")), (200, "application/json"));
    assert!(data.body == body, "byte for byte");
    let whole = house.http.get(address).bearer_auth(&token).header("accept", "application/cloudevents+json");
    let whole = read(whole).await.json();
    assert_eq!((&whole["id"], whole["data"]["text"].as_str().unwrap().len()), (&event["id"], 6_000_000));
    assert_eq!(whole["delivery"], DELIVERY);
    assert_eq!(read(house.http.get(address)).await.status, 401, "not without the token");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_25_mb_is_refused_before_it_is_read() {
    const MOST: usize = 25 * 1024 * 1024;
    let (house, token) = house().await;
    let authority = house.issuer.strip_prefix("http://").unwrap().to_owned();
    let head = |to: &str, length: &str, signature: &str| {
        format!("POST /hooks/{to} HTTP/1.1\r\nhost: {authority}\r\n{signature}{length}\r\nexpect: 100-continue\r\n\r\n")
    };
    let signed = "x-hub-signature-256: sha256=00\r\n";
    // By its declared length, with not one byte of it sent. What is never asked to go on is never buffered.
    for (to, length, signature, status) in [
        ("gh", MOST + 1, signed, "413"),
        ("gh", MOST, signed, "100"),
        ("gh", MOST, "", "401"),
        ("gh", 1 << 50, signed, "413"),
    ] {
        let answer = house.first_line(head(to, &format!("content-length: {length}"), signature).as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{to} {length}: {answer}");
    }
    // By count, when no length is declared.
    let chunked = head("gh", "transfer-encoding: chunked", signed).into_bytes();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let (answer, sent) = house.pour(&chunked, &chunk, MOST / 0x10000 + 4000).await;
    assert!(answer.contains("HTTP/1.1 413 "), "{answer}");
    // What the system's buffers hold was taken too, and they may grow to 37 MB.
    assert!(sent <= MOST / 0x10000 + 1000, "{sent} chunks were taken");
    assert_eq!(count(&house, &token).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_delivery_to_the_wrong_address_is_told_what_a_small_one_is() {
    let (house, _) = house().await;
    let authority = house.issuer.strip_prefix("http://").unwrap();
    let head = |host: &str, length: &str| {
        let sender = format!("host: {host}\r\nx-hub-signature-256: sha256=00\r\nconnection: close");
        format!("POST /hooks/nothing HTTP/1.1\r\n{sender}\r\n{length}\r\n\r\n")
    };
    for (host, status, word) in [(authority, "404", "\"unknown_integration\""), ("evil.test", "421", "<html")] {
        let small = house.raw((head(host, "content-length: 2") + "{}").as_bytes()).await;
        assert!(small.starts_with(&format!("HTTP/1.1 {status} ")) && small.contains(word), "{small}");
        // Not one byte of the body is sent: it is answered without.
        for length in ["content-length: 65537", "content-length: 10000000000", "transfer-encoding: chunked"] {
            let large = house.raw(head(host, length).as_bytes()).await;
            assert!(large.starts_with(&format!("HTTP/1.1 {status} ")) && large.contains(word), "{length}: {large}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_for_a_token_speaks_of_a_token() {
    let (house, _) = house().await;
    house.integration("token", IntegrationKind::Token, "X-Gitlab-Token").await;
    for (token, words) in
        [("", "the token is missing (header x-gitlab-token)"), ("It", "the token does not fit (header x-gitlab-token)")]
    {
        let page = deliver(&house, "token", b"{}", &[("x-gitlab-token", token)]).await;
        assert_eq!((page.status, &page.json()["error_description"]), (401, &words.into()));
        assert_eq!(page.header("www-authenticate"), "Webhook header=\"x-gitlab-token\"");
        assert!(crate::log::text().contains(&format!("cause={words}")));
        // One in a minute is logged.
        house.clock.advance_millis(60_000);
    }
    let authority = house.issuer.strip_prefix("http://").unwrap();
    let head = format!("POST /hooks/token HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n");
    let large = house.raw((head + "content-length: 65537\r\n\r\n").as_bytes()).await;
    assert!(large.starts_with("HTTP/1.1 401 ") && large.contains("the token is missing"), "{large}");
    // Who signs is still spoken to of a signature.
    let missing = deliver(&house, "gh", b"{}", &[("x-hub-signature-256", "")]).await;
    assert_eq!(missing.json()["error_description"], "the signature is missing");
    let other = [("x-hub-signature-256", format!("sha256={}", sign("another secret", b"{}")))];
    let other = other.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mismatch = deliver(&house, "gh", b"{}", &other).await;
    assert_eq!(mismatch.json()["error_description"], "the signature does not fit the body");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_coded_is_told_so_once_its_sender_is_proven() {
    let (house, token) = house().await;
    house.integration("signed", IntegrationKind::Hmac, "X-Signature").await;
    house.integration("token", IntegrationKind::Token, "X-Gitlab-Token").await;
    let gzip = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03];
    let signature = sign(SECRET, &gzip);
    for (to, proof, value) in [
        ("gh", "user-agent", "GitHub-Hookshot/1"),
        ("signed", "x-signature", &signature),
        ("token", "x-gitlab-token", SECRET),
    ] {
        let page = deliver(&house, to, &gzip, &[(proof, value), ("content-encoding", "gzip")]).await;
        assert_eq!((page.status, page.error().as_str()), (415, "invalid_request"), "{to}: {}", page.body);
        assert!(page.body.contains("Content-Encoding"), "{}", page.body);
        assert_eq!(page.header("accept-encoding"), "identity", "RFC 9110 section 15.5.16");
    }
    let forged = [("x-hub-signature-256", "sha256=00"), ("content-encoding", "gzip")];
    assert_eq!(deliver(&house, "gh", &gzip, &forged).await.status, 401);
    assert_eq!(deliver(&house, "gh", PUSH.as_bytes(), &[("content-encoding", "identity")]).await.status, 202);
    assert_eq!(count(&house, &token).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_exactly_the_limit_is_taken() {
    let (house, token) = house().await;
    let body = format!("\"{}\"", "x".repeat(25 * 1024 * 1024 - 2));
    assert_eq!(deliver(&house, "gh", body.as_bytes(), &[]).await.status, 202);
    assert_eq!(count(&house, &token).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_asks_for_the_delivery_again() {
    let (house, _) = house().await;
    house.server.store().close().await;
    let page = deliver(&house, "gh", PUSH.as_bytes(), &[]).await;
    assert_eq!((page.status, page.header("retry-after")), (503, "2"));
}
