//! DingTalk's quirks.

use crate::http::{self, Answer};
use crate::oauth::{BACK_ENCODED, House, modest, parameter, text};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::{Value, json};

async fn house() -> House {
    modest(Kind::Dingtalk, "/oauth2/auth", "/v1.0/oauth2/userAccessToken").await
}

fn request(scope: &str) -> String {
    let id = Kind::Dingtalk.default_client_id();
    format!("response_type=code&client_id={id}&redirect_uri={BACK_ENCODED}&scope={scope}&state=s&prompt=consent")
}

async fn exchange(house: &House, changes: Value) -> Answer {
    let mut body = json!({ "clientId": Kind::Dingtalk.default_client_id(), "clientSecret": DEFAULT_SECRET });
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    house.post_json(house.token, &body).await
}

async fn tokens(house: &House, scope: &str) -> Value {
    let code = parameter(&house.agree(&request(scope), "lihua").await, "authCode").unwrap();
    exchange(house, json!({ "grantType": "authorization_code", "code": code })).await.json()
}

#[tokio::test]
async fn dingtalk_callback_brings_auth_code_and_code_by_switch() {
    let house = house().await;
    for (switch, auth_code, code) in [("both", true, true), ("auth_code", true, false), ("code", false, true)] {
        house.switch("callback_code", json!(switch)).await;
        let back = house.agree(&request("openid"), "lihua").await;
        assert_eq!(parameter(&back, "authCode").is_some(), auth_code, "{back}");
        assert_eq!(parameter(&back, "code").is_some(), code, "{back}");
        assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
    }
}

#[tokio::test]
async fn dingtalk_tokens_are_camel_case_with_expire_in_without_s() {
    let house = house().await;
    let plain = tokens(&house, "openid").await;
    assert_eq!(plain["expireIn"], json!(7200));
    let names: Vec<&String> = plain.as_object().unwrap().keys().collect();
    assert_eq!(names, ["accessToken", "expireIn", "refreshToken"]);
    for separator in ["+", "%2C"] {
        let with_company = tokens(&house, &format!("openid{separator}corpid")).await;
        assert!(with_company["corpId"].is_string(), "{with_company}");
    }
}

#[tokio::test]
async fn dingtalk_user_token_stands_in_its_own_header() {
    let house = house().await;
    let token = text(&tokens(&house, "openid").await, "accessToken");
    let header = format!("x-acs-dingtalk-access-token: {token}");
    let user = http::send(house.base(), "GET", "/v1.0/contact/users/me", &[&header], "").await.json();
    assert_eq!((&user["nick"], &user["stateCode"]), (&json!("李华"), &json!("86")));
    assert_ne!(user["unionId"], user["openId"]);
    let by_bearer = house.get_as("/v1.0/contact/users/me", &format!("Bearer {token}")).await;
    assert_eq!(by_bearer.status, 400);
}

#[tokio::test]
async fn dingtalk_error_codes_are_dotted_text_with_400() {
    let house = house().await;
    let answer = exchange(&house, json!({ "grantType": "authorization_code", "code": "wrong" })).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalidParameter.authCode.notFound")));
    assert_eq!(answer.json()["message"], json!("不合法的临时授权码"));
    assert!(answer.json()["requestid"].is_string());
    let answer = exchange(&house, json!({ "clientSecret": "wrong" })).await;
    assert_eq!(answer.json()["code"], json!("invalidClientIdOrSecret"));
    let form = format!("clientId={}&clientSecret={DEFAULT_SECRET}", Kind::Dingtalk.default_client_id());
    assert_eq!(house.tokens(&form).await.json()["code"], json!("MissingclientId"));
}

#[tokio::test]
async fn dingtalk_missing_permission_is_403_when_ordered() {
    let house = house().await;
    let code = "Forbidden.AccessDenied.AccessTokenPermissionDenied";
    house.control("faults", json!({ "at": "/v1.0/contact/users/me", "kind": "error", "error": code })).await;
    let answer = house.get("/v1.0/contact/users/me").await;
    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!(code)));
}

#[tokio::test]
async fn dingtalk_refresh_is_good_once() {
    let house = house().await;
    let token = text(&tokens(&house, "openid").await, "refreshToken");
    let body = json!({ "grantType": "refresh_token", "refreshToken": token });
    assert_eq!(exchange(&house, body.clone()).await.status, 200);
    assert_eq!(exchange(&house, body).await.status, 400);
}

#[tokio::test]
async fn dingtalk_denial_goes_back_and_a_request_without_openid_does_not() {
    let house = house().await;
    assert_eq!(parameter(&house.refuse(&request("openid")).await, "error").as_deref(), Some("access_denied"));
    assert_eq!(house.get(&format!("/oauth2/auth?{}", request("corpid"))).await.status, 400);
    assert_eq!(house.get(&format!("/oauth2/challenge.htm?{}", request("openid"))).await.status, 200);
}
