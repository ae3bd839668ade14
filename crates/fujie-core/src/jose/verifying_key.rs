//! Somebody else's public key, read strictly from a JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), and what it verifies.
//!
//! A key fixes the algorithms it may be used with; a token only says which of them it claims. Here is no `none`, no
//! HMAC, no encryption and no key below 2,048 bits. Certificates (`x5c`, `x5u`) are not read.

use std::fmt;

use aws_lc_rs::{
    digest,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
        RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{jwk, jws::Algorithm};

/// An algorithm that we verify with. [`Algorithm`] is the shorter list of those that we sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519, by its name of RFC 8037 (`EdDSA`) or of RFC 9864 (`Ed25519`).
    EdDsa,
}

/// Name, hash, and what RSA needs to know.
type Row = (&'static str, &'static digest::Algorithm, Option<&'static RsaParameters>);

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 9] = {
        use SignatureAlgorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        [Es256, Es384, EdDsa, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512]
    };

    fn row(self) -> Row {
        match self {
            Self::Rs256 => ("RS256", &digest::SHA256, Some(&RSA_PKCS1_2048_8192_SHA256)),
            Self::Rs384 => ("RS384", &digest::SHA384, Some(&RSA_PKCS1_2048_8192_SHA384)),
            Self::Rs512 => ("RS512", &digest::SHA512, Some(&RSA_PKCS1_2048_8192_SHA512)),
            Self::Ps256 => ("PS256", &digest::SHA256, Some(&RSA_PSS_2048_8192_SHA256)),
            Self::Ps384 => ("PS384", &digest::SHA384, Some(&RSA_PSS_2048_8192_SHA384)),
            Self::Ps512 => ("PS512", &digest::SHA512, Some(&RSA_PSS_2048_8192_SHA512)),
            Self::Es256 => ("ES256", &digest::SHA256, None),
            Self::Es384 => ("ES384", &digest::SHA384, None),
            Self::EdDsa => ("EdDSA", &digest::SHA512, None),
        }
    }

    /// The registered name.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Reads a registered name, exactly. `none` and the HMACs have no value here.
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL.into_iter().find(|own| own.as_str() == name)
    }

    /// The left half of the algorithm's hash over an ASCII text, base64url: `at_hash` and `c_hash` (OpenID Connect
    /// Core 1.0 §3.1.3.6, §3.3.2.11). Ed25519 hashes with SHA-512.
    pub fn left_half(self, text: &str) -> String {
        let digest = digest::digest(self.row().1, text.as_bytes());
        URL_SAFE_NO_PAD.encode(digest.as_ref().get(..digest.as_ref().len() / 2).unwrap_or_default())
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        self.row().2
    }
}

impl From<Algorithm> for SignatureAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::Es256,
            Algorithm::EdDsa => Self::EdDsa,
            Algorithm::Rs256 => Self::Rs256,
        }
    }
}

/// Why a JWK is not a key to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// A member is missing, not a string, not canonical base64url or of a wrong length.
    #[error("the member {0} of the key is missing or malformed")]
    Malformed(&'static str),
    /// It holds a private key or a shared secret: whoever published it has lost it.
    #[error("the key is not a public one")]
    Private,
    /// `use` or `key_ops` says that it is for something else.
    #[error("the key is not for signatures")]
    NotForSignatures,
    /// A `kty` or `crv` that we do not know.
    #[error("the key's type is not supported")]
    Unsupported,
    /// `alg` names an algorithm that this type of key does not have.
    #[error("the key's alg does not belong to its type")]
    AlgorithmMismatch,
    /// RSA below 2,048 or above 8,192 bits, or an exponent that is even, 1, or longer than 32 bits.
    #[error("the RSA key is too small, too large or unsound")]
    RsaSize,
    /// Not a point of its curve.
    #[error("the key is not a point of its curve")]
    NotOnCurve,
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    Fixed(SignatureAlgorithm, ParsedPublicKey),
}

/// A public key of another party, checked and parsed once.
pub struct VerifyingKey {
    kid: Option<String>,
    issuer: Option<String>,
    algorithm: Option<SignatureAlgorithm>,
    material: Material,
    thumbprint: String,
}

