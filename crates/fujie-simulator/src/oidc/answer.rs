//! How the endpoints write JSON answers and errors (RFC 6749 §5, RFC 6750 §3).

use super::dpop;
use super::failure::Failure;
use super::house::Manners;
use crate::clock::Timestamp;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// An answer that no cache may keep.
pub(crate) fn json(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}

/// An error in the house's notation, with the challenge that its endpoint owes.
pub(crate) fn failure<M: Manners>(failure: &Failure, path: &str, headers: &HeaderMap, now: Timestamp) -> Response {
    let mut response = json(&M::failure(failure, now));
    *response.status_mut() = failure.status;
    let is_userinfo = M::PATHS.userinfo.is_some_and(|userinfo| userinfo == path);
    let is_of_proof = failure.error.contains("dpop");
    let challenge = match failure.status {
        _ if is_userinfo => {
            let (error, text) = (&failure.error, &failure.description);
            let scheme = if is_of_proof { "DPoP" } else { "Bearer" };
            HeaderValue::from_str(&format!("{scheme} error=\"{error}\", error_description=\"{text}\"")).ok()
        }
        StatusCode::UNAUTHORIZED if headers.contains_key(header::AUTHORIZATION) => {
            Some(HeaderValue::from_static("Basic realm=\"token\""))
        }
        _ => None,
    };
    if let Some(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if is_of_proof && let Ok(nonce) = HeaderValue::from_str(&dpop::nonce(now)) {
        response.headers_mut().insert(dpop::NONCE_HEADER, nonce);
    }
    if failure.status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
