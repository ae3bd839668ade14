//! A call as it came: its head, its body, and the fields as most providers read them.
//!
//! Judges nothing. What counts, query or body, header or field, is the endpoint's to say.

use crate::fields::Fields;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const FORM: &[u8] = b"application/x-www-form-urlencoded";
const JSON: &[u8] = b"application/json";

/// A request with its whole body.
pub(crate) struct Call {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    /// Those of the query, then those of a form; the query wins.
    pub(crate) fields: Fields,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (head, body) = request.into_parts();
        let body = Bytes::from_request(Request::new(body), state).await.map_err(IntoResponse::into_response)?;
        let mut fields = Fields::of(head.uri.query().unwrap_or_default().as_bytes());
        if is_labelled(&head.headers, FORM) {
            fields.append(&body);
        }
        Ok(Self { head, body, fields })
    }
}

impl Call {
    pub(crate) fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// As it was sent, undecoded.
    pub(crate) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    /// The fields of the query alone.
    pub(crate) fn asked(&self) -> Fields {
        Fields::of(self.query().as_bytes())
    }

    /// The fields of the body alone, if it says that it is a form.
    pub(crate) fn form(&self) -> Fields {
        if is_labelled(&self.head.headers, FORM) { Fields::of(&self.body) } else { Fields::default() }
    }

    /// The body, if it says that it is JSON and is; else null.
    pub(crate) fn json(&self) -> Value {
        match is_labelled(&self.head.headers, JSON) {
            true => serde_json::from_slice(&self.body).unwrap_or_default(),
            false => Value::Null,
        }
    }

    /// The texts of a JSON object, for providers that take either notation.
    pub(crate) fn form_or_json(&self) -> Fields {
        match self.json() {
            Value::Object(members) => Fields::from_iter(members.into_iter().filter_map(|(name, value)| match value {
                Value::String(text) => Some((name, text)),
                Value::Number(number) => Some((name, number.to_string())),
                _ => None,
            })),
            _ => self.form(),
        }
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// `Authorization`, if it is text.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// The bearer token of the `Authorization` header (RFC 6750 §2.1).
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.authorization()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// User name and password of `Authorization: Basic` (RFC 7617), not form-decoded.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        basic(&self.head.headers)
    }
}

/// Whether the headers say that the body is of this type, with or without parameters.
fn is_labelled(headers: &HeaderMap, content_type: &[u8]) -> bool {
    let label = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    label.len() >= content_type.len()
        && label.iter().zip(content_type).all(|(sent, wanted)| sent.eq_ignore_ascii_case(wanted))
}

/// User name and password of `Authorization: Basic`.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
