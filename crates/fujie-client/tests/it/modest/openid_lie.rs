//! Every lie that an OpenID provider can tell, and the check that does not believe it.

use fujie_client::{Client, Provider, ProviderError, Secret};
use fujie_simulator::oidc::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::{Value, json};

use super::openid::{asking, house, played};
use super::refused;
use crate::provider::house::{House, cookie};
use crate::provider::recorder::Recorder;

/// Why an ID token was refused, having made sure that no secret is in it.
fn why<T>(house: &House, outcome: Result<T, ProviderError>) -> String {
    match outcome {
        Ok(_) => "believed".to_owned(),
        Err(error) => {
            house.is_silent(&error);
            assert_eq!(error.name(), "id_token_refused", "{error}");
            error.to_string()
        }
    }
}

#[tokio::test]
async fn no_lie_in_an_id_token_is_believed() {
    let house = house().await;
    for (lie, reason) in [
        ("absent", "it is missing"),
        ("wrong_iss", "iss of the ID token is not the expected issuer"),
        ("wrong_aud", "aud of the ID token does not contain our client id"),
        ("many_aud", "aud of the ID token contains an unknown party"),
        ("wrong_azp", "azp of the ID token is not our client id"),
        ("wrong_nonce", "nonce of the ID token is not the one that was sent"),
        ("missing_nonce", "the ID token has no nonce"),
        ("expired", "the ID token has expired"),
        ("missing_exp", "the ID token has no exp"),
        ("not_yet_valid", "the ID token is not valid yet"),
        ("missing_sub", "the ID token has no sub"),
        ("wrong_at_hash", "at_hash of the ID token is not that of the access token"),
        ("alg_none", "the ID token is not verified"),
        ("hs256_public_key", "the ID token is not verified"),
        ("unknown_kid", "the ID token is not verified"),
        ("embedded_key", "the ID token is not verified"),
        ("bad_signature", "the ID token is not verified"),
    ] {
        house.switch(json!({ "id_token_fault": lie })).await;
        let told = why(&house, house.sign_in("xiaoming").await);
        assert!(told.contains(reason), "{lie}: {told}");
        assert!(house.sent().iter().all(|sent| !sent.url.ends_with("/userinfo")), "{lie}: nothing more is asked");
    }
    house.switch(json!({ "id_token_fault": Value::Null })).await;
    assert!(house.sign_in("xiaoming").await.is_ok(), "the truth is believed as before");
}

#[tokio::test]
async fn a_token_that_does_not_name_its_key_is_verified_by_the_only_one_that_fits() {
    let house = house().await;
    house.switch(json!({"id_token_fault": "missing_kid"})).await;
    assert!(house.sign_in("xiaoming").await.is_ok(), "one key for each algorithm");
}

#[tokio::test]
async fn a_refresh_does_not_lie_either() {
    let house = asking(&["openid", "offline_access"]).await;
    let mut tokens = house.tokens("xiaoming").await;
    for (lie, reason) in [
        ("wrong_iss", "iss of the ID token"),
        ("wrong_aud", "aud of the ID token"),
        ("expired", "has expired"),
        ("wrong_at_hash", "at_hash of the ID token"),
        ("bad_signature", "not verified"),
    ] {
        house.switch(json!({"id_token_fault": lie, "refresh_rotates": false})).await;
        let told = why(&house, house.client.refresh(&tokens).await);
        assert!(told.contains(reason), "{lie}: {told}");
    }
    house.switch(json!({"id_token_fault": Value::Null})).await;
    tokens.subject = Some("somebody else".to_owned());
    assert!(why(&house, house.client.refresh(&tokens).await).contains("somebody else"), "the person stays the same");
    // An ID token need not come with a refresh (OpenID Connect Core §12.2).
    house.switch(json!({"id_token_fault": "absent"})).await;
    tokens.subject = None;
    assert!(house.client.refresh(&tokens).await.is_ok());
}

#[tokio::test]
async fn a_callback_without_the_promised_issuer_or_with_another_is_refused_unspent() {
    let house = house().await;
    for lie in ["missing", "wrong"] {
        house.switch(json!({ "callback_iss": lie })).await;
        let begun = house.begin();
        let callback = house.agree(&begun, "xiaoming").await;
        let outcome = house.client.finish(&callback, &cookie(&begun)).await;
        assert_eq!(house.name_of(outcome), "issuer_mismatch", "{lie}");
        assert!(house.sent().is_empty(), "{lie}: the code was not spent");
    }
}

#[tokio::test]
async fn userinfo_of_somebody_else_is_refused() {
    let house = house().await;
    house.switch(json!({"userinfo_of_another_sub": true})).await;
    assert_eq!(refused(&house, house.sign_in("xiaoming").await).0, "subject_mismatch");
}

#[tokio::test]
async fn a_description_of_another_issuer_is_not_believed() {
    let house = house().await;
    house.switch(json!({"discovery_of_another_issuer": true})).await;
    let told = Provider::discover(&Recorder::patient(), house.base()).await.unwrap_err();
    assert_eq!((told.name(), told.retry()), ("discovery", false));
    assert!(told.to_string().contains("issuer is not exactly the one that was asked"), "{told}");
    let secret = Secret::new(DEFAULT_SECRET);
    assert_eq!(Client::discover(house.base(), DEFAULT_CLIENT_ID, secret).await.unwrap_err().name(), "discovery");
    // The same host by another name is another issuer.
    house.switch(json!({"discovery_of_another_issuer": false})).await;
    let other = house.base().replace("127.0.0.1", "localhost");
    assert_eq!(Provider::discover(&Recorder::patient(), &other).await.unwrap_err().name(), "discovery");
}

#[tokio::test]
async fn a_description_that_cannot_be_had_is_told() {
    let (provider, _pem) = played().await;
    let base = provider.base_url();
    let house = House::new(played().await.0, &super::openid::discovered(&provider).await, "x", DEFAULT_SECRET);
    for (fault, reason) in [
        (json!({"kind": "status", "status": 404}), "status 404"),
        (json!({"kind": "redirect", "location": base}), "status 302"),
        (json!({"kind": "status", "status": 200, "body": "<html>"}), "not a JSON object"),
    ] {
        let mut fault = fault;
        fault["at"] = json!("/.well-known/*");
        fault["times"] = json!("always");
        house.control("faults", &fault).await;
        let told = Provider::discover(&Recorder::patient(), house.base()).await.unwrap_err();
        assert_eq!(told.name(), "discovery");
        assert!(told.to_string().contains(reason), "{reason}: {told}");
        house.clear_faults().await;
    }
}

#[tokio::test]
async fn keys_that_cannot_be_had_verify_nothing() {
    let house = house().await;
    for fault in
        [json!({"kind": "status", "status": 500}), json!({"kind": "garbage"}), json!({"kind": "cut", "bytes": 20})]
    {
        let mut fault = fault;
        fault["at"] = json!("/jwks");
        house.control("faults", &fault).await;
        let name = house.name_of(house.sign_in("xiaoming").await);
        assert!(["id_token_refused", "interrupted"].contains(&name), "{fault}: {name}");
    }
    assert!(house.sign_in("xiaoming").await.is_ok());
}
