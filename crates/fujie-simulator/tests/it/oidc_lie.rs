//! Every lie that can be ordered of an OpenID provider, as a client sees it: one thing is wrong,
//! the rest is right.

use crate::oauth::{House, is_verified, parameter, parts, text};
use crate::oidc_flow::{house, request};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The id_token under a fault, and whether a published key verifies it.
async fn under(house: &House, fault: &str) -> (String, bool) {
    house.switch("id_token_fault", json!(fault)).await;
    let token = text(&house.redeem(&house.code("").await).await, "id_token");
    let jwks = house.get("/jwks").await.json();
    let is_verified = is_verified(&token, &jwks);
    (token, is_verified)
}

/// A lie in one claim is signed as well as the truth.
async fn lies_in_a_claim(fault: &str, claim: &str, is_lie: impl FnOnce(&Value, &Value) -> bool) {
    let house = house().await;
    let honest = parts(&text(&house.redeem(&house.code("").await).await, "id_token")).1;
    let (token, is_verified) = under(&house, fault).await;
    let claims = parts(&token).1;
    assert!(is_verified && is_lie(&claims[claim], &honest[claim]), "{claims}");
    for same in ["iss", "sub", "aud", "nonce"] {
        assert!(same == claim || claims[same] == honest[same], "{same} in {claims}");
    }
}

/// A forged signature, under claims that are right.
async fn forges(fault: &str, alg: &str) -> Value {
    let house = house().await;
    let (token, is_verified) = under(&house, fault).await;
    let (header, claims) = parts(&token);
    assert_eq!((header["alg"].as_str(), is_verified), (Some(alg), false));
    assert_eq!(text(&claims, "iss"), house.base());
    header
}

#[tokio::test]
async fn wrong_iss() {
    lies_in_a_claim("wrong_iss", "iss", |lie, truth| lie.is_string() && lie != truth).await;
}

#[tokio::test]
async fn wrong_aud() {
    lies_in_a_claim("wrong_aud", "aud", |lie, truth| lie.is_string() && lie != truth).await;
}

#[tokio::test]
async fn many_aud_without_azp() {
    lies_in_a_claim("many_aud", "aud", |lie, truth| lie[0] == *truth && lie[1].is_string()).await;
}

#[tokio::test]
async fn wrong_azp() {
    lies_in_a_claim("wrong_azp", "azp", |lie, _| lie.is_string()).await;
}

#[tokio::test]
async fn wrong_nonce() {
    lies_in_a_claim("wrong_nonce", "nonce", |lie, truth| lie.is_string() && lie != truth).await;
}

#[tokio::test]
async fn missing_nonce() {
    lies_in_a_claim("missing_nonce", "nonce", |lie, _| lie.is_null()).await;
}

#[tokio::test]
async fn expired_id_token() {
    lies_in_a_claim("expired", "exp", |lie, truth| lie.as_u64() < truth.as_u64().map(|exp| exp - 3600)).await;
}

#[tokio::test]
async fn missing_exp() {
    lies_in_a_claim("missing_exp", "exp", |lie, _| lie.is_null()).await;
}

#[tokio::test]
async fn not_yet_valid() {
    lies_in_a_claim("not_yet_valid", "iat", |lie, truth| lie.as_u64() >= truth.as_u64().map(|iat| iat + 3600)).await;
}

#[tokio::test]
async fn missing_sub() {
    lies_in_a_claim("missing_sub", "sub", |lie, _| lie.is_null()).await;
}

#[tokio::test]
async fn wrong_at_hash() {
    lies_in_a_claim("wrong_at_hash", "at_hash", |lie, _| lie.is_string()).await;
    // Each token has a hash of its own, so that it is compared with that of its own answer.
    let house = house().await;
    for (fault, is_right) in [(Value::Null, true), (json!("wrong_at_hash"), false)] {
        house.switch("id_token_fault", fault).await;
        let tokens = house.redeem(&house.code("").await).await;
        let digest = digest(&SHA256, text(&tokens, "access_token").as_bytes());
        let hash = json!(URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]));
        assert_eq!(parts(&text(&tokens, "id_token")).1["at_hash"] == hash, is_right);
    }
}

#[tokio::test]
async fn alg_none_has_an_empty_signature() {
    let house = house().await;
    house.switch("id_token_fault", json!("alg_none")).await;
    let token = text(&house.redeem(&house.code("").await).await, "id_token");
    assert_eq!(parts(&token).0["alg"], json!("none"));
    assert!(token.ends_with('.'));
}