/// Characters of a member that is read, at most: an RSA modulus of 8,192 bits has 1,366.
const MEMBER_LENGTH_MAX: usize = 2048;
/// Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl VerifyingKey {
    /// Reads a JWK. What it says of itself (`kty`, `crv`, `use`, `key_ops`, `alg`) must agree.
    ///
    /// It does not say whose key it is: that is the caller's knowledge.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, JwkError> {
        if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
            return Err(JwkError::Private);
        }
        let is_verify = |operations: &Value| operations.as_array().is_some_and(|all| all.iter().any(|o| o == "verify"));
        if jwk.get("use").is_some_and(|own| own != "sig") || jwk.get("key_ops").is_some_and(|own| !is_verify(own)) {
            return Err(JwkError::NotForSignatures);
        }
        let (material, thumbprint) = match (member(jwk, "kty")?, optional(jwk, "crv")?) {
            ("RSA", _) => rsa(jwk)?,
            ("EC", Some("P-256")) => curve(jwk, SignatureAlgorithm::Es256, &ECDSA_P256_SHA256_FIXED, 32)?,
            ("EC", Some("P-384")) => curve(jwk, SignatureAlgorithm::Es384, &ECDSA_P384_SHA384_FIXED, 48)?,
            ("OKP", Some("Ed25519")) => curve(jwk, SignatureAlgorithm::EdDsa, &ED25519, 32)?,
            _ => return Err(JwkError::Unsupported),
        };
        let mut key = Self {
            kid: optional(jwk, "kid")?.map(str::to_owned),
            issuer: optional(jwk, "issuer")?.map(str::to_owned),
            algorithm: None,
            material,
            thumbprint,
        };
        if let Some(name) = optional(jwk, "alg")? {
            let own = SignatureAlgorithm::parse(name).filter(|own| key.fits(*own));
            key.algorithm = Some(own.ok_or(JwkError::AlgorithmMismatch)?);
        }
        Ok(key)
    }

    /// Its `kid`, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its `issuer`, a member that Microsoft writes where one set serves many tenants.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Its thumbprint with SHA-256, base64url (RFC 7638).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// May signatures of `algorithm` be checked with this key?
    pub fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        let belongs = match &self.material {
            Material::Rsa(_) => algorithm.rsa().is_some(),
            Material::Fixed(own, _) => *own == algorithm,
        };
        belongs && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Is `signature` by this key, with this algorithm, over `message`? Never when the algorithm does not fit.
    pub fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        self.fits(algorithm)
            && match (&self.material, algorithm.rsa()) {
                (Material::Rsa(key), Some(parameters)) => key.verify(parameters, message, signature).is_ok(),
                (Material::Fixed(_, key), None) => key.verify_sig(message, signature).is_ok(),
                _ => false,
            }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:?}, {})", self.kid, self.thumbprint)
    }
}

fn rsa(jwk: &Map<String, Value>) -> Result<(Material, String), JwkError> {
    let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
    let bits = |number: &[u8]| number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize);
    // RFC 7518 §6.3.1.1: no leading zeros, which the length in bits would hide.
    let is_odd = |number: &[u8]| number.first() != Some(&0) && number.last().is_some_and(|last| last % 2 == 1);
    if !is_odd(&n) || !is_odd(&e) || !(2048..=8192).contains(&bits(&n)) || !(2..=32).contains(&bits(&e)) {
        return Err(JwkError::RsaSize);
    }
    let thumbprint = jwk::thumbprint(&[("e", member(jwk, "e")?), ("kty", "RSA"), ("n", member(jwk, "n")?)]);
    Ok((Material::Rsa(RsaPublicKeyComponents { n, e }), thumbprint))
}

/// A key of a curve that has one algorithm; a coordinate has `size` bytes.
fn curve(
    jwk: &Map<String, Value>,
    own: SignatureAlgorithm,
    verification: &'static dyn VerificationAlgorithm,
    size: usize,
) -> Result<(Material, String), JwkError> {
    let coordinate = |name| bytes(jwk, name).and_then(|b| if b.len() == size { Ok(b) } else { Err(malformed(name)) });
    let (crv, x) = (member(jwk, "crv")?, member(jwk, "x")?);
    let (point, thumbprint) = match own {
        SignatureAlgorithm::EdDsa => (coordinate("x")?, jwk::thumbprint(&[("crv", crv), ("kty", "OKP"), ("x", x)])),
        _ => (
            // The uncompressed point (SEC 1 §2.3.3).
            [vec![4], coordinate("x")?, coordinate("y")?].concat(),
            jwk::thumbprint(&[("crv", crv), ("kty", "EC"), ("x", x), ("y", member(jwk, "y")?)]),
        ),
    };
    let key = ParsedPublicKey::new(verification, point).or(Err(JwkError::NotOnCurve))?;
    Ok((Material::Fixed(own, key), thumbprint))
}

fn malformed(name: &'static str) -> JwkError {
    JwkError::Malformed(name)
}

fn optional<'a>(jwk: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, JwkError> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= MEMBER_LENGTH_MAX => Ok(Some(text)),
        Some(_) => Err(malformed(name)),
    }
}

fn member<'a>(jwk: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, JwkError> {
    optional(jwk, name)?.ok_or(malformed(name))
}

fn bytes(jwk: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    URL_SAFE_NO_PAD.decode(member(jwk, name)?).or(Err(malformed(name)))
}
