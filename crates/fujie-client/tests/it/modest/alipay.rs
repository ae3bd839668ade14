//! Alipay: one gateway, each request signed with the application's key, each answer inside an object of its own name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fujie_client::{Credential, Endpoint, Provider, Rsa2Key, provider};
use fujie_simulator::Modest;
use fujie_simulator::modest::{Kind, ModestConfig};
use serde_json::json;

use super::{refusal, refused, unknown_code};
use crate::provider::browser;
use crate::provider::house::{House, after};
use crate::provider::recorder::Sent;

/// Half a month.
const LIFETIME: i64 = 1_296_000;

/// The key that the simulated console made for the default app.
async fn key(base: &str) -> Rsa2Key {
    let index = browser::get(&format!("{base}/_simulate")).await.json();
    Rsa2Key::from_pkcs8(index["apps"][0]["private_key"].as_str().unwrap()).unwrap()
}

async fn house_of(preset: &Provider) -> House {
    let alipay = Modest::start("127.0.0.1:0", ModestConfig::of(Kind::Alipay)).await.unwrap();
    let key = key(alipay.base_url()).await;
    House::proving(alipay, preset, Kind::Alipay.default_client_id(), Credential::Rsa2(key))
}

/// New apps are told `open_id`.
async fn house() -> House {
    let house = house_of(&provider::alipay()).await;
    house.switch(json!({"open_id_only": true})).await;
    house
}

fn parameter(sent: &Sent, name: &str) -> Option<String> {
    sent.in_body(name).or(sent.in_query(name))
}

#[tokio::test]
async fn a_person_signs_in_through_the_gateway() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!(Some(&identity.subject), tokens.subject.as_ref());
    assert_eq!(identity.raw["open_id"], identity.subject);
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert_eq!(tokens.expires_at, after(LIFETIME));
    let methods: Vec<_> = house.sent().iter().map(|sent| parameter(sent, "method").unwrap()).collect();
    assert_eq!(methods, ["alipay.system.oauth.token", "alipay.user.info.share"]);
}

#[tokio::test]
async fn an_older_app_is_told_user_id_and_its_record_says_so() {
    let older = json!({"identity": {"subject": ["user_id"], "token_subject": "user_id"}});
    let house = house_of(&provider::alipay().with(&older).unwrap()).await;
    let identity = house.sign_in("xiaoming").await.unwrap().identity;
    assert!(identity.subject.starts_with("2088") && identity.subject.len() == 16);
    // A record that expects the other one makes no identity of nothing.
    let house = house_of(&provider::alipay()).await;
    assert_eq!(refused(&house, house.sign_in("xiaoming").await).0, "subject_missing");
}

#[tokio::test]
async fn every_request_is_signed_in_chinas_time() {
    let house = house().await;
    let _tokens = house.tokens("xiaoming").await;
    for sent in house.sent() {
        let sign = STANDARD.decode(parameter(&sent, "sign").unwrap()).unwrap();
        assert_eq!((sign.len(), parameter(&sent, "sign_type").as_deref()), (256, Some("RSA2")));
        // 1790000000 is 2026-09-21 14:13:20 in UTC.
        assert_eq!(parameter(&sent, "timestamp").as_deref(), Some("2026-09-21 22:13:20"));
        assert_eq!(parameter(&sent, "client_secret"), None);
    }
}

#[tokio::test]
async fn a_signature_with_another_key_is_ours_to_correct() {
    let (house, other) = (house().await, house().await);
    let key = key(other.base()).await;
    let id = Kind::Alipay.default_client_id();
    let client = house.client_proving(&provider::alipay(), id, Credential::Rsa2(key));
    let error = refused(&house, house.sign_in_at(&client, "xiaoming").await);
    assert_eq!(error, ("credentials_refused", "isv.invalid-signature".to_owned()));
}

#[tokio::test]
async fn a_refresh_rotates() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.advance(LIFETIME).await;
    let dead = refused(&house, house.client.user(&first).await);
    assert_eq!(dead, ("access_token_refused", "aop.invalid-auth-token".to_owned()));
    let second = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&second).await.is_ok());
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "isv.refresh-token-invalid".to_owned()));
}

#[tokio::test]
async fn numbers_may_be_strings() {
    let house = house().await;
    house.switch(json!({"numbers_as_strings": true})).await;
    assert_eq!(house.tokens("xiaoming").await.expires_at, after(LIFETIME));
}

#[tokio::test]
async fn a_refusal_and_an_unknown_code_and_too_many_calls_are_told_apart() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    assert_eq!(unknown_code(&house).await, ("code_refused", "isv.code-invalid".to_owned()));
    let tokens = house.tokens("xiaoming").await;
    for (code, name) in [
        ("isv.app-call-limited", "rate_limited"),
        ("isv.insufficient-isv-permissions", "not_permitted"),
        ("isp.unknow-error", "busy"),
    ] {
        house.order(Endpoint::User, &json!({"kind": "error", "error": code})).await;
        assert_eq!(refused(&house, house.client.user(&tokens).await), (name, code.to_owned()));
        house.clear_faults().await;
    }
}
