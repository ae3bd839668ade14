//! Baidu's quirks.

use crate::oauth::{BACK_ENCODED, House, modest, parameter, text};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::{Value, json};

const INFO: &str = "/rest/2.0/passport/users/getInfo";

async fn house() -> House {
    modest(Kind::Baidu, "/oauth/2.0/authorize", "/oauth/2.0/token").await
}

fn client() -> String {
    format!("client_id={}&client_secret={DEFAULT_SECRET}", Kind::Baidu.default_client_id())
}

fn request(scope: &str) -> String {
    let id = Kind::Baidu.default_client_id();
    format!("response_type=code&client_id={id}&redirect_uri={BACK_ENCODED}&scope={scope}&state=s")
}

async fn tokens(house: &House, scope: &str) -> Value {
    let code = parameter(&house.agree(&request(scope), "lihua").await, "code").unwrap();
    let query = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&{}", client());
    house.get(&format!("/oauth/2.0/token?{query}")).await.json()
}

#[tokio::test]
async fn baidu_token_by_get_has_no_token_type_and_empty_session_fields() {
    let house = house().await;
    let tokens = tokens(&house, "basic,netdisk").await;
    assert_eq!((tokens.get("token_type"), &tokens["expires_in"]), (None, &json!(2_592_000)));
    assert_eq!((&tokens["session_key"], &tokens["session_secret"]), (&json!(""), &json!("")));
    assert_eq!(tokens["scope"], json!("basic netdisk"));
    assert!(text(&tokens, "access_token").starts_with("121."));
}

#[tokio::test]
async fn baidu_token_never_comes_as_bearer() {
    let house = house().await;
    let token = text(&tokens(&house, "basic").await, "access_token");
    let user = house.get(&format!("{INFO}?access_token={token}")).await.json();
    assert!(user["openid"].is_string() && user["unionid"].is_string() && user.get("userid").is_none());
    assert_eq!(user["username"], json!("李华"));
    let refused = house.get_as(INFO, &format!("Bearer {token}")).await;
    assert_eq!((refused.status, &refused.json()["error_code"]), (200, &json!(110)));
}

#[tokio::test]
async fn baidu_old_apps_see_a_userid_and_the_other_method_a_uid() {
    let house = house().await;
    house.switch("userid", json!(true)).await;
    let token = text(&tokens(&house, "basic").await, "access_token");
    let user = house.get(&format!("{INFO}?access_token={token}")).await.json();
    let other = house.get(&format!("/rest/2.0/passport/users/getLoggedInUser?access_token={token}")).await.json();
    assert_eq!((&other["uid"], &other["uname"]), (&user["userid"], &user["username"]));
}

#[tokio::test]
async fn baidu_api_error_code_is_a_number_or_a_string() {
    let house = house().await;
    let refused = house.get(INFO).await.json();
    assert_eq!(refused, json!({ "error_code": 110, "error_msg": "Access token invalid or no longer valid" }));
    house.switch("numbers_as_strings", json!(true)).await;
    assert_eq!(house.get(INFO).await.json()["error_code"], json!("110"));
}

#[tokio::test]
async fn baidu_token_errors() {
    let house = house().await;
    let unknown = house.tokens("grant_type=authorization_code&client_id=x&client_secret=x").await;
    assert_eq!(unknown.status, 401);
    assert_eq!(unknown.json(), json!({ "error": "invalid_client", "error_description": "unknown client id" }));
    let form = format!("grant_type=authorization_code&code=wrong&redirect_uri={BACK_ENCODED}&{}", client());
    let wrong = house.tokens(&form).await;
    assert_eq!((wrong.status, &wrong.json()["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn baidu_refresh_rotates() {
    let house = house().await;
    let token = text(&tokens(&house, "basic").await, "refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={token}&{}", client());
    assert_ne!(text(&house.tokens(&form).await.json(), "refresh_token"), token);
    assert_eq!(house.tokens(&form).await.json()["error"], json!("expired_token"));
}

#[tokio::test]
async fn baidu_denial_is_access_denied() {
    let house = house().await;
    let back = house.refuse(&request("basic")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
}

#[tokio::test]
async fn baidu_ordered_error_at_the_page_goes_back() {
    let house = house().await;
    let fault = json!({ "at": "/oauth/2.0/authorize", "kind": "error", "error": "server_error" });
    house.control("faults", fault).await;
    let back = house.land(&request("basic")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("server_error"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
}
