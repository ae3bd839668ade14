//! GitLab: gitlab.com or one's own server, a numeric subject, a refresh that ends everything before it.

use fujie_client::{Endpoint, Polled, Provider, provider};
use fujie_simulator::oidc::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, House as Whose};
use serde_json::json;

use super::{played, refusal, refused, unknown_code};
use crate::provider::house::{House, after};
use crate::provider::recorder::Recorder;
use crate::provider::story::stories;

async fn house() -> House {
    House::new(played(Whose::Gitlab).await, &provider::gitlab(), DEFAULT_CLIENT_ID, DEFAULT_SECRET)
}

stories!(house, "code_refused", Some(7200));

#[tokio::test]
async fn a_person_signs_in_and_is_known_by_a_number() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let identity = signed_in.identity;
    assert_eq!(identity.raw["id"].as_u64().unwrap(), identity.subject.parse::<u64>().unwrap());
    assert_eq!((identity.provider.as_str(), identity.nickname.as_deref()), ("gitlab", Some("小明🌟")));
    assert_eq!(signed_in.tokens.expires_at, after(7200));
}

#[tokio::test]
async fn a_server_of_ones_own_has_a_name_of_its_own() {
    let own = provider::gitlab().with(&json!({"id": "git.example"})).unwrap();
    let house = House::new(played(Whose::Gitlab).await, &own, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    assert!(house.begin().url.starts_with(&format!("{}/oauth/authorize?", house.base())));
    let identity = house.sign_in("xiaoming").await.unwrap().identity;
    assert_eq!(identity.provider, "git.example");
    // A callback of the one is none of the other.
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    let other = house.client_of(&provider::gitlab(), DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    let outcome = other.finish(&callback, &crate::provider::house::cookie(&begun)).await;
    assert_eq!(house.name_of(outcome), "other_client");
}

#[tokio::test]
async fn openid_connect_names_the_same_person_by_the_same_digits() {
    let gitlab = played(Whose::Gitlab).await;
    let record = Provider::discover(&Recorder::patient(), gitlab.base_url()).await.unwrap();
    let house = House::new(gitlab, &record, DEFAULT_CLIENT_ID, DEFAULT_SECRET).on_time().await;
    let openid = house.sign_in("xiaoming").await.unwrap().identity;
    let plain = house.client_of(&provider::gitlab(), DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    assert_eq!(openid.subject, house.sign_in_at(&plain, "xiaoming").await.unwrap().identity.subject);
}

#[tokio::test]
async fn a_refresh_ends_both_old_tokens() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    let second = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&second).await.is_ok());
    let dead = refused(&house, house.client.user(&first).await);
    assert_eq!(dead, ("access_token_refused", "invalid_token".to_owned()));
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
async fn errors_have_two_shapes() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalid_grant".to_owned()));
    let tokens = house.tokens("xiaoming").await;
    for (status, message, name) in [
        (401, "401 Unauthorized", "access_token_refused"),
        (403, "403 Forbidden", "not_permitted"),
        (429, "Retry later", "rate_limited"),
    ] {
        let body = json!({ "message": message }).to_string();
        house.order(Endpoint::User, &json!({"kind": "status", "status": status, "body": body})).await;
        let error = house.client.user(&tokens).await.unwrap_err();
        assert_eq!((error.name(), error.evidence().unwrap().message.as_deref()), (name, Some(message)));
        house.clear_faults().await;
    }
}

#[tokio::test]
async fn a_device_signs_in() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "confirm", "xiaoming").await;
    house.advance(10).await;
    let Polled::Tokens(tokens) = house.client.poll_device(&mut device).await.unwrap() else { panic!("nobody asked") };
    assert_eq!(house.client.user(&tokens).await.unwrap().nickname.as_deref(), Some("小明🌟"));
}
