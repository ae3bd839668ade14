//! Google: OpenID Connect with a refresh token on request only, scopes answered as addresses, and a device grant that
//! needs the secret.

use fujie_client::{Polled, Provider, provider};
use fujie_simulator::oidc::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, House as Whose};
use serde_json::json;

use super::{played, refusal, refused, unknown_code};
use crate::provider::house::{BACK, House, cookie};
use crate::provider::story;

async fn house_of(preset: &Provider) -> House {
    House::new(played(Whose::Google).await, preset, DEFAULT_CLIENT_ID, DEFAULT_SECRET).on_time().await
}

async fn house() -> House {
    house_of(&provider::google()).await
}

/// A house whose client wants to act when the person is gone.
async fn lasting() -> House {
    house_of(&provider::google().with_authorization_parameter("access_type", "offline")).await
}

#[tokio::test]
async fn a_person_signs_in_and_sub_has_more_digits_than_a_number() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((identity.subject.len(), Some(&identity.subject)), (21, tokens.subject.as_ref()));
    assert_eq!((identity.provider.as_str(), identity.nickname.as_deref()), ("google", Some("小明🌟")));
    assert!(identity.avatar_url.unwrap().starts_with(house.base()));
    assert!(tokens.refresh_token.is_none() && tokens.id_token.is_some());
}

#[tokio::test]
async fn scopes_that_come_back_as_addresses_are_not_missing() {
    let tokens = house().await.tokens("xiaoming").await;
    assert_eq!(tokens.scope, ["openid", "https://www.googleapis.com/auth/userinfo.profile"]);
    assert!(tokens.scope_missing.is_empty(), "{:?}", tokens.scope_missing);
}

#[tokio::test]
async fn an_issuer_in_the_callback_is_compared() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    let own = format!("iss={}", house.base().replace("://", "%3A%2F%2F").replace(":", "%3A"));
    assert!(callback.contains(&own), "{callback}");
    let other = callback.replace(&own, "iss=https%3A%2F%2Fother.example");
    assert_eq!(house.name_of(house.client.finish(&other, &cookie(&begun)).await), "issuer_mismatch");
    assert!(house.sent().is_empty(), "the code was not spent");
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_nonce_binds_the_id_token_to_the_attempt() {
    let house = house().await;
    assert!(house.begin().url.contains("nonce="));
    for fault in ["wrong_nonce", "missing_nonce"] {
        house.switch(json!({ "id_token_fault": fault })).await;
        assert_eq!(house.name_of(house.sign_in("xiaoming").await), "id_token_refused", "{fault}");
    }
}

#[tokio::test]
async fn a_refresh_token_comes_on_request_and_on_the_first_consent_and_stays() {
    let house = lasting().await;
    let first = house.tokens("xiaoming").await;
    house.advance(3599).await;
    assert_eq!(refused(&house, house.client.user(&first).await).0, "access_token_refused");
    let second = house.client.refresh(&first).await.unwrap();
    assert!(second.refresh_token == first.refresh_token && second.subject == first.subject);
    assert!(house.client.user(&second).await.is_ok());
    assert!(house.tokens("xiaoming").await.refresh_token.is_none(), "the second consent brings none");
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.client.revoke(&tokens).await.unwrap();
    assert_eq!(refused(&house, house.client.user(&tokens).await).0, "access_token_refused");
}

#[tokio::test]
async fn the_device_grant_says_verification_url_and_needs_the_secret() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    assert_eq!(device.authorization.verification_uri, format!("{}/device", house.base()));
    house.decide_waiting(None, "confirm", "xiaoming").await;
    house.advance(10).await;
    let Polled::Tokens(tokens) = house.client.poll_device(&mut device).await.unwrap() else { panic!("nobody asked") };
    assert_eq!(tokens.subject, house.tokens("xiaoming").await.subject);
    assert!(tokens.refresh_token.is_some());
}

#[tokio::test]
async fn refusals_have_their_causes() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalid_grant".to_owned()));
    let client = house.client_of(&provider::google(), DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret");
    let wrong = refused(&house, house.sign_in_at(&client, "zoe").await);
    assert_eq!(wrong, ("credentials_refused", "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_page_in_another_language_is_asked_for_by_hl() {
    let house = house().await;
    let ask = fujie_client::Ask { language: Some("zh-CN"), ..fujie_client::Ask::default() };
    assert!(house.client.begin_with(BACK, &ask).unwrap().url.contains("hl=zh-CN"));
}

#[tokio::test]
async fn tabs_cookies_and_callbacks_are_as_everywhere() {
    let house = house().await;
    story::another_browser(&house).await;
    story::two_tabs(&house).await;
    story::called_twice(&house, "code_refused").await;
    house.sent();
    story::forged_cookie(&house).await;
}
