//! The long poll, to the byte and through all states.

use crate::http;
use crate::story::{between, house, house_with, page_query};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_waiting_poll_answers_the_exact_forty_bytes() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    let answer = house.get(&format!("/connect/l/qrconnect?uuid={uuid}&_=1700000000000")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, b"window.wx_errcode=408;window.wx_code='';");
    assert_eq!(answer.body.len(), 40);
    assert_eq!(answer.header("content-type"), Some("text/javascript"));
    assert_eq!(answer.header("content-length"), Some("40"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long the answer took is what is tested")]
async fn a_poll_is_held_as_long_as_configured() {
    let house = house_with(|config| config.poll_hold = Duration::from_millis(250)).await;
    let uuid = house.open_page("s").await;
    let before = Instant::now();
    assert_eq!(house.poll(&uuid, "").await.0, 408);
    assert!(before.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn a_held_poll_is_answered_the_moment_the_phone_acts() {
    let house = house_with(|config| config.poll_hold = Duration::from_secs(600)).await;
    let uuid = house.open_page("s").await;
    let path = format!("/connect/l/qrconnect?uuid={uuid}");
    let waiting = http::begin(house.base(), "GET", &path, &[], "").await;
    let phone = house.scan(&uuid).await;
    assert!(http::finish(waiting).await.text().starts_with("window.wx_errcode=404;"));
    let scanned = http::begin(house.base(), "GET", &format!("{path}&last=404"), &[], "").await;
    house.decide(&uuid, &phone, "refuse", "").await;
    assert!(http::finish(scanned).await.text().starts_with("window.wx_errcode=403;"));
    let refused = http::begin(house.base(), "GET", &format!("{path}&last=403"), &[], "").await;
    house.control(&format!("sign-ins/{uuid}/expire"), "").await;
    assert!(http::finish(refused).await.text().starts_with("window.wx_errcode=402;"));
}

#[tokio::test]
async fn a_held_poll_hears_of_its_expiry() {
    let house = house_with(|config| config.poll_hold = Duration::from_secs(600)).await;
    let uuid = house.open_page("s").await;
    let path = format!("/connect/l/qrconnect?uuid={uuid}");
    let waiting = http::begin(house.base(), "GET", &path, &[], "").await;
    house.advance(300).await;
    assert!(http::finish(waiting).await.text().starts_with("window.wx_errcode=402;"));
}

#[tokio::test]
async fn a_sign_in_walks_from_waiting_over_scanned_to_a_code() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    assert_eq!(house.poll(&uuid, "").await, (408, String::new()));
    let phone = house.scan(&uuid).await;
    assert_eq!(house.poll(&uuid, "").await, (404, String::new()));
    assert_eq!(house.poll(&uuid, "&last=").await.0, 404);
    assert_eq!(house.poll(&uuid, "&last=404").await.0, 408);
    house.decide(&uuid, &phone, "agree", "lihua").await;
    let (number, code) = house.poll(&uuid, "&last=404").await;
    assert_eq!(number, 405);
    assert_eq!(code.len(), 32);
    assert!(code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
}

#[tokio::test]
async fn a_refusal_is_told_once_and_the_code_can_be_scanned_again() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    let phone = house.scan(&uuid).await;
    house.decide(&uuid, &phone, "refuse", "").await;
    assert_eq!(house.poll(&uuid, "&last=404").await, (403, String::new()));
    assert_eq!(house.poll(&uuid, "&last=403").await.0, 408);
    house.scan(&uuid).await;
    assert_eq!(house.poll(&uuid, "&last=403").await.0, 404);
}

#[tokio::test]
async fn an_old_code_tells_the_page_to_load_anew() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    house.advance(270).await;
    assert_eq!(house.poll(&uuid, "").await.0, 408);
    house.advance(30).await;
    assert_eq!(house.poll(&uuid, "").await, (402, String::new()));
    assert_eq!(house.get(&format!("/connect/confirm?uuid={uuid}")).await.status, 410);
    assert_eq!(house.poll("091AZFu52T9S000X", "").await.0, 402);
}

#[tokio::test]
async fn a_failing_server_is_a_five_hundred_in_the_body_alone() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    house.control("faults", r#"{"at":"/connect/l/qrconnect","kind":"error","error":500}"#).await;
    assert_eq!(house.poll(&uuid, "").await, (500, String::new()));
    assert_eq!(house.poll(&uuid, "").await.0, 408);
}

#[tokio::test]
async fn the_oldest_sign_in_makes_room_for_the_thousand_and_first() {
    let house = house().await;
    let first = house.open_page("s").await;
    for _ in 0..999 {
        house.open_page("s").await;
    }
    assert_eq!(house.poll(&first, "").await.0, 408);
    house.open_page("s").await;
    assert_eq!(house.poll(&first, "").await.0, 402);
}

#[tokio::test]
async fn auto_confirm_has_a_code_for_the_first_poll_of_a_uuid_that_came_as_xml() {
    let house = house().await;
    house.control("switches", r#"{"auto_confirm":"zoe"}"#).await;
    let xml = house.get(&format!("/connect/qrconnect?{}&f=xml", page_query("s"))).await;
    let (number, code) = house.poll(between(xml.text(), "<![CDATA[", "]]>"), "").await;
    assert_eq!((number, house.redeem(&code).await.errcode()), (405, 0));
}
