//! Gitee's quirks.

use crate::http::{self, Answer};
use crate::oauth::{BACK_ENCODED, House, modest, parameter, text};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::{Value, json};

const NAMED: &str = "User-Agent: test/1";

async fn house() -> House {
    modest(Kind::Gitee, "/oauth/authorize", "/oauth/token").await
}

fn request(scope: &str) -> String {
    let id = Kind::Gitee.default_client_id();
    format!("response_type=code&client_id={id}&redirect_uri={BACK_ENCODED}&state=s{scope}")
}

async fn get(house: &House, path: &str) -> Answer {
    http::send(house.base(), "GET", path, &[NAMED], "").await
}

/// A call to the token endpoint with everything in the query and an empty body.
async fn post(house: &House, fields: &str) -> Answer {
    let id = Kind::Gitee.default_client_id();
    let path = format!("/oauth/token?client_id={id}&client_secret={DEFAULT_SECRET}&{fields}");
    http::send(house.base(), "POST", &path, &[NAMED], "").await
}

async fn tokens(house: &House, scope: &str) -> Value {
    let code = parameter(&house.agree(&request(scope), "xiaoming").await, "code").unwrap();
    post(house, &format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}")).await.json()
}

#[tokio::test]
async fn gitee_takes_the_token_request_from_the_query_with_an_empty_or_a_junk_body() {
    let house = house().await;
    let tokens = tokens(&house, "").await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(86_400)));
    assert_eq!((text(&tokens, "access_token").len(), text(&tokens, "refresh_token").len()), (32, 64));
    assert!(tokens["created_at"].is_u64());
    assert_eq!(tokens["scope"], json!("user_info"));
    let id = Kind::Gitee.default_client_id();
    let path = format!(
        "/oauth/token?grant_type=refresh_token&refresh_token={}&client_id={id}&client_secret={DEFAULT_SECRET}",
        text(&tokens, "refresh_token")
    );
    let headers = [NAMED, "Content-Type: application/json"];
    assert_eq!(http::send(house.base(), "POST", &path, &headers, r#"{"junk":true}"#).await.status, 200);
}

#[tokio::test]
async fn gitee_user_id_is_a_number_and_email_null_unless_public() {
    let house = house().await;
    let access_token = text(&tokens(&house, "&scope=user_info+emails").await, "access_token");
    let user = get(&house, &format!("/api/v5/user?access_token={access_token}")).await.json();
    assert!(user["id"].is_u64());
    assert_eq!((&user["name"], &user["email"]), (&json!("小明🌟"), &Value::Null));
    let emails = get(&house, &format!("/api/v5/emails?access_token={access_token}")).await.json();
    assert_eq!(emails[0]["email"], json!("xiaoming@example.com"));
    let bearer = format!("Authorization: Bearer {access_token}");
    house.switch("email_public", json!(true)).await;
    let user = http::send(house.base(), "GET", "/api/v5/user", &[NAMED, &bearer], "").await.json();
    assert_eq!(user["email"], json!("xiaoming@example.com"));
}

#[tokio::test]
async fn gitee_refuses_an_empty_user_agent() {
    let house = house().await;
    assert_eq!(house.get("/api/v5/user").await.status, 403);
    assert_eq!(house.tokens("grant_type=authorization_code").await.status, 403);
    house.switch("user_agent_needed", json!(false)).await;
    assert_eq!(house.get("/api/v5/user").await.status, 401);
}

#[tokio::test]
async fn gitee_errors_are_401_in_chinese() {
    let house = house().await;
    let answer = post(&house, &format!("grant_type=authorization_code&code=wrong&redirect_uri={BACK_ENCODED}")).await;
    assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("invalid_grant")));
    assert!(!text(&answer.json(), "error_description").is_ascii());
    let answer = get(&house, "/api/v5/user?access_token=wrong").await;
    assert_eq!(answer.text(), r#"{"message":"401 Unauthorized: Access token does not exist"}"#);
}

#[tokio::test]
async fn gitee_refresh_rotates() {
    let house = house().await;
    let first = text(&tokens(&house, "").await, "refresh_token");
    let refresh = async |token: &str| post(&house, &format!("grant_type=refresh_token&refresh_token={token}")).await;
    assert_ne!(text(&refresh(&first).await.json(), "refresh_token"), first);
    assert_eq!(refresh(&first).await.status, 401);
}

#[tokio::test]
async fn gitee_denial_is_doorkeepers_in_chinese() {
    let house = house().await;
    let back = house.refuse(&request("")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
    assert!(!parameter(&back, "error_description").unwrap().is_ascii());
}

#[tokio::test]
async fn gitee_understands_code_challenges() {
    let house = house().await;
    let query = request("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
    let code = parameter(&house.agree(&query, "zoe").await, "code").unwrap();
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}");
    assert_eq!(post(&house, &form).await.status, 401);
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(post(&house, &format!("{form}&code_verifier={verifier}")).await.status, 200);
}
