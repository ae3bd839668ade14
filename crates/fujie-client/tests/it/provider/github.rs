//! GitHub's sign-in: the page, the person, tokens that end and are refreshed, devices, hooks.

use std::time::Duration;

use fujie_client::{Client, Device, Hook, Polled, ProviderError, Secret, Tokens, provider};
use fujie_simulator::github::{
    App, DEFAULT_CLIENT_ID, DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET, Github, GithubConfig,
};
use serde_json::json;

use super::browser;
use super::house::{BACK, House, after, cookie};
use super::story::stories;

pub async fn house() -> House {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut GithubConfig)) -> House {
    let mut config = GithubConfig::default();
    change(&mut config);
    let github = Github::start("127.0.0.1:0", config).await.unwrap();
    House::new(github, &provider::github(), DEFAULT_CLIENT_ID, DEFAULT_SECRET)
}

/// A house in which the app's tokens end.
pub async fn expiring_house() -> House {
    house_with(|config| config.apps = vec![App { expiring_tokens: Some(true), ..App::demo() }]).await
}

/// What the provider says, by its name, having made sure that no secret is in it.
pub fn refused(house: &House, error: &ProviderError) -> (&'static str, String) {
    house.is_silent(error);
    (error.name(), error.errcode().unwrap_or_default().to_owned())
}

/// The house's application asking for these scopes.
pub fn asking(house: &House, scope: &[&str]) -> Client {
    house.client_with(&json!({ "scope": scope }))
}

stories!(super::github::house, "code_refused", None);

#[tokio::test]
async fn a_person_signs_in_and_two_questions_are_asked() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((identity.provider.as_str(), identity.app.as_str()), ("github", DEFAULT_CLIENT_ID));
    assert_eq!(identity.subject, identity.raw["id"].to_string());
    assert_eq!((identity.nickname.as_deref(), &identity.raw["login"]), (Some("小明🌟"), &json!("xiaoming")));
    assert!(identity.avatar_url.is_some() && identity.union_subject.is_none());
    assert!(tokens.access_token.expose().starts_with("gho_"));
    assert_eq!((tokens.token_type.as_deref(), tokens.expires_at), (Some("bearer"), None));
    let paths: Vec<_> = house.sent().iter().map(|sent| sent.url[house.base().len()..].to_owned()).collect();
    assert_eq!(paths, ["/login/oauth/access_token", "/user"]);
}

#[tokio::test]
async fn somebody_renamed_stays_who_they_are() {
    let house = house().await;
    let before = house.sign_in("xiaoming").await.unwrap().identity;
    let renamed = json!({"name": "xiaoming", "nickname": "大明", "login": "daming"});
    house.control("people", &renamed).await;
    let after = house.sign_in("xiaoming").await.unwrap().identity;
    assert_eq!((&after.subject, &after.raw["login"]), (&before.subject, &json!("daming")));
}

#[tokio::test]
async fn a_refusal_comes_back_and_signs_nobody_in() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.retry()), ("denied", true));
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn a_github_app_signs_people_in_with_tokens_that_end() {
    let house = house().await;
    let app = house.client_of(&provider::github(), DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET);
    let signed_in = house.sign_in_at(&app, "lihua").await.unwrap();
    assert!(signed_in.tokens.access_token.expose().starts_with("ghu_"));
    assert_eq!((signed_in.tokens.scope.len(), signed_in.tokens.expires_at), (0, after(28_800)));
    assert_eq!(signed_in.identity.subject, house.sign_in("lihua").await.unwrap().identity.subject);
}

#[tokio::test]
async fn refreshing_replaces_both_tokens_and_ends_both_old_ones() {
    let house = expiring_house().await;
    let first = house.tokens("xiaoming").await;
    assert_eq!(first.expires_at, after(28_800));
    house.advance(28_800).await;
    assert_eq!(house.name_of(house.client.user(&first).await), "access_token_refused");
    let second = house.client.refresh(&first).await.unwrap();
    assert!(second.access_token != first.access_token && second.refresh_token != first.refresh_token);
    assert_eq!(second.expires_at, after(2 * 28_800));
    assert_eq!(house.client.user(&second).await.unwrap().nickname.as_deref(), Some("小明🌟"));
    let error = house.client.refresh(&first).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "bad_refresh_token".to_owned()));
}

#[tokio::test]
async fn a_refresh_token_ends_half_a_year_after_its_issue() {
    let house = expiring_house().await;
    let tokens = house.tokens("xiaoming").await;
    house.advance(15_897_599).await;
    let tokens = house.client.refresh(&tokens).await.unwrap();
    house.advance(15_897_600).await;
    assert_eq!(house.name_of(house.client.refresh(&tokens).await), "refresh_token_refused");
}

