//! Compact JWS of ours (RFC 7515 §7.1): signing with keys parsed once, verifying with the algorithm pinned by the key.
//!
//! No primitive is written here, and there is no `none`, no HMAC and no encryption.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::jwk::Jwk;
use crate::key::KeyUse;

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: the default.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for clients that know nothing else.
    Rs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// Reads the registered name, exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == name)
    }

    /// What a stored key for this algorithm serves.
    pub const fn key_use(self) -> KeyUse {
        match self {
            Self::Es256 => KeyUse::Es256,
            Self::EdDsa => KeyUse::EdDsa,
            Self::Rs256 => KeyUse::Rs256,
        }
    }
}

/// The cryptographic library refused: the key material is damaged or no memory is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key cannot be used")]
pub struct KeyRejected;

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// A private key, parsed once, with its `kid`.
pub struct SigningKey {
    kid: String,
    pair: Pair,
    public: ParsedPublicKey,
}

impl SigningKey {
    /// A new key as PKCS #8. RS256 takes 2,048 bits and a good part of a second.
    pub fn generate(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, KeyRejected> {
        let random = SystemRandom::new();
        let document = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map(|document| document.as_ref().to_vec()),
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random).map(|document| document.as_ref().to_vec()),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).and_then(|pair| {
                aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair)
                    .map(|der| der.as_ref().to_vec())
            }),
        };
        document.map(Zeroizing::new).or(Err(KeyRejected))
    }

    /// Parses a PKCS #8 key of `algorithm`; `kid` names it in headers.
    pub fn from_pkcs8(algorithm: Algorithm, kid: String, pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        let pair = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Pair::Es256),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Pair::EdDsa),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(|pair| Pair::Rs256(Box::new(pair))),
        };
        let pair = pair.or(Err(KeyRejected))?;
        let public = public_half(&pair)?;
        Ok(Self { kid, pair, public })
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Es256(_) => Algorithm::Es256,
            Pair::EdDsa(_) => Algorithm::EdDsa,
            Pair::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Its `kid`.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JWK.
    pub fn jwk(&self) -> Jwk {
        match &self.pair {
            Pair::Es256(pair) => Jwk::p256(&self.kid, pair.public_key().as_ref()),
            Pair::EdDsa(pair) => Jwk::ed25519(&self.kid, pair.public_key().as_ref()),
            Pair::Rs256(pair) => {
                let public = pair.public_key();
                Jwk::rsa(
                    &self.kid,
                    public.modulus().big_endian_without_leading_zero(),
                    public.exponent().big_endian_without_leading_zero(),
                )
            }
        }
    }

    /// The public half of an ES256 key as an uncompressed point (SEC 1 §2.3.3): 0x04, 32 bytes of x, 32 bytes of y.
    pub fn p256_point(&self) -> Option<&[u8]> {
        match &self.pair {
            Pair::Es256(pair) => Some(pair.public_key().as_ref()),
            Pair::EdDsa(_) | Pair::Rs256(_) => None,
        }
    }

    /// Signs `payload` (JSON, UTF-8) into a compact JWS with header `typ`, and with `kid` unless that is empty.
    ///
    /// Randomness for ECDSA is the library's own: the one exception to "randomness is an argument".
    pub fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, KeyRejected> {
        let kid = Some(self.kid.as_str()).filter(|kid| !kid.is_empty());
        self.sign_under(&SigningHeader { alg: self.algorithm().as_str(), typ, kid, jwk: None }, payload)
    }

    /// As [`SigningKey::sign`], but with the public key itself in the header instead of its name (RFC 7515 §4.1.3),
    /// as a DPoP proof has it.
    pub fn sign_with_jwk(&self, typ: &str, payload: &[u8]) -> Result<String, KeyRejected> {
        let jwk = Some(self.jwk().without_kid());
        self.sign_under(&SigningHeader { alg: self.algorithm().as_str(), typ, kid: None, jwk }, payload)
    }

    fn sign_under(&self, header: &SigningHeader<'_>, payload: &[u8]) -> Result<String, KeyRejected> {
        let header = serde_json::to_string(header).or(Err(KeyRejected))?;
        let mut jws = String::with_capacity(header.len() * 2 + payload.len() * 2 + 400);
        URL_SAFE_NO_PAD.encode_string(header, &mut jws);
        jws.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut jws);
        let input = jws.len();
        jws.push('.');
        let message = jws.as_bytes().get(..input).unwrap_or_default();
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), message).or(Err(KeyRejected))?.as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.try_sign(message).or(Err(KeyRejected))?.as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).or(Err(KeyRejected))?;
                signature
            }
        };
        URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
        Ok(jws)
    }

    /// Verifies `message` against `signature` with this key's public half.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

