//! Proof Key for Code Exchange (RFC 7636).

use aws_lc_rs::constant_time;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{client::PkcePolicy, secret::sha256};

/// What the authorization request promised the verifier to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// SHA-256 of the verifier.
    S256([u8; 32]),
    /// The verifier itself; off until switched on for a client by name.
    Plain(String),
}

/// Why the challenge of an authorization request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// This client must use PKCE (RFC 7636 §4.4.1).
    #[error("code_challenge is missing: this client must use PKCE with S256")]
    Missing,
    /// No `S256`, and `plain` is not switched on for this client.
    #[error("code_challenge_method must be S256")]
    Method,
    /// Not 43 characters of base64url (S256), or not 43 to 128 unreserved characters (plain).
    #[error("code_challenge is not a BASE64URL SHA-256 of a verifier")]
    Challenge,
}

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method` under the client's policy.
    pub fn parse(challenge: Option<&str>, method: Option<&str>, policy: PkcePolicy) -> Result<Option<Self>, PkceError> {
        let Some(challenge) = challenge else {
            return match (policy, method) {
                (PkcePolicy::Required | PkcePolicy::PlainAllowed, _) => Err(PkceError::Missing),
                // A method without a challenge is a stripped request (RFC 9700 §4.8.2).
                (_, Some(_)) => Err(PkceError::Missing),
                (_, None) => Ok(None),
            };
        };
        match method {
            Some("S256") => {
                let digest = URL_SAFE_NO_PAD.decode(challenge).ok().and_then(|bytes| bytes.try_into().ok());
                digest.map(|digest| Some(Self::S256(digest))).ok_or(PkceError::Challenge)
            }
            // An absent method means plain (RFC 7636 §4.3).
            Some("plain") | None if policy == PkcePolicy::PlainAllowed => {
                is_verifier(challenge).then(|| Some(Self::Plain(challenge.to_owned()))).ok_or(PkceError::Challenge)
            }
            _ => Err(PkceError::Method),
        }
    }

    /// Does `verifier` keep the promise (RFC 7636 §4.6)? In constant time.
    pub fn admits(&self, verifier: &str) -> bool {
        is_verifier(verifier)
            && match self {
                Self::S256(digest) => {
                    constant_time::verify_slices_are_equal(digest, &sha256(verifier.as_bytes())).is_ok()
                }
                Self::Plain(text) => {
                    constant_time::verify_slices_are_equal(text.as_bytes(), verifier.as_bytes()).is_ok()
                }
            }
    }
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_standard_holds_and_its_neighbours_do_not() {
        let challenge = Challenge::parse(Some(CHALLENGE), Some("S256"), PkcePolicy::Required).unwrap().unwrap();
        assert!(challenge.admits(VERIFIER));
        assert!(!challenge.admits(CHALLENGE));
        assert!(!challenge.admits(&VERIFIER[..42]));
        assert!(!challenge.admits(""));
    }

    #[test]
    fn stripped_and_downgraded_requests_are_refused() {
        let check = |challenge, method, policy| Challenge::parse(challenge, method, policy).map(|c| c.is_some());
        use PkcePolicy::{Optional, PlainAllowed, Required};
        assert_eq!(check(None, None, Required), Err(PkceError::Missing));
        assert_eq!(check(None, Some("S256"), Optional), Err(PkceError::Missing));
        assert_eq!(check(None, None, Optional), Ok(false));
        assert_eq!(check(Some(CHALLENGE), None, Required), Err(PkceError::Method));
        assert_eq!(check(Some(VERIFIER), Some("plain"), Optional), Err(PkceError::Method));
        assert_eq!(check(Some(VERIFIER), Some("plain"), PlainAllowed), Ok(true));
        assert_eq!(check(Some("short"), Some("S256"), Required), Err(PkceError::Challenge));
        assert_eq!(check(Some(CHALLENGE), Some("s256"), Required), Err(PkceError::Method));
    }
}
