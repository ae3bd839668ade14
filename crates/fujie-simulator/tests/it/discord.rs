//! Discord's quirks.

use crate::http::{self, Answer};
use crate::oauth::{BACK_ENCODED, House, modest, parameter, text};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::{Value, json};

const NAMED: &str = "User-Agent: test/1";

async fn house() -> House {
    modest(Kind::Discord, "/oauth2/authorize", "/api/oauth2/token").await
}

fn client() -> String {
    format!("client_id={}&client_secret={DEFAULT_SECRET}", Kind::Discord.default_client_id())
}

fn request(extra: &str) -> String {
    let id = Kind::Discord.default_client_id();
    format!("response_type=code&client_id={id}&redirect_uri={BACK_ENCODED}&scope=identify+email&state=s{extra}")
}

async fn post(house: &House, form: &str) -> Answer {
    let headers = [NAMED, "Content-Type: application/x-www-form-urlencoded"];
    http::send(house.base(), "POST", house.token, &headers, form).await
}

async fn me(house: &House, token: &str) -> Answer {
    let headers = [NAMED, &format!("Authorization: Bearer {token}")];
    http::send(house.base(), "GET", "/api/users/@me", &headers, "").await
}

async fn tokens(house: &House) -> Value {
    let code = parameter(&house.agree(&request(""), "lihua").await, "code").unwrap();
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&{}", client());
    post(house, &form).await.json()
}

#[tokio::test]
async fn discord_user_id_is_a_string_beyond_a_double() {
    let house = house().await;
    let tokens = tokens(&house).await;
    assert_eq!((&tokens["expires_in"], &tokens["scope"]), (&json!(604_800), &json!("identify email")));
    let user = me(&house, &text(&tokens, "access_token")).await.json();
    assert!(text(&user, "id").parse::<u64>().unwrap() > 1 << 53);
    assert_eq!((&user["global_name"], &user["discriminator"]), (&json!("李华"), &json!("0")));
    assert_eq!((&user["email"], &user["verified"]), (&json!("lihua@example.com"), &json!(true)));
}

#[tokio::test]
async fn discord_token_endpoint_takes_forms_only() {
    let house = house().await;
    let body = json!({ "grant_type": "authorization_code", "client_id": Kind::Discord.default_client_id() });
    let headers = [NAMED, "Content-Type: application/json"];
    let answer = http::send(house.base(), "POST", house.token, &headers, &body.to_string()).await;
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("unsupported_grant_type")));
}

#[tokio::test]
async fn discord_errors() {
    let house = house().await;
    let form = format!("grant_type=authorization_code&code=wrong&redirect_uri={BACK_ENCODED}&{}", client());
    let answer = post(&house, &form).await;
    assert_eq!(answer.status, 400);
    let description = "Invalid \"code\" in request.";
    assert_eq!(answer.json(), json!({ "error": "invalid_grant", "error_description": description }));
    let answer = me(&house, "wrong").await;
    assert_eq!((answer.status, answer.json()), (401, json!({ "message": "401: Unauthorized", "code": 0 })));
}

#[tokio::test]
async fn discord_rate_limit_tells_a_float() {
    let house = house().await;
    house.control("faults", json!({ "at": "/api/users/@me", "kind": "rate_limit" })).await;
    let answer = me(&house, "any").await;
    assert_eq!((answer.status, &answer.json()["retry_after"]), (429, &json!(0.5)));
    assert_eq!(answer.json()["global"], json!(false));
}

#[tokio::test]
async fn discord_refuses_an_empty_user_agent() {
    let house = house().await;
    assert_eq!(house.tokens("grant_type=authorization_code").await.status, 403);
    assert_eq!(house.get("/api/users/@me").await.status, 403);
}

#[tokio::test]
async fn discord_refresh_rotates_and_revoke_is_a_post() {
    let house = house().await;
    let first = tokens(&house).await;
    let form = format!("grant_type=refresh_token&refresh_token={}&{}", text(&first, "refresh_token"), client());
    let second = post(&house, &form).await.json();
    assert_eq!(post(&house, &form).await.json()["error"], json!("invalid_grant"));
    let token = text(&second, "access_token");
    assert_eq!(house.get("/api/oauth2/token/revoke").await.status, 405);
    house.post_form("/api/oauth2/token/revoke", &format!("token={token}&{}", client())).await;
    assert_eq!(me(&house, &token).await.status, 401);
}

#[tokio::test]
async fn discord_ignores_a_confidential_apps_challenge_unless_switched() {
    let house = house().await;
    let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let code = parameter(&house.agree(&request(challenge), "lihua").await, "code").unwrap();
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&{}", client());
    assert_eq!(post(&house, &format!("{form}&code_verifier=any")).await.status, 200);
    house.switch("challenge_refused", json!(true)).await;
    let back = house.land(&request(challenge)).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn discord_public_apps_need_a_challenge() {
    let house = house().await;
    house.control("apps", json!({ "client_id": "2", "redirect_uris": ["*loopback*"] })).await;
    let public = |extra: &str| request(extra).replace(Kind::Discord.default_client_id(), "2");
    assert!(parameter(&house.land(&public("")).await, "error").is_some());
    let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let code = parameter(&house.agree(&public(challenge), "zoe").await, "code").unwrap();
    let form =
        format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&client_id=2&code_verifier=");
    assert_eq!(post(&house, &format!("{form}wrong")).await.status, 400);
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(post(&house, &format!("{form}{verifier}")).await.status, 200);
}

#[tokio::test]
async fn discord_denial_is_access_denied() {
    let house = house().await;
    assert_eq!(parameter(&house.refuse(&request("")).await, "error").as_deref(), Some("access_denied"));
}
