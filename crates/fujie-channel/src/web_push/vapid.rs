//! Who sends a push message: a JWT that the server signs for the push service (RFC 8292).
//!
//! Pure. The key is one P-256 key for the life of the server, because browsers bind their subscriptions to it; making
//! and keeping it is the server's matter.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::{
    jose::jws::{KeyRejected, SigningKey},
    time::{Lifetime, Timestamp},
};
use serde_json::json;

/// How long an authorization is good. At most a day is allowed (RFC 8292 §2); clocks differ.
const LIFETIME: Lifetime = Lifetime::from_seconds(12 * 3600);

/// The public key as browsers take it for `applicationServerKey`: the uncompressed point in base64url. `None` unless it
/// is a P-256 key.
pub fn public_key(key: &SigningKey) -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(key.p256_point()?))
}

/// Is this a contact that a push service can use: `mailto:` or an `https` page (RFC 8292 §2.1)?
pub fn is_contact(contact: &str) -> bool {
    let is_plain = contact.len() <= 300 && contact.bytes().all(|byte| byte.is_ascii_graphic());
    let rest = contact.strip_prefix("mailto:").map(|address| address.contains('@'));
    is_plain && rest.unwrap_or_else(|| contact.len() > "https://".len() && contact.starts_with("https://"))
}

/// The value of `Authorization` for the push service at `audience`, an origin. `contact` is where its people find ours.
///
/// `key` signs with ES256 and has no `kid`: the push service is given the key itself (RFC 8292 §3.2).
pub fn authorization(key: &SigningKey, contact: &str, audience: &str, now: Timestamp) -> Result<String, KeyRejected> {
    let public_key = public_key(key).ok_or(KeyRejected)?;
    let claims = json!({ "aud": audience, "exp": (now + LIFETIME).seconds(), "sub": contact });
    let token = key.sign("JWT", claims.to_string().as_bytes())?;
    Ok(format!("vapid t={token}, k={public_key}"))
}
