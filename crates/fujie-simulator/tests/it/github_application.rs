//! What an app does with its tokens under its own secret.

use crate::github_story::{House, error_of, house, text};
use crate::http::{self, Answer};
use fujie_simulator::github::{DEFAULT_CLIENT_ID, DEFAULT_GITHUB_APP_CLIENT_ID};
use serde_json::{Value, json};

/// The default app's id and secret.
const BASIC: &str =
    "Authorization: Basic T3YyM2ZhNGVmYTRlZmE0ZWZhNGU6ZmE0ZWZhNGVmYTRlZmE0ZWZhNGVmYTRlZmE0ZWZhNGVmYTRlZmE0ZQ==";

async fn call(house: &House, method: &str, path: &str, token: &str) -> Answer {
    let path = format!("/applications/{DEFAULT_CLIENT_ID}/{path}");
    let body = json!({ "access_token": token }).to_string();
    http::send(house.base(), method, &path, &["User-Agent: test", BASIC], &body).await
}

#[tokio::test]
async fn github_token_check_tells_whose_it_is_and_for_which_app() {
    let house = house().await;
    let token = house.access_token("repo", "zoe").await;
    let answer = call(&house, "POST", "token", &token).await;
    assert_eq!(answer.status, 200);
    let told = answer.json();
    assert_eq!(text(&told, "token"), token);
    assert_eq!(text(&told, "token_last_eight"), token.get(32..).unwrap());
    assert_eq!(text(&told, "hashed_token").len(), 64);
    assert_eq!(told.get("scopes"), Some(&json!(["repo"])));
    assert_eq!(told.pointer("/app/client_id"), Some(&json!(DEFAULT_CLIENT_ID)));
    assert_eq!(told.pointer("/user/login"), Some(&json!("zoe")));
    for name in ["note", "note_url", "fingerprint", "expires_at"] {
        assert_eq!(told.get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(call(&house, "POST", "token", "gho_nonsense").await.status, 404);
}

#[tokio::test]
async fn github_token_administration_needs_the_apps_own_secret_and_a_token() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    let path = format!("/applications/{DEFAULT_CLIENT_ID}/token");
    let body = json!({ "access_token": token }).to_string();
    let send = async |headers: &[&str], path: &str, body: &str| {
        let mut all = vec!["User-Agent: test"];
        all.extend(headers);
        http::send(house.base(), "POST", path, &all, body).await.status
    };
    assert_eq!(send(&[], &path, &body).await, 401);
    assert_eq!(send(&["Authorization: Basic eDp5"], &path, &body).await, 401);
    let other = format!("/applications/{DEFAULT_GITHUB_APP_CLIENT_ID}/token");
    assert_eq!(send(&[BASIC], &other, &body).await, 404);
    assert_eq!(send(&[BASIC], &path, "{}").await, 422);
    assert_eq!(send(&[BASIC], &path, r#"{"access_token":1}"#).await, 422);
    assert_eq!(send(&[BASIC], &format!("{path}/scoped"), &body).await, 404, "for GitHub Apps only");
}

#[tokio::test]
async fn github_token_reset_gives_a_new_one_and_ends_the_old() {
    let house = house().await;
    let token = house.access_token("repo", "zoe").await;
    let reset = text(&call(&house, "PATCH", "token", &token).await.json(), "token");
    assert_ne!(reset, token);
    assert_eq!(house.call(&token, "GET", "/user", "").await.status, 401);
    assert_eq!(house.call(&reset, "GET", "/user", "").await.status, 200);
}

#[tokio::test]
async fn github_token_delete_ends_one_and_grant_delete_ends_all() {
    let house = house().await;
    let mut tokens = Vec::new();
    for scope in ["repo", "gist", "user"] {
        tokens.push(house.access_token(scope, "zoe").await);
    }
    let other = house.access_token("repo", "lihua").await;
    let [first, second, third] = <&[String; 3]>::try_from(tokens.as_slice()).unwrap();
    assert_eq!(call(&house, "DELETE", "token", first).await.status, 204);
    assert_eq!(call(&house, "DELETE", "token", first).await.status, 404);
    assert_eq!(house.call(second, "GET", "/user", "").await.status, 200);
    assert_eq!(call(&house, "DELETE", "grant", second).await.status, 204);
    for (token, status) in [(second, 401), (third, 401), (&other, 200)] {
        assert_eq!(house.call(token, "GET", "/user", "").await.status, status);
    }
}

#[tokio::test]
async fn github_any_holder_may_revoke_credentials() {
    let house = house().await;
    let code = house.code("&scope=offline_access", "zoe").await;
    let tokens = house.token_json(&format!("&code={code}")).await;
    let body = json!({ "credentials": [text(&tokens, "refresh_token"), "ghp_unknown"] }).to_string();
    let answer = http::send(house.base(), "POST", "/credentials/revoke", &["User-Agent: test"], &body).await;
    assert_eq!(answer.status, 202);
    assert_eq!(house.call(&text(&tokens, "access_token"), "GET", "/user", "").await.status, 401);
    let refresh = format!("&grant_type=refresh_token&refresh_token={}", text(&tokens, "refresh_token"));
    assert_eq!(error_of(&house.token_json(&refresh).await), "bad_refresh_token");
}
