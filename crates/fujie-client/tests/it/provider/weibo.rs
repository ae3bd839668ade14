//! Weibo's sign-in: the page, the profile, checking and ending a token, refreshing where there is anything to refresh.

use fujie_client::{Client, ProviderError, provider};
use fujie_simulator::weibo::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Weibo, WeiboConfig};
use serde_json::json;

use super::house::{BACK, House, after, cookie};
use super::story::stories;

/// An app with the mobile SDK, which gets refresh tokens.
pub const MOBILE_CLIENT_ID: &str = "1000000002";
/// How long the developer's own token lives.
const FIVE_YEARS: i64 = 157_679_999;

pub async fn house() -> House {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut WeiboConfig)) -> House {
    let mut config = WeiboConfig::default();
    config.apps.push(App { client_id: MOBILE_CLIENT_ID.to_owned(), is_mobile_sdk: true, ..App::demo() });
    change(&mut config);
    let weibo = Weibo::start("127.0.0.1:0", config).await.unwrap();
    House::new(weibo, &provider::weibo(), DEFAULT_CLIENT_ID, DEFAULT_SECRET)
}

/// A house of the app with the mobile SDK.
#[cfg(feature = "session")]
pub async fn mobile_house() -> House {
    let app = App { is_mobile_sdk: true, ..App::demo() };
    let config = WeiboConfig { apps: vec![app], ..WeiboConfig::default() };
    let weibo = Weibo::start("127.0.0.1:0", config).await.unwrap();
    House::new(weibo, &provider::weibo(), DEFAULT_CLIENT_ID, DEFAULT_SECRET)
}

pub fn mobile(house: &House) -> Client {
    house.client_of(&provider::weibo(), MOBILE_CLIENT_ID, DEFAULT_SECRET)
}

/// What the provider says, by its number, having made sure that no secret is in it.
pub fn refused(house: &House, error: &ProviderError) -> (&'static str, String) {
    house.is_silent(error);
    (error.name(), error.errcode().unwrap_or_default().to_owned())
}

stories!(super::weibo::house, "code_refused", Some(157_679_999));

#[tokio::test]
async fn a_person_signs_in_and_two_questions_are_asked() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((identity.provider.as_str(), identity.app.as_str()), ("weibo", DEFAULT_CLIENT_ID));
    assert!(identity.subject.parse::<u64>().unwrap() > 1 << 31);
    assert_eq!((Some(&identity.subject), identity.union_subject), (tokens.subject.as_ref(), None));
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert!(identity.avatar_url.unwrap().contains("/180/"));
    assert_eq!((tokens.expires_at, tokens.refresh_token.is_none()), (after(FIVE_YEARS), true));
    assert_eq!(tokens.redirect_uri.as_deref(), Some(BACK));
    let paths: Vec<_> = house.sent().iter().map(|sent| sent.url[house.base().len()..].to_owned()).collect();
    assert_eq!(paths[0], "/oauth2/access_token");
    assert_eq!((paths.len(), paths[1].as_str()), (2, format!("/2/users/show.json?uid={}", identity.subject).as_str()));
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
async fn a_wrong_app_key_or_secret_is_ours_to_correct() {
    let house = house().await;
    for (id, secret) in [("1999999999", DEFAULT_SECRET), (DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret")] {
        let client = house.client_of(&provider::weibo(), id, secret);
        let error = client.redeem(client.registration().read_code("c0de").unwrap()).await.unwrap_err();
        assert_eq!(refused(&house, &error), ("credentials_refused", "21324".to_owned()));
        assert_eq!((error.retry(), error.evidence().unwrap().status), (false, 401));
    }
}

#[tokio::test]
async fn a_mobile_app_refreshes_and_an_ordinary_one_has_nothing_to_refresh() {
    let house = house().await;
    let nothing = house.tokens("xiaoming").await;
    assert_eq!(house.name_of(house.client.refresh(&nothing).await), "not_offered");
    let mobile = mobile(&house);
    let first = house.sign_in_at(&mobile, "xiaoming").await.unwrap().tokens;
    house.advance(86_400).await;
    let second = mobile.refresh(&first).await.unwrap();
    assert!(second.access_token != first.access_token && second.refresh_token == first.refresh_token);
    assert_eq!(second.expires_at, after(86_400 + FIVE_YEARS));
    assert_eq!((&second.subject, &second.scope), (&first.subject, &first.scope));
    assert_eq!(mobile.user(&second).await.unwrap().nickname.as_deref(), Some("小明🌟"));
    house.advance(FIVE_YEARS).await;
    let error = mobile.refresh(&second).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "21327".to_owned()));
}

#[tokio::test]
async fn a_check_brings_what_is_known_of_the_token_and_refuses_another_apps() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.advance(60).await;
    let info = house.client.check(&tokens).await.unwrap();
    assert_eq!(info["uid"].to_string(), tokens.subject.clone().unwrap());
    let theirs = house.sign_in_at(&mobile(&house), "xiaoming").await.unwrap().tokens;
    assert_eq!(house.name_of(house.client.check(&theirs).await), "other_audience");
    house.advance(FIVE_YEARS).await;
    let error = house.client.check(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "21327".to_owned()));
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_and_is_revoked_once() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.client.revoke(&tokens).await.unwrap();
    for outcome in [
        house.client.user(&tokens).await.map(drop),
        house.client.check(&tokens).await.map(drop),
        house.client.revoke(&tokens).await,
    ] {
        assert_eq!(refused(&house, &outcome.unwrap_err()), ("access_token_refused", "21332".to_owned()));
    }
}

#[tokio::test]
async fn weibo_user_is_found_by_uid_or_screen_name_and_only_oneself_without_high_rights() {
    let house = house().await;
    let mut tokens = house.tokens("xiaoming").await;
    tokens.subject = house.tokens("lihua").await.subject;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("not_permitted", "21335".to_owned()));
    // Were it told all the same, it would be somebody else.
    let other = json!({"id": 1_234_567_890_123_u64, "idstr": "1234567890123", "screen_name": "x"}).to_string();
    house.control("faults", &json!({"at": "/2/users/show.json", "kind": "status", "status": 200, "body": other})).await;
    assert_eq!(house.name_of(house.client.user(&tokens).await), "subject_mismatch");
}

#[tokio::test]
async fn weibo_app_under_test_serves_its_testers_alone() {
    let house = house_with(|config| config.apps[0].testers = Some(vec!["lihua".to_owned()])).await;
    let error = house.sign_in("xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("not_permitted", "21321".to_owned()));
    assert!(house.sign_in("lihua").await.is_ok());
}
