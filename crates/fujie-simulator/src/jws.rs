//! Keys that sign and keys that verify, JWK sets and the compact JWS (RFC 7515 §7.1, RFC 7517).
//!
//! The library does the mathematics; here the pieces are put together. What a token says is
//! decided elsewhere, also when it is to be wrong.

use crate::random::{self, NoRandomness};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use aws_lc_rs::{digest, error, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// Nobody's assertion is longer.
const COMPACT_BYTES_MAX: usize = 8 * 1024;

/// The two algorithms that OpenID providers sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every provider and every client has.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// A key pair with the name it has in a JWK set.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl From<error::Unspecified> for NoRandomness {
    /// Key generation and signing fail for want of randomness or memory, and for nothing else.
    fn from(_unspecified: error::Unspecified) -> Self {
        Self
    }
}

impl SigningKey {
    /// A new key. RS256 takes 2048 bits and a part of a second.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, NoRandomness> {
        let kid = random::text(random::HEX, 16)?;
        let pair = match algorithm {
            Algorithm::Rs256 => Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048)?)),
            Algorithm::Es256 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
        };
        Ok(Self { kid, pair })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rs256,
            Pair::Ec(_) => Algorithm::Es256,
        }
    }

    /// The bare signature, as RFC 7518 §3.3 and §3.4 want it.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::Ec(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
        }
    }

    /// The public half for a JWK set.
    pub(crate) fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair) => json!({
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                "n": encode(pair.public_key().modulus().big_endian_without_leading_zero()),
                "e": encode(pair.public_key().exponent().big_endian_without_leading_zero()),
            }),
            Pair::Ec(pair) => {
                // An uncompressed point: 0x04, 32 bytes of x, 32 bytes of y.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at_checked(32).unwrap_or_default();
                json!({
                    "kty": "EC", "use": "sig", "alg": "ES256", "kid": self.kid, "crv": "P-256",
                    "x": encode(x), "y": encode(y),
                })
            }
        }
    }

    /// The public half as PEM, the way a console lets one download it.
    pub(crate) fn public_pem(&self) -> Result<String, NoRandomness> {
        let der: PublicKeyX509Der<'_> = match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_der()?,
            Pair::Ec(pair) => pair.public_key().as_der()?,
        };
        Ok(pem("PUBLIC KEY", der.as_ref()))
    }

    /// The private half as PKCS #8 PEM: for pairs that the simulator makes in a client's place.
    pub(crate) fn private_pem(&self) -> Result<String, NoRandomness> {
        let rsa = |pair: &RsaKeyPair| -> Result<Pkcs8V1Der<'static>, error::Unspecified> { pair.as_der() };
        match &self.pair {
            Pair::Rsa(pair) => Ok(pem("PRIVATE KEY", rsa(pair)?.as_ref())),
            Pair::Ec(pair) => Ok(pem("PRIVATE KEY", pair.to_pkcs8v1()?.as_ref())),
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----");
    for (number, letter) in STANDARD.encode(der).chars().enumerate() {
        if number % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

/// Header and payload, encoded and joined: what is signed.
pub(crate) fn signing_input(header: &Value, payload: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(payload))
}

/// A signing input and its signature.
pub(crate) fn compact(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A JWT as honest providers make it.
pub(crate) fn signed(key: &SigningKey, payload: &Value) -> Result<String, NoRandomness> {
    let input = signing_input(&json!({ "alg": key.algorithm().name(), "kid": key.kid, "typ": "JWT" }), payload);
    Ok(compact(&input, &key.sign(input.as_bytes())?))
}

/// HMAC-SHA256, for the forgery that takes a public key for a secret.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// SHA-256, base64url: the S256 challenge of RFC 7636 §4.2.
pub(crate) fn sha256_base64url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// The left half of SHA-256, base64url: `at_hash` and `c_hash` of OpenID Connect Core §3.1.3.6.
pub(crate) fn half_hash(text: &str) -> String {
    let whole = digest::digest(&digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(whole.as_ref().get(..16).unwrap_or_default())
}

/// The DER behind a public key that was registered as PEM or as its bare Base64.
fn der_of(public_key: &str) -> Option<Vec<u8>> {
    let base64: String = public_key.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    STANDARD.decode(base64).ok()
}

/// Whether `signature` over `message` was made with the private half of `public_key`.
pub(crate) fn verifies(public_key: &str, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let Some(der) = der_of(public_key) else {
        return false;
    };
    match algorithm {
        Algorithm::Rs256 => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(message, signature).is_ok(),
        Algorithm::Es256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, der).verify(message, signature).is_ok(),
    }
}

/// A JWT that a client sent, its signature verified; its claims are still to be judged.
pub(crate) struct Verified {
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

/// Reads a JWT signed with one of `algorithms`; `None` for anything else.
pub(crate) fn verified(token: &str, public_key: &str, algorithms: &[Algorithm]) -> Option<Verified> {
    if token.len() > COMPACT_BYTES_MAX {
        return None;
    }
    let (input, signature) = token.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let read = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).ok();
    let header = read(header)?;
    let named = header.get("alg")?.as_str()?;
    let algorithm = algorithms.iter().find(|known| known.name() == named)?;
    let is_authentic = verifies(public_key, *algorithm, input.as_bytes(), &decode(signature)?);
    let claims = read(payload)?;
    is_authentic.then_some(Verified { header, claims })
}

/// A P-256 key before its point, as SubjectPublicKeyInfo has it (RFC 5480 §2).
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// An uncompressed point of P-256 (SEC 1 §2.3.3) as a public key for [`verified`]; `None` for anything else.
pub(crate) fn p256_public_key(point: &[u8]) -> Option<String> {
    let coordinates = point.strip_prefix(&[0x04]).filter(|coordinates| coordinates.len() == 64)?;
    Some(STANDARD.encode([P256_PREFIX.as_slice(), coordinates].concat()))
}

/// Reads a JWT signed with ES256 by the key in its own header, and that key's thumbprint (RFC 7638).
/// Who holds the key is all that it proves.
pub(crate) fn verified_by_own_key(token: &str) -> Option<(Verified, String)> {
    let part = token.get(..COMPACT_BYTES_MAX.min(token.len()))?.split('.').next()?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    let jwk = header.get("jwk")?;
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("kty") != Some("EC") || text("crv") != Some("P-256") || jwk.get("d").is_some() {
        return None;
    }
    let (x, y) = (text("x")?, text("y")?);
    let (left, right) = (URL_SAFE_NO_PAD.decode(x).ok()?, URL_SAFE_NO_PAD.decode(y).ok()?);
    let public_key = STANDARD.encode([P256_PREFIX.as_slice(), &left, &right].concat());
    let thumbprint = sha256_base64url(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
    Some((verified(token, &public_key, &[Algorithm::Es256])?, thumbprint))
}

/// The claims of a JWT whose signature does not matter, such as a hint.
pub(crate) fn unverified_claims(token: &str) -> Option<Value> {
    let payload = token.get(..COMPACT_BYTES_MAX.min(token.len()))?.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{
        Algorithm, SigningKey, compact, sha256_base64url, signed, signing_input, verified, verified_by_own_key,
    };
    use serde_json::json;

    #[test]
    fn what_a_key_signs_its_public_half_verifies_and_no_other() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            let (key, other) = (SigningKey::generate(algorithm).unwrap(), SigningKey::generate(algorithm).unwrap());
            let token = signed(&key, &json!({ "sub": "小明" })).unwrap();
            let read = |pem: &str, algorithms: &[Algorithm]| verified(&token, pem, algorithms);
            let pem = key.public_pem().unwrap();
            assert_eq!(read(&pem, &[algorithm]).unwrap().claims, json!({ "sub": "小明" }));
            assert_eq!(read(&pem, &[algorithm]).unwrap().header["kid"], key.kid.as_str());
            assert!(read(&other.public_pem().unwrap(), &[algorithm]).is_none());
            assert!(read(&pem, &[]).is_none());
            assert!(verified(&format!("{token}x"), &pem, &[algorithm]).is_none());
        }
    }

    #[test]
    fn the_challenge_of_rfc_7636_appendix_b_is_met() {
        let challenge = sha256_base64url("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_key_in_the_header_proves_itself_and_no_other() {
        let (key, other) =
            (SigningKey::generate(Algorithm::Es256).unwrap(), SigningKey::generate(Algorithm::Es256).unwrap());
        let made = |named: &SigningKey| {
            let input = signing_input(&json!({ "alg": "ES256", "jwk": named.jwk() }), &json!({ "jti": "1" }));
            compact(&input, &key.sign(input.as_bytes()).unwrap())
        };
        let (own, thumbprint) = verified_by_own_key(&made(&key)).unwrap();
        assert_eq!((own.claims, thumbprint.len()), (json!({ "jti": "1" }), 43));
        assert!(verified_by_own_key(&made(&other)).is_none());
    }

    #[test]
    fn hostile_tokens_are_nothing() {
        for token in ["", ".", "..", "a.b.c", "{}.{}.{}", "\u{1f600}.x.y"] {
            assert!(verified(token, "", &[Algorithm::Rs256]).is_none(), "{token}");
            assert!(verified_by_own_key(token).is_none(), "{token}");
        }
    }
}
