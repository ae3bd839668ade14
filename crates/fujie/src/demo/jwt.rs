//! Signed tokens as a relying party reads them (RFC 7515, RFC 7519): the key is chosen by `kid`, and the key, never
//! the token, says which algorithm holds. ES256 and EdDSA only.
//!
//! Deliberately not here: which claims are enough. The two callers compare issuer, audience, expiry and the rest.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not three parts of base64url with JSON inside, or longer than [`TOKEN_LENGTH_MAX`].
    Malformed,
    /// Not the `typ` that is expected here.
    Type,
    /// Not the algorithm of the key, or an extension we do not know (`crit`).
    Algorithm,
    /// The signature is not of this key over these bytes.
    Signature,
}

impl Fault {
    /// What may be told to whoever sent the token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "the token is malformed",
            Self::Type => "the token is of another type",
            Self::Algorithm => "the token is signed with another algorithm",
            Self::Signature => "the signature is wrong",
        }
    }
}

/// Which `typ` the header must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `at+jwt` (RFC 9068 §4); `application/` in front is allowed.
    AccessToken,
    /// `JWT` or none (OpenID Connect Core 1.0 §2), and so never an access token.
    IdToken,
}

impl Type {
    fn admits(self, typ: Option<&str>) -> bool {
        let is = |name: &str| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(name));
        match self {
            Self::AccessToken => is("at+jwt") || is("application/at+jwt"),
            Self::IdToken => typ.is_none() || is("JWT"),
        }
    }
}

/// Claims that one of the two callers looks at. Dates are numbers; a date as text is malformed.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// Whom it is about.
    pub sub: String,
    aud: Audience,
    /// Seconds since the Unix epoch from which on it is worth nothing.
    pub exp: f64,
    /// Seconds since the Unix epoch before which it is worth nothing yet.
    #[serde(default)]
    pub nbf: Option<f64>,
    /// Scope tokens, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// Echo of the authorization request.
    #[serde(default)]
    pub nonce: Option<String>,
    /// The client, when there are several audiences.
    #[serde(default)]
    pub azp: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    /// Whom it is meant for.
    pub fn audience(&self) -> &[String] {
        match &self.aud {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Many(many) => many,
        }
    }
}

/// A token that nobody has checked yet.
pub struct Unverified<'a> {
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
    header: Header,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

impl<'a> Unverified<'a> {
    /// Takes `text` apart and believes nothing.
    pub fn read(text: &'a str) -> Result<Self, Fault> {
        Self::parts(text).ok_or(Fault::Malformed)
    }

    fn parts(text: &'a str) -> Option<Self> {
        if text.len() > TOKEN_LENGTH_MAX {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        Some(Self { signed, payload, signature: URL_SAFE_NO_PAD.decode(signature).ok()?, header })
    }

    /// The key that it names.
    pub fn kid(&self) -> &str {
        &self.header.kid
    }

    /// Its claims, once type, algorithm and signature are as `key` demands. No claim is compared here.
    pub fn verify(self, key: &Key, typ: Type) -> Result<Claims, Fault> {
        if !typ.admits(self.header.typ.as_deref()) {
            return Err(Fault::Type);
        }
        if self.header.alg != key.algorithm.name() || self.header.crit.is_some() {
            return Err(Fault::Algorithm);
        }
        UnparsedPublicKey::new(key.algorithm.verification(), &key.public)
            .verify(self.signed.as_bytes(), &self.signature)
            .or(Err(Fault::Signature))?;
        serde_json::from_slice(&self.payload).or(Err(Fault::Malformed))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Es256,
    EdDsa,
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::EdDsa => &ED25519,
        }
    }
}

/// A public key with the one algorithm it is for.
#[derive(Clone, Debug)]
pub struct Key {
    kid: String,
    algorithm: Algorithm,
    public: Vec<u8>,
}

/// The keys of an issuer (RFC 7517 §5).
#[derive(Clone, Debug, Default)]
pub struct Jwks(Vec<Key>);

impl Jwks {
    /// Reads a JWK Set. Keys of other kinds, for other uses or without `kid` are left out (§5), and so is whatever
    /// follows the first [`KEYS_MAX`].
    pub fn parse(json: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(json).ok()?;
        let keys = document.keys.into_iter().take(KEYS_MAX);
        Some(Self(keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.key()).collect()))
    }

    /// The key named `kid`.
    pub fn key(&self, kid: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.kid == kid)
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    crv: String,
    x: String,
    #[serde(default)]
    y: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    key_use: Option<String>,
}

impl Jwk {
    fn key(self) -> Option<Key> {
        let coordinate = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32);
        let x = coordinate(&self.x)?;
        let (algorithm, public) = match (self.crv.as_str(), &self.y) {
            ("P-256", Some(y)) => (Algorithm::Es256, [vec![0x04], x, coordinate(y)?].concat()),
            ("Ed25519", None) => (Algorithm::EdDsa, x),
            _ => return None,
        };
        let is_for_this = self.alg.is_none_or(|alg| alg == algorithm.name());
        let is_for_signing = self.key_use.is_none_or(|key_use| key_use == "sig");
        (is_for_this && is_for_signing).then_some(Key { kid: self.kid, algorithm, public })
    }
}

/// No token is longer than this, in bytes.
const TOKEN_LENGTH_MAX: usize = 8192;

/// No more keys than this are read from one set.
const KEYS_MAX: usize = 32;
