//! The plain OpenID provider's token endpoint and its neighbours.

use crate::http;
use crate::oauth::{BACK_ENCODED, ClientKey, House, parts, text};
use crate::oidc_flow::{CLIENT, house};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fujie_simulator::oidc::DEFAULT_PASSWORD;
use serde_json::json;

const OFFLINE: &str = "&scope=openid+offline_access";

/// A refresh token for xiaoming.
async fn offline(house: &House) -> serde_json::Value {
    let query = crate::oidc_flow::request("").replace("&scope=openid+profile+email", OFFLINE);
    let code = crate::oauth::parameter(&house.agree(&query, "xiaoming").await, "code").unwrap();
    house.redeem(&code).await
}

#[tokio::test]
async fn a_code_used_twice_ends_what_it_gave() {
    let house = house().await;
    let code = house.code("").await;
    let bearer = format!("Bearer {}", text(&house.redeem(&code).await, "access_token"));
    assert_eq!(house.get_as("/userinfo", &bearer).await.status, 200);
    assert_eq!(house.redeem(&code).await["error"], json!("invalid_grant"));
    assert_eq!(house.get_as("/userinfo", &bearer).await.status, 401);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let house = house().await;
    let code = house.code("").await;
    house.pass(61).await;
    assert_eq!(house.redeem(&code).await["error"], json!("invalid_grant"));
}

#[tokio::test]
async fn the_token_endpoint_reads_the_form_alone_and_is_never_cached() {
    let house = house().await;
    let code = house.code("").await;
    let query = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&{CLIENT}");
    let answer = house.post_form(&format!("/token?{query}"), "").await;
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")));
    assert_eq!(house.get(&format!("/token?{query}")).await.status, 405);
    let answer = house.tokens(&query).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
}

#[tokio::test]
async fn basic_is_answered_with_a_challenge_when_it_is_wrong() {
    let house = house().await;
    let send = async |pair: &str| {
        let headers = [
            "Content-Type: application/x-www-form-urlencoded".to_owned(),
            format!("Authorization: Basic {}", STANDARD.encode(pair)),
        ];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        http::send(house.base(), "POST", "/token", &headers, "grant_type=client_credentials").await
    };
    assert_eq!(send("fujie-demo:fa4efa4efa4efa4efa4efa4efa4efa4e").await.status, 200);
    let refused = send("fujie-demo:wrong").await;
    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("invalid_client")));
    assert!(refused.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic ")));
    house.switch("token_endpoint_auth_methods", json!(["client_secret_post"])).await;
    assert_eq!(send("fujie-demo:fa4efa4efa4efa4efa4efa4efa4efa4e").await.status, 401);
}

