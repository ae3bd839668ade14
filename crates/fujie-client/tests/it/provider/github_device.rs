//! GitHub without a browser of ours: devices that wait for their person, quirk by quirk.

use std::time::Duration;

use fujie_client::{Client, Credential, Device, Polled, Tokens, provider};
use fujie_simulator::github::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::json;

use super::fault;
use super::github::{expiring_house, house, house_with, refused};
use super::house::{House, after};

/// How long it says to wait; the time goes by.
async fn wait(house: &House, client: &Client, device: &mut Device) -> Duration {
    match client.poll_device(device).await.unwrap() {
        Polled::Wait(span) => {
            house.advance(i64::try_from(span.as_millis().div_ceil(1000)).unwrap()).await;
            span
        }
        Polled::Tokens(_) => panic!("nobody has agreed"),
    }
}

async fn tokens(client: &Client, device: &mut Device) -> Tokens {
    match client.poll_device(device).await.unwrap() {
        Polled::Tokens(tokens) => *tokens,
        Polled::Wait(span) => panic!("to wait {span:?}"),
    }
}

#[tokio::test]
async fn github_device_is_connected_at_the_page() {
    let house = house().await;
    let client = house.client_proving(&provider::github().with_scope(&["repo"]), DEFAULT_CLIENT_ID, Credential::None);
    let mut device = client.begin_device().await.unwrap();
    assert_eq!(device.authorization.verification_uri, format!("{}/login/device", house.base()));
    assert_eq!(wait(&house, &client, &mut device).await, Duration::from_secs(6), "the interval and a margin");
    assert_eq!(wait(&house, &client, &mut device).await, Duration::from_secs(6));
    house.decide_waiting(None, "confirm", "zoe").await;
    let tokens = tokens(&client, &mut device).await;
    assert_eq!(tokens.scope, ["repo"]);
    assert_eq!(client.user(&tokens).await.unwrap().nickname.as_deref(), Some("Zoë 👩‍💻"));
    assert!(house.sent().iter().all(|sent| sent.in_body("client_secret").is_none()), "a device has no secret");
}

#[tokio::test]
async fn github_device_code_answer_tells_899_seconds_in_the_live_order() {
    let house = house().await;
    let device = house.client.begin_device().await.unwrap();
    let told = (device.authorization.user_code.len(), device.authorization.expires_at, device.authorization.interval);
    assert_eq!(told, (9, after(899).unwrap(), Duration::from_secs(5)));
    assert_eq!(device.authorization.verification_uri_complete, None);
}

#[tokio::test]
async fn a_refused_device_is_told() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "refuse", "").await;
    house.advance(6).await;
    assert_eq!(house.name_of(house.client.poll_device(&mut device).await), "denied");
}

#[tokio::test]
async fn a_device_that_waits_too_long_ends_by_either_clock() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.advance_client(899);
    house.sent();
    assert_eq!(house.name_of(house.client.poll_device(&mut device).await), "expired");
    assert!(house.sent().is_empty(), "our own clock is enough");
    let mut device = house.client.begin_device().await.unwrap();
    house.advance_provider(900).await;
    house.advance_client(6);
    assert_eq!(house.name_of(house.client.poll_device(&mut device).await), "expired");
}

#[tokio::test]
async fn a_network_that_fails_for_a_moment_ends_no_device() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "confirm", "zoe").await;
    let mut seconds = 6;
    for status in [503, 429, 500] {
        house.advance(seconds).await;
        let fault = json!({"at": "/login/oauth/access_token", "kind": "status", "status": status});
        house.control("faults", &fault).await;
        let Polled::Wait(span) = house.client.poll_device(&mut device).await.unwrap() else { panic!("{status}") };
        let longer = i64::try_from(span.as_secs()).unwrap();
        assert!(longer > seconds, "half as often");
        seconds = longer;
    }
    house.advance(seconds).await;
    assert!(tokens(&house.client, &mut device).await.access_token.expose().starts_with("gho_"));
}

#[tokio::test]
async fn whatever_the_network_does_a_device_waits_or_is_told() {
    fault::polling_faults(&house().await, "rate_limited").await;
}

#[tokio::test]
async fn github_device_flow_must_be_enabled() {
    let house = house_with(|config| config.apps[0].device_flow = false).await;
    for status in [400, 200] {
        house.switch(json!({"device_flow_disabled_status": status})).await;
        let error = house.client.begin_device().await.unwrap_err();
        assert_eq!(refused(&house, &error), ("not_permitted", "device_flow_disabled".to_owned()));
        assert_eq!(error.evidence().unwrap().status, status);
    }
}

#[tokio::test]
async fn github_unknown_client_has_no_device_flow() {
    let house = house().await;
    let unknown = house.client_of(&provider::github(), "Ov23nobodynobodynobo", DEFAULT_SECRET);
    let error = unknown.begin_device().await.unwrap_err();
    assert_eq!(refused(&house, &error), ("credentials_refused", "Not Found".to_owned()));
}

#[tokio::test]
async fn github_slow_down_tells_the_new_interval_as_a_number() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    for expected in [6, 14, 21] {
        // Our clock runs fast: the provider has seen no time go by.
        house.advance_client(30);
        let Polled::Wait(span) = house.client.poll_device(&mut device).await.unwrap() else { panic!("{expected}") };
        assert_eq!(span.as_secs(), expected);
    }
}

#[tokio::test]
async fn github_device_code_expires_or_is_denied() {
    let house = house().await;
    for (error, name) in [
        ("expired_token", "expired"),
        ("access_denied", "denied"),
        ("incorrect_device_code", "code_refused"),
        ("device_flow_disabled", "not_permitted"),
        ("incorrect_client_credentials", "credentials_refused"),
        ("unsupported_grant_type", "request_refused"),
    ] {
        let mut device = house.client.begin_device().await.unwrap();
        house.advance(6).await;
        let fault = json!({"at": "/login/oauth/access_token", "kind": "error", "error": error});
        house.control("faults", &fault).await;
        assert_eq!(house.name_of(house.client.poll_device(&mut device).await), name);
    }
}

#[tokio::test]
async fn github_device_tokens_are_refreshed_without_a_secret() {
    let house = expiring_house().await;
    house.switch(json!({"auto_confirm": "zoe"})).await;
    let public = house.public_client();
    let mut device = public.begin_device().await.unwrap();
    house.advance(6).await;
    let Polled::Tokens(tokens) = public.poll_device(&mut device).await.unwrap() else { panic!("not yet") };
    let refreshed = public.refresh(&tokens).await.unwrap();
    assert_eq!(public.user(&refreshed).await.unwrap().nickname.as_deref(), Some("Zoë 👩‍💻"));
}
