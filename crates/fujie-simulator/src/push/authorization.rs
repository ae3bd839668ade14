//! Who sends: `Authorization: vapid t=…, k=…` (RFC 8292 §3), judged for one subscription.

use super::config::App;
use crate::clock::Timestamp;
use crate::jws::{self, Algorithm};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A token may be good for so long (RFC 8292 §2).
const LIFETIME_SECONDS_MAX: u64 = 86_400;

/// A sender that proved who it is.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) key: String,
    pub(crate) claims: Value,
}

pub(crate) type Refusal = (StatusCode, &'static str);

/// # Errors
/// 401 where the header is missing or of another scheme, 403 where what it says is wrong (RFC 8292 §4.2).
pub(crate) fn judge(
    header: Option<&str>,
    subscription: &App,
    audience: &str,
    now: Timestamp,
) -> Result<Sender, Refusal> {
    let (scheme, parameters) = header.and_then(|value| value.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("vapid") {
        return Err((StatusCode::UNAUTHORIZED, "no vapid authorization"));
    }
    let refuse = |why| (StatusCode::FORBIDDEN, why);
    let parameter = |name: &str| {
        let mut all = parameters.split(',').filter_map(|one| one.trim().split_once('='));
        all.find(|(own, _)| *own == name).map(|(_, value)| value.trim_matches('"'))
    };
    let (Some(token), Some(key)) = (parameter("t"), parameter("k")) else {
        return Err(refuse("t or k is missing"));
    };
    let point = URL_SAFE_NO_PAD.decode(key).unwrap_or_default();
    let public_key = jws::p256_public_key(&point).ok_or(refuse("k is no P-256 key"))?;
    let verified = jws::verified(token, &public_key, &[Algorithm::Es256]).ok_or(refuse("t is not signed by k"))?;
    let claims = verified.claims;
    if claims.get("aud").and_then(Value::as_str) != Some(audience) {
        return Err(refuse("aud is not this push service"));
    }
    let exp = claims.get("exp").and_then(Value::as_u64).ok_or(refuse("exp is missing"))?;
    if exp <= now.unix_seconds() || exp > now.unix_seconds() + LIFETIME_SECONDS_MAX {
        return Err(refuse("exp is past, or more than a day ahead"));
    }
    let is_contact = |sub: &str| sub.starts_with("mailto:") || sub.starts_with("https:");
    if !claims.get("sub").and_then(Value::as_str).is_some_and(is_contact) {
        return Err(refuse("sub is no mailto: or https:"));
    }
    if subscription.application_server_key.as_deref().is_some_and(|own| own != key) {
        return Err(refuse("the subscription was made for another key"));
    }
    Ok(Sender { key: key.to_owned(), claims })
}
