//! Our public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2), and thumbprints (RFC 7638).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::secret::sha256;

/// A public signing key. It never has private members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    kty: &'static str,
    #[serde(rename = "use")]
    key_use: &'static str,
    alg: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    kid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

impl Jwk {
    /// From an uncompressed P-256 point: 0x04, 32 bytes of x, 32 bytes of y.
    pub fn p256(kid: &str, point: &[u8]) -> Self {
        let (x, y) = point.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
        Self { crv: Some("P-256"), x: Some(encode(x)), y: Some(encode(y)), ..Self::empty("EC", "ES256", kid) }
    }

    /// From the 32 bytes of an Ed25519 public key.
    pub fn ed25519(kid: &str, public: &[u8]) -> Self {
        Self { crv: Some("Ed25519"), x: Some(encode(public)), ..Self::empty("OKP", "EdDSA", kid) }
    }

    /// From an RSA modulus and exponent, big-endian without leading zeros.
    pub fn rsa(kid: &str, modulus: &[u8], exponent: &[u8]) -> Self {
        Self { n: Some(encode(modulus)), e: Some(encode(exponent)), ..Self::empty("RSA", "RS256", kid) }
    }

    /// The same key without a name, for where it stands itself.
    #[must_use]
    pub fn without_kid(self) -> Self {
        Self { kid: String::new(), ..self }
    }

    /// Its thumbprint with SHA-256, base64url: what `jkt` says of a key (RFC 7638 §3, RFC 9449 §6.1).
    pub fn thumbprint(&self) -> String {
        let (n, e) = (self.n.as_deref(), self.e.as_deref());
        let (x, y) = (self.x.as_deref(), self.y.as_deref());
        let members = [("crv", self.crv), ("e", e), ("kty", Some(self.kty)), ("n", n), ("x", x), ("y", y)];
        thumbprint(&members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>())
    }

    fn empty(kty: &'static str, alg: &'static str, kid: &str) -> Self {
        Self { kty, key_use: "sig", alg, kid: kid.to_owned(), crv: None, x: None, y: None, n: None, e: None }
    }
}

/// A JWK Set (RFC 7517 §5) as JSON text.
pub fn jwks(keys: &[Jwk]) -> String {
    #[derive(Serialize)]
    struct Jwks<'a> {
        keys: &'a [Jwk],
    }
    serde_json::to_string(&Jwks { keys }).unwrap_or_else(|_| r#"{"keys":[]}"#.to_owned())
}

/// The thumbprint of a key by its required members in the order of their names (RFC 7638 §3.2). Their values are
/// names of the registry and base64url, which JSON writes as they are.
pub(super) fn thumbprint(members: &[(&str, &str)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    encode(&sha256(format!("{{{}}}", members.join(",")).as_bytes()))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
