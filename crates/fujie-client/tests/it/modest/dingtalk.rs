//! DingTalk: JSON in camel case, `authCode`, a header of its own for the token, error codes that are dotted words.

use fujie_client::{Endpoint, provider};
use fujie_simulator::modest::Kind;
use serde_json::{Value, json};

use super::{modest, refusal, refused, unknown_code};
use crate::provider::house::{House, after};
use crate::provider::story::stories;

async fn house() -> House {
    modest(Kind::Dingtalk, &provider::dingtalk()).await
}

stories!(house, "code_refused", Some(7200));

#[tokio::test]
async fn a_person_signs_in_and_is_known_to_the_app_and_to_its_developer() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let identity = signed_in.identity;
    assert_eq!(identity.raw["openId"], identity.subject);
    assert_eq!(identity.raw["unionId"], *identity.union_subject.unwrap());
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert_eq!(signed_in.tokens.expires_at, after(7200), "expireIn without an s");
}

#[tokio::test]
async fn the_exchange_is_json_in_camel_case_and_the_token_has_a_header_of_its_own() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    let sent = house.sent();
    let body: Value = serde_json::from_str(sent[0].body.as_deref().unwrap()).unwrap();
    let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["clientId", "clientSecret", "code", "grantType"]);
    assert_eq!(sent[1].header("x-acs-dingtalk-access-token"), Some(tokens.access_token.expose()));
    assert_eq!((sent[1].header("authorization"), sent[1].query()), (None, ""));
}

#[tokio::test]
async fn the_code_comes_by_one_name_or_the_other_or_both() {
    let house = house().await;
    for (word, names) in [("both", ["authCode=", "&code="]), ("auth_code", ["authCode=", ""]), ("code", ["?code=", ""])]
    {
        house.switch(json!({ "callback_code": word })).await;
        let begun = house.begin();
        let callback = house.agree(&begun, "xiaoming").await;
        assert!(names.iter().all(|name| callback.contains(name)), "{callback}");
        let cookie = crate::provider::house::cookie(&begun);
        assert!(house.client.finish(&callback, &cookie).await.is_ok(), "{word}");
    }
}

#[tokio::test]
async fn a_refresh_rotates_and_an_old_refresh_token_is_named() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.advance(7200).await;
    let dead = refused(&house, house.client.user(&first).await);
    assert_eq!(dead, ("access_token_refused", "InvalidAuthentication".to_owned()));
    let second = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&second).await.is_ok());
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "invalidParameter.refreshToken.notFound".to_owned()));
}

#[tokio::test]
async fn refusals_are_dotted_words_and_each_has_its_cause() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalidParameter.authCode.notFound".to_owned()));
    let client =
        house.client_of(&provider::dingtalk(), Kind::Dingtalk.default_client_id(), "wrong-secret-wrong-secret");
    let wrong = refused(&house, house.sign_in_at(&client, "zoe").await);
    assert_eq!(wrong, ("credentials_refused", "invalidClientIdOrSecret".to_owned()));
    let tokens = house.tokens("xiaoming").await;
    let permission = "Forbidden.AccessDenied.AccessTokenPermissionDenied";
    house.order(Endpoint::User, &json!({"kind": "error", "error": permission})).await;
    assert_eq!(refused(&house, house.client.user(&tokens).await), ("not_permitted", permission.to_owned()));
    house.clear_faults().await;
    house.order(Endpoint::User, &json!({"kind": "rate_limit"})).await;
    assert_eq!(refused(&house, house.client.user(&tokens).await).0, "rate_limited");
}
