//! DPoP (RFC 9449): a token that only the holder of a key can use, and the proof that goes with every request.
//!
//! Owns the key, the proof and the reading of nonces. Sending is not here: a request whose answer asks for a nonce
//! ([`is_nonce_asked`]) is sent once more with it, never twice, and the newest `DPoP-Nonce` of a server is used from then
//! on, for that server only (§8.2).

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::jose::jws::{Algorithm, KeyRejected};
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

use super::{
    client_assertion::{seconds, unique},
    signing_key::SigningKey,
};
use crate::secret::Secret;
use crate::token::Tokens;
use fujie_core::random::Random;
use fujie_core::time::Timestamp;

/// Characters of a nonce, at most.
const NONCE_LENGTH_MAX: usize = 1024;
/// Servers whose nonces are kept, at most; a provider has two or three.
const NONCES_MAX: usize = 16;

/// A key to which tokens are bound. It belongs to one person's tokens, and lives as long as they do.
pub struct DpopKey {
    key: SigningKey,
    thumbprint: String,
}

impl DpopKey {
    /// A new P-256 key, and its PKCS #8, which the caller keeps as secret as a refresh token.
    ///
    /// # Errors
    /// [`KeyRejected`] when the library cannot make one.
    pub fn generate() -> Result<(Self, Zeroizing<Vec<u8>>), KeyRejected> {
        let pkcs8 = SigningKey::generate(Algorithm::Es256)?;
        Ok((Self::from_pkcs8(&pkcs8)?, pkcs8))
    }

    /// The key that [`DpopKey::generate`] gave.
    ///
    /// # Errors
    /// [`KeyRejected`] when it is damaged.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        Ok(Self::new(SigningKey::from_pkcs8(Algorithm::Es256, String::new(), pkcs8)?))
    }

    /// With a key of one's own.
    pub fn new(key: SigningKey) -> Self {
        Self { thumbprint: key.jwk().thumbprint(), key }
    }

    /// The algorithm of its proofs; the server must have it in `dpop_signing_alg_values_supported`.
    pub const fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// Its thumbprint: `dpop_jkt` of an authorization request (§10), `cnf.jkt` of a token (§6.1).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// A proof for one request, for the header `DPoP`. Each request needs its own, a repeated one too.
    ///
    /// # Errors
    /// [`KeyRejected`] when the library refuses to sign.
    pub fn proof(&self, of: Proof<'_>, random: &mut dyn Random, now: Timestamp) -> Result<String, KeyRejected> {
        let hash = |token: &Secret| URL_SAFE_NO_PAD.encode(digest(&SHA256, token.expose().as_bytes()));
        let claims = Claims {
            jti: unique(random),
            htm: of.method,
            htu: htu(of.url),
            iat: seconds(now),
            ath: of.access_token.map(hash),
            nonce: of.nonce,
        };
        self.key.sign_with_jwk("dpop+jwt", &serde_json::to_vec(&claims).or(Err(KeyRejected))?)
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DpopKey({})", self.thumbprint)
    }
}

/// What a proof is about.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The URL of the request. Its query and fragment are left out of the proof.
    pub url: &'a str,
    /// The access token, at a resource (also at the userinfo endpoint); none at the token endpoint.
    pub access_token: Option<&'a Secret>,
    /// The newest nonce of this server, if it gave one.
    pub nonce: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: String,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// The URL without query and fragment (§4.2), in the parser's spelling, which is how it stands on the wire.
fn htu(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut url) => {
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        }
        Err(_) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}

/// Does an answer ask for a nonce? The authorization server says it as `error` of a JSON body (§8), a resource in
/// `WWW-Authenticate` (§9). The nonce itself is in the header `DPoP-Nonce`.
pub fn is_nonce_asked(status: u16, error: Option<&str>, www_authenticate: Option<&str>) -> bool {
    match status {
        400 => error == Some("use_dpop_nonce"),
        401 => error == Some("use_dpop_nonce") || www_authenticate.is_some_and(is_challenge_for_nonce),
        _ => false,
    }
}

/// A challenge of the scheme `DPoP` with this error. Other challenges may stand before or behind it.
fn is_challenge_for_nonce(challenges: &str) -> bool {
    let lower = challenges.to_ascii_lowercase();
    let mut schemes = lower.match_indices("dpop ").filter_map(|(at, _)| lower.split_at_checked(at));
    schemes.any(|(before, own)| {
        let is_scheme = before.is_empty() || before.ends_with([' ', ',']);
        is_scheme && own.replace(' ', "").contains(r#"error="use_dpop_nonce""#)
    })
}

/// The value of a header `DPoP-Nonce`, if it is one (§8.1): printable ASCII without quotes, at most 1,024 characters.
/// An answer of any status may bring a new one (§8.2).
pub fn nonce(header: &str) -> Option<&str> {
    let is_nonce = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let is_fine = !header.is_empty() && header.len() <= NONCE_LENGTH_MAX && header.bytes().all(is_nonce);
    is_fine.then_some(header)
}

/// Whether these tokens are bound to a key (§5).
pub(crate) fn is_bound(tokens: &Tokens) -> bool {
    tokens.token_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("DPoP"))
}

/// The newest nonce of each server (§8.2), by origin, the newest last.
#[derive(Default)]
pub(crate) struct Nonces(Vec<(String, String)>);

impl Nonces {
    /// The nonce for a request to this URL.
    pub(crate) fn of(&self, url: &str) -> Option<&str> {
        let origin = origin(url)?;
        self.0.iter().find(|(known, _)| *known == origin).map(|(_, nonce)| nonce.as_str())
    }

