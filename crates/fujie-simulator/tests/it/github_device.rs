//! GitHub's device flow, from the device, at the page, and through polling.

use crate::github_story::{House, error_of, field_of, house, house_with, house_with_app, text};
use crate::http;
use fujie_simulator::github::DEFAULT_CLIENT_ID;
use serde_json::{Value, json};

const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";

async fn begin(house: &House, accept: &str) -> http::Answer {
    let headers = ["Content-Type: application/x-www-form-urlencoded", accept];
    let body = format!("client_id={DEFAULT_CLIENT_ID}&scope=repo");
    http::send(house.base(), "POST", "/login/device/code", &headers, &body).await
}

async fn begun(house: &House) -> (String, String) {
    let json = begin(house, "Accept: application/json").await.json();
    (text(&json, "device_code"), text(&json, "user_code"))
}

async fn poll(house: &House, device_code: &str) -> Value {
    let body = format!("client_id={DEFAULT_CLIENT_ID}&device_code={device_code}&grant_type={GRANT}");
    let answer = house.token(&["Accept: application/json"], &body).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

#[tokio::test]
async fn github_device_code_answer_tells_899_seconds_in_the_live_order() {
    let house = house().await;
    let answer = begin(&house, "Accept: application/json").await;
    let json = answer.json();
    let (device_code, user_code) = (text(&json, "device_code"), text(&json, "user_code"));
    assert!(device_code.len() == 40 && device_code.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let (left, right) = user_code.split_once('-').unwrap();
    assert!(
        [left, right]
            .iter()
            .all(|half| half.len() == 4 && half.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
    );
    assert_eq!(
        answer.text(),
        format!(
            "{{\"device_code\":\"{device_code}\",\"user_code\":\"{user_code}\",\
             \"verification_uri\":\"{}/login/device\",\"expires_in\":899,\"interval\":5}}",
            house.base()
        )
    );
    let form = format!("?{}", begin(&house, "Accept: */*").await.text());
    assert!(form.starts_with("?device_code=") && field_of(&form, "interval") == "5");
}

#[tokio::test]
async fn github_device_flow_must_be_enabled() {
    let house = house_with_app(|app| app.device_flow = false).await;
    let answer = begin(&house, "Accept: application/json").await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "error": "device_flow_disabled",
            "error_description": "Device Flow must be explicitly enabled for this App",
            "error_uri": "https://docs.github.com",
        })
    );
    house.switch("device_flow_disabled_status", json!(200)).await;
    assert_eq!(begin(&house, "Accept: application/json").await.status, 200);
    assert_eq!(error_of(&poll(&house, "x").await), "device_flow_disabled");
}

#[tokio::test]
async fn github_device_is_connected_at_the_page() {
    let house = house().await;
    let (device_code, user_code) = begun(&house).await;
    assert_eq!(
        poll(&house, &device_code).await,
        json!({
            "error": "authorization_pending",
            "error_description": "The authorization request is still pending.",
            "error_uri":
                "https://docs.github.com/developers/apps/authorizing-oauth-apps#error-codes-for-the-device-flow",
        })
    );
    assert!(house.get("/login/device").await.text().contains("name=\"user_code\""));
    let typed = user_code.to_lowercase();
    let answer = http::post_form(house.base(), "/login/device", &format!("user_code={typed}&lang=en")).await;
    assert_eq!(answer.status, 303);
    let page = house.get(answer.header("location").unwrap()).await;
    assert!(page.text().contains("演示应用") && page.text().contains("repo"));
    let path = answer.header("location").unwrap().split('?').next().unwrap().to_owned();
    let decided = http::post_form(house.base(), &path, "decision=agree&person=zoe").await;
    assert_eq!(decided.status, 200, "there is nowhere to go");
    house.advance(5).await;
    let answer = poll(&house, &device_code).await;
    assert_eq!((text(&answer, "scope").as_str(), text(&answer, "token_type").as_str()), ("repo", "bearer"));
    house.advance(5).await;
    assert_eq!(error_of(&poll(&house, &device_code).await), "incorrect_device_code");
}

#[tokio::test]
async fn github_wrong_user_code_stays_on_the_page() {
    let house = house().await;
    for typed in ["ZZZZ-ZZZZ", "", "%3Cscript%3E"] {
        let answer = http::post_form(house.base(), "/login/device", &format!("user_code={typed}&lang=en")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains("role=\"alert\"") && !answer.text().contains("<script>"), "{typed}");
    }
}

#[tokio::test]
async fn github_slow_down_tells_the_new_interval_as_a_number() {
    let house = house().await;
    let (device_code, _) = begun(&house).await;
    poll(&house, &device_code).await;
    let hasty = poll(&house, &device_code).await;
    assert_eq!(
        hasty,
        json!({
            "error": "slow_down",
            "error_description": "Too many requests have been made in the same timeframe.",
            "error_uri": "https://docs.github.com",
            "interval": 10,
        })
    );
    // More than the five of before, and four less than the ten that are told: the machine's time goes by too.
    house.advance(6).await;
    assert_eq!(poll(&house, &device_code).await.get("interval"), Some(&json!(15)));
    house.advance(15).await;
    assert_eq!(error_of(&poll(&house, &device_code).await), "authorization_pending");
}

#[tokio::test]
async fn github_device_code_expires_or_is_denied() {
    let house = house().await;
    let (device_code, _) = begun(&house).await;
    assert_eq!(house.decide("refuse", "zoe").await, Value::Null);
    assert_eq!(error_of(&poll(&house, &device_code).await), "access_denied");
    let (device_code, _) = begun(&house).await;
    house.advance(900).await;
    assert_eq!(error_of(&poll(&house, &device_code).await), "expired_token");
}

#[tokio::test]
async fn github_device_tokens_are_refreshed_without_a_secret() {
    let house = house_with(|config| config.apps.iter_mut().for_each(|app| app.expiring_tokens = Some(true))).await;
    house.switch("auto_confirm", json!("zoe")).await;
    let (device_code, _) = begun(&house).await;
    let refresh_token = text(&poll(&house, &device_code).await, "refresh_token");
    let body = format!("client_id={DEFAULT_CLIENT_ID}&grant_type=refresh_token&refresh_token={refresh_token}");
    assert_eq!(error_of(&house.token(&["Accept: application/json"], &body).await.json()), "none");
    let (device_code, _) = begun(&house).await;
    let wrong = format!("client_id={DEFAULT_CLIENT_ID}&client_secret=x&device_code={device_code}&grant_type={GRANT}");
    let answer = house.token(&["Accept: application/json"], &wrong).await.json();
    assert_eq!(error_of(&answer), "incorrect_client_credentials");
}

#[tokio::test]
async fn github_unknown_client_has_no_device_flow() {
    let house = house().await;
    let answer = http::post_form(house.base(), "/login/device/code", "client_id=nobody").await;
    assert_eq!((answer.status, answer.text()), (404, "{\"error\":\"Not Found\"}"));
}