#[tokio::test]
async fn a_token_that_never_ends_has_nothing_to_refresh_and_nothing_ends_or_checks_it() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    assert_eq!(house.name_of(house.client.refresh(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.check(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.revoke(&tokens).await), "not_offered");
}

#[tokio::test]
async fn a_grant_taken_back_by_its_person_ends_the_tokens() {
    let house = expiring_house().await;
    let tokens = house.tokens("xiaoming").await;
    let grant = format!("{}/_simulate/grants/{DEFAULT_CLIENT_ID}/xiaoming", house.base());
    browser::send("DELETE", &grant, "", "").await;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(house.name_of(Err::<(), _>(error)), "access_token_refused");
    assert_eq!(house.name_of(house.client.refresh(&tokens).await), "refresh_token_refused");
}

/// How long it says to wait; the time goes by.
async fn wait(house: &House, client: &Client, device: &mut Device) -> Duration {
    match client.poll_device(device).await.unwrap() {
        Polled::Wait(span) => {
            house.advance(i64::try_from(span.as_millis().div_ceil(1000)).unwrap()).await;
            span
        }
        Polled::Tokens(_) => panic!("nobody has agreed"),
    }
}

async fn tokens(client: &Client, device: &mut Device) -> Tokens {
    match client.poll_device(device).await.unwrap() {
        Polled::Tokens(tokens) => *tokens,
        Polled::Wait(span) => panic!("to wait {span:?}"),
    }
}

#[tokio::test]
async fn a_device_waits_for_its_person_and_then_has_tokens() {
    let house = house().await;
    let client = asking(&house, &["repo"]);
    let mut device = client.begin_device().await.unwrap();
    assert_eq!(device.authorization.verification_uri, format!("{}/login/device", house.base()));
    assert_eq!((device.authorization.user_code.len(), device.authorization.expires_at), (9, after(899).unwrap()));
    assert_eq!(wait(&house, &client, &mut device).await, Duration::from_secs(6), "the interval and a margin");
    assert_eq!(wait(&house, &client, &mut device).await, Duration::from_secs(6));
    house.decide_waiting(None, "confirm", "zoe").await;
    let tokens = tokens(&client, &mut device).await;
    assert_eq!(tokens.scope, ["repo"]);
    assert_eq!(client.user(&tokens).await.unwrap().nickname.as_deref(), Some("Zoë 👩‍💻"));
    assert!(house.sent().iter().all(|sent| sent.in_body("client_secret").is_none()), "a device has no secret");
}

#[tokio::test]
async fn a_refused_device_is_told() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "refuse", "").await;
    house.advance(6).await;
    assert_eq!(house.name_of(house.client.poll_device(&mut device).await), "denied");
}

#[tokio::test]
async fn a_device_that_waits_too_long_ends_by_either_clock() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.advance_client(899);
    house.sent();
    assert_eq!(house.name_of(house.client.poll_device(&mut device).await), "expired");
    assert!(house.sent().is_empty(), "our own clock is enough");
    let mut device = house.client.begin_device().await.unwrap();
    house.advance_provider(900).await;
    house.advance_client(6);
    assert_eq!(house.name_of(house.client.poll_device(&mut device).await), "expired");
}

#[tokio::test]
async fn a_network_that_fails_for_a_moment_ends_no_device() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "confirm", "zoe").await;
    let mut seconds = 6;
    for status in [503, 429, 500] {
        house.advance(seconds).await;
        let fault = json!({"at": "/login/oauth/access_token", "kind": "status", "status": status});
        house.control("faults", &fault).await;
        let Polled::Wait(span) = house.client.poll_device(&mut device).await.unwrap() else { panic!("{status}") };
        let longer = i64::try_from(span.as_secs()).unwrap();
        assert!(longer > seconds, "half as often");
        seconds = longer;
    }
    house.advance(seconds).await;
    assert!(tokens(&house.client, &mut device).await.access_token.expose().starts_with("gho_"));
}

const HOOK: Hook<'static> = Hook { url: "https://app.example/hook", events: &["push", "issues"], secret: None };

#[tokio::test]
async fn a_hook_is_made_in_one_call() {
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
async fn a_hook_that_exists_is_refused_in_githubs_words() {
    let house = house().await;
    let client = asking(&house, &["repo"]);
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    client.create_hook(&tokens, "xiaoming/demo", &HOOK).await.unwrap();
    let error = client.create_hook(&tokens, "xiaoming/demo", &HOOK).await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.evidence().unwrap().status), ("request_refused", 422));
    let message = error.evidence().unwrap().message.as_deref();
    assert_eq!(message, Some("Hook already exists on this repository"));
    house.switch(json!({"refuse_localhost_hooks": true})).await;
    let local = Hook { url: "http://localhost:8080/hook", ..HOOK };
    let error = client.create_hook(&tokens, "xiaoming/demo", &local).await.unwrap_err();
    assert!(error.report().contains("isn't reachable over the public Internet"), "{}", error.report());
}

#[tokio::test]
async fn a_hook_needs_the_scope_and_the_right_to_administer() {
    let house = house().await;
    let plain = house.tokens("xiaoming").await;
    let asked = asking(&house, &["admin:repo_hook"]);
    let stranger = house.sign_in_at(&asked, "zoe").await.unwrap().tokens;
    for (tokens, repository) in
        [(&plain, "xiaoming/demo"), (&stranger, "xiaoming/demo"), (&stranger, "xiaoming/nothing")]
    {
        let outcome = asked.create_hook(tokens, repository, &HOOK).await;
        assert_eq!(house.name_of(outcome), "not_permitted", "{repository}");
    }
    house.sent();
    for name in ["xiaoming", "xiaoming/", "/demo", "xiaoming/..", "a/b/c", "a/b?c", ""] {
        assert_eq!(house.name_of(asked.create_hook(&plain, name, &HOOK).await), "not_offered", "{name}");
    }
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn an_embedded_page_is_wechats_alone() {
    let house = house().await;
    assert_eq!(house.name_of(house.client.begin_embedded(BACK, "login", true)), "not_offered");
}
