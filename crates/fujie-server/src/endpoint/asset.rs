//! The files that pages need.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

use crate::{
    http::{Body, Request, Response, status, with_header},
    page::asset,
};

/// GET; `None` when there is no such file.
pub fn get(request: &Request) -> Option<Response> {
    let asset = asset::find(&request.path)?;
    if request.header(header::IF_NONE_MATCH) == Some(asset.etag.as_str()) {
        return Some(with_header(status(StatusCode::NOT_MODIFIED), header::ETAG, &asset.etag));
    }
    let mut response = Response::new(Body::whole(Bytes::from_static(asset.body)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Some(with_header(response, header::ETAG, &asset.etag))
}
