//! One attempt, sealed in one cookie of the browser that began it.
//!
//! Owns the sealing (AES-256-GCM-SIV, RFC 8452), the cookie's name and its attributes. Whoever
//! holds the cookie can finish that attempt and no other; nobody can read or change it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fujie_core::random::{Random, bytes};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::ProviderError;
use crate::flow::{ATTEMPT_LIFETIME, Attempt};
use crate::provider;
use crate::secret::is_equal;

/// Bytes of a nonce (RFC 8452 §4).
const NONCE_LENGTH: usize = 12;
/// Bytes of a `Cookie` header that are looked at, at most.
const HEADER_LENGTH_MAX: usize = 32 * 1024;
/// Attempts that one browser may carry, so that its headers do not grow beyond what servers take.
const ATTEMPTS_MAX: usize = 8;
/// What this sealing is for, so that it opens as nothing else.
const PURPOSE: &[u8] = b"fujie-client attempt 1";

/// The key that seals attempts. Processes that serve the same site share one.
pub struct CookieKey(LessSafeKey);

impl CookieKey {
    /// From 32 random bytes.
    ///
    /// # Errors
    /// [`ProviderError::CookieUnusable`] when the cryptographic library refuses the key.
    pub fn new(key: &[u8; 32]) -> Result<Self, ProviderError> {
        let unbound = UnboundKey::new(&AES_256_GCM_SIV, key).or(Err(ProviderError::CookieUnusable))?;
        Ok(Self(LessSafeKey::new(unbound)))
    }

    fn seal(&self, sealed: &Sealed, random: &mut dyn Random) -> Result<String, ProviderError> {
        let nonce = bytes::<NONCE_LENGTH>(random);
        let mut sealed = serde_json::to_vec(sealed).or(Err(ProviderError::CookieUnusable))?;
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(PURPOSE), &mut sealed)
            .or(Err(ProviderError::CookieUnusable))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    fn open(&self, value: &str) -> Option<Sealed> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LENGTH)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(PURPOSE), &mut sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

impl fmt::Debug for CookieKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CookieKey([redacted])")
    }
}

/// What is sealed: the attempt, and how its cookie was set.
#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    attempt: Attempt,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_cross_site: bool,
}

/// The cookie to set before the browser is sent to the provider. `Debug` does not show its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name, one for every attempt, so that two tabs do not spoil each other's.
    pub name: String,
    /// Its value, sealed.
    pub value: String,
    /// Whether it must only travel over TLS or loopback: when the redirect URI is https, or cross-site on loopback.
    pub is_secure: bool,
    /// Whether it must come along when the provider's own site brings the callback: by a POST, or inside its frame.
    pub is_cross_site: bool,
}

impl Cookie {
    pub(crate) fn seal(
        key: &CookieKey,
        attempt: &Attempt,
        is_cross_site: bool,
        random: &mut dyn Random,
    ) -> Result<Self, ProviderError> {
        let sealed = Sealed { attempt: attempt.clone(), is_cross_site };
        Ok(Self { value: key.seal(&sealed, random)?, ..Self::without_value(&sealed) })
    }

    fn without_value(sealed: &Sealed) -> Self {
        let Sealed { attempt, is_cross_site } = sealed;
        // Browsers take None with Secure alone, and Secure from loopback too.
        let is_secure = is_https(attempt) || (*is_cross_site && is_loopback(&attempt.redirect_uri));
        Self { name: name(attempt), value: String::new(), is_secure, is_cross_site: *is_cross_site }
    }

    /// The value of a `Set-Cookie` header: not for scripts, for ten minutes, on every path.
    pub fn set_cookie(&self) -> String {
        self.header(&self.value, ATTEMPT_LIFETIME.seconds())
    }

    /// The value of a `Set-Cookie` header that takes the cookie back. The answer to a callback knows
    /// only what the browser sent: there it is [`crate::Client::clear_cookies`].
    pub fn clear_cookie(&self) -> String {
        self.header("", 0)
    }

    fn header(&self, value: &str, seconds: u64) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let same_site = if self.is_cross_site && self.is_secure { "None" } else { "Lax" };
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}", self.name)
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cookie").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The attempts in what the browser sent, one at least.
pub(crate) fn open(key: &CookieKey, came: &str) -> Result<Vec<Attempt>, ProviderError> {
    let attempts: Vec<Attempt> = opened(key, came).into_iter().map(|sealed| sealed.attempt).collect();
    if attempts.is_empty() { Err(ProviderError::CookieUnusable) } else { Ok(attempts) }
}

/// The values of `Set-Cookie` headers that take back the attempt of this state, and of all others
/// those that are older than the newest eight.
pub(crate) fn clear(key: &CookieKey, came: &str, state: Option<&str>) -> Vec<String> {
    let is_ours = |sealed: &Sealed| state.is_some_and(|state| is_equal(state, &sealed.attempt.state));
    let (mut spent, mut others): (Vec<Sealed>, Vec<Sealed>) = opened(key, came).into_iter().partition(is_ours);
    others.sort_by_key(|sealed| std::cmp::Reverse(sealed.attempt.created_at));
    spent.extend(others.into_iter().skip(ATTEMPTS_MAX));
    spent.iter().map(|sealed| Cookie::without_value(sealed).clear_cookie()).collect()
}

/// The attempts in what the browser sent: one cookie's value and nothing else, or a whole `Cookie`
/// header. There an attempt counts under its own name alone: `__Host-` is what keeps a sibling
/// host from setting it (RFC 6265bis §4.1.3.2).
fn opened(key: &CookieKey, came: &str) -> Vec<Sealed> {
    let head = came.get(..HEADER_LENGTH_MAX.min(came.len())).unwrap_or_default();
    if head.contains(['=', ';']) {
        head.split(';').filter_map(|pair| named(key, pair)).collect()
    } else {
        key.open(head.trim()).into_iter().collect()
    }
}

fn named(key: &CookieKey, pair: &str) -> Option<Sealed> {
    let (sent, value) = pair.trim().split_once('=')?;
    let sealed = key.open(value.trim_matches('"'))?;
    (sent == name(&sealed.attempt)).then_some(sealed)
}

fn is_https(attempt: &Attempt) -> bool {
    attempt.redirect_uri.starts_with("https:")
}

fn is_loopback(redirect_uri: &str) -> bool {
    Url::parse(redirect_uri).is_ok_and(|url| provider::is_loopback(&url))
}

/// The state stays secret: its digest names the cookie.
fn name(attempt: &Attempt) -> String {
    let digest = digest(&SHA256, attempt.state.as_bytes());
    let short: String = digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let prefix = if is_https(attempt) { "__Host-" } else { "" };
    format!("{prefix}fujie_attempt_{short}")
}
