//! Keys: every algorithm signs what the JWK Set verifies, and rotation breaks nothing that is still alive.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::{
    client::{Client, TokenForm},
    jose::jws::Algorithm,
};
use serde_json::Value;

use crate::{
    browser::Browser,
    house::{House, client},
};

const DAY: i64 = 86_400;

fn bytes(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

async fn jwks(house: &House) -> Vec<Value> {
    let page = Browser::new().get(&format!("{}/jwks", house.issuer)).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "public, max-age=300"));
    page.json()["keys"].as_array().unwrap().clone()
}

fn header(jwt: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap()).unwrap()
}

/// Does this JWK verify this JWS? With the library's own verifiers, not with ours.
fn fits(jwk: &Value, jwt: &str) -> bool {
    let (message, tag) = jwt.rsplit_once('.').unwrap();
    let tag = URL_SAFE_NO_PAD.decode(tag).unwrap();
    let raw = |algorithm: &'static dyn signature::VerificationAlgorithm, key: Vec<u8>| {
        UnparsedPublicKey::new(algorithm, key).verify(message.as_bytes(), &tag).is_ok()
    };
    match jwk["kty"].as_str().unwrap() {
        "EC" => {
            assert_eq!((&jwk["crv"], &jwk["alg"]), (&"P-256".into(), &"ES256".into()));
            raw(&signature::ECDSA_P256_SHA256_FIXED, [vec![4], bytes(&jwk["x"]), bytes(&jwk["y"])].concat())
        }
        "OKP" => {
            assert_eq!((&jwk["crv"], &jwk["alg"]), (&"Ed25519".into(), &"EdDSA".into()));
            raw(&signature::ED25519, bytes(&jwk["x"]))
        }
        _ => {
            assert_eq!((&jwk["kty"], &jwk["alg"]), (&"RSA".into(), &"RS256".into()));
            let key = RsaPublicKeyComponents { n: bytes(&jwk["n"]), e: bytes(&jwk["e"]) };
            assert!(key.n.len() >= 256, "at least 2048 bits");
            key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &tag).is_ok()
        }
    }
}

