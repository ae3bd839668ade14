//! A call as it came: path, headers, query and body, read only as far as an endpoint wants.
//!
//! Judges nothing. What counts, query or body, header or field, is the endpoint's to say.

use crate::fields::Fields;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A request with its whole body.
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// As it was sent, undecoded.
    pub(crate) query: String,
    pub(crate) body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self { path, headers, query, body })
    }
}

impl Call {
    /// The fields of the query.
    pub(crate) fn query(&self) -> Fields {
        Fields::of(self.query.as_bytes())
    }

    /// The fields of the body, if it says that it is a form.
    pub(crate) fn form(&self) -> Fields {
        if self.is_labelled(b"application/x-www-form-urlencoded") { Fields::of(&self.body) } else { Fields::default() }
    }

    /// Query and form together; the query wins.
    pub(crate) fn fields(&self) -> Fields {
        let mut fields = self.query();
        if self.is_labelled(b"application/x-www-form-urlencoded") {
            fields.append(&self.body);
        }
        fields
    }

    /// The body, if it says that it is JSON and is; else null.
    pub(crate) fn json(&self) -> Value {
        match self.is_labelled(b"application/json") {
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

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The bearer token of the `Authorization` header (RFC 6750 §2.1).
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// User name and password of `Authorization: Basic` (RFC 7617), not form-decoded.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        basic(&self.headers)
    }

    fn is_labelled(&self, content_type: &[u8]) -> bool {
        let label = self.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        label.len() >= content_type.len()
            && label.iter().zip(content_type).all(|(sent, wanted)| sent.eq_ignore_ascii_case(wanted))
    }
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
