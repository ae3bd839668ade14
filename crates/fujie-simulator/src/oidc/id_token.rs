//! The id_token (OpenID Connect Core §2): its claims, its signature, and every lie to order.
//!
//! Knows no request and no house: the facts come in, a house may change the claims before they
//! are signed.

use super::config::IdTokenFault;
use super::key_ring::KeyRing;
use crate::clock::Timestamp;
use crate::jws::{self, Algorithm, SigningKey};
use crate::random::NoRandomness;
use serde_json::{Map, Value, json};

/// What the stranger of every lie is called.
pub(crate) const STRANGER: &str = "somebody-else";
/// The issuer of another provider.
pub(crate) const STRANGE_ISSUER: &str = "https://issuer.invalid";
/// How far a wrong time is off.
const WRONG_BY_SECONDS: u64 = 3600;

/// What an id_token is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) nonce: Option<&'a str>,
    /// What it comes with.
    pub(crate) beside: Beside<'a>,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) lifetime_seconds: u64,
    pub(crate) now: Timestamp,
}

/// What an id_token comes with, and binds by a hash (OpenID Connect Core §3.1.3.6 and §3.3.2.11).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beside<'a> {
    AccessToken(&'a str),
    Code(&'a str),
}

impl Subject<'_> {
    /// The claims of an honest token, without those about the person.
    pub(crate) fn claims(&self) -> Map<String, Value> {
        let now = self.now.unix_seconds();
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", json!(self.issuer));
        put("sub", json!(self.sub));
        put("aud", json!(self.client_id));
        put("exp", json!(now + self.lifetime_seconds));
        put("iat", json!(now));
        put("auth_time", json!(self.authenticated_at.unix_seconds()));
        if let Some(nonce) = self.nonce {
            put("nonce", json!(nonce));
        }
        match self.beside {
            Beside::AccessToken(token) => put("at_hash", json!(jws::half_hash(token))),
            Beside::Code(code) => put("c_hash", json!(jws::half_hash(code))),
        };
        claims
    }
}

/// Signs `claims`, honestly or with the fault that was ordered. `None`: the fault is that there is
/// no id_token.
pub(crate) fn write(
    mut claims: Map<String, Value>,
    keys: &KeyRing,
    algorithm: Algorithm,
    fault: Option<IdTokenFault>,
) -> Result<Option<String>, NoRandomness> {
    let Some(fault) = fault else {
        return sign(claims, keys, algorithm).map(Some);
    };
    if fault == IdTokenFault::Absent {
        return Ok(None);
    }
    spoil(&mut claims, fault);
    let key = keys.current(algorithm).ok_or(NoRandomness)?;
    let claims = Value::Object(claims);
    let forged = match fault {
        IdTokenFault::AlgNone => {
            jws::compact(&jws::signing_input(&json!({ "alg": "none", "typ": "JWT" }), &claims), b"")
        }
        IdTokenFault::Hs256PublicKey => {
            let key = keys.current(Algorithm::Rs256).ok_or(NoRandomness)?;
            let input = jws::signing_input(&json!({ "alg": "HS256", "kid": key.kid, "typ": "JWT" }), &claims);
            jws::compact(&input, &jws::hmac_sha256(key.public_pem()?.as_bytes(), input.as_bytes()))
        }
        IdTokenFault::UnknownKid => jws::signed(&SigningKey::generate(algorithm)?, &claims)?,
        IdTokenFault::MissingKid => {
            let input = jws::signing_input(&json!({ "alg": algorithm.name(), "typ": "JWT" }), &claims);
            jws::compact(&input, &key.sign(input.as_bytes())?)
        }
        IdTokenFault::EmbeddedKey => {
            let own = SigningKey::generate(algorithm)?;
            let header = json!({ "alg": algorithm.name(), "kid": own.kid, "jwk": own.jwk(), "typ": "JWT" });
            let input = jws::signing_input(&header, &claims);
            jws::compact(&input, &own.sign(input.as_bytes())?)
        }
        IdTokenFault::BadSignature => {
            let header = json!({ "alg": algorithm.name(), "kid": key.kid, "typ": "JWT" });
            jws::compact(&jws::signing_input(&header, &claims), &key.sign(b"another text")?)
        }
        _ => jws::signed(key, &claims)?,
    };
    Ok(Some(forged))
}

fn sign(claims: Map<String, Value>, keys: &KeyRing, algorithm: Algorithm) -> Result<String, NoRandomness> {
    jws::signed(keys.current(algorithm).ok_or(NoRandomness)?, &Value::Object(claims))
}

