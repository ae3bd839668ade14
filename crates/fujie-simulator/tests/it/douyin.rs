//! Douyin's quirks.

use crate::oauth::{BACK_ENCODED, House, modest, parameter, text};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::{Value, json};

async fn house() -> House {
    modest(Kind::Douyin, "/platform/oauth/connect", "/oauth/access_token/").await
}

fn request() -> String {
    let id = Kind::Douyin.default_client_id();
    format!("client_key={id}&response_type=code&scope=user_info,trial&redirect_uri={BACK_ENCODED}&state=s")
}

fn exchange(code: &str) -> String {
    let id = Kind::Douyin.default_client_id();
    format!("client_key={id}&client_secret={DEFAULT_SECRET}&code={code}&grant_type=authorization_code")
}

async fn tokens(house: &House) -> Value {
    let code = parameter(&house.agree(&request(), "lihua").await, "code").unwrap();
    house.tokens(&exchange(&code)).await.json()
}

#[tokio::test]
async fn douyin_callback_tells_the_scopes() {
    let house = house().await;
    let back = house.agree(&request(), "lihua").await;
    assert_eq!(parameter(&back, "scopes").as_deref(), Some("user_info,trial"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
}

#[tokio::test]
async fn douyin_token_answer_stands_in_data() {
    let house = house().await;
    let answer = tokens(&house).await;
    assert_eq!(answer["message"], json!("success"));
    let data = &answer["data"];
    assert!(text(data, "access_token").starts_with("act.") && text(data, "refresh_token").starts_with("rft."));
    assert_eq!((&data["error_code"], &data["expires_in"]), (&json!(0), &json!(1_296_000)));
    assert_eq!(data["scope"], json!("user_info,trial"));
}

#[tokio::test]
async fn douyin_numbers_come_as_strings_when_switched() {
    let house = house().await;
    house.switch("numbers_as_strings", json!(true)).await;
    let answer = tokens(&house).await;
    let data = &answer["data"];
    assert_eq!((&data["error_code"], &data["expires_in"]), (&json!("0"), &json!("1296000")));
}

#[tokio::test]
async fn douyin_token_endpoint_ends_with_a_slash_and_takes_query_form_or_json() {
    let house = house().await;
    let code = async || parameter(&house.agree(&request(), "lihua").await, "code").unwrap();
    let query = exchange(&code().await);
    assert_eq!(house.post_form(&format!("/oauth/access_token?{query}"), "").await.status, 404);
    let by_query = house.post_form(&format!("/oauth/access_token/?{query}"), "").await.json();
    assert_eq!(by_query["data"]["error_code"], json!(0));
    let body = json!({
        "client_key": Kind::Douyin.default_client_id(), "client_secret": DEFAULT_SECRET, "code": code().await,
        "grant_type": "authorization_code",
    });
    assert_eq!(house.post_json("/oauth/access_token/", &body).await.json()["data"]["error_code"], json!(0));
}

#[tokio::test]
async fn douyin_errors_come_with_200_inside_data() {
    let house = house().await;
    for (form, error_code) in [
        (String::new(), 10002),
        (exchange("x").replace(Kind::Douyin.default_client_id(), "unknown"), 10003),
        (exchange("x").replace(DEFAULT_SECRET, "wrong"), 10013),
        (exchange("wrong"), 10007),
    ] {
        let answer = house.tokens(&form).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["data"]["error_code"]), (200, &json!(error_code)), "{form}");
        assert_eq!(json["message"], json!("error"));
        assert!(json["extra"]["logid"].is_string());
    }
}

#[tokio::test]
async fn douyin_refresh_needs_no_secret_and_leaves_the_refresh_token_its_end() {
    let house = house().await;
    let first = tokens(&house).await;
    let token = text(&first["data"], "refresh_token");
    let id = Kind::Douyin.default_client_id();
    let form = format!("client_key={id}&grant_type=refresh_token&refresh_token={token}");
    house.pass(29 * 86_400).await;
    let second = house.post_form("/oauth/refresh_token/", &form).await.json();
    assert_eq!(text(&second["data"], "refresh_token"), token);
    assert_ne!(second["data"]["access_token"], first["data"]["access_token"]);
    house.pass(86_400).await;
    let third = house.post_form("/oauth/refresh_token/", &form).await.json();
    assert_eq!(third["data"]["error_code"], json!(10010));
}

#[tokio::test]
async fn douyin_user_needs_the_open_id_of_the_token() {
    let house = house().await;
    let tokens = tokens(&house).await;
    let (token, open_id) = (text(&tokens["data"], "access_token"), text(&tokens["data"], "open_id"));
    let query = format!("/oauth/userinfo/?access_token={token}&open_id=");
    let user = house.get(&format!("{query}{open_id}")).await.json();
    assert_eq!((&user["data"]["nickname"], &user["data"]["gender"]), (&json!("李华"), &json!(2)));
    assert!(user["data"]["union_id"].is_string());
    assert_eq!(house.get(&format!("{query}other")).await.json()["data"]["error_code"], json!(10002));
    house.pass(1_296_000).await;
    assert_eq!(house.get(&format!("{query}{open_id}")).await.json()["data"]["error_code"], json!(2_190_008));
}

#[tokio::test]
async fn douyin_denial_goes_back() {
    let house = house().await;
    assert_eq!(parameter(&house.refuse(&request()).await, "error").as_deref(), Some("access_denied"));
}
