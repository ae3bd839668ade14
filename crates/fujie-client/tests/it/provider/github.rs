//! GitHub's sign-in: the page, the person, tokens that end and are refreshed.

use fujie_client::{Client, ProviderError, provider};
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
async fn github_an_oauth_app_can_be_set_to_expire() {
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
async fn a_token_that_never_ends_has_nothing_to_refresh_and_nothing_checks_it() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    assert_eq!(house.name_of(house.client.refresh(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.check(&tokens).await), "not_offered");
}

#[tokio::test]
async fn a_revocation_ends_both_tokens_and_needs_the_secret() {
    let house = expiring_house().await;
    let tokens = house.tokens("zoe").await;
    assert_eq!(house.name_of(house.public_client().revoke(&tokens).await), "not_offered");
    house.client.revoke(&tokens).await.unwrap();
    assert_eq!(house.name_of(house.client.user(&tokens).await), "access_token_refused");
    assert_eq!(house.name_of(house.client.refresh(&tokens).await), "refresh_token_refused");
}

#[tokio::test]
async fn github_a_grant_taken_back_ends_its_tokens() {
    let house = expiring_house().await;
    let tokens = house.tokens("xiaoming").await;
    let grant = format!("{}/_simulate/grants/{DEFAULT_CLIENT_ID}/xiaoming", house.base());
    browser::send("DELETE", &grant, "", "").await;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(house.name_of(Err::<(), _>(error)), "access_token_refused");
    assert_eq!(house.name_of(house.client.refresh(&tokens).await), "refresh_token_refused");
}

#[tokio::test]
async fn an_embedded_page_is_wechats_alone() {
    let house = house().await;
    assert_eq!(house.name_of(house.client.begin_embedded(BACK, "login", true)), "not_offered");
}
