//! GitHub's API behind the sign-in: hooks in one call, and what a session is told.

use std::sync::Arc;

use fujie_client::Endpoint::Api;
use fujie_client::{Hook, Secret, Session, provider};
use fujie_simulator::github::{DEFAULT_CLIENT_ID, DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET};
use serde_json::{Value, json};

use super::github::{asking, house, house_with, refused};
use super::house::House;

const HOOK: Hook<'static> = Hook { url: "https://app.example/hook", events: &["push", "issues"], secret: None };

#[tokio::test]
async fn github_hook_is_created_with_201_location_and_defaults() {
    let house = house().await;
    let client = asking(&house, &["admin:repo_hook"]);
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    let secret = Secret::new("It's a Secret to Everybody 1");
    let signed = Hook { secret: Some(&secret), ..HOOK };
    let made = client.create_hook(&tokens, "xiaoming/demo", &signed).await.unwrap();
    assert_eq!((&made["active"], &made["events"]), (&json!(true), &json!(["push", "issues"])));
    assert_eq!((&made["config"]["content_type"], &made["config"]["secret"]), (&json!("json"), &json!("********")));
    let sent = house.sent().pop().unwrap();
    assert!(sent.header("authorization").unwrap().starts_with("Bearer gho_"));
    assert!(sent.body.unwrap().contains("It's a Secret to Everybody 1"));
}

#[tokio::test]
async fn github_hook_exists_already_on_this_repository() {
    let house = house().await;
    let client = asking(&house, &["repo"]);
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    client.create_hook(&tokens, "xiaoming/demo", &HOOK).await.unwrap();
    let error = client.create_hook(&tokens, "xiaoming/demo", &HOOK).await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.evidence().unwrap().status), ("request_refused", 422));
    let message = error.evidence().unwrap().message.as_deref();
    assert_eq!(message, Some("Hook already exists on this repository"));
}

#[tokio::test]
async fn github_hook_on_localhost_is_refused_only_by_switch() {
    let house = house().await;
    let client = asking(&house, &["repo"]);
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    house.switch(json!({"refuse_localhost_hooks": true})).await;
    let local = Hook { url: "http://localhost:8080/hook", ..HOOK };
    let error = client.create_hook(&tokens, "xiaoming/demo", &local).await.unwrap_err();
    assert!(error.report().contains("isn't reachable over the public Internet"), "{}", error.report());
}

#[tokio::test]
async fn github_hook_events_have_at_most_twenty_hooks_each() {
    let house = house().await;
    let client = asking(&house, &["repo"]);
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    for number in 0..20 {
        let url = format!("https://app.example/{number}");
        client.create_hook(&tokens, "xiaoming/demo", &Hook { url: &url, ..HOOK }).await.unwrap();
    }
    let error = client.create_hook(&tokens, "xiaoming/demo", &HOOK).await.unwrap_err();
    assert_eq!(refused(&house, &error).0, "request_refused");
    assert!(error.report().contains("cannot have more than 20 hooks"), "{}", error.report());
}

#[tokio::test]
async fn github_hooks_are_404_without_the_scope() {
    let house = house().await;
    let plain = house.tokens("xiaoming").await;
    let error = house.client.create_hook(&plain, "xiaoming/demo", &HOOK).await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.evidence().unwrap().status), ("not_permitted", 404));
}

#[tokio::test]
async fn github_hooks_are_for_administrators_of_the_repository() {
    let house = house().await;
    let asked = asking(&house, &["admin:repo_hook"]);
    let stranger = house.sign_in_at(&asked, "zoe").await.unwrap().tokens;
    for repository in ["xiaoming/demo", "xiaoming/nothing"] {
        let outcome = asked.create_hook(&stranger, repository, &HOOK).await;
        assert_eq!(house.name_of(outcome), "not_permitted", "{repository}");
    }
}

#[tokio::test]
async fn a_repository_is_an_owner_and_a_name() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.sent();
    for name in ["xiaoming", "xiaoming/", "/demo", "xiaoming/..", "a/b/c", "a/b?c", ""] {
        assert_eq!(house.name_of(house.client.create_hook(&tokens, name, &HOOK).await), "not_offered", "{name}");
    }
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn github_a_renamed_repository_is_a_redirect_and_not_followed() {
    let house = house().await;
    let client = asking(&house, &["repo"]);
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    let moved = format!("{}/repositories/1/hooks", house.base());
    house.order(Api, &json!({"kind": "redirect", "location": moved, "status": 307})).await;
    house.sent();
    let hook = Hook { url: "https://app.example/hook", events: &["push"], secret: None };
    assert_eq!(house.name_of(client.create_hook(&tokens, "xiaoming/demo", &hook).await), "redirected");
    assert_eq!(house.sent().len(), 1);
}