/// Header and claims of a JWT that the published key it names verifies.
pub(super) async fn verified(house: &House, jwt: &str) -> (Value, Value) {
    let header = header(jwt);
    let keys = jwks(house).await;
    let jwk = keys.iter().find(|jwk| jwk["kid"] == header["kid"]).unwrap_or_else(|| panic!("no key for {header}"));
    assert_eq!((&jwk["use"], &jwk["alg"]), (&"sig".into(), &header["alg"]));
    assert!(fits(jwk, jwt), "{header}");
    (header, crate::house::claims(jwt))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_algorithm_signs_what_the_published_key_verifies() {
    let house = House::new().await;
    assert!(jwks(&house).await.iter().all(|jwk| jwk["kty"] != "RSA"), "an RSA key is made when it is first needed");
    for (id, algorithm) in [("es", Algorithm::Es256), ("ed", Algorithm::EdDsa), ("rs", Algorithm::Rs256)] {
        let app = house.add(Client { id_token_alg: algorithm, ..client(id) }).await;
        let tokens = house.tokens(&app, &[]).await;
        let id_token = tokens["id_token"].as_str().unwrap();
        let (header, _) = verified(&house, id_token).await;
        assert_eq!(header["alg"], algorithm.as_str());
        for jwk in jwks(&house).await {
            assert_eq!(fits(&jwk, id_token), jwk["kid"] == header["kid"], "{}", jwk["kid"]);
            assert!(["d", "p", "q", "k"].iter().all(|private| jwk.get(private).is_none()), "{jwk}");
        }
        let (mut changed, at) = (id_token.to_owned(), id_token.len() - 20);
        changed.replace_range(at..=at, if id_token[at..].starts_with('A') { "B" } else { "A" });
        let jwk = jwks(&house).await.into_iter().find(|jwk| jwk["kid"] == header["kid"]).unwrap();
        assert!(!fits(&jwk, &changed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_are_signed_as_their_api_wants_them() {
    for algorithm in Algorithm::ALL {
        let house = House::with(TokenForm::Jwt(algorithm)).await;
        let tokens = house.tokens(&house.app, &[("scope", "openid read_contacts")]).await;
        let (header, _) = verified(&house, tokens["access_token"].as_str().unwrap()).await;
        assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &algorithm.as_str().into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_is_published_before_it_signs_and_the_old_key_outlives_what_it_signed() {
    let house = House::new().await;
    let first = header(house.tokens(&house.app, &[]).await["id_token"].as_str().unwrap())["kid"].clone();
    house.later(90 * DAY - 1800).await;
    assert_eq!(jwks(&house).await.iter().filter(|jwk| jwk["kty"] == "EC").count(), 2, "published half an hour ahead");
    let old = house.tokens(&house.app, &[("scope", "openid read_contacts")]).await;
    assert_eq!(header(old["id_token"].as_str().unwrap())["kid"], first, "and not used yet");
    house.later(1800 - 300).await;
    let old = house.tokens(&house.app, &[("scope", "openid read_contacts")]).await;
    house.later(310).await;
    let new = house.tokens(&house.app, &[]).await;
    assert_ne!(header(new["id_token"].as_str().unwrap())["kid"], first);
    verified(&house, new["id_token"].as_str().unwrap()).await;
    // What the old key signed goes on being good for as long as it lives.
    verified(&house, old["access_token"].as_str().unwrap()).await;
    assert_eq!(house.introspect(&house.app, old["access_token"].as_str().unwrap()).await["active"], true);
    assert_eq!(house.userinfo(old["access_token"].as_str().unwrap()).await.status, 200);
    house.later(8 * DAY).await;
    assert!(jwks(&house).await.iter().all(|jwk| jwk["kid"] != first), "then it is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_slept_for_a_hundred_days_goes_on() {
    let house = House::new().await;
    let app = house.add(crate::house::public("app")).await;
    let tokens = house.tokens(&app, &[("scope", "openid offline_access")]).await;
    house.later(25 * DAY).await;
    let tokens = house.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.json();
    house.later(100 * DAY).await;
    // The grant was idle for too long; everything new works at once, and still when the new keys take over.
    assert_eq!(house.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.status, 400);
    let before = house.tokens(&app, &[("scope", "openid read_contacts")]).await;
    house.later(120).await;
    let after = house.tokens(&app, &[("scope", "openid read_contacts")]).await;
    for tokens in [&before, &after] {
        verified(&house, tokens["id_token"].as_str().unwrap()).await;
        assert_eq!(house.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
        assert_eq!(house.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.status, 200);
    }
    assert_ne!(header(before["id_token"].as_str().unwrap())["kid"], header(after["id_token"].as_str().unwrap())["kid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_survives_the_daily_change_of_the_sealing_key() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.later(DAY - 600).await;
    let page = browser.get(&house.authorize(&house.app, &[])).await;
    let page = browser.follow(&page).await;
    house.later(700).await;
    let fields = [("username", "alice"), ("password", crate::house::PASSWORD)];
    let page = browser.submit(&page, "/sign-in", &fields).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert_eq!(house.redeem(&house.app, &page.answered("code").unwrap()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_signature_or_algorithm_is_no_token_of_ours() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[("scope", "openid read_contacts")]).await;
    let good = tokens["access_token"].as_str().unwrap();
    let (mut parts, encode) = (good.split('.'), |text: String| URL_SAFE_NO_PAD.encode(text));
    let (head, body, tag) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let kid = header(good)["kid"].clone();
    let mut forged = vec![
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}.{body}.{tag}.{tag}"),
        format!(".{body}.{tag}"),
        format!("{head}..{tag}"),
        format!("{head}.{body}.{}", "A".repeat(tag.len())),
        format!("{head}.{}.{tag}", encode(format!("{{\"iss\":\"{}\"}}", house.issuer))),
        good.to_uppercase(),
        format!("{good}="),
        tokens["id_token"].as_str().unwrap().to_owned(),
    ];
    for alg in ["none", "None", "HS256", "RS256", "EdDSA", "ES384", ""] {
        let head = encode(serde_json::json!({ "alg": alg, "typ": "at+jwt", "kid": kid }).to_string());
        forged.push(format!("{head}.{body}.{tag}"));
        forged.push(format!("{head}.{body}."));
    }
    for extra in [
        serde_json::json!({ "crit": ["b64"], "b64": false }),
        serde_json::json!({ "jwk": {} }),
        serde_json::json!({ "typ": "JWT" }),
    ] {
        let mut head = serde_json::json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
        head.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        forged.push(format!("{}.{body}.{tag}", encode(head.to_string())));
    }
    for token in forged {
        assert_eq!(house.userinfo(&token).await.status, 401, "{token}");
        assert_eq!(house.introspect(&house.app, &token).await, serde_json::json!({ "active": false }), "{token}");
    }
    assert_eq!(house.userinfo(good).await.status, 200);
}
