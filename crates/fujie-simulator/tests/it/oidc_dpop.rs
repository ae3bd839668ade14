//! DPoP (RFC 9449): a proof binds a token to its key, and only that key uses it.

use crate::http::{self, Answer};
use crate::oauth::{BACK_ENCODED, ClientKey, House, parameter, text};
use crate::oidc_flow::{CLIENT, house, request};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// A proof for one call; `changes` replace its claims.
async fn proof(house: &House, key: &ClientKey, method: &str, path: &str, changes: Value) -> String {
    let now = house.get("/_simulate").await.json()["now"].as_u64().unwrap();
    static PROOFS: AtomicU32 = AtomicU32::new(0);
    let jti = PROOFS.fetch_add(1, Ordering::Relaxed).to_string();
    let mut claims = json!({ "jti": jti, "htm": method, "htu": format!("{}{path}", house.base()), "iat": now });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    format!("DPoP: {}", key.jwt(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() }), &claims))
}

async fn code(house: &House) -> String {
    parameter(&house.agree(&request(""), "xiaoming").await, "code").unwrap()
}

async fn redeem(house: &House, code: &str, proof: &str) -> Answer {
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&{CLIENT}");
    let headers = ["Content-Type: application/x-www-form-urlencoded", proof];
    http::send(house.base(), "POST", "/token", &headers, &form).await
}

async fn userinfo(house: &House, authorization: &str, proof: &str) -> Answer {
    http::send(house.base(), "GET", "/userinfo", &[&format!("Authorization: {authorization}"), proof], "").await
}

fn ath(token: &str) -> Value {
    json!({ "ath": URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())) })
}

#[tokio::test]
async fn a_bound_token_opens_userinfo_with_a_proof_of_its_key_alone() {
    let house = house().await;
    let (key, other) = (ClientKey::new(), ClientKey::new());
    let code = code(&house).await;
    let tokens = redeem(&house, &code, &proof(&house, &key, "POST", "/token", json!({})).await).await.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let token = text(&tokens, "access_token");
    let good = proof(&house, &key, "GET", "/userinfo", ath(&token)).await;
    assert_eq!(userinfo(&house, &format!("DPoP {token}"), &good).await.status, 200);
    let foreign = proof(&house, &other, "GET", "/userinfo", ath(&token)).await;
    let unbound = proof(&house, &key, "GET", "/userinfo", json!({})).await;
    for (authorization, proof, error) in [
        (format!("DPoP {token}"), good.as_str(), "invalid_dpop_proof"),
        (format!("DPoP {token}"), &foreign, "invalid_dpop_proof"),
        (format!("DPoP {token}"), &unbound, "invalid_dpop_proof"),
        (format!("DPoP {token}"), "X: y", "invalid_dpop_proof"),
        (format!("Bearer {token}"), &good, "invalid_token"),
    ] {
        let answer = userinfo(&house, &authorization, proof).await;
        assert_eq!((answer.status, &answer.json()["error"]), (401, &json!(error)), "{authorization} {proof}");
        assert!(answer.header("www-authenticate").unwrap().contains(error));
    }
}

#[tokio::test]
async fn a_proof_is_of_this_call_and_of_now() {
    let house = house().await;
    let key = ClientKey::new();
    for changes in [
        json!({ "htm": "GET" }),
        json!({ "htu": "https://op.example/token" }),
        json!({ "iat": 1 }),
        json!({ "jti": "" }),
    ] {
        let proof = proof(&house, &key, "POST", "/token", changes.clone()).await;
        let answer = redeem(&house, "any", &proof).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_dpop_proof")), "{changes}");
    }
    // Without a proof nothing is bound.
    let tokens = redeem(&house, &code(&house).await, "X: y").await.json();
    assert_eq!(tokens["token_type"], "Bearer");
}

#[tokio::test]
async fn a_nonce_is_told_before_it_is_needed() {
    let house = house().await;
    house.switch("dpop_nonce_required", json!(true)).await;
    let (key, code) = (ClientKey::new(), code(&house).await);
    let asked = redeem(&house, &code, &proof(&house, &key, "POST", "/token", json!({})).await).await;
    assert_eq!((asked.status, &asked.json()["error"]), (400, &json!("use_dpop_nonce")));
    let nonce = asked.header("dpop-nonce").unwrap();
    let with = |nonce: &str| json!({ "nonce": nonce, "jti": nonce });
    let wrong = redeem(&house, &code, &proof(&house, &key, "POST", "/token", with("made-up")).await).await;
    assert_eq!(wrong.json()["error"], "use_dpop_nonce");
    assert_eq!(redeem(&house, &code, &proof(&house, &key, "POST", "/token", with(nonce)).await).await.status, 200);
}