#[tokio::test]
async fn a_client_signs_instead_of_telling_a_secret() {
    let house = house().await;
    let key = ClientKey::new();
    let app = json!({ "client_id": "signer", "redirect_uris": [], "public_key": key.public_pem() });
    house.control("apps", app).await;
    let now = house.get("/_simulate").await.json()["now"].as_u64().unwrap();
    let claims = json!({ "iss": "signer", "sub": "signer", "aud": house.base(), "jti": "1", "exp": now + 60 });
    let assertion = key.jwt(&json!({ "alg": "ES256" }), &claims);
    let form = format!(
        "grant_type=client_credentials&client_assertion={assertion}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    assert_eq!(house.tokens(&form).await.status, 200);
    assert_eq!(house.tokens(&form).await.json()["error"], json!("invalid_client"));
}

#[tokio::test]
async fn a_refresh_token_needs_offline_access_unless_switched() {
    let house = house().await;
    let tokens = house.redeem(&house.code("").await).await;
    assert_eq!(tokens.get("refresh_token"), None);
    house.switch("refresh_needs_offline_access", json!(false)).await;
    let tokens = house.redeem(&house.code("").await).await;
    assert!(tokens.get("refresh_token").is_some());
}

#[tokio::test]
async fn a_refresh_rotates_and_a_reuse_ends_the_grant() {
    let house = house().await;
    let first = text(&offline(&house).await, "refresh_token");
    let refresh = async |token: &str| {
        house.tokens(&format!("grant_type=refresh_token&refresh_token={token}&{CLIENT}")).await.json()
    };
    let second = refresh(&first).await;
    assert!(parts(&text(&second, "id_token")).1.get("nonce").is_none());
    assert_eq!(refresh(&first).await["error"], json!("invalid_grant"));
    assert_eq!(refresh(&text(&second, "refresh_token")).await["error"], json!("invalid_grant"));
    house.switch("refresh_rotates", json!(false)).await;
    let stays = text(&offline(&house).await, "refresh_token");
    assert_eq!(text(&refresh(&stays).await, "refresh_token"), stays);
    assert_eq!(text(&refresh(&stays).await, "refresh_token"), stays);
}

#[tokio::test]
async fn a_refresh_may_narrow_the_scope_and_not_widen_it() {
    let house = house().await;
    let token = text(&offline(&house).await, "refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={token}&{CLIENT}&scope=");
    assert_eq!(house.tokens(&format!("{form}openid+email")).await.json()["error"], json!("invalid_scope"));
    assert_eq!(house.tokens(&format!("{form}openid")).await.json()["scope"], json!("openid"));
}

#[tokio::test]
async fn the_password_grant_is_off_until_switched_on() {
    let house = house().await;
    let form =
        format!("grant_type=password&username=lihua%40example.com&password={DEFAULT_PASSWORD}&scope=openid&{CLIENT}");
    assert_eq!(house.tokens(&form).await.json()["error"], json!("unsupported_grant_type"));
    house.switch("password_grant", json!(true)).await;
    assert!(house.tokens(&form).await.json().get("id_token").is_some());
    let wrong = form.replace(&format!("&password={DEFAULT_PASSWORD}"), "&password=wrong");
    assert_eq!(house.tokens(&wrong).await.json()["error"], json!("invalid_grant"));
}

#[tokio::test]
async fn a_public_client_needs_pkce_and_has_no_credentials() {
    let house = house().await;
    house.control("apps", json!({ "client_id": "public", "redirect_uris": ["*loopback*"] })).await;
    let back = house.land(&crate::oidc_flow::request("").replace("fujie-demo", "public")).await;
    assert_eq!(crate::oauth::parameter(&back, "error").as_deref(), Some("invalid_request"));
    let answer = house.tokens("grant_type=client_credentials&client_id=public").await;
    assert_eq!(answer.json()["error"], json!("unauthorized_client"));
}

#[tokio::test]
async fn userinfo_challenges_in_three_ways() {
    let house = house().await;
    let bare = house.get("/userinfo").await;
    assert_eq!((bare.status, bare.header("www-authenticate")), (401, Some("Bearer")));
    let wrong = house.get_as("/userinfo", "Bearer wrong").await;
    assert!(wrong.header("www-authenticate").unwrap().starts_with("Bearer error=\"invalid_token\""));
    let tokens = house.tokens(&format!("grant_type=client_credentials&{CLIENT}")).await.json();
    let narrow = house.get_as("/userinfo", &format!("Bearer {}", text(&tokens, "access_token"))).await;
    assert_eq!(narrow.status, 403);
    assert!(narrow.header("www-authenticate").unwrap().contains("insufficient_scope"));
}

#[tokio::test]
async fn an_access_token_ends_by_time_or_by_revocation() {
    let house = house().await;
    let userinfo = async |token: &str| house.get_as("/userinfo", &format!("Bearer {token}")).await.status;
    let first = text(&house.redeem(&house.code("").await).await, "access_token");
    assert_eq!(house.post_form("/revoke", &format!("token={first}&{CLIENT}")).await.status, 200);
    assert_eq!(userinfo(&first).await, 401);
    assert_eq!(house.post_form("/revoke", &format!("token=unknown&{CLIENT}")).await.status, 200);
    assert_eq!(house.post_form("/revoke", "token=unknown&client_id=other").await.status, 401);
    let second = text(&house.redeem(&house.code("").await).await, "access_token");
    house.pass(3600).await;
    assert_eq!(userinfo(&second).await, 401);
}

#[tokio::test]
async fn an_ordered_error_and_a_rate_limit_strike_at_the_token_endpoint() {
    let house = house().await;
    house.control("faults", json!({ "at": "/token", "kind": "error", "error": "server_error" })).await;
    house.control("faults", json!({ "at": "/token", "kind": "rate_limit" })).await;
    let first = house.tokens("").await;
    assert_eq!((first.status, &first.json()["error"]), (500, &json!("server_error")));
    let second = house.tokens("").await;
    assert_eq!((second.status, second.header("retry-after")), (429, Some("1")));
}
