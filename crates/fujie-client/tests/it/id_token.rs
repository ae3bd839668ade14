//! ID tokens (OpenID Connect Core 1.0 §3.1.3.7): the good one passes, and every mutant of it is refused for its own
//! cause. The table of attacks is the second half.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_client::{
    Timestamp,
    openid::{
        id_token::{Expected, IdToken, IdTokenError, verify},
        metadata::Issuer,
        signing_key::SigningKey,
    },
};
use fujie_core::jose::{
    jwks::{Jwks, JwsError},
    jws::Algorithm,
    verifying_key::SignatureAlgorithm,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://op.example";
const COMMON: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const TID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const NOW: i64 = 1_790_000_000;

/// An issuer with a key for each algorithm that it may sign with.
struct House {
    keys: Vec<SigningKey>,
    issuer: Issuer,
}

fn house() -> House {
    let key = |(kid, algorithm): (usize, _)| {
        let pkcs8 = SigningKey::generate(algorithm).unwrap();
        SigningKey::from_pkcs8(algorithm, format!("k{kid}"), &pkcs8).unwrap()
    };
    let keys = [Algorithm::Es256, Algorithm::EdDsa].into_iter().enumerate().map(key).collect();
    House { keys, issuer: Issuer::parse(ISSUER).unwrap() }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "248289761001",
        "aud": "shop",
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": "n-0S6",
    })
}

/// The claims with changes; the string "-" takes a member away.
fn with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value.as_str() {
            Some("-") => claims.as_object_mut().unwrap().remove(name),
            _ => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

impl House {
    fn jwks(&self) -> Value {
        json!({"keys": self.keys.iter().map(|key| serde_json::to_value(key.jwk()).unwrap()).collect::<Vec<_>>()})
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: &self.issuer,
            client_id: "shop",
            audiences: &[],
            algorithms: &[SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa],
            nonce: Some("n-0S6"),
            access_token: None,
            code: None,
            max_age: None,
            acr_values: &[],
        }
    }

    fn sign(&self, claims: &Value) -> String {
        self.keys[0].sign("JWT", claims.to_string().as_bytes()).unwrap()
    }

    fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<IdToken, IdTokenError> {
        let jwks = Jwks::parse(self.jwks().to_string().as_bytes()).unwrap();
        verify(token, &jwks, expected, Timestamp::from_millis(NOW * 1000))
    }

    /// The outcome for the usual request when these claims differ.
    fn check(&self, changes: Value) -> Result<IdToken, IdTokenError> {
        self.verify(&self.sign(&with(changes)), &self.expected())
    }
}

#[test]
fn a_good_token_says_who_it_is() {
    let house = house();
    let token = house.check(json!({
        "email": "a@b.example",
        "email_verified": true,
        "auth_time": NOW - 5,
        "acr": "1",
        "azp": "shop",
        "nbf": NOW,
    }));
    let token = token.unwrap();
    assert_eq!((token.issuer.as_str(), token.subject.as_str()), (ISSUER, "248289761001"));
    assert_eq!(token.issued_at, Timestamp::from_millis(NOW * 1000));
    assert_eq!(token.expires_at, Timestamp::from_millis((NOW + 300) * 1000));
    assert_eq!(token.auth_time, Some(Timestamp::from_millis((NOW - 5) * 1000)));
    assert_eq!((token.acr.as_deref(), token.email.as_deref()), (Some("1"), Some("a@b.example")));
    assert!(token.email_verified);
    assert_eq!(token.claims["aud"], "shop");
    assert!(!format!("{token:?}").contains("248289761001") && !format!("{token:?}").contains("a@b"));
}

#[test]
fn an_address_is_verified_when_the_issuer_says_so() {
    let house = house();
    for (value, expected) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!("TRUE"), false),
        (json!(1), false),
        (json!(null), false),
        (json!("-"), false),
    ] {
        assert_eq!(house.check(json!({ "email_verified": value })).unwrap().email_verified, expected, "{value}");
    }
    for email in [json!(1), json!(""), json!("a"), json!("a@b\n"), json!(format!("a@{}", "b".repeat(400)))] {
        assert_eq!(house.check(json!({ "email": email })).unwrap().email, None, "{email:.40}");
    }
}

