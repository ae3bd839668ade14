//! QQ's sign-in: the page, whom a token is about, the profile, tokens and their ends, refusals.

use fujie_client::{Ask, ProviderError, Tokens, provider};
use fujie_simulator::qq::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Qq, QqConfig};
use serde_json::json;

use super::house::{BACK, House, after, cookie};
use super::story::stories;

/// A second app of the same developer.
pub const OTHER_CLIENT_ID: &str = "101000002";

pub async fn house() -> House {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut QqConfig)) -> House {
    let mut config = QqConfig::default();
    config.apps.push(App { client_id: OTHER_CLIENT_ID.to_owned(), ..App::demo() });
    change(&mut config);
    House::new(Qq::start("127.0.0.1:0", config).await.unwrap(), &provider::qq(), DEFAULT_CLIENT_ID, DEFAULT_SECRET)
}

/// What the provider says, by its number, having made sure that no secret is in it.
pub fn refused(house: &House, error: &ProviderError) -> (&'static str, String) {
    house.is_silent(error);
    (error.name(), error.errcode().unwrap_or_default().to_owned())
}

fn refresh_token(tokens: &Tokens) -> &str {
    tokens.refresh_token.as_ref().unwrap().expose()
}

stories!(super::qq::house, "code_used", Some(7_776_000));

#[tokio::test]
async fn a_person_signs_in_and_three_questions_are_asked() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((identity.provider.as_str(), identity.app.as_str()), ("qq", DEFAULT_CLIENT_ID));
    assert!(identity.subject.len() == 32 && Some(&identity.subject) == tokens.subject.as_ref());
    assert!(identity.union_subject.as_ref().unwrap().starts_with("UID_"));
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert!(identity.avatar_url.unwrap().contains("&s=100"), "the large picture");
    assert_eq!((tokens.expires_at, tokens.scope), (after(7_776_000), vec!["get_user_info".to_owned()]));
    let sent = house.sent();
    let paths: Vec<_> = sent.iter().map(|sent| sent.url[house.base().len()..].split('?').next().unwrap()).collect();
    assert_eq!(paths, ["/oauth2.0/token", "/oauth2.0/me", "/user/get_user_info"]);
}

#[tokio::test]
async fn tokens_in_the_callback_itself_sign_in_after_their_application_was_compared() {
    let house = house().await;
    let begun = house.client.begin_with(BACK, &Ask { is_implicit: true, ..Ask::default() }).unwrap();
    let callback = house.agree(&begun, "zoe").await;
    let signed_in = house.client.finish(&callback, &cookie(&begun)).await.unwrap();
    assert_eq!(signed_in.identity.nickname.as_deref(), Some("Zoë 👩‍💻"));
    assert_eq!((signed_in.tokens.expires_at, signed_in.tokens.refresh_token.is_none()), (after(7_776_000), true));
    assert_eq!(house.sent().len(), 2, "no code was exchanged");
}

#[tokio::test]
async fn a_token_that_was_given_to_another_application_signs_nobody_in() {
    let house = house().await;
    let other = house.client_of(&provider::qq(), OTHER_CLIENT_ID, DEFAULT_SECRET);
    let implicit = Ask { is_implicit: true, ..Ask::default() };
    let theirs = house.agree(&other.begin_with(BACK, &implicit).unwrap(), "xiaoming").await;
    let begun = house.client.begin_with(BACK, &implicit).unwrap();
    let ours = house.agree(&begun, "lihua").await;
    let token = theirs.split_once("access_token=").unwrap().1.split('&').next().unwrap();
    let state = ours.split_once("state=").unwrap().1;
    let forged = format!("{BACK}?#access_token={token}&expires_in=7776000&state={state}");
    let error = house.client.finish(&forged, &cookie(&begun)).await.unwrap_err();
    assert_eq!((house.name_of(Err::<(), _>(error)), house.sent().len()), ("other_audience", 1));
}

#[tokio::test]
async fn a_callback_with_a_token_nobody_asked_for_is_refused() {
    let house = house().await;
    let (code, implicit) = (house.begin(), Ask { is_implicit: true, ..Ask::default() });
    let token = house.agree(&house.client.begin_with(BACK, &implicit).unwrap(), "xiaoming").await;
    let state = code.url.split_once("state=").unwrap().1.split('&').next().unwrap();
    let forged = format!("{}&state={state}", token.split("&state=").next().unwrap());
    assert_eq!(house.name_of(house.client.finish(&forged, &cookie(&code)).await), "callback_unreadable");
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn a_wrong_appid_or_appkey_is_ours_to_correct() {
    let house = house().await;
    for (id, secret, number) in
        [("101999999", DEFAULT_SECRET, "100008"), (DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret", "100009")]
    {
        let client = house.client_of(&provider::qq(), id, secret);
        let error = client.redeem(client.registration().read_code("c0de").unwrap()).await.unwrap_err();
        assert_eq!(refused(&house, &error), ("credentials_refused", number.to_owned()));
        assert!(!error.retry(), "nothing changes by itself");
    }
}

#[tokio::test]
async fn refreshing_gives_both_tokens_anew_and_the_old_refresh_token_is_spent() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.advance(86_400).await;
    let second = house.client.refresh(&first).await.unwrap();
    assert!(second.access_token != first.access_token && refresh_token(&second) != refresh_token(&first));
    assert_eq!(second.expires_at, after(86_400 + 7_776_000));
    assert_eq!((&second.subject, &second.union_subject), (&first.subject, &first.union_subject));
    assert_eq!(house.client.user(&second).await.unwrap().nickname.as_deref(), Some("小明🌟"));
    let error = house.client.refresh(&first).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "100021".to_owned()));
}

#[tokio::test]
async fn a_token_whose_time_is_over_is_said_so_by_the_profile_and_by_me() {
    let house = house().await;
    house.switch(json!({"access_token_lifetime_seconds": 60})).await;
    let tokens = house.tokens("xiaoming").await;
    house.advance(60).await;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "100014".to_owned()));
    house.switch(json!({"access_token_lifetime_seconds": 0})).await;
    let error = house.sign_in("xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "100016".to_owned()));
}

#[tokio::test]
async fn nothing_can_be_checked_or_ended_and_no_device_signs_in() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    assert_eq!(house.name_of(house.client.check(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.revoke(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.begin_device().await), "not_offered");
    assert_eq!(house.name_of(house.client.begin_embedded(BACK, "x", true)), "not_offered");
}

#[tokio::test]
async fn two_people_of_one_answer_are_refused() {
    let house = house().await;
    let mut stranger = house.tokens("xiaoming").await;
    // The profile names no openid: what `/me` said goes along, and another's is refused.
    stranger.subject = house.tokens("lihua").await.subject;
    let error = house.client.user(&stranger).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "-1".to_owned()));
}
