//! Microsoft: an issuer that depends on the person's tenant, which is half of the subject.

use fujie_client::{Polled, Provider, provider};
use fujie_simulator::oidc::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, House as Whose};
use serde_json::{Value, json};

use super::{played, refusal, refused, unknown_code};
use crate::provider::house::House;
use crate::provider::story;

/// The tenant of all personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

async fn house_of(preset: &Provider) -> House {
    House::new(played(Whose::Microsoft).await, preset, DEFAULT_CLIENT_ID, DEFAULT_SECRET).on_time().await
}

async fn house() -> House {
    house_of(&provider::microsoft()).await
}

/// The record for one tenant.
fn of_tenant(tenant: &str) -> Provider {
    let text = serde_json::to_string(&provider::microsoft()).unwrap();
    serde_json::from_str(&text.replace("/common/", &format!("/{tenant}/")).replace("{tenantid}", tenant)).unwrap()
}

#[tokio::test]
async fn tenant_and_object_together_are_the_subject() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    let (tid, oid) = identity.subject.split_once(':').unwrap();
    assert_eq!((tid, oid.len(), tokens.subject.as_ref()), (CONSUMERS, 36, Some(&identity.subject)));
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert_eq!(identity.raw["oid"], oid);
    let paths: Vec<_> = house.sent().iter().map(|sent| sent.url[house.base().len()..].to_owned()).collect();
    assert_eq!(paths, ["/common/oauth2/v2.0/token", "/common/discovery/v2.0/keys"], "nobody else is asked");
}

#[tokio::test]
async fn the_issuer_is_that_of_the_tenant_the_token_names() {
    let house = house().await;
    house.switch(json!({"id_token_fault": "wrong_iss"})).await;
    assert_eq!(house.name_of(house.sign_in("xiaoming").await), "id_token_refused");
    let one = house_of(&of_tenant(TENANT)).await;
    assert!(one.sign_in("xiaoming").await.unwrap().identity.subject.starts_with(TENANT));
    // A record for one tenant admits nobody of another.
    let mixed = json!({"id_token": {"issuer": format!("{}/{TENANT}/v2.0", house.base())}});
    house.switch(json!({"id_token_fault": Value::Null})).await;
    let outcome = house.sign_in_at(&house.client_keeping_its_issuer(&mixed), "xiaoming").await;
    assert_eq!(house.name_of(outcome), "id_token_refused");
}

#[tokio::test]
async fn a_refresh_token_comes_for_offline_access_and_rotates() {
    let house = house_of(&provider::microsoft().with_scope(&["openid", "profile", "offline_access"])).await;
    let first = house.tokens("xiaoming").await;
    let second = house.client.refresh(&first).await.unwrap();
    assert!(second.refresh_token != first.refresh_token && second.subject == first.subject);
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "invalid_grant".to_owned()));
}

#[tokio::test]
async fn refusals_have_their_causes_and_their_numbers_are_told() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalid_grant".to_owned()));
    let client = house.client_of(&provider::microsoft(), DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret");
    let error = house.sign_in_at(&client, "zoe").await.unwrap_err();
    house.is_silent(&error);
    assert_eq!(error.name(), "credentials_refused");
    assert!(error.evidence().unwrap().excerpt.contains("7000215"), "{error}");
}

#[tokio::test]
async fn a_device_signs_in_and_one_that_is_declined_does_not() {
    let house = house().await;
    let mut device = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "confirm", "lihua").await;
    house.advance(10).await;
    let Polled::Tokens(tokens) = house.client.poll_device(&mut device).await.unwrap() else { panic!("nobody asked") };
    assert!(tokens.subject.unwrap().starts_with(CONSUMERS));
    let mut device = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "refuse", "").await;
    house.advance(10).await;
    assert_eq!(house.name_of(house.client.poll_device(&mut device).await.map(drop)), "denied");
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
