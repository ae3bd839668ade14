//! Somebody else's JWK Set (RFC 7517 §5) and the compact JWS that it verifies (RFC 7515 §5.2).
//!
//! The order of trust: the caller says which algorithms may be, the set says which keys are, and the token only
//! chooses among both. A key in the token's own header (`jwk`, `jku`, `x5c`, `x5u`) is never looked at here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    json,
    verifying_key::{SignatureAlgorithm, VerifyingKey},
};

/// Bytes of a JWK Set, at most.
pub const JWKS_LENGTH_MAX: usize = 64 * 1024;
/// Keys of a set, at most, usable or not.
const JWKS_KEYS_MAX: usize = 100;
/// Characters of a compact JWS, at most. ID tokens with many groups come near it.
pub const JWS_LENGTH_MAX: usize = 16 * 1024;

/// Why a text is no JWK Set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// More than 64 KiB or 100 keys.
    #[error("the key set is too large")]
    TooLarge,
    /// No JSON object with an array `keys` of objects, or a member comes twice.
    #[error("the key set is malformed")]
    Malformed,
}

/// Why a JWS is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// More than 16 KiB.
    #[error("the token is too long")]
    TooLarge,
    /// Not three parts of canonical base64url with a JSON object in front.
    #[error("the token is malformed")]
    Malformed,
    /// `crit` or `b64` demands what we do not do (RFC 7515 §4.1.11, RFC 7797 §3).
    #[error("the token's header demands an extension")]
    Critical,
    /// `none`, an HMAC, or a name that we do not know.
    #[error("the token's algorithm is not supported")]
    AlgorithmUnsupported,
    /// Not among those that the caller allows.
    #[error("the token's algorithm is not one of those allowed")]
    AlgorithmNotAllowed,
    /// No key of the set has this `kid` and algorithm; without a `kid`, none verifies. The set may be old.
    #[error("no key of the set is the token's")]
    KeyUnknown,
    /// A key fits, but the signature is not by it.
    #[error("the signature is wrong")]
    SignatureInvalid,
}

/// A compact JWS, not yet verified.
#[derive(Debug)]
pub struct Compact<'a> {
    message: &'a str,
    header: Map<String, Value>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl<'a> Compact<'a> {
    /// Reads `text` and believes nothing of it.
    pub fn read(text: &'a str) -> Result<Self, JwsError> {
        if text.len() > JWS_LENGTH_MAX {
            return Err(JwsError::TooLarge);
        }
        if text.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return Err(JwsError::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JwsError::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).or(Err(JwsError::Malformed));
        let header = json::object(&decode(header)?).ok_or(JwsError::Malformed)?;
        let is_text = |name: &str| header.get(name).is_none_or(Value::is_string);
        if !["alg", "kid", "typ"].into_iter().all(is_text) {
            return Err(JwsError::Malformed);
        }
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(JwsError::Critical);
        }
        let name = header.get("alg").and_then(Value::as_str).ok_or(JwsError::Malformed)?;
        let algorithm = SignatureAlgorithm::parse(name).ok_or(JwsError::AlgorithmUnsupported)?;
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        Ok(Self { message, header, payload, signature, algorithm })
    }

    /// The algorithm it claims.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// A member of the header, as it claims it.
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }

    /// Is its `typ` this media type, without `application/`, in any case (RFC 7515 §4.1.9)?
    pub fn is_typ(&self, typ: &str) -> bool {
        self.header.get("typ").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(typ))
    }

    /// The payload, once `key` has signed it with one of `allowed`. It does not check `kid`, `typ` or any claim.
    pub fn verify(self, key: &VerifyingKey, allowed: &[SignatureAlgorithm]) -> Result<Vec<u8>, JwsError> {
        if !allowed.contains(&self.algorithm) {
            return Err(JwsError::AlgorithmNotAllowed);
        }
        if self.is_by(key) { Ok(self.payload) } else { Err(JwsError::SignatureInvalid) }
    }

    fn is_by(&self, key: &VerifyingKey) -> bool {
        key.verifies(self.algorithm, self.message.as_bytes(), &self.signature)
    }
}

/// The public keys of one issuer, at most 100.
#[derive(Debug)]
pub struct Jwks(Vec<VerifyingKey>);

impl Jwks {
    /// Reads a set. A key that we cannot use is left out (RFC 7517 §5): providers publish keys for encryption and of
    /// newer curves in the same set. An empty set is a set.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        if text.len() > JWKS_LENGTH_MAX {
            return Err(JwksError::TooLarge);
        }
        let set = json::object(text).ok_or(JwksError::Malformed)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JwksError::Malformed)?;
        if keys.len() > JWKS_KEYS_MAX {
            return Err(JwksError::TooLarge);
        }
        let mut usable = Vec::new();
        for key in keys {
            let key = key.as_object().ok_or(JwksError::Malformed)?;
            usable.extend(VerifyingKey::from_jwk(key).ok());
        }
        Ok(Self(usable))
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.0
    }

    /// The payload, and the key that signed it with one of `allowed`. It does not check `typ` or any claim.
    ///
    /// Keys that share a `kid` are all tried, and without a `kid` every key that fits: all are the issuer's own. On
    /// [`JwsError::KeyUnknown`] the caller may fetch the set again, seldom: anybody can invent a `kid`.
    pub fn verify(
        &self,
        jws: Compact<'_>,
        allowed: &[SignatureAlgorithm],
    ) -> Result<(Vec<u8>, &VerifyingKey), JwsError> {
        if !allowed.contains(&jws.algorithm) {
            return Err(JwsError::AlgorithmNotAllowed);
        }
        let kid = jws.header.get("kid").and_then(Value::as_str);
        let is_named = |key: &&VerifyingKey| kid.is_none() || key.kid() == kid;
        let mut failure = JwsError::KeyUnknown;
        for key in self.0.iter().filter(|key| key.fits(jws.algorithm)).filter(is_named) {
            if jws.is_by(key) {
                return Ok((jws.payload, key));
            }
            if kid.is_some() {
                failure = JwsError::SignatureInvalid;
            }
        }
        Err(failure)
    }
}
