//! The plain OpenID provider's device grant (RFC 8628).

use crate::oauth::{House, hidden, parts, text};
use crate::oidc_flow::{CLIENT, house};
use serde_json::{Value, json};

async fn begin(house: &House) -> Value {
    let answer = house.post_form("/device_authorization", &format!("scope=openid+profile&{CLIENT}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn poll(house: &House, device: &Value) -> Value {
    house.pass(10).await;
    poll_at_once(house, device).await
}

async fn poll_at_once(house: &House, device: &Value) -> Value {
    let grant_type = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let device_code = text(device, "device_code");
    house.tokens(&format!("grant_type={grant_type}&device_code={device_code}&{CLIENT}")).await.json()
}

#[tokio::test]
async fn a_person_types_the_code_and_the_device_gets_its_tokens_once() {
    let house = house().await;
    let device = begin(&house).await;
    assert_eq!((&device["expires_in"], &device["interval"]), (&json!(900), &json!(5)));
    assert_eq!(text(&device, "verification_uri"), format!("{}/device", house.base()));
    let typed = text(&device, "user_code").to_lowercase().replace('-', " ");
    assert!(house.get("/device").await.text().contains("name=\"user_code\""));
    let page = house.post_form("/device", &format!("user_code={}", typed.replace(' ', "+"))).await;
    assert_eq!(poll(&house, &device).await["error"], json!("authorization_pending"));
    let id = page.text().split_once("/_simulate/page/").unwrap().1.split_once('"').unwrap().0;
    assert_eq!(hidden(page.text(), "lang").as_deref(), Some("cn"));
    let agreed = house.post_form(&format!("/_simulate/page/{id}"), "decision=agree&person=lihua").await;
    assert_eq!((agreed.status, agreed.header("location")), (200, None));
    let tokens = poll(&house, &device).await;
    assert_eq!(parts(&text(&tokens, "id_token")).1["preferred_username"], json!("lihua"));
    assert_eq!(poll(&house, &device).await["error"], json!("invalid_grant"));
}

#[tokio::test]
async fn the_complete_uri_leads_to_the_question_and_the_control_api_answers_it() {
    let house = house().await;
    let device = begin(&house).await;
    let complete = text(&device, "verification_uri_complete");
    assert_eq!(house.get(complete.strip_prefix(house.base()).unwrap()).await.status, 200);
    let sign_ins = house.get("/_simulate/sign-ins").await.json();
    let id = text(&sign_ins[0], "id");
    house.control(&format!("sign-ins/{id}/refuse"), json!({})).await;
    assert_eq!(poll(&house, &device).await["error"], json!("access_denied"));
    assert_eq!(house.get("/device?user_code=WRONG").await.status, 404);
}

#[tokio::test]
async fn a_hasty_device_is_told_to_slow_down() {
    let house = house().await;
    let device = begin(&house).await;
    assert_eq!(poll_at_once(&house, &device).await["error"], json!("authorization_pending"));
    assert_eq!(poll_at_once(&house, &device).await["error"], json!("slow_down"));
    house.pass(6).await;
    assert_eq!(poll_at_once(&house, &device).await["error"], json!("slow_down"));
    house.pass(16).await;
    assert_eq!(poll_at_once(&house, &device).await["error"], json!("authorization_pending"));
}

#[tokio::test]
async fn a_device_code_expires() {
    let house = house().await;
    let device = begin(&house).await;
    house.pass(900).await;
    assert_eq!(poll(&house, &device).await["error"], json!("expired_token"));
}

#[tokio::test]
async fn auto_confirm_agrees_for_a_device_too() {
    let house = house().await;
    house.switch("auto_confirm", json!("zoe")).await;
    let device = begin(&house).await;
    assert!(poll(&house, &device).await.get("id_token").is_some());
}

#[tokio::test]
async fn a_browser_cannot_pass_itself_off_as_a_device() {
    let house = house().await;
    let back = house.agree(&crate::oidc_flow::request("&flow=device&tenant=x"), "xiaoming").await;
    assert!(crate::oauth::parameter(&back, "code").is_some());
}
