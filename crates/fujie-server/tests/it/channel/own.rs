//! What this server itself does, as an administrator reads it on the topic `fujie`.

use fujie_store::{NewTopic, OWN_TOPIC, TopicCreated};

use super::listener;
use crate::{
    browser::Browser,
    house::{House, PASSWORD},
};

/// What is told there by itself: types and all of the text, as the browser's session reads it.
async fn told(house: &House, browser: &mut Browser) -> (Vec<String>, serde_json::Value) {
    let url = format!("{}/topics/{OWN_TOPIC}/events", house.issuer);
    let page = browser.send_as(&url, &[("accept", "application/json")], None).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let events = page.json()["events"].clone();
    let types = events.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned());
    (types.collect(), events)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_finds_each_thing_once_in_order_without_a_secret() {
    let house = House::new().await;
    let app = house.add(listener("app")).await;
    let root = house.administrator("root").await;
    let new = NewTopic { name: OWN_TOPIC.to_owned(), title: "x".to_owned(), owner: root };
    let made = house.server.store().create_topic(new, house.clock.now()).await.unwrap();
    assert!(matches!(made, TopicCreated::Created(_)), "{made:?}");
    let mut browser = Browser::new();
    house.bound(&mut browser, "wechat", "xiaoming", "root").await;
    let openid = house.server.store().identities_of(root).await.unwrap().remove(0).identity.subject;
    let path = house.identity_paths(&mut browser).await.remove(0);
    let page = house.asked(&mut browser, &path, "root").await;
    browser.submit(&page, &path, &[]).await;
    let code = house.code(&mut browser, &app, &[("scope", "openid channel:read")]).await;
    let tokens = house.redeem(&app, &code).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(house.post("/revoke", &app, &[("token", token)]).await.status, 200);
    }
    // Within the last hour of a day the key of the next is made.
    house.later(23 * 3600 + 60).await;
    let (types, events) = told(&house, &mut browser).await;
    let expected = [
        "topic_made",
        "signed_in",
        "identity_bound",
        "signed_in",
        "identity_unbound",
        "consent_given",
        "token_revoked",
        "key_rotated",
    ];
    assert_eq!(types, expected.map(|kind| format!("fujie.{kind}")));
    let whose = serde_json::json!({ "account": root.to_string(), "client": app.id, "detail": null });
    assert_eq!(events[6]["data"], whose);
    let secret = app.secret.as_deref().unwrap();
    for secret in [token, &code, secret, &openid, PASSWORD, "fj_at_", "fj_rt_", "fj_ac_", "fj_ss_"] {
        assert!(!events.to_string().contains(secret), "{secret} stands in {events}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_programs_own_token_is_told_when_it_is_revoked() {
    let house = House::new().await;
    house.topic(OWN_TOPIC).await;
    let bot = house.add(listener("bot")).await;
    let token = house.own_token(&bot, "channel:read").await;
    assert_eq!(house.post("/revoke", &bot, &[("token", &token)]).await.status, 200);
    let events = house.server.store().events_in(OWN_TOPIC, 0, 10, usize::MAX).await.unwrap();
    let last = events.last().unwrap();
    assert_eq!(last.event_type, "fujie.token_revoked");
    assert_eq!(last.data.as_deref(), Some(r#"{"account":null,"client":"bot","detail":null}"#));
}
