//! Other people's keys and signatures (RFC 7515, 7517, 7638, 8037): the examples of the standards are read as they
//! stand there, and what a forger would try is refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::jose::{
    json,
    jwk::Jwk,
    jwks::{Compact, JWS_LENGTH_MAX, Jwks, JwksError, JwsError},
    jws::{Algorithm, SigningKey},
    verifying_key::{JwkError, SignatureAlgorithm, VerifyingKey},
};
use serde_json::{Value, json};

/// RFC 7515 appendix A.2.
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2l\
                     ZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WT\
                     BEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9\
                     1kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5juj\
                             Gbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7\
                             K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np\
                             6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// RFC 7515 appendices A.2 and A.3.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
/// RFC 7515 appendix A.3.
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const P256_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// RFC 8037 appendix A.
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ED25519_SIGNATURE: &str =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
/// RFC 7638 §3.1.
const THUMBPRINT_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR\
                            XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAt\
                            aSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPk\
                            sINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
/// Signatures made by Python's `cryptography`: for each algorithm a JWS of its key over `{"sub":"x"}`.
const FOREIGN: &str = include_str!("jose.json");

const ALL: [SignatureAlgorithm; 9] = SignatureAlgorithm::ALL;

fn key(jwk: &Value) -> Result<VerifyingKey, JwkError> {
    VerifyingKey::from_jwk(jwk.as_object().unwrap())
}

fn jwks(keys: &[Value]) -> Jwks {
    Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn rsa() -> Value {
    json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"})
}

fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": P256_X, "y": P256_Y})
}

fn ed25519() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X})
}

/// `jwk` with `changes` in it; null takes a member away.
fn with(mut jwk: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => jwk.as_object_mut().unwrap().remove(name),
            value => jwk.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    jwk
}

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn signer(algorithm: Algorithm, kid: &str) -> SigningKey {
    SigningKey::from_pkcs8(algorithm, kid.to_owned(), &SigningKey::generate(algorithm).unwrap()).unwrap()
}

fn public(signer: &SigningKey) -> Value {
    serde_json::to_value(signer.jwk()).unwrap()
}

fn verified(keys: &[Value], jws: &str, allowed: &[SignatureAlgorithm]) -> Result<Vec<u8>, JwsError> {
    let jwks = jwks(keys);
    jwks.verify(Compact::read(jws)?, allowed).map(|(payload, _)| payload)
}