/// The faults that lie in a claim.
fn spoil(claims: &mut Map<String, Value>, fault: IdTokenFault) {
    let number = |claims: &Map<String, Value>, name: &str| claims.get(name).and_then(Value::as_u64).unwrap_or_default();
    let issued_at = number(claims, "iat");
    let audience = claims.get("aud").cloned();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match fault {
        IdTokenFault::WrongIss => put("iss", json!(STRANGE_ISSUER)),
        IdTokenFault::WrongAud => put("aud", json!(STRANGER)),
        IdTokenFault::ManyAud => put("aud", json!([audience, STRANGER])),
        IdTokenFault::WrongAzp => put("azp", json!(STRANGER)),
        IdTokenFault::WrongNonce => put("nonce", json!(STRANGER)),
        IdTokenFault::WrongAtHash => put("at_hash", json!(jws::half_hash(STRANGER))),
        IdTokenFault::Expired => {
            put("iat", json!(issued_at.saturating_sub(2 * WRONG_BY_SECONDS)));
            put("exp", json!(issued_at.saturating_sub(WRONG_BY_SECONDS)))
        }
        IdTokenFault::NotYetValid => {
            put("iat", json!(issued_at + WRONG_BY_SECONDS));
            put("exp", json!(issued_at + 2 * WRONG_BY_SECONDS));
            put("nbf", json!(issued_at + WRONG_BY_SECONDS))
        }
        IdTokenFault::MissingNonce => claims.remove("nonce"),
        IdTokenFault::MissingExp => claims.remove("exp"),
        IdTokenFault::MissingSub => claims.remove("sub"),
        IdTokenFault::Absent
        | IdTokenFault::AlgNone
        | IdTokenFault::Hs256PublicKey
        | IdTokenFault::UnknownKid
        | IdTokenFault::MissingKid
        | IdTokenFault::EmbeddedKey
        | IdTokenFault::BadSignature => None,
    };
}

#[cfg(test)]
mod tests {
    use super::{Beside, STRANGER, Subject, write};
    use crate::clock::Clock;
    use crate::jws::{self, Algorithm};
    use crate::oidc::config::IdTokenFault;
    use crate::oidc::key_ring::KeyRing;
    use serde_json::{Value, json};

    /// Header and claims of a token, and whether the published key verifies it.
    fn written(fault: Option<IdTokenFault>, algorithm: Algorithm) -> (Value, Value, bool) {
        let keys = KeyRing::generate().unwrap();
        let now = Clock::default().now();
        let subject = Subject {
            issuer: "http://op",
            client_id: "app",
            sub: "1",
            nonce: Some("n"),
            beside: Beside::AccessToken("t"),
            authenticated_at: now,
            lifetime_seconds: 60,
            now,
        };
        let token = write(subject.claims(), &keys, algorithm, fault).unwrap().unwrap();
        let key = keys.current(algorithm).unwrap();
        let verified = jws::verified(&token, &key.public_pem().unwrap(), &[algorithm]);
        let header = jws::unverified_claims(&format!(".{token}")).unwrap();
        (header, jws::unverified_claims(&token).unwrap(), verified.is_some())
    }

    #[test]
    fn an_honest_token_is_signed_by_a_published_key() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            let (header, claims, is_verified) = written(None, algorithm);
            assert_eq!((header["alg"].as_str(), is_verified), (Some(algorithm.name()), true));
            assert_eq!(
                (&claims["iss"], &claims["aud"], &claims["nonce"]),
                (&json!("http://op"), &json!("app"), &json!("n"))
            );
        }
    }

    #[test]
    fn a_lie_in_a_claim_is_well_signed() {
        for (fault, claim, lie) in [
            (IdTokenFault::WrongAud, "aud", json!(STRANGER)),
            (IdTokenFault::ManyAud, "aud", json!(["app", STRANGER])),
            (IdTokenFault::WrongNonce, "nonce", json!(STRANGER)),
            (IdTokenFault::MissingSub, "sub", Value::Null),
            (IdTokenFault::MissingExp, "exp", Value::Null),
        ] {
            let (_, claims, is_verified) = written(Some(fault), Algorithm::Rs256);
            assert_eq!((claims.get(claim).cloned().unwrap_or_default(), is_verified), (lie, true), "{fault:?}");
        }
    }

    #[test]
    fn a_forged_signature_leaves_the_claims_alone() {
        for (fault, alg) in [
            (IdTokenFault::AlgNone, "none"),
            (IdTokenFault::Hs256PublicKey, "HS256"),
            (IdTokenFault::UnknownKid, "RS256"),
            (IdTokenFault::EmbeddedKey, "RS256"),
            (IdTokenFault::BadSignature, "RS256"),
        ] {
            let (header, claims, is_verified) = written(Some(fault), Algorithm::Rs256);
            assert_eq!((header["alg"].as_str(), claims["sub"].as_str(), is_verified), (Some(alg), Some("1"), false));
        }
    }
}
