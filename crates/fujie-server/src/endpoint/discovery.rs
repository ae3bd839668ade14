//! Metadata (RFC 8414, OpenID Connect Discovery 1.0) and keys (RFC 7517): documents made once per snapshot.

use bytes::Bytes;
use http::{HeaderValue, header};

use crate::{
    http::{Body, Response, for_any_origin},
    server::Server,
};

/// The metadata document.
pub fn metadata(server: &Server) -> Response {
    document(server.snapshot().metadata.clone())
}

/// The JWK Set.
pub fn jwks(server: &Server) -> Response {
    document(server.snapshot().jwks.clone())
}

fn document(body: Bytes) -> Response {
    let mut response = for_any_origin(Response::new(Body::whole(body)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Shorter than the lead of a new key over its first use.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
