//! GitLab's quirks.

use crate::http;
use crate::oauth::{BACK_ENCODED, House, parameter, parts, text};
use crate::oidc_flow::CLIENT;
use fujie_simulator::oidc::House as Whose;
use fujie_simulator::{Oidc, OidcConfig};
use serde_json::{Value, json};

async fn house() -> House {
    let running = Oidc::start("127.0.0.1:0", OidcConfig::of(Whose::Gitlab)).await.unwrap();
    House { running, authorize: "/oauth/authorize", token: "/oauth/token" }
}

fn request(scope: &str) -> String {
    format!("response_type=code&client_id=fujie-demo&redirect_uri={BACK_ENCODED}&scope={scope}&state=s")
}

async fn tokens(house: &House, scope: &str) -> Value {
    let back = house.agree(&request(scope), "xiaoming").await;
    house.redeem(&parameter(&back, "code").unwrap()).await
}

#[tokio::test]
async fn gitlab_tokens_last_7200_seconds_and_tell_created_at() {
    let house = house().await;
    let tokens = tokens(&house, "read_user").await;
    assert_eq!((&tokens["expires_in"], &tokens["scope"]), (&json!(7200), &json!("read_user")));
    assert!(tokens["created_at"].is_u64() && tokens.get("id_token").is_none());
}

#[tokio::test]
async fn gitlab_user_id_is_a_number_and_the_sub_its_digits() {
    let house = house().await;
    let tokens = tokens(&house, "openid+read_user").await;
    let access_token = text(&tokens, "access_token");
    let user = house.get_as("/api/v4/user", &format!("Bearer {access_token}")).await.json();
    let (_, claims) = parts(&text(&tokens, "id_token"));
    assert_eq!(text(&claims, "sub"), user["id"].as_u64().unwrap().to_string());
    assert!(user["confirmed_at"].is_string());
    let by_query = house.get(&format!("/api/v4/user?access_token={access_token}")).await.json();
    assert_eq!(by_query, user);
    house.switch("email_verified", json!(false)).await;
    let user = house.get_as("/api/v4/user", &format!("Bearer {access_token}")).await.json();
    assert_eq!(user["confirmed_at"], Value::Null);
}

#[tokio::test]
async fn gitlab_reads_a_token_request_from_the_query_of_a_post() {
    let house = house().await;
    let back = house.agree(&request("read_user"), "xiaoming").await;
    let code = parameter(&back, "code").unwrap();
    let query = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&{CLIENT}");
    let answer = http::post_form(house.running.base_url(), &format!("/oauth/token?{query}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn gitlab_refresh_ends_both_old_tokens() {
    let house = house().await;
    let first = tokens(&house, "read_user").await;
    let form = format!("grant_type=refresh_token&refresh_token={}&{CLIENT}", text(&first, "refresh_token"));
    let second = house.tokens(&form).await.json();
    let status = async |tokens: &Value| {
        house.get_as("/api/v4/user", &format!("Bearer {}", text(tokens, "access_token"))).await.status
    };
    assert_eq!((status(&first).await, status(&second).await), (401, 200));
    assert_eq!(house.tokens(&form).await.json()["error"], json!("invalid_grant"));
}

#[tokio::test]
async fn gitlab_has_two_shapes_of_errors() {
    let house = house().await;
    let missing = house.get("/api/v4/user").await;
    assert_eq!((missing.status, missing.text()), (401, r#"{"message":"401 Unauthorized"}"#));
    let wrong = house.get_as("/api/v4/user", "Bearer wrong").await;
    assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_token")));
    let grant = house.redeem("wrong").await;
    assert_eq!(grant["error"], json!("invalid_grant"));
    assert!(text(&grant, "error_description").starts_with("The provided authorization grant is invalid"));
}

#[tokio::test]
async fn gitlab_denial_is_doorkeepers() {
    let house = house().await;
    let back = house.refuse(&request("read_user")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert!(parameter(&back, "error_description").unwrap().starts_with("The resource owner"));
}