#[test]
fn who_it_is_from_and_for_must_be_exact() {
    use IdTokenError::{Audience, AudienceUnknown, AuthorizedParty, Issuer, Malformed, Missing};
    let house = house();
    let cases = [
        (json!({"iss": "-"}), Missing("iss")),
        (json!({"iss": null}), Missing("iss")),
        (json!({"iss": [ISSUER]}), Malformed("iss")),
        (json!({"iss": "https://op.example/"}), Issuer),
        (json!({"iss": "https://OP.example"}), Issuer),
        (json!({"iss": "op.example"}), Issuer),
        (json!({"iss": "https://evil.example"}), Issuer),
        (json!({"aud": "-"}), Missing("aud")),
        (json!({"aud": null}), Malformed("aud")),
        (json!({"aud": ""}), Audience),
        (json!({"aud": []}), Audience),
        (json!({"aud": "other"}), Audience),
        (json!({"aud": "shop shop"}), Audience),
        (json!({"aud": ["other"]}), Audience),
        (json!({"aud": {"shop": 1}}), Malformed("aud")),
        (json!({"aud": ["shop", 1]}), Malformed("aud")),
        (json!({"aud": vec!["shop"; 33]}), Malformed("aud")),
        (json!({"aud": ["shop", "other"], "azp": "shop"}), AudienceUnknown),
        (json!({"aud": ["shop", "shop"]}), AuthorizedParty),
        (json!({"azp": "other"}), AuthorizedParty),
        (json!({"azp": ["shop"]}), Malformed("azp")),
    ];
    for (changes, expected) in cases {
        assert_eq!(house.check(changes.clone()).unwrap_err(), expected, "{changes:.80}");
    }
    assert!(house.check(json!({"aud": ["shop"]})).is_ok());
    let several = house.sign(&with(json!({"aud": ["shop", "api"], "azp": "shop"})));
    assert!(house.verify(&several, &Expected { audiences: &["api"], ..house.expected() }).is_ok());
    let unnamed = house.sign(&with(json!({"aud": ["shop", "api"]})));
    let outcome = house.verify(&unnamed, &Expected { audiences: &["api"], ..house.expected() });
    assert_eq!(outcome.unwrap_err(), AuthorizedParty);
}

#[test]
fn a_token_of_one_tenant_is_for_that_tenant() {
    use IdTokenError::{Issuer as WrongIssuer, KeyIssuer, Missing};
    let house = House { issuer: Issuer::parse(COMMON).unwrap(), ..house() };
    let of = |tid: &str| COMMON.replace("{tenantid}", tid);
    let other = "11111111-2222-3333-4444-555555555555";
    assert_eq!(house.check(json!({"iss": of(TID), "tid": TID})).unwrap().issuer, of(TID));
    for changes in [
        json!({"iss": of(TID)}),
        json!({"iss": of(TID), "tid": other}),
        json!({"iss": of(other), "tid": TID}),
        json!({"iss": COMMON, "tid": "{tenantid}"}),
        json!({"iss": of("x"), "tid": "x"}),
        json!({"tid": TID}),
    ] {
        assert_eq!(house.check(changes.clone()).unwrap_err(), WrongIssuer, "{changes}");
    }
    assert_eq!(house.check(json!({"iss": "-", "tid": TID})).unwrap_err(), Missing("iss"));

    // The key itself may be for one tenant.
    let token = house.sign(&with(json!({"iss": of(TID), "tid": TID})));
    let with_issuer = |issuer: &str| {
        let mut set = house.jwks();
        set["keys"][0]["issuer"] = json!(issuer);
        let set = Jwks::parse(set.to_string().as_bytes()).unwrap();
        verify(&token, &set, &house.expected(), Timestamp::from_millis(NOW * 1000)).map(|_| ())
    };
    assert_eq!(with_issuer(COMMON), Ok(()));
    assert_eq!(with_issuer(&of(TID)), Ok(()));
    assert_eq!(with_issuer(&of(other)), Err(KeyIssuer));
    assert_eq!(with_issuer("x"), Err(KeyIssuer));
}