#[test]
fn the_examples_of_the_standards_are_verified() {
    let cases = [
        (rsa(), "RS256", JOE, RSA_SIGNATURE),
        (p256(), "ES256", JOE, P256_SIGNATURE),
        (ed25519(), "EdDSA", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", ED25519_SIGNATURE),
    ];
    for (jwk, alg, payload, signature) in cases {
        let header = encode(format!(r#"{{"alg":"{alg}"}}"#));
        let payload_read = verified(&[jwk], &format!("{header}.{payload}.{signature}"), &ALL).unwrap();
        assert_eq!(encode(payload_read), payload, "{alg}");
    }
}

#[test]
fn signatures_that_somebody_else_made_are_verified() {
    let foreign: Value = serde_json::from_str(FOREIGN).unwrap();
    let keys = [foreign["rsa"].clone(), foreign["p384"].clone(), p256()];
    for (alg, jws) in foreign["tokens"].as_object().unwrap() {
        let (own, jws) = (SignatureAlgorithm::parse(alg).unwrap(), jws.as_str().unwrap());
        assert_eq!(verified(&keys, jws, &[own]).unwrap(), br#"{"sub":"x"}"#, "{alg}");
        for other in ALL.into_iter().filter(|other| *other != own) {
            assert_eq!(verified(&keys, jws, &[other]), Err(JwsError::AlgorithmNotAllowed), "{alg}");
            // The same signature under another name.
            let renamed =
                format!("{}.{}", encode(json!({"alg": other.as_str()}).to_string()), jws.split_once('.').unwrap().1);
            assert!(verified(&keys, &renamed, &ALL).is_err(), "{alg} as {}", other.as_str());
        }
    }
    assert_eq!(foreign["tokens"].as_object().unwrap().len(), 6);
}

#[test]
fn thumbprints_are_those_of_the_standards() {
    let example = json!({"kty": "RSA", "n": THUMBPRINT_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    assert_eq!(key(&example).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key(&ed25519()).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let decode = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
    assert_eq!(Jwk::ed25519("any", &decode(ED25519_X)).thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    for algorithm in Algorithm::ALL {
        let own = signer(algorithm, "k");
        assert_eq!(own.jwk().thumbprint(), key(&public(&own)).unwrap().thumbprint(), "{}", algorithm.as_str());
    }
}

#[test]
fn a_key_in_the_header_is_the_public_one_without_a_name() {
    for algorithm in Algorithm::ALL {
        let own = signer(algorithm, "k");
        let jws = own.sign_with_jwk("dpop+jwt", b"{}").unwrap();
        let jws = Compact::read(&jws).unwrap();
        assert!(jws.is_typ("DPoP+JWT") && jws.header("kid").is_none());
        let jwk = jws.header("jwk").unwrap().clone();
        assert_eq!(jwk.get("kid"), None);
        assert_eq!(jws.verify(&key(&jwk).unwrap(), &ALL).unwrap(), b"{}");
    }
}

#[test]
fn a_key_must_agree_with_itself() {
    use JwkError::{AlgorithmMismatch, Malformed, NotForSignatures, NotOnCurve, Private, RsaSize, Unsupported};
    let short = encode([&[0x80_u8][..], &[1; 127]].concat());
    let zero_first = encode([vec![0], URL_SAFE_NO_PAD.decode(RSA_N).unwrap()].concat());
    let vast = encode([0xff_u8; 1025]);
    let cases = [
        (rsa(), json!({"kty": null}), Malformed("kty")),
        (rsa(), json!({"kty": "EC"}), Unsupported),
        (rsa(), json!({"kty": "rsa"}), Unsupported),
        (json!({"kty": "oct"}), json!({}), Unsupported),
        (json!({"kty": "oct", "k": "AAAA"}), json!({}), Private),
        (rsa(), json!({"d": "AQAB"}), Private),
        (p256(), json!({"d": P256_X}), Private),
        (rsa(), json!({"use": "enc"}), NotForSignatures),
        (rsa(), json!({"use": 1}), NotForSignatures),
        (rsa(), json!({"key_ops": ["sign"]}), NotForSignatures),
        (rsa(), json!({"key_ops": "verify"}), NotForSignatures),
        (rsa(), json!({"alg": "ES256"}), AlgorithmMismatch),
        (rsa(), json!({"alg": "HS256"}), AlgorithmMismatch),
        (rsa(), json!({"alg": "none"}), AlgorithmMismatch),
        (rsa(), json!({"alg": "RSA-OAEP"}), AlgorithmMismatch),
        (rsa(), json!({"alg": 1}), Malformed("alg")),
        (rsa(), json!({"kid": 7}), Malformed("kid")),
        (rsa(), json!({"n": null}), Malformed("n")),
        (rsa(), json!({"n": format!("{RSA_N}=")}), Malformed("n")),
        (rsa(), json!({"n": short}), RsaSize),
        (rsa(), json!({"n": zero_first}), RsaSize),
        (rsa(), json!({"n": vast}), RsaSize),
        (rsa(), json!({"n": ""}), RsaSize),
        (rsa(), json!({"n": "A".repeat(4096)}), Malformed("n")),
        (rsa(), json!({"e": "AQ"}), RsaSize),
        (rsa(), json!({"e": "AA"}), RsaSize),
        (rsa(), json!({"e": "Ag"}), RsaSize),
        (rsa(), json!({"e": "AAEAAQ"}), RsaSize),
        (rsa(), json!({"e": encode([1_u8; 9])}), RsaSize),
        (p256(), json!({"crv": "P-384"}), Malformed("x")),
        (p256(), json!({"crv": "secp256k1"}), Unsupported),
        (p256(), json!({"alg": "ES384"}), AlgorithmMismatch),
        (p256(), json!({"y": null}), Malformed("y")),
        (p256(), json!({"x": encode([1_u8; 33])}), Malformed("x")),
        (p256(), json!({"y": P256_X}), NotOnCurve),
        (p256(), json!({"x": encode([0_u8; 32]), "y": encode([0_u8; 32])}), NotOnCurve),
        (ed25519(), json!({"crv": "X25519"}), Unsupported),
        (ed25519(), json!({"kty": "EC"}), Unsupported),
        (ed25519(), json!({"x": encode([1_u8; 31])}), Malformed("x")),
    ];
    for (jwk, changes, expected) in cases {
        assert_eq!(key(&with(jwk, changes.clone())).unwrap_err(), expected, "{changes}");
    }
    for changes in
        [json!({}), json!({"use": "sig"}), json!({"key_ops": ["verify"]}), json!({"alg": "PS512"}), json!({"x5c": []})]
    {
        assert!(key(&with(rsa(), changes)).is_ok());
    }
    assert!(key(&with(ed25519(), json!({"alg": "Ed25519"}))).is_ok());
}

#[test]
fn a_key_with_an_alg_serves_that_alone() {
    let own = key(&with(rsa(), json!({"alg": "RS256"}))).unwrap();
    assert_eq!(ALL.into_iter().filter(|alg| own.fits(*alg)).collect::<Vec<_>>(), [SignatureAlgorithm::Rs256]);
    assert_eq!(ALL.into_iter().filter(|alg| key(&rsa()).unwrap().fits(*alg)).count(), 6);
    assert_eq!(ALL.into_iter().filter(|alg| key(&p256()).unwrap().fits(*alg)).count(), 1);
}

#[test]
fn a_set_leaves_out_what_it_cannot_use_and_has_an_end() {
    let set = jwks(&[json!({"kty": "oct", "k": "AA"}), rsa(), json!({"kty": "EC", "crv": "P-521"}), json!({})]);
    assert_eq!(set.keys().len(), 1);
    assert_eq!(jwks(&vec![p256(); 100]).keys().len(), 100);
    let refused = |text: &str| Jwks::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused(&json!({"keys": vec![p256(); 101]}).to_string()), JwksError::TooLarge);
    assert_eq!(refused(&format!(r#"{{"keys":[]}}{}"#, " ".repeat(64 * 1024))), JwksError::TooLarge);
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#,
    ] {
        assert_eq!(refused(text), JwksError::Malformed, "{text}");
    }
}

#[test]
fn a_token_is_verified_by_the_key_it_names_or_by_any_that_fits() {
    let (one, two) = (signer(Algorithm::Es256, "one"), signer(Algorithm::Es256, "two"));
    let nameless = signer(Algorithm::Es256, "");
    let as_two = with(public(&one), json!({"kid": "two"}));
    let (by_one, by_nameless) = (one.sign("JWT", b"{}").unwrap(), nameless.sign("JWT", b"{}").unwrap());
    let check = |keys: &[Value], jws: &str| verified(keys, jws, &ALL).map(|_| ());
    assert_eq!(check(&[public(&two), public(&one)], &by_one), Ok(()));
    assert_eq!(check(&[public(&two)], &by_one), Err(JwsError::KeyUnknown));
    assert_eq!(
        check(std::slice::from_ref(&as_two), &by_one),
        Err(JwsError::KeyUnknown),
        "the right key by another name"
    );
    assert_eq!(check(&[as_two, public(&two)], &two.sign("JWT", b"{}").unwrap()), Ok(()), "two keys share a kid");
    let forged = with(public(&two), json!({"kid": "one"}));
    assert_eq!(check(&[forged], &by_one), Err(JwsError::SignatureInvalid));
    assert_eq!(check(&[public(&two), public(&nameless)], &by_nameless), Ok(()), "no kid, and two fit");
    assert_eq!(check(&[public(&two)], &by_nameless), Err(JwsError::KeyUnknown), "no kid: the set may be old");
    assert_eq!(check(&[], &by_one), Err(JwsError::KeyUnknown));
}

/// A JWS of `own` whose header is this text, with a right signature: only the header is at fault.
fn under(own: &aws_lc_rs::signature::Ed25519KeyPair, header: &str) -> String {
    let message = format!("{}.{}", encode(header), encode("{}"));
    format!("{message}.{}", encode(own.sign(message.as_bytes())))
}

#[test]
fn what_a_forger_would_write_into_the_header_is_refused() {
    use JwsError::{AlgorithmUnsupported, Critical, Malformed};
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    let own = Ed25519KeyPair::generate().unwrap();
    let keys = [json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": encode(own.public_key().as_ref())})];
    let check = |header: &str| verified(&keys, &under(&own, header), &ALL).map(|_| ());
    for header in [
        r#"{"alg":"EdDSA","kid":"k"}"#,
        r#"{"alg":"Ed25519"}"#,
        r#"{"alg":"EdDSA","jku":"https://evil.example","x5u":"https://evil.example","zip":"DEF"}"#,
    ] {
        assert_eq!(check(header), Ok(()), "{header}");
    }
    let cases = [
        (r#"{"alg":"none"}"#, AlgorithmUnsupported),
        (r#"{"alg":"None"}"#, AlgorithmUnsupported),
        (r#"{"alg":"nOnE"}"#, AlgorithmUnsupported),
        (r#"{"alg":""}"#, AlgorithmUnsupported),
        (r#"{"alg":"HS256"}"#, AlgorithmUnsupported),
        (r#"{"alg":"HS512"}"#, AlgorithmUnsupported),
        (r#"{"alg":"eddsa"}"#, AlgorithmUnsupported),
        (r#"{"alg":"ES256K"}"#, AlgorithmUnsupported),
        (r#"{"alg":"RSA1_5"}"#, AlgorithmUnsupported),
        (r#"{}"#, Malformed),
        (r#"{"alg":["EdDSA"]}"#, Malformed),
        (r#"{"alg":"EdDSA","kid":1}"#, Malformed),
        (r#"{"alg":"EdDSA","typ":{}}"#, Malformed),
        (r#"{"alg":"EdDSA","alg":"EdDSA"}"#, Malformed),
        (r#"{"alg":"none","alg":"EdDSA"}"#, Malformed),
        (r#"{"alg":"EdDSA","x":{"y":1,"y":2}}"#, Malformed),
        (r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, Critical),
        (r#"{"alg":"EdDSA","b64":true}"#, Critical),
        (r#"{"alg":"EdDSA","crit":[]}"#, Critical),
        (r#"{"alg":"EdDSA","crit":null}"#, Critical),
        (r#"["EdDSA"]"#, Malformed),
        ("", Malformed),
    ];
    for (header, expected) in cases {
        assert_eq!(check(header), Err(expected), "{header}");
    }
}

#[test]
fn the_public_key_is_no_secret_to_sign_with() {
    use aws_lc_rs::hmac;
    for jwk in [rsa(), p256(), ed25519()] {
        let text = jwk.to_string();
        let message = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode("{}"));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()), message.as_bytes());
        let forged = format!("{message}.{}", encode(tag.as_ref()));
        assert_eq!(verified(&[jwk], &forged, &ALL), Err(JwsError::AlgorithmUnsupported));
    }
}

#[test]
fn a_key_that_the_token_brings_itself_is_not_believed() {
    let (issuer, thief) = (signer(Algorithm::Es256, "k"), signer(Algorithm::Es256, "k"));
    let jws = thief.sign_with_jwk("JWT", b"{}").unwrap();
    assert_eq!(verified(&[public(&issuer)], &jws, &ALL), Err(JwsError::KeyUnknown));
    assert_eq!(verified(&[], &jws, &ALL), Err(JwsError::KeyUnknown));
}

#[test]
fn a_signature_is_spelled_in_one_way_and_every_bit_of_it_counts() {
    for algorithm in Algorithm::ALL {
        let own = signer(algorithm, "k");
        let jws = own.sign("JWT", br#"{"sub":"x"}"#).unwrap();
        let (message, signature) = jws.rsplit_once('.').unwrap();
        let check = |signature: &str| verified(&[public(&own)], &format!("{message}.{signature}"), &ALL).map(|_| ());
        assert_eq!(check(signature), Ok(()));
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        for position in (0..bytes.len()).step_by(if bytes.len() > 64 { 16 } else { 1 }) {
            let mut forged = bytes.clone();
            forged[position] ^= 1;
            assert_eq!(check(&encode(forged)), Err(JwsError::SignatureInvalid), "byte {position}");
        }
        for forged in [vec![], vec![0; bytes.len()], [bytes.as_slice(), &[0]].concat(), bytes[1..].to_vec()] {
            assert_eq!(check(&encode(forged)), Err(JwsError::SignatureInvalid));
        }
        for spelling in
            [format!("{signature}="), format!("{signature} "), format!("{signature}\n"), format!("{signature}+")]
        {
            assert_eq!(check(&spelling), Err(JwsError::Malformed));
        }
    }
}

#[test]
fn a_text_that_is_no_jws_costs_nothing() {
    let long = format!("{}.{}.x", encode(r#"{"alg":"EdDSA"}"#), "A".repeat(JWS_LENGTH_MAX));
    let cases = [
        ("", JwsError::Malformed),
        ("a.b", JwsError::Malformed),
        ("a.b.c", JwsError::Malformed),
        ("..", JwsError::Malformed),
        ("a.b.c.d.e", JwsError::Malformed),
        (&".".repeat(10_000), JwsError::Malformed),
        (&long, JwsError::TooLarge),
    ];
    for (text, expected) in cases {
        assert_eq!(Compact::read(text).unwrap_err(), expected, "{text:.20}");
    }
}

#[test]
fn a_member_comes_once_and_a_number_is_a_number() {
    for text in
        [r#"{"a":1,"a":1}"#, r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":1e400}"#, "{} {}", "[]", "1", "{\"a\":\"\u{0}\"}"]
    {
        assert_eq!(json::object(text.as_bytes()), None, "{text}");
    }
    assert_eq!(json::object(b"{\"a\":\"\xff\"}"), None);
    assert_eq!(json::object(format!("{{\"a\":{}", "[".repeat(100_000)).as_bytes()), None);
    let text = r#"{"a":[null,true,-1,1.5,18446744073709551615,"\u4e2d",{"a":{}}]}"#;
    let expected: Value = serde_json::from_str(text).unwrap();
    assert_eq!(json::object(text.as_bytes()).map(Value::Object), Some(expected));
}
