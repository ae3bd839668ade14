//! Webhooks received: is a delivery what it says it is, and what does it say?
//!
//! Owns the judgement of one request, without I/O: GitHub's deliveries, any sender that signs the body with HMAC-SHA256,
//! and senders that only bring a token along (GitLab, Gitee). Nothing of a body is read before its sender is proven.
//! The headers that name a delivery and its event are not under any sender's signature, GitHub's neither: whoever can
//! repeat a signed body in transit can rename it, which is what TLS is there against.
//! Remembering which deliveries were there, and refusing bodies of more than 25 MB before they are buffered, is the
//! caller's.

mod body;
mod proof;
pub mod secrets;
pub mod sender;

use std::borrow::Cow;

use fujie_core::{
    secret::{Secret, hex, sha256},
    time::Timestamp,
};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::event::{GITHUB, is_reserved};
pub use secrets::Secrets;
use sender::{GITHUB_DELIVERY, GITHUB_EVENT};

/// Names of deliveries and of events, in characters.
const NAME_LENGTH_MAX: usize = 128;

/// How an integration's deliveries look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GitHub's: `X-Hub-Signature-256` over the raw body, `X-GitHub-Delivery`, `X-GitHub-Event`.
    Github,
    /// HMAC-SHA256 of the raw body, in hexadecimal digits or Base64.
    Hmac {
        /// The header that carries it.
        signature: HeaderName,
        /// What stands before the digits, for example `sha256=`; may be empty.
        prefix: String,
        /// The sender's names.
        names: Names,
    },
    /// The secret itself in a header.
    Token {
        /// The header that carries it.
        token: HeaderName,
        /// The sender's names.
        names: Names,
    },
}

/// Headers in which a sender names what it sends, as far as it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The delivery: the same when it is sent again.
    pub delivery: Option<HeaderName>,
    /// What happened.
    pub event: Option<HeaderName>,
}

/// A delivery whose sender is proven.
#[derive(Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// Its name: a delivery of the same name is the same one again.
    pub delivery: String,
    /// Another name that it may have come by before: that of the minute before, where the sender gives it none.
    pub earlier: Option<String>,
    /// The event's type: `com.github.push`; of other senders what their header says, or `hook`.
    pub event_type: String,
    /// What it says: JSON.
    pub data: Cow<'a, str>,
}

/// Why a delivery is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no signature.
    #[error("the signature is missing")]
    MissingSignature,
    /// GitHub signed with SHA-1 only.
    #[error("a SHA-1 signature is not enough")]
    Sha1Only,
    /// The signature is not spelled as it should be, or stands there twice.
    #[error("the signature is malformed")]
    Malformed,
    /// Another secret, or another body.
    #[error("the signature does not fit the body")]
    Mismatch,
    /// There is no token in this header.
    #[error("the token is missing (header {0})")]
    MissingToken(HeaderName),
    /// The token in this header is longer than any, or stands there twice.
    #[error("the token is malformed (header {0})")]
    MalformedToken(HeaderName),
    /// The token in this header is another.
    #[error("the token does not fit (header {0})")]
    TokenMismatch(HeaderName),
    /// GitHub's delivery has no name, or one that is too long.
    #[error("the delivery has no usable name")]
    MissingDelivery,
    /// GitHub's event has no name, or one that is no event's.
    #[error("the event has no usable name")]
    MissingEvent,
    /// The body is compressed, or coded otherwise (RFC 9110 §8.4).
    #[error("the body has a Content-Encoding: send it without one")]
    ContentEncoding,
    /// GitHub sends `application/json` or `application/x-www-form-urlencoded`.
    #[error("the content type is neither JSON nor a form")]
    ContentType,
    /// The body is not JSON in UTF-8, or not a form with one `payload`.
    #[error("the body is not JSON")]
    NotJson,
}

