//! How the endpoints read calls and write JSON answers and errors (RFC 6749 §5, RFC 6750 §3).

use super::failure::Failure;
use super::house::Manners;
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::simulation::Simulation;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::Arc;

/// A call with its fields.
pub(crate) struct Call {
    pub(crate) path: String,
    /// The first segment of the path, where the house has tenants.
    pub(crate) tenant: String,
    pub(crate) headers: HeaderMap,
    /// As it was sent; undecoded.
    pub(crate) query: String,
    /// The body, if it is a form; undecoded.
    pub(crate) body: Bytes,
}

impl Call {
    /// The fields of a form. Those of the query do not count (RFC 6749 §2.3.1).
    pub(crate) fn form(&self) -> Fields {
        Fields::of(&self.body)
    }

    /// The bearer token of the `Authorization` header.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }
}

impl<M: Manners> FromRequest<Arc<Simulation<World<M>>>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, state: &Arc<Simulation<World<M>>>) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let headers = request.headers().clone();
        let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let body = match content_type.starts_with(b"application/x-www-form-urlencoded") {
            true => Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?,
            false => Bytes::new(),
        };
        let tenant = M::PATHS.tenant_in(&path).to_owned();
        Ok(Self { path, tenant, headers, query, body })
    }
}

/// An answer that no cache may keep.
pub(crate) fn json(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}

/// An error in the house's notation, with the challenge that its endpoint owes.
pub(crate) fn failure<M: Manners>(failure: &Failure, path: &str, headers: &HeaderMap, now: Timestamp) -> Response {
    let mut response = json(&M::failure(failure, now));
    *response.status_mut() = failure.status;
    let is_userinfo = M::PATHS.userinfo.is_some_and(|userinfo| userinfo == path);
    let challenge = match failure.status {
        _ if is_userinfo => {
            let (error, text) = (&failure.error, &failure.description);
            HeaderValue::from_str(&format!("Bearer error=\"{error}\", error_description=\"{text}\"")).ok()
        }
        StatusCode::UNAUTHORIZED if headers.contains_key(header::AUTHORIZATION) => {
            Some(HeaderValue::from_static("Basic realm=\"token\""))
        }
        _ => None,
    };
    if let Some(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if failure.status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