#[test]
fn times_are_numbers_within_a_minute() {
    use IdTokenError::{Expired, Malformed, Missing, NotYetValid};
    let house = house();
    for good in [
        json!({"exp": NOW - 59}),
        json!({"exp": (NOW + 9) as f64 + 0.5}),
        json!({"iat": NOW + 60}),
        json!({"nbf": NOW + 60}),
        json!({"iat": 0}),
    ] {
        assert!(house.check(good.clone()).is_ok(), "{good}");
    }
    let cases = [
        (json!({"exp": "-"}), Missing("exp")),
        (json!({"iat": "-"}), Missing("iat")),
        (json!({"exp": NOW - 60}), Expired),
        (json!({"exp": 0}), Expired),
        (json!({"exp": (NOW - 60) as f64 - 0.5}), Expired),
        (json!({"iat": NOW + 61}), NotYetValid),
        (json!({"nbf": NOW + 61}), NotYetValid),
        (json!({"nbf": (NOW + 60) as f64 + 0.5}), NotYetValid),
    ];
    for (changes, expected) in cases {
        assert_eq!(house.check(changes.clone()).unwrap_err(), expected, "{changes}");
    }
    for name in ["exp", "iat", "nbf", "auth_time"] {
        for value in [json!("1790000300"), json!([NOW]), json!({}), json!(null), json!(true), json!(-1), json!(1e300)] {
            assert_eq!(house.check(json!({ name: value })).unwrap_err(), Malformed(name), "{name} {value}");
        }
    }
    let infinite = house.keys[0].sign("JWT", claims().to_string().replace("1790000300", "1e400").as_bytes()).unwrap();
    assert_eq!(house.verify(&infinite, &house.expected()).unwrap_err(), IdTokenError::NotJson);
}

#[test]
fn a_subject_is_somebody() {
    use IdTokenError::{Malformed, Missing, Subject};
    let house = house();
    let long = "s".repeat(255);
    for good in ["1", "auth0|5f7c8ec7c33c6c004bbafe82", "cn=A B,dc=c", "a@b", long.as_str()] {
        assert_eq!(house.check(json!({ "sub": good })).unwrap().subject, good);
    }
    for bad in ["", "0", "null", "undefined", " ", " a", "a\n", "a\u{0}b", "é", "小明", "s".repeat(256).as_str()] {
        assert_eq!(house.check(json!({ "sub": bad })).unwrap_err(), Subject, "{bad:.20}");
    }
    assert_eq!(house.check(json!({"sub": "-"})).unwrap_err(), Missing("sub"));
    assert_eq!(house.check(json!({"sub": null})).unwrap_err(), Missing("sub"));
    for value in [json!(248_289_761_001_u64), json!(["a"]), json!(true)] {
        assert_eq!(house.check(json!({ "sub": value })).unwrap_err(), Malformed("sub"), "{value}");
    }
}

#[test]
fn a_token_belongs_to_its_sign_in() {
    use IdTokenError::{Malformed, Missing, Nonce};
    let house = house();
    assert_eq!(house.check(json!({"nonce": "-"})).unwrap_err(), Missing("nonce"));
    assert_eq!(house.check(json!({"nonce": null})).unwrap_err(), Missing("nonce"));
    assert_eq!(house.check(json!({"nonce": ["n-0S6"]})).unwrap_err(), Malformed("nonce"));
    for nonce in ["", "n-0S", "n-0S66", "N-0S6", "another sign-in's"] {
        assert_eq!(house.check(json!({ "nonce": nonce })).unwrap_err(), Nonce, "{nonce}");
    }
    let unasked = house.sign(&with(json!({"nonce": "-"})));
    assert!(house.verify(&unasked, &Expected { nonce: None, ..house.expected() }).is_ok());
}

