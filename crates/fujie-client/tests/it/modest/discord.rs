//! Discord: forms alone, ids that do not fit into a double, code challenges of public clients only.

use fujie_client::{Endpoint, provider};
use fujie_simulator::modest::Kind;
use serde_json::json;

use super::{modest, refusal, refused, unknown_code};
use crate::provider::house::{House, after};
use crate::provider::story::stories;

async fn house() -> House {
    modest(Kind::Discord, &provider::discord()).await
}

stories!(house, "code_refused", Some(604_800));

#[tokio::test]
async fn a_person_signs_in_and_the_id_keeps_all_its_digits() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let identity = signed_in.identity;
    assert_eq!(identity.raw["id"], identity.subject, "a string");
    assert!(identity.subject.parse::<u64>().unwrap() > 1 << 53);
    assert_eq!((identity.nickname.as_deref(), identity.avatar_url), (Some("小明🌟"), None), "avatar is a hash");
    assert_eq!(signed_in.tokens.expires_at, after(604_800));
}

#[tokio::test]
async fn a_confidential_client_sends_no_code_challenge_because_one_may_be_refused() {
    let house = house().await;
    house.switch(json!({"challenge_refused": true})).await;
    assert!(!house.begin().url.contains("code_challenge"));
    assert!(house.sign_in("xiaoming").await.is_ok());
    let challenging = house.client_with(&json!({"pkce": "S256"}));
    let error = house.sign_in_at(&challenging, "xiaoming").await;
    assert_eq!(refused(&house, error).0, "authorization_refused");
}

#[tokio::test]
async fn a_refresh_rotates() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.advance(604_800).await;
    assert_eq!(refused(&house, house.client.user(&first).await).0, "access_token_refused");
    let second = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&second).await.is_ok());
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.client.revoke(&tokens).await.unwrap();
    assert_eq!(refused(&house, house.client.user(&tokens).await).0, "access_token_refused");
}

#[tokio::test]
async fn each_refusal_has_its_cause() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalid_grant".to_owned()));
    let client = house.client_of(&provider::discord(), Kind::Discord.default_client_id(), "wrong-secret-wrong-secret");
    let wrong = refused(&house, house.sign_in_at(&client, "zoe").await);
    assert_eq!(wrong, ("credentials_refused", "invalid_client".to_owned()));
    let tokens = house.tokens("xiaoming").await;
    house.order(Endpoint::User, &json!({"kind": "rate_limit"})).await;
    assert_eq!(house.name_of(house.client.user(&tokens).await), "rate_limited");
}