async fn emails(house: &House, client_id: &str, scope: &[&str]) -> (u16, Value) {
    let record = provider::github().with_scope(scope);
    let client = Arc::new(house.client_of(&record, client_id, DEFAULT_SECRET));
    let tokens = house.sign_in_at(&client, "zoe").await.unwrap().tokens;
    let answer = client.session(&tokens).unwrap().build().unwrap().get("user/emails").send().await.unwrap();
    (answer.status(), answer.json().unwrap())
}

#[tokio::test]
async fn github_emails_are_hidden_without_the_scope_and_null_in_the_profile() {
    let house = house().await;
    let (status, told) = emails(&house, DEFAULT_CLIENT_ID, &["user:email"]).await;
    assert_eq!((status, &told[0]["email"]), (200, &json!("zoe@example.com")));
    assert_eq!((&told[0]["primary"], &told[0]["verified"]), (&json!(true), &json!(true)));
    assert_eq!(emails(&house, DEFAULT_CLIENT_ID, &["gist"]).await.0, 404);
    assert!(house.sign_in("zoe").await.unwrap().identity.raw["email"].is_null());
}

#[tokio::test]
async fn github_app_without_the_permission_is_not_accessible_by_integration() {
    let house = house_with(|config| config.apps[1].permissions.clear()).await;
    let (status, told) = emails(&house, DEFAULT_GITHUB_APP_CLIENT_ID, &[]).await;
    assert_eq!((status, &told["message"]), (403, &json!("Resource not accessible by integration")));
    let app = house.client_of(&provider::github(), DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET);
    let tokens = house.sign_in_at(&app, "xiaoming").await.unwrap().tokens;
    let hook = Hook { url: "https://app.example/hook", events: &["push"], secret: None };
    assert_eq!(house.name_of(app.create_hook(&tokens, "xiaoming/demo", &hook).await), "not_permitted");
}

/// A session of zoe's for these scopes.
async fn session(house: &House, scope: &[&str]) -> Session {
    let client = Arc::new(asking(house, scope));
    let tokens = house.sign_in_at(&client, "zoe").await.unwrap().tokens;
    client.session(&tokens).unwrap().build().unwrap()
}

#[tokio::test]
async fn github_etag_answers_304_which_costs_nothing() {
    let house = house().await;
    let session = session(&house, &[]).await;
    let first = session.get("user").send().await.unwrap();
    let again = session.get("user").header("If-None-Match", first.header("etag").unwrap()).send().await.unwrap();
    assert_eq!((again.status(), again.text().as_str()), (304, ""));
    assert_eq!(again.header("x-ratelimit-remaining"), first.header("x-ratelimit-remaining"));
}

#[tokio::test]
async fn github_answers_have_the_live_headers() {
    let house = house().await;
    let answer = session(&house, &["repo", "gist"]).await.get("user").send().await.unwrap();
    assert_eq!(answer.header("x-oauth-scopes"), Some("gist, repo"));
    assert_eq!(answer.header("x-ratelimit-limit"), Some("5000"));
}

#[tokio::test]
async fn github_lists_come_in_parts_with_links() {
    let house = house().await;
    let session = session(&house, &["repo"]).await;
    let answer = session.get("user/repos").query("per_page", 1).send().await.unwrap();
    assert_eq!(answer.json::<Value>().unwrap()[0]["permissions"]["admin"], true);
    assert_eq!(session.get("user/repos/").send().await.unwrap().status(), 404, "no slash behind a path");
}

#[tokio::test]
async fn github_token_check_tells_whose_it_is_and_for_which_app() {
    let house = house().await;
    let tokens = house.tokens("zoe").await;
    let app = Session::builder(house.base()).basic(DEFAULT_CLIENT_ID, Secret::new(DEFAULT_SECRET)).build().unwrap();
    let path = format!("applications/{DEFAULT_CLIENT_ID}/token");
    let asked = json!({"access_token": tokens.access_token.expose()});
    let told: Value = app.post(&path).json(&asked).send().await.unwrap().json().unwrap();
    assert_eq!((&told["app"]["client_id"], &told["user"]["login"]), (&json!(DEFAULT_CLIENT_ID), &json!("zoe")));
    assert_eq!(app.delete(&path).json(&asked).send().await.unwrap().status(), 204);
    assert_eq!(house.name_of(house.client.user(&tokens).await), "access_token_refused");
}