#[test]
fn the_hashes_bind_what_came_with_it() {
    use IdTokenError::{AccessTokenHash, CodeHash, Malformed};
    let house = house();
    // OpenID Connect Core 1.0 appendix A.4 and A.3 have these values and hashes.
    let (access_token, at_hash) = ("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "77QmUPtjPfzWtF2AnpK9RQ");
    let (code, c_hash) = ("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "LDktKdoQak3Pk0cnXxCltA");
    let expected = Expected { access_token: Some(access_token), code: Some(code), ..house.expected() };
    let check = |changes: Value| house.verify(&house.sign(&with(changes)), &expected).map(|_| ());
    assert_eq!(check(json!({"at_hash": at_hash, "c_hash": c_hash})), Ok(()));
    assert_eq!(check(json!({})), Ok(()), "both may be absent");
    assert_eq!(check(json!({"at_hash": c_hash})), Err(AccessTokenHash));
    assert_eq!(check(json!({"at_hash": ""})), Err(AccessTokenHash));
    assert_eq!(check(json!({"at_hash": 1})), Err(Malformed("at_hash")));
    assert_eq!(check(json!({"c_hash": at_hash})), Err(CodeHash));
    // Ed25519 hashes with SHA-512, so the same text has another hash.
    let signed = |hash: &str| house.keys[1].sign("JWT", with(json!({"at_hash": hash})).to_string().as_bytes()).unwrap();
    assert_eq!(house.verify(&signed(at_hash), &expected).unwrap_err(), AccessTokenHash);
    let own = SignatureAlgorithm::EdDsa.left_half(access_token);
    assert!(own.len() == 43 && house.verify(&signed(&own), &expected).is_ok());
}

#[test]
fn a_sign_in_must_be_as_fresh_and_as_strong_as_was_asked() {
    use IdTokenError::{Acr, AuthTime, Missing};
    let house = house();
    let fresh = Expected { max_age: Some(Duration::from_secs(100)), ..house.expected() };
    let check =
        |changes: Value, expected: &Expected<'_>| house.verify(&house.sign(&with(changes)), expected).map(|_| ());
    assert_eq!(check(json!({"auth_time": NOW - 160}), &fresh), Ok(()));
    assert_eq!(check(json!({"auth_time": NOW - 161}), &fresh), Err(AuthTime));
    assert_eq!(check(json!({"auth_time": NOW + 61}), &fresh), Err(AuthTime));
    assert_eq!(check(json!({}), &fresh), Err(Missing("auth_time")));
    let strong = Expected { acr_values: &["urn:mfa", "urn:key"], ..house.expected() };
    assert_eq!(check(json!({"acr": "urn:key"}), &strong), Ok(()));
    assert_eq!(check(json!({"acr": "0"}), &strong), Err(Acr));
    assert_eq!(check(json!({}), &strong), Err(Acr));
}

#[test]
fn another_kind_of_token_is_no_id_token() {
    let house = house();
    let sign = |typ: &str| house.keys[0].sign(typ, claims().to_string().as_bytes()).unwrap();
    assert!(house.verify(&sign("jwt"), &house.expected()).is_ok());
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "application/at+jwt", "JWTs", ""] {
        assert_eq!(house.verify(&sign(typ), &house.expected()).unwrap_err(), IdTokenError::Typ, "{typ}");
    }
}

/// The token with another header and the signature that an attacker can make.
fn under(header: Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[test]
fn what_an_attacker_can_sign_is_refused() {
    use JwsError::{AlgorithmNotAllowed, AlgorithmUnsupported, Critical, KeyUnknown, Malformed, SignatureInvalid};
    use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
    let house = house();
    let thief = Ed25519KeyPair::generate().unwrap();
    let by_thief = |message: &[u8]| thief.sign(message).as_ref().to_vec();
    let public = house.jwks()["keys"][0].to_string();
    let by_public =
        |message: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), message).as_ref().to_vec();
    let nobody = |_: &[u8]| Vec::new();
    let thief_jwk = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encode(aws_lc_rs::signature::KeyPair::public_key(&thief).as_ref()),
    });
    let cases = [
        ("no signature at all", under(json!({"alg": "none"}), &claims(), nobody), AlgorithmUnsupported),
        (
            "none, with a key's name",
            under(json!({"alg": "nOnE", "kid": "k0"}), &claims(), nobody),
            AlgorithmUnsupported,
        ),
        ("none with a signature", under(json!({"alg": "none"}), &claims(), by_thief), AlgorithmUnsupported),
        ("an empty signature", under(json!({"alg": "ES256", "kid": "k0"}), &claims(), nobody), SignatureInvalid),
        (
            "the public key as secret",
            under(json!({"alg": "HS256", "kid": "k0"}), &claims(), by_public),
            AlgorithmUnsupported,
        ),
        (
            "a key's name and another key",
            under(json!({"alg": "EdDSA", "kid": "k1"}), &claims(), by_thief),
            SignatureInvalid,
        ),
        ("a name that nobody has", under(json!({"alg": "EdDSA", "kid": "k7"}), &claims(), by_thief), KeyUnknown),
        ("no name and another key", under(json!({"alg": "EdDSA"}), &claims(), by_thief), KeyUnknown),
        ("a key of another kind", under(json!({"alg": "EdDSA", "kid": "k0"}), &claims(), by_thief), KeyUnknown),
        ("its own key in jwk", under(json!({"alg": "EdDSA", "jwk": thief_jwk}), &claims(), by_thief), KeyUnknown),
        (
            "its own key at jku",
            under(json!({"alg": "EdDSA", "kid": "k1", "jku": "https://evil.example/jwks"}), &claims(), by_thief),
            SignatureInvalid,
        ),
        ("an extension", under(json!({"alg": "EdDSA", "crit": ["x"], "x": 1}), &claims(), by_thief), Critical),
        (
            "an algorithm not agreed on",
            under(json!({"alg": "RS256", "kid": "k0"}), &claims(), nobody),
            AlgorithmNotAllowed,
        ),
        ("five parts", "a.b.c.d.e".to_owned(), Malformed),
        ("nothing", String::new(), Malformed),
    ];
    for (what, token, expected) in cases {
        assert_eq!(house.verify(&token, &house.expected()).unwrap_err(), IdTokenError::Jws(expected), "{what}");
    }
}

