//! Feishu: JSON requests, `code` 0 beside the standard's names, an envelope around the person, numbered errors.

use fujie_client::{Endpoint, provider};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::{Value, json};

use super::{modest, refusal, refused, unknown_code};
use crate::provider::house::{House, after};
use crate::provider::story::stories;

async fn house() -> House {
    modest(Kind::Feishu, &provider::feishu()).await
}

/// A house whose client wants to act when the person is gone.
async fn lasting() -> House {
    modest(Kind::Feishu, &provider::feishu().with_scope(&["offline_access"])).await
}

stories!(house, "code_used", Some(7200));

#[tokio::test]
async fn a_person_signs_in_out_of_an_envelope() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let identity = signed_in.identity;
    assert!(identity.subject.starts_with("ou_") && identity.union_subject.unwrap().starts_with("on_"));
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert_eq!(identity.raw["open_id"], identity.subject, "what is told is what was inside");
    assert_eq!((signed_in.tokens.expires_at, signed_in.tokens.refresh_token.is_none()), (after(7200), true));
}

#[tokio::test]
async fn the_exchange_is_json_and_proves_the_challenge() {
    let house = house().await;
    let _tokens = house.tokens("xiaoming").await;
    let body: Value = serde_json::from_str(house.sent()[0].body.as_deref().unwrap()).unwrap();
    assert_eq!((&body["grant_type"], &body["client_secret"]), (&json!("authorization_code"), &json!(DEFAULT_SECRET)));
    assert_eq!(body["code_verifier"].as_str().unwrap().len(), 43);
}

#[tokio::test]
async fn a_refresh_token_comes_for_offline_access_alone_and_is_good_once() {
    let house = lasting().await;
    let first = house.tokens("xiaoming").await;
    house.advance(7200).await;
    assert_eq!(refused(&house, house.client.user(&first).await), ("access_token_refused", "20005".to_owned()));
    let second = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&second).await.is_ok());
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "20073".to_owned()));
    house.advance(604_800).await;
    assert_eq!(refused(&house, house.client.refresh(&second).await), ("refresh_token_refused", "20037".to_owned()));
}

#[tokio::test]
async fn an_unknown_refresh_token_is_refused_by_its_own_number() {
    let house = lasting().await;
    let mut tokens = house.tokens("xiaoming").await;
    tokens.refresh_token = Some(fujie_client::Secret::new("ur-0123456789abcdef0123456789"));
    assert_eq!(refused(&house, house.client.refresh(&tokens).await), ("refresh_token_refused", "20026".to_owned()));
}

#[tokio::test]
async fn numbers_say_why() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "20003".to_owned()));
    let client = house.client_of(&provider::feishu(), Kind::Feishu.default_client_id(), "wrong-secret-wrong-secret");
    assert_eq!(refused(&house, house.sign_in_at(&client, "zoe").await), ("credentials_refused", "20002".to_owned()));
    for (number, name) in
        [(20010, "not_permitted"), (20008, "account_restricted"), (20050, "busy"), (20071, "request_refused")]
    {
        house.order(Endpoint::Token, &json!({"kind": "error", "error": number})).await;
        assert_eq!(refused(&house, house.sign_in("zoe").await), (name, number.to_string()));
        house.clear_faults().await;
    }
}

#[tokio::test]
async fn the_token_endpoint_of_the_third_version_answers_alike() {
    let house = house().await;
    let third = house.client_with(&json!({"token": {"endpoint": format!("{}/oauth/v3/token", house.base())}}));
    assert!(house.sign_in_at(&third, "xiaoming").await.is_ok());
}