#[tokio::test]
async fn hs256_is_signed_with_the_public_key() {
    let header = forges("hs256_public_key", "HS256").await;
    assert!(header["kid"].is_string());
}

#[tokio::test]
async fn unknown_kid() {
    assert!(forges("unknown_kid", "RS256").await["kid"].is_string());
}

#[tokio::test]
async fn missing_kid() {
    assert!(forges("missing_kid", "RS256").await["kid"].is_null());
}

#[tokio::test]
async fn embedded_key() {
    assert!(forges("embedded_key", "RS256").await["jwk"].is_object());
}

#[tokio::test]
async fn bad_signature() {
    forges("bad_signature", "RS256").await;
}

#[tokio::test]
async fn absent_id_token() {
    let house = house().await;
    house.switch("id_token_fault", json!("absent")).await;
    let tokens = house.redeem(&house.code("").await).await;
    assert!(tokens.get("access_token").is_some() && tokens.get("id_token").is_none());
    house.switch("id_token_fault", Value::Null).await;
    assert!(house.redeem(&house.code("").await).await.get("id_token").is_some());
}

#[tokio::test]
async fn userinfo_of_another_sub() {
    let house = house().await;
    house.switch("userinfo_of_another_sub", json!(true)).await;
    let tokens = house.redeem(&house.code("").await).await;
    let userinfo = house.get_as("/userinfo", &format!("Bearer {}", text(&tokens, "access_token"))).await.json();
    assert_ne!(userinfo["sub"], parts(&text(&tokens, "id_token")).1["sub"]);
}

#[tokio::test]
async fn iss_missing_in_the_callback_or_wrong_there() {
    let house = house().await;
    for (value, expected) in [("missing", None), ("wrong", Some("https://issuer.invalid"))] {
        house.switch("callback_iss", json!(value)).await;
        assert_eq!(parameter(&house.agree(&request(""), "zoe").await, "iss").as_deref(), expected);
        assert_eq!(parameter(&house.refuse(&request("")).await, "iss").as_deref(), expected);
        let document = house.get("/.well-known/openid-configuration").await.json();
        assert_eq!(document["authorization_response_iss_parameter_supported"], json!(true));
    }
}

#[tokio::test]
async fn discovery_of_another_issuer() {
    let house = house().await;
    house.switch("discovery_of_another_issuer", json!(true)).await;
    let document = house.get("/.well-known/openid-configuration").await.json();
    assert_ne!(text(&document, "issuer"), house.base());
    assert!(text(&document, "token_endpoint").starts_with(house.base()));
}

#[tokio::test]
async fn a_tenant_templated_issuer_is_filled_in_by_the_token() {
    let house = house().await;
    house.switch("tenant_templated_issuer", json!(true)).await;
    let document = house.get("/.well-known/openid-configuration").await.json();
    let template = text(&document, "issuer");
    assert!(template.ends_with("/{tenantid}"));
    let (_, claims) = parts(&text(&house.redeem(&house.code("").await).await, "id_token"));
    assert_eq!(text(&claims, "iss"), template.replace("{tenantid}", &text(&claims, "tid")));
}

#[tokio::test]
async fn email_verified_as_a_string() {
    let house = house().await;
    house.switch("email_verified_as_string", json!(true)).await;
    let tokens = house.redeem(&house.code("").await).await;
    assert_eq!(parts(&text(&tokens, "id_token")).1["email_verified"], json!("true"));
    house.switch("email_verified", json!(false)).await;
    let tokens = house.redeem(&house.code("").await).await;
    assert_eq!(parts(&text(&tokens, "id_token")).1["email_verified"], json!("false"));
}

#[tokio::test]
async fn keys_rotate_with_and_without_the_old_ones() {
    let house = house().await;
    let before = text(&house.redeem(&house.code("").await).await, "id_token");
    house.control("keys", json!({})).await;
    let after = text(&house.redeem(&house.code("").await).await, "id_token");
    assert_ne!(parts(&before).0["kid"], parts(&after).0["kid"]);
    let jwks = house.get("/jwks").await.json();
    assert!(is_verified(&before, &jwks) && is_verified(&after, &jwks));
    house.control("keys", json!({ "drop_old": true })).await;
    assert!(!is_verified(&after, &house.get("/jwks").await.json()));
}

#[tokio::test]
async fn es256_is_a_switch() {
    let house = house().await;
    house.switch("id_token_alg", json!("ES256")).await;
    let token = text(&house.redeem(&house.code("").await).await, "id_token");
    assert_eq!(parts(&token).0["alg"], json!("ES256"));
    assert!(is_verified(&token, &house.get("/jwks").await.json()));
}