#[test]
fn a_claim_cannot_be_changed_or_said_twice() {
    let house = house();
    let token = house.sign(&claims());
    let (header, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let changed = format!("{header}.{}.{signature}", encode(with(json!({"sub": "1"})).to_string()));
    let outcome = house.verify(&changed, &house.expected());
    assert_eq!(outcome.unwrap_err(), IdTokenError::Jws(JwsError::SignatureInvalid));
    let twice = claims().to_string().replace("{", r#"{"sub":"1","#);
    let twice = house.keys[0].sign("JWT", twice.as_bytes()).unwrap();
    assert_eq!(house.verify(&twice, &house.expected()).unwrap_err(), IdTokenError::NotJson);
    for payload in ["", "[]", "null", "{", "{}{}"] {
        let token = house.keys[0].sign("JWT", payload.as_bytes()).unwrap();
        assert_eq!(house.verify(&token, &house.expected()).unwrap_err(), IdTokenError::NotJson, "{payload}");
    }
}

#[test]
fn only_an_unknown_key_is_a_reason_to_fetch_the_keys_again() {
    let house = house();
    let other = self::house();
    let token = |house: &House| house.sign(&claims());
    assert_eq!(
        house.verify(&token(&other), &house.expected()).unwrap_err(),
        IdTokenError::Jws(JwsError::SignatureInvalid)
    );
    assert!(!IdTokenError::Jws(JwsError::SignatureInvalid).keys_may_be_old());
    let fewer = Jwks::parse(json!({"keys": [house.jwks()["keys"][1]]}).to_string().as_bytes()).unwrap();
    let outcome = verify(&token(&house), &fewer, &house.expected(), Timestamp::from_millis(NOW * 1000));
    assert!(outcome.unwrap_err().keys_may_be_old());
}
