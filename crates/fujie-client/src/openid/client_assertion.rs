//! A client that proves itself by signing (RFC 7523 §2.2, OpenID Connect Core 1.0 §9 `private_key_jwt`), and Apple's
//! client secret, which is a signed assertion in the place of a secret.
//!
//! Deliberately not here: `client_secret_jwt`, which gives a shared secret a second use, and the `x5t` header that
//! Microsoft wants beside a certificate.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::jose::jws::{Algorithm, KeyRejected};
use serde::Serialize;

use super::signing_key::SigningKey;
use crate::secret::Secret;
use fujie_core::random::Random;
use fujie_core::time::Timestamp;

/// `client_assertion_type` (RFC 7523 §2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion is good: it is made for one request.
const LIFETIME: Duration = Duration::from_secs(60);
/// Whom Apple's client secret is for.
const APPLE: &str = "https://appleid.apple.com";
/// Apple refuses a client secret that lives longer: six months, in their count of seconds.
pub const APPLE_LIFETIME_MAX: Duration = Duration::from_secs(15_777_000);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    iat: i64,
    exp: i64,
}

/// An assertion that `client_id` is us, for one request to the authorization server `audience`: its issuer, as one
/// string. A token endpoint that a hostile server named would carry our assertion to another one, so it is only right
/// where a provider insists on it.
///
/// # Errors
/// [`KeyRejected`] when the library refuses to sign.
pub fn client_assertion(
    key: &SigningKey,
    client_id: &str,
    audience: &str,
    random: &mut dyn Random,
    now: Timestamp,
) -> Result<Secret, KeyRejected> {
    let jti = Some(unique(random));
    let (iat, exp) = (seconds(now), seconds(now + LIFETIME));
    sign(key, &Claims { iss: client_id, sub: client_id, aud: audience, jti, iat, exp })
}

/// The parameters that carry an assertion. `client_id` may stand beside them.
pub fn parameters(assertion: &Secret) -> [(&'static str, &str); 2] {
    [("client_assertion_type", CLIENT_ASSERTION_TYPE), ("client_assertion", assertion.expose())]
}

/// Why Apple's client secret cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppleError {
    /// Apple's keys are P-256 and have an id.
    #[error("Apple's key must be P-256 with its key id as kid")]
    Key,
    /// Longer than Apple allows.
    #[error("Apple's client secret may live for 15777000 seconds at most")]
    Lifetime,
    /// The library refuses to sign.
    #[error(transparent)]
    Rejected(#[from] KeyRejected),
}

/// Apple's client secret: sent as `client_secret`, as if it were one. `team_id` is the developer team, `client_id` the
/// services id, and `key` the team's key with its key id as `kid`. It may be kept for `lifetime`; a short one made for
/// each request does as well.
///
/// # Errors
/// [`AppleError`], by cause.
pub fn apple_client_secret(
    key: &SigningKey,
    team_id: &str,
    client_id: &str,
    lifetime: Duration,
    now: Timestamp,
) -> Result<Secret, AppleError> {
    if key.algorithm() != Algorithm::Es256 || key.kid().is_empty() {
        return Err(AppleError::Key);
    }
    if lifetime > APPLE_LIFETIME_MAX {
        return Err(AppleError::Lifetime);
    }
    let (iat, exp) = (seconds(now), seconds(now + lifetime));
    Ok(sign(key, &Claims { iss: team_id, sub: client_id, aud: APPLE, jti: None, iat, exp })?)
}

fn sign(key: &SigningKey, claims: &Claims<'_>) -> Result<Secret, KeyRejected> {
    key.sign("JWT", &serde_json::to_vec(claims).or(Err(KeyRejected))?).map(Secret::new)
}

/// 128 random bits: no two assertions are the same.
pub(super) fn unique(random: &mut dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whole seconds, rounded down.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use fujie_core::jose::{jwks::Compact, verifying_key::SignatureAlgorithm, verifying_key::VerifyingKey};
    use serde_json::{Value, json};

    use super::super::signing_key::{read, tests::pem};
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_999);

    fn key(algorithm: Algorithm, kid: &str) -> SigningKey {
        read(&pem(algorithm), kid).unwrap()
    }

    /// Header and claims of what `key` really signed.
    fn opened(key: &SigningKey, assertion: &Secret) -> (Value, Value) {
        let jwk = serde_json::to_value(key.jwk()).unwrap();
        let public = VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap();
        let jws = Compact::read(assertion.expose()).unwrap();
        let header = ["alg", "typ", "kid"].map(|name| jws.header(name).cloned().unwrap_or_default());
        let payload = jws.verify(&public, &SignatureAlgorithm::ALL).unwrap();
        (json!(header), serde_json::from_slice(&payload).unwrap())
    }

    #[test]
    fn an_assertion_names_the_client_twice_and_the_issuer_alone() {
        for algorithm in Algorithm::ALL {
            let key = key(algorithm, "k\"1");
            let mut random = |bytes: &mut [u8]| bytes.fill(7);
            let assertion = client_assertion(&key, "shop", "https://op.example", &mut random, NOW).unwrap();
            let (header, claims) = opened(&key, &assertion);
            assert_eq!(header, json!([algorithm.as_str(), "JWT", "k\"1"]));
            assert_eq!(
                claims,
                json!({
                    "iss": "shop",
                    "sub": "shop",
                    "aud": "https://op.example",
                    "jti": "BwcHBwcHBwcHBwcHBwcHBw",
                    "iat": 1_790_000_000,
                    "exp": 1_790_000_060,
                })
            );
            let [kind, own] = parameters(&assertion);
            assert_eq!(kind.1, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            assert_eq!(own, ("client_assertion", assertion.expose()));
        }
    }

    #[test]
    fn a_key_without_a_name_signs_without_one() {
        let key = key(Algorithm::Es256, "");
        let assertion = client_assertion(&key, "shop", "https://op.example", &mut |_: &mut [u8]| (), NOW).unwrap();
        assert_eq!(opened(&key, &assertion).0, json!(["ES256", "JWT", null]));
    }

    #[test]
    fn apples_secret_says_team_client_and_an_end() {
        let key = key(Algorithm::Es256, "ABC123DEFG");
        let secret = apple_client_secret(&key, "TEAM123456", "com.example.web", APPLE_LIFETIME_MAX, NOW).unwrap();
        let (header, claims) = opened(&key, &secret);
        assert_eq!(header, json!(["ES256", "JWT", "ABC123DEFG"]));
        assert_eq!(
            claims,
            json!({
                "iss": "TEAM123456",
                "sub": "com.example.web",
                "aud": "https://appleid.apple.com",
                "iat": 1_790_000_000,
                "exp": 1_805_777_000,
            })
        );
    }

    #[test]
    fn what_apple_would_refuse_is_not_signed() {
        let minute = Duration::from_secs(60);
        let attempt = |key: &SigningKey, lifetime| apple_client_secret(key, "T", "c", lifetime, NOW).unwrap_err();
        assert_eq!(attempt(&key(Algorithm::EdDsa, "k"), minute), AppleError::Key);
        assert_eq!(attempt(&key(Algorithm::Es256, ""), minute), AppleError::Key);
        let longer = APPLE_LIFETIME_MAX + Duration::from_secs(1);
        assert_eq!(attempt(&key(Algorithm::Es256, "k"), longer), AppleError::Lifetime);
    }
}
