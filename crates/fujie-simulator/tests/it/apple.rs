//! Apple's quirks.

use crate::oauth::{BACK_ENCODED, ClientKey, House, hidden, is_verified, parameter, parts, text};
use fujie_simulator::oidc::House as Whose;
use fujie_simulator::{Oidc, OidcConfig};
use serde_json::{Value, json};

async fn house() -> House {
    let running = Oidc::start("127.0.0.1:0", OidcConfig::of(Whose::Apple)).await.unwrap();
    House { running, authorize: "/auth/authorize", token: "/auth/token" }
}

fn request(extra: &str) -> String {
    format!(
        "response_type=code&client_id=fujie-demo&redirect_uri={BACK_ENCODED}&scope=name%20email&state=s&nonce=n\
         &response_mode=form_post{extra}"
    )
}

/// The page that posts the callback.
async fn posted(house: &House, decision: &str, extra: &str) -> String {
    let answer = house.press(&request(extra), decision, "xiaoming").await;
    let address = answer.header("location").unwrap();
    house.get(address.strip_prefix(house.base()).unwrap()).await.text().to_owned()
}

/// The client secret: a JWT signed with the key that the console gave, its claims changed.
async fn secret(house: &House, changes: Value) -> String {
    let index = house.get("/_simulate").await.json();
    let key = ClientKey::from_pem(index["apps"][0]["private_key"].as_str().unwrap());
    let now = index["now"].as_u64().unwrap();
    let mut claims = json!({
        "iss": "FA4EFA4EFA", "sub": "fujie-demo", "aud": "https://appleid.apple.com", "iat": now, "exp": now + 600,
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    key.jwt(&json!({ "alg": "ES256", "kid": "FA4EFA4EFA" }), &claims)
}

async fn redeem(house: &House, code: &str, changes: Value) -> crate::http::Answer {
    let secret = secret(house, changes).await;
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&client_id=fujie-demo&client_secret={secret}"
    );
    house.tokens(&form).await
}

#[tokio::test]
async fn apple_posts_the_callback_and_tells_the_user_only_the_first_time() {
    let house = house().await;
    let first = posted(&house, "agree", "").await;
    let user: Value = serde_json::from_str(&hidden(&first, "user").unwrap()).unwrap();
    assert_eq!(user, json!({ "name": { "firstName": "小明🌟", "lastName": "" }, "email": "xiaoming@example.com" }));
    assert_eq!(hidden(&first, "state").as_deref(), Some("s"));
    let second = posted(&house, "agree", "").await;
    assert!(hidden(&second, "code").is_some() && hidden(&second, "user").is_none());
}

#[tokio::test]
async fn apple_wants_form_post_whenever_a_scope_is_asked_for() {
    let house = house().await;
    let back = house.land(&request("").replace("&response_mode=form_post", "")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("invalid_request"));
    let query = format!("response_type=code&client_id=fujie-demo&redirect_uri={BACK_ENCODED}&state=s");
    assert!(parameter(&house.agree(&query, "zoe").await, "code").is_some());
}

#[tokio::test]
async fn apple_cancel_is_user_cancelled_authorize_with_state() {
    let house = house().await;
    let page = posted(&house, "refuse", "").await;
    assert_eq!(hidden(&page, "error").as_deref(), Some("user_cancelled_authorize"));
    assert_eq!(hidden(&page, "state").as_deref(), Some("s"));
}

#[tokio::test]
async fn apple_token_answer_has_an_id_token_and_no_scope() {
    let house = house().await;
    let code = hidden(&posted(&house, "agree", "").await, "code").unwrap();
    let tokens = redeem(&house, &code, json!({})).await.json();
    assert_eq!((tokens.get("scope"), &tokens["expires_in"]), (None, &json!(3600)));
    let token = text(&tokens, "id_token");
    let (header, claims) = parts(&token);
    assert_eq!((&header["alg"], &claims["email_verified"]), (&json!("RS256"), &json!(true)));
    assert_eq!((claims.get("name"), &claims["is_private_email"]), (None, &json!(false)));
    assert!(is_verified(&token, &house.get("/auth/keys").await.json()));
}

#[tokio::test]
async fn apple_booleans_come_as_strings_when_switched() {
    let house = house().await;
    house.switch("email_verified_as_string", json!(true)).await;
    let code = hidden(&posted(&house, "agree", "").await, "code").unwrap();
    let (_, claims) = parts(&text(&redeem(&house, &code, json!({})).await.json(), "id_token"));
    assert_eq!((&claims["email_verified"], &claims["is_private_email"]), (&json!("true"), &json!("false")));
}

#[tokio::test]
async fn apple_client_secret_is_a_jwt_judged_claim_by_claim() {
    let house = house().await;
    let code = hidden(&posted(&house, "agree", "").await, "code").unwrap();
    let now = house.get("/_simulate").await.json()["now"].as_u64().unwrap();
    for changes in [
        json!({ "iss": "OTHERTEAM0" }),
        json!({ "sub": "other" }),
        json!({ "aud": "https://example.com" }),
        json!({ "exp": now - 1 }),
        json!({ "exp": now + 15_777_600 }),
        json!({ "iat": now + 3600 }),
    ] {
        let answer = redeem(&house, &code, changes.clone()).await;
        assert_eq!((answer.status, answer.text()), (401, r#"{"error":"invalid_client"}"#), "{changes}");
    }
    assert_eq!(redeem(&house, &code, json!({ "aud": house.base() })).await.status, 200);
    let again = redeem(&house, &code, json!({})).await;
    assert_eq!((again.status, again.text()), (400, r#"{"error":"invalid_grant"}"#));
}

#[tokio::test]
async fn apple_refresh_token_stays_and_is_revoked_at_auth_revoke() {
    let house = house().await;
    let code = hidden(&posted(&house, "agree", "").await, "code").unwrap();
    let token = text(&redeem(&house, &code, json!({})).await.json(), "refresh_token");
    let client = format!("client_id=fujie-demo&client_secret={}", secret(&house, json!({})).await);
    let form = format!("grant_type=refresh_token&refresh_token={token}&{client}");
    assert_eq!(text(&house.tokens(&form).await.json(), "refresh_token"), token);
    assert_eq!(house.post_form("/auth/revoke", &format!("token={token}&{client}")).await.status, 200);
    assert_eq!(house.tokens(&form).await.json()["error"], json!("invalid_grant"));
}

#[tokio::test]
async fn apple_sends_the_id_token_with_the_code_when_asked() {
    let house = house().await;
    let query = request("").replace("response_type=code", "response_type=code%20id_token");
    let answer = house.press(&query, "agree", "xiaoming").await;
    let address = answer.header("location").unwrap();
    let page = house.get(address.strip_prefix(house.base()).unwrap()).await;
    let (_, claims) = parts(&hidden(page.text(), "id_token").unwrap());
    assert!(claims["c_hash"].is_string() && claims.get("at_hash").is_none());
}
