//! ID tokens (OpenID Connect Core 1.0 §2): header, every claim, and the hash that binds the access token.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::jose::jws::Algorithm;
use serde_json::{Value, json};

use crate::house::{House, ISSUER, START, house, house_where};

fn tokens(house: &House, scope: &str, nonce: &str) -> (String, Value, Value) {
    let (_, response) = house.redeemed("shop", &[("scope", scope), ("nonce", nonce)]);
    let (header, claims) = house.jwt(response["id_token"].as_str().unwrap());
    (response["access_token"].as_str().unwrap().to_owned(), header, claims)
}

/// The left half of `hash` over the access token, computed here a second time.
fn half(hash: &'static digest::Algorithm, access_token: &str) -> String {
    let full = digest::digest(hash, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&full.as_ref()[..hash.output_len() / 2])
}

#[test]
fn an_id_token_says_exactly_this() {
    let house = house();
    let (access_token, header, claims) = tokens(&house, "openid profile read", "n-0S6");
    let kid = house.ring.signer(Algorithm::Es256, START).unwrap().kid().to_owned();
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": kid}));
    let expected = json!({
        "iss": ISSUER,
        "sub": house.account().id.to_string(),
        "aud": "shop",
        "exp": START.seconds() + 3600,
        "iat": START.seconds(),
        "auth_time": START.seconds() - 100,
        "nonce": "n-0S6",
        "amr": ["pwd", "mfa"],
        "at_hash": half(&digest::SHA256, &access_token),
        "name": "小明",
        "nickname": "小明",
        "preferred_username": "xiaoming",
        "picture": "https://pictures.example/1",
    });
    assert_eq!(claims, expected);
}

#[test]
fn without_profile_and_nonce_it_says_less() {
    let (_, _, claims) = tokens(&house(), "openid", "");
    let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "sub"]);
}

#[test]
fn a_client_may_choose_the_algorithm_and_the_hash_follows() {
    let cases =
        [(Algorithm::Es256, &digest::SHA256), (Algorithm::Rs256, &digest::SHA256), (Algorithm::EdDsa, &digest::SHA512)];
    for (algorithm, hash) in cases {
        let house = house_where(|client| client.id_token_alg = algorithm);
        let (access_token, header, claims) = tokens(&house, "openid", "n");
        assert_eq!(header["alg"], algorithm.as_str());
        assert_eq!(claims["at_hash"], half(hash, &access_token));
    }
}

#[test]
fn a_nonce_comes_back_as_it_was_sent() {
    let house = house();
    let long = "n".repeat(512);
    for nonce in ["n", "小 \"\\ </script> 🌟", long.as_str()] {
        assert_eq!(tokens(&house, "openid", nonce).2["nonce"], nonce);
    }
}

#[test]
fn without_a_key_nothing_is_released() {
    let mut house = house();
    let issued = house.issue("shop", &[]);
    let keys: Vec<_> = crate::house::stored()
        .iter()
        .filter(|key| key.facts.key_use != fujie_core::key::KeyUse::Es256)
        .cloned()
        .collect();
    let fujie_core::grant::authorization_code::Decision::Redeem { draft, .. } = house.redeem("shop", &issued, &[])
    else {
        panic!("not redeemed")
    };
    house.ring =
        fujie_core::token::key_ring::KeyRing::load(&keys, &crate::house::master(), crate::house::realm()).unwrap();
    let proof = fujie_core::grant::CodeRedeemed::assertion(draft.id());
    assert!(draft.release(proof, &house.ring, &mut house.random()).is_err());
}