/// The public half, parsed once.
fn public_half(pair: &Pair) -> Result<ParsedPublicKey, KeyRejected> {
    let parsed = match pair {
        Pair::Es256(pair) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key()),
        Pair::EdDsa(pair) => ParsedPublicKey::new(&ED25519, pair.public_key()),
        Pair::Rs256(pair) => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key()),
    };
    parsed.or(Err(KeyRejected))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {}, [redacted])", self.algorithm().as_str(), self.kid)
    }
}

#[derive(Serialize)]
struct SigningHeader<'a> {
    alg: &'a str,
    typ: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwk: Option<Jwk>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    kid: String,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// A compact JWS of ours, not yet verified: three parts, a header that names a key.
#[derive(Debug)]
pub struct Unverified<'a> {
    message: &'a str,
    signature: Vec<u8>,
    payload: Vec<u8>,
    kid: String,
    algorithm: Algorithm,
    typ: Option<String>,
}

impl<'a> Unverified<'a> {
    /// Reads `text`; `None` unless it has exactly three parts, at most 12,288 characters, an algorithm we know and a
    /// `kid`, and no `crit`.
    pub fn read(text: &'a str) -> Option<Self> {
        if text.len() > crate::secret::TOKEN_LENGTH_MAX || text.bytes().filter(|b| *b == b'.').count() != 2 {
            return None;
        }
        let (message, signature) = text.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        Some(Self {
            message,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            payload: URL_SAFE_NO_PAD.decode(payload).ok()?,
            kid: header.kid,
            algorithm: Algorithm::parse(&header.alg)?,
            typ: header.typ,
        })
    }

    /// The key it claims to be signed with.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The payload, once the signature by `key`, the algorithm of `key` and `typ` are as expected.
    ///
    /// It does not check any claim.
    pub fn verify(self, key: &SigningKey, typ: &str) -> Option<Vec<u8>> {
        let expected = self.algorithm == key.algorithm()
            && self.kid == key.kid
            && self.typ.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(typ));
        (expected && key.verifies(self.message.as_bytes(), &self.signature)).then_some(self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: Algorithm) -> SigningKey {
        let pkcs8 = SigningKey::generate(algorithm).unwrap();
        SigningKey::from_pkcs8(algorithm, "k1".into(), &pkcs8).unwrap()
    }

    #[test]
    fn every_algorithm_signs_what_it_verifies_and_nothing_else() {
        for algorithm in Algorithm::ALL {
            let own = key(algorithm);
            let jws = own.sign("at+jwt", br#"{"sub":"x"}"#).unwrap();
            assert!(Unverified::read(&jws).unwrap().verify(&own, "at+jwt").is_some());
            assert!(Unverified::read(&jws).unwrap().verify(&own, "JWT").is_none(), "another typ");
            assert!(Unverified::read(&jws).unwrap().verify(&key(algorithm), "at+jwt").is_none(), "another key");
            let (message, signature) = jws.rsplit_once('.').unwrap();
            for position in 0..signature.len() - 1 {
                let mut bytes = signature.as_bytes().to_vec();
                bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
                let forged = format!("{message}.{}", String::from_utf8(bytes).unwrap());
                let payload = Unverified::read(&forged).and_then(|jws| jws.verify(&own, "at+jwt"));
                assert!(payload.is_none(), "flipped signature character {position}");
            }
        }
    }

    #[test]
    fn an_algorithm_chosen_by_the_token_is_refused() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for alg in ["none", "None", "nOnE", "HS256", "ES384", "es256"] {
            let header = encode(&format!(r#"{{"alg":"{alg}","kid":"k1","typ":"at+jwt"}}"#));
            let forged = format!("{header}.{}.{}", encode("{}"), encode("x"));
            assert!(Unverified::read(&forged).is_none(), "{alg}");
        }
        assert!(Unverified::read("a.b").is_none());
        assert!(Unverified::read(&".".repeat(5_000)).is_none());
    }
}
