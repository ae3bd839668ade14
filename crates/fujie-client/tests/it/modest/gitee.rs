//! Gitee: a number for a subject, refresh tokens that rotate, errors in Chinese with 401.

use fujie_client::{Endpoint, provider};
use fujie_simulator::modest::Kind;
use serde_json::json;

use super::{modest, refusal, refused, unknown_code};
use crate::provider::house::{House, after};
use crate::provider::story::stories;

async fn house() -> House {
    modest(Kind::Gitee, &provider::gitee()).await
}

stories!(house, "code_refused", Some(86_400));

#[tokio::test]
async fn a_person_signs_in_and_is_known_by_a_number() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!(identity.raw["id"].as_u64().unwrap(), identity.subject.parse::<u64>().unwrap());
    assert_eq!((identity.provider.as_str(), identity.nickname.as_deref()), ("gitee", Some("小明🌟")));
    assert!(identity.avatar_url.unwrap().starts_with(house.base()));
    assert_eq!(
        (tokens.expires_at, tokens.scope, tokens.scope_missing.len()),
        (after(86_400), vec!["user_info".into()], 0)
    );
}

#[tokio::test]
async fn a_refresh_rotates_and_the_old_refresh_token_is_dead() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.advance(86_400).await;
    assert_eq!(refused(&house, house.client.user(&first).await).0, "access_token_refused");
    let second = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&second).await.is_ok());
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_refusal_and_an_unknown_code_are_told_apart() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalid_grant".to_owned()));
}

#[tokio::test]
async fn wrong_credentials_are_ours_to_correct() {
    let house = house().await;
    let id = Kind::Gitee.default_client_id();
    let client = house.client_of(&provider::gitee(), id, "wrong-secret-wrong-secret");
    let error = house.sign_in_at(&client, "zoe").await;
    assert_eq!(refused(&house, error), ("credentials_refused", "invalid_client".to_owned()));
}

#[tokio::test]
async fn every_request_says_a_user_agent_because_a_nameless_one_is_refused() {
    let house = house().await;
    assert!(house.sign_in("xiaoming").await.is_ok(), "token and user endpoint answered");
    house.order(Endpoint::User, &json!({"kind": "status", "status": 403, "body": "403 Forbidden"})).await;
    assert_eq!(house.name_of(house.sign_in("xiaoming").await), "not_permitted");
}

#[tokio::test]
async fn too_many_calls_are_told_by_the_status_alone() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.order(Endpoint::User, &json!({"kind": "rate_limit"})).await;
    assert_eq!(house.name_of(house.client.user(&tokens).await), "rate_limited");
}