    /// Takes in the header `DPoP-Nonce` of an answer from this URL. Beyond the limit the oldest is forgotten, which
    /// costs one more request.
    pub(crate) fn keep(&mut self, url: &str, header: Option<&str>) {
        let (Some(origin), Some(fresh)) = (origin(url), header.and_then(nonce)) else { return };
        self.0.retain(|(known, _)| *known != origin);
        if self.0.len() >= NONCES_MAX {
            self.0.remove(0);
        }
        self.0.push((origin, fresh.to_owned()));
    }
}

fn origin(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use fujie_core::jose::{jwks::Compact, verifying_key::SignatureAlgorithm, verifying_key::VerifyingKey};
    use serde_json::{Value, json};

    use super::super::signing_key::{read, tests::pem};
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_999);

    fn seven(bytes: &mut [u8]) {
        bytes.fill(7);
    }

    /// The claims, verified as a server does it (§4.3): by the key in the header, which is the token's.
    fn opened(key: &DpopKey, proof: &str) -> Value {
        let jws = Compact::read(proof).unwrap();
        assert!(jws.is_typ("dpop+jwt"));
        let jwk = jws.header("jwk").and_then(Value::as_object).unwrap();
        assert!(["d", "kid"].iter().all(|name| !jwk.contains_key(*name)), "{jwk:?}");
        let own = VerifyingKey::from_jwk(jwk).unwrap();
        assert_eq!(own.thumbprint(), key.thumbprint());
        serde_json::from_slice(&jws.verify(&own, &SignatureAlgorithm::ALL).unwrap()).unwrap()
    }

    #[test]
    fn a_proof_is_about_one_request() {
        let (key, _) = DpopKey::generate().unwrap();
        let of = Proof { method: "POST", url: "https://op.example/token?x=1#y", access_token: None, nonce: None };
        let claims = opened(&key, &key.proof(of, &mut seven, NOW).unwrap());
        let jti = "BwcHBwcHBwcHBwcHBwcHBw";
        assert_eq!(claims, json!({"jti": jti, "htm": "POST", "htu": "https://op.example/token", "iat": 1_790_000_000}));
    }

    #[test]
    fn a_proof_at_a_resource_is_about_the_token_too() {
        // The access token and its hash are the example of RFC 9449 §7.1.
        let token = Secret::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        let url = "https://resource.example.org/protectedresource";
        for algorithm in Algorithm::ALL {
            let key = DpopKey::new(read(&pem(algorithm), "").unwrap());
            let of = Proof { method: "GET", url, access_token: Some(&token), nonce: Some("n-1") };
            let claims = opened(&key, &key.proof(of, &mut seven, NOW).unwrap());
            assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
            assert_eq!(claims["nonce"], "n-1");
        }
    }

    #[test]
    fn a_kept_key_is_the_same_key() {
        let (key, pkcs8) = DpopKey::generate().unwrap();
        assert_eq!(DpopKey::from_pkcs8(&pkcs8).unwrap().thumbprint(), key.thumbprint());
        assert_ne!(DpopKey::generate().unwrap().0.thumbprint(), key.thumbprint());
        assert!(DpopKey::from_pkcs8(b"x").is_err());
    }

    #[test]
    fn the_url_of_a_proof_has_no_query() {
        for (url, expected) in [
            ("https://a.example", "https://a.example/"),
            ("https://A.example:443/x?y#z", "https://a.example/x"),
            ("http://127.0.0.1:3000/x?", "http://127.0.0.1:3000/x"),
            ("https://a.example/%7Ex;y=1", "https://a.example/%7Ex;y=1"),
        ] {
            assert_eq!(htu(url), expected);
        }
    }

    #[test]
    fn a_nonce_is_asked_for_in_either_way() {
        let challenge =
            r#"DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof""#;
        let both = format!(r#"Bearer realm="x", {challenge}"#);
        assert!(is_nonce_asked(400, Some("use_dpop_nonce"), None));
        assert!(is_nonce_asked(401, None, Some(challenge)));
        assert!(is_nonce_asked(401, None, Some(&both)));
        assert!(is_nonce_asked(401, None, Some(r#"dpop algs="ES256" , error = "use_dpop_nonce""#)));
        for (status, error, header) in [
            (400, Some("invalid_dpop_proof"), None),
            (400, None, Some(challenge)),
            (200, Some("use_dpop_nonce"), Some(challenge)),
            (401, None, Some(r#"Bearer error="use_dpop_nonce""#)),
            (401, None, Some(r#"DPoP error="invalid_token""#)),
            (401, None, None),
        ] {
            assert!(!is_nonce_asked(status, error, header), "{status} {error:?} {header:?}");
        }
    }

    #[test]
    fn a_nonce_is_plain() {
        assert_eq!(nonce("eyJ7S_zG.eyJH0-Z.HX4w-7v"), Some("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
        for bad in ["", "a b", "a\"b", "a\\b", "a\nb", "中", &"n".repeat(1025)] {
            assert_eq!(nonce(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_nonce_is_kept_for_its_server_and_not_for_ever() {
        let mut nonces = Nonces::default();
        nonces.keep("https://op.example/token?x", Some("one"));
        nonces.keep("https://OP.example:443/par", Some("two"));
        nonces.keep("https://op.example/token", Some("not one"));
        nonces.keep("https://op.example/token", None);
        assert_eq!(nonces.of("https://op.example/userinfo"), Some("two"));
        for other in ["http://op.example/", "https://op.example:8443/", "https://api.op.example/", "op.example"] {
            assert_eq!(nonces.of(other), None, "{other}");
        }
        for at in 0..NONCES_MAX {
            assert!(nonces.of("https://op.example/").is_some(), "{at}");
            nonces.keep(&format!("https://{at}.example/"), Some("n"));
        }
        assert_eq!((nonces.of("https://op.example/"), nonces.0.len()), (None, NONCES_MAX));
    }
}