impl Refusal {
    /// What the sender is answered.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::MissingSignature | Self::Sha1Only | Self::Malformed | Self::Mismatch => StatusCode::UNAUTHORIZED,
            Self::MissingToken(_) | Self::MalformedToken(_) | Self::TokenMismatch(_) => StatusCode::UNAUTHORIZED,
            Self::MissingDelivery | Self::MissingEvent | Self::NotJson => StatusCode::BAD_REQUEST,
            Self::ContentEncoding | Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// Has a request anything that might prove its sender? To be asked before a large body is read.
pub fn presented(kind: &Kind, headers: &HeaderMap) -> Result<(), Refusal> {
    match kind {
        Kind::Github => proof::github_signature(headers).map(drop),
        Kind::Hmac { signature, .. } => proof::signature(headers, signature).map(drop),
        Kind::Token { token, .. } => proof::presented_token(headers, token).map(drop),
    }
}

/// Judges one request: its sender by `secrets` (several while one replaces another; none admits nobody), then what it
/// says. `now` is when it came.
///
/// A sender that names no deliveries cannot be told apart from itself sending again. An equal body of
/// the same event counts as the same delivery until the next minute of the clock is over, so for one to two minutes: most
/// senders that retry do so within seconds, and whoever sends equal bodies on purpose means them further apart. Where
/// that is wrong, the sender has to name its deliveries.
pub fn judge<'a>(
    kind: &Kind,
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &'a [u8],
    now: Timestamp,
) -> Result<Received<'a>, Refusal> {
    match kind {
        Kind::Github => {
            proof::github(secrets, headers, body)?;
            body::uncoded(headers)?;
            Ok(Received {
                delivery: name(headers, &GITHUB_DELIVERY).ok_or(Refusal::MissingDelivery)?,
                earlier: None,
                event_type: github_type(headers).ok_or(Refusal::MissingEvent)?,
                data: body::github(headers, body)?,
            })
        }
        Kind::Hmac { signature, prefix, names } => {
            proof::hmac(secrets, proof::signature(headers, signature)?, prefix, body)?;
            body::uncoded(headers)?;
            let data = body::json(body)?;
            Ok(named(names, headers, body, now, Cow::Borrowed(data)))
        }
        Kind::Token { token, names } => {
            let secret = proof::token(secrets, headers, token)?;
            body::uncoded(headers)?;
            let data = body::masked(body::json(body)?, secret);
            Ok(named(names, headers, body, now, data))
        }
    }
}

fn github_type(headers: &HeaderMap) -> Option<String> {
    let event = name(headers, &GITHUB_EVENT)?;
    let is_plain = event.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_plain.then(|| format!("{GITHUB}{event}"))
}

fn named<'a>(names: &Names, headers: &HeaderMap, body: &[u8], now: Timestamp, data: Cow<'a, str>) -> Received<'a> {
    let given = |header: &Option<HeaderName>| header.as_ref().and_then(|header| name(headers, header));
    let event_type = given(&names.event).filter(|event| !is_reserved(event)).unwrap_or_else(|| "hook".to_owned());
    let (delivery, earlier) = match given(&names.delivery) {
        Some(delivery) => (delivery, None),
        None => {
            let [own, earlier] = unnamed(&event_type, body, now);
            (own, Some(earlier))
        }
    };
    Received { delivery, earlier, event_type, data }
}

/// The name of a delivery whose sender gave it none, and the name it would have had a minute before.
fn unnamed(event_type: &str, body: &[u8], now: Timestamp) -> [String; 2] {
    let digest = hex(&sha256(&[sha256(event_type.as_bytes()), sha256(body)].concat()));
    let minute = now.seconds().div_euclid(60);
    [minute, minute - 1].map(|minute| format!("sha256:{digest}:{minute}"))
}

/// A header's value, if it stands there once and is a name.
fn name(headers: &HeaderMap, header: &HeaderName) -> Option<String> {
    let name = only(headers, header)?.ok()?.trim();
    let is_plain = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (is_plain && !name.is_empty() && name.len() <= NAME_LENGTH_MAX).then(|| name.to_owned())
}

/// A header's text. `None`: it is missing; an error: it stands there twice, or is not ASCII.
fn only<'a>(headers: &'a HeaderMap, header: &HeaderName) -> Option<Result<&'a str, Refusal>> {
    let mut values = headers.get_all(header).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return Some(Err(Refusal::Malformed));
    }
    Some(first.to_str().or(Err(Refusal::Malformed)))
}

#[cfg(test)]
mod tests;
