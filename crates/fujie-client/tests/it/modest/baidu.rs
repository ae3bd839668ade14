//! Baidu: no `token_type`, the token in the query, the API's own error fields with 200.

use fujie_client::{Endpoint, provider};
use fujie_simulator::modest::Kind;
use serde_json::json;

use super::{modest, refusal, refused, unknown_code};
use crate::provider::house::{House, after};
use crate::provider::story::stories;

/// Thirty days.
const LIFETIME: i64 = 2_592_000;

async fn house() -> House {
    modest(Kind::Baidu, &provider::baidu()).await
}

stories!(house, "code_refused", Some(LIFETIME));

#[tokio::test]
async fn a_person_signs_in_and_the_token_stands_in_the_query() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!(identity.raw["openid"], identity.subject);
    assert_eq!(identity.raw["unionid"], *identity.union_subject.unwrap());
    assert_eq!((identity.nickname.as_deref(), identity.avatar_url), (Some("小明🌟"), None), "portrait is no address");
    assert_eq!((tokens.expires_at, tokens.token_type), (after(LIFETIME), None));
    let sent = house.sent();
    assert_eq!((sent[1].names(), sent[1].header("authorization")), (vec!["access_token".to_owned()], None));
}

#[tokio::test]
async fn a_refresh_rotates_and_a_used_refresh_token_says_that_it_expired() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    let second = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&second).await.is_ok());
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "expired_token".to_owned()));
}

#[tokio::test]
async fn a_refusal_comes_back() {
    assert_eq!(refusal(&house().await).await, "denied");
}

#[tokio::test]
async fn the_token_endpoint_has_words_and_the_api_has_numbers_or_their_digits() {
    let house = house().await;
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalid_grant".to_owned()));
    let client = house.client_of(&provider::baidu(), Kind::Baidu.default_client_id(), "wrong-secret-wrong-secret");
    let wrong = refused(&house, house.sign_in_at(&client, "zoe").await);
    assert_eq!(wrong, ("credentials_refused", "invalid_client".to_owned()));
    let tokens = house.tokens("xiaoming").await;
    house.advance(LIFETIME).await;
    for as_strings in [false, true] {
        house.switch(json!({ "numbers_as_strings": as_strings })).await;
        assert_eq!(refused(&house, house.client.user(&tokens).await), ("access_token_refused", "110".to_owned()));
    }
    for (number, name) in [(4, "rate_limited"), (17, "rate_limited"), (2, "busy"), (6, "not_permitted")] {
        house.order(Endpoint::User, &json!({"kind": "error", "error": number})).await;
        assert_eq!(refused(&house, house.client.user(&tokens).await), (name, number.to_string()));
        house.clear_faults().await;
    }
}

#[tokio::test]
async fn a_redirect_uri_that_differs_is_ours_to_correct() {
    let house = house().await;
    let fixed = json!({"token": {"parameters": [["grant_type", "authorization_code"], ["code", "{code}"], ["redirect_uri", "http://127.0.0.1:1/"]]}});
    let error = house.sign_in_at(&house.client_with(&fixed), "xiaoming").await;
    assert_eq!(refused(&house, error), ("request_refused", "redirect_uri_mismatch".to_owned()));
}
