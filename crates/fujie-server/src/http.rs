//! HTTP inward, as values: a request that was read whole within its limits, and answers with the headers they need.

use std::net::IpAddr;

use bytes::Bytes;
use fujie_core::{
    error::WireError,
    request::parameters::{ParameterError, Parameters},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;

/// An answer.
pub type Response = http::Response<Full<Bytes>>;

/// Largest body that any endpoint reads, in bytes.
pub const BODY_LENGTH_MAX: usize = 64 * 1024;

/// A request, read whole.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The authority of an absolute-form target, which outranks `Host` (RFC 9112 §3.2.2).
    pub authority: Option<String>,
    /// Path as sent, without query.
    pub path: String,
    /// Query as sent, without `?`.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; empty unless the method is POST.
    pub body: Bytes,
    /// Where it came from.
    pub peer: IpAddr,
}

impl Request {
    /// A header as text; `None` when absent, repeated or not visible ASCII.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() {
            return None;
        }
        first.to_str().ok()
    }

    /// The parameters of the query.
    pub fn query(&self) -> Result<Parameters, ParameterError> {
        Parameters::parse(self.query.as_bytes())
    }

    /// The parameters of a form body. Another content type reads as no parameters at all.
    pub fn form(&self) -> Result<Parameters, ParameterError> {
        let is_form = self.header(header::CONTENT_TYPE).is_some_and(|value| {
            let mime = value.split(';').next().unwrap_or_default().trim();
            mime.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if is_form { Parameters::parse(&self.body) } else { Ok(Parameters::default()) }
    }
}

/// An empty answer with this status.
pub fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// An answer that no cache keeps: JSON text.
pub fn json_text(code: StatusCode, text: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An answer that no cache keeps: JSON of `value`.
pub fn json<T: Serialize>(code: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => json_text(code, text),
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// An error as the standards spell it (RFC 6749 §5.2).
pub fn error(error: &impl WireError) -> Response {
    #[derive(Serialize)]
    struct Body {
        error: &'static str,
        error_description: String,
    }
    let code = error.code();
    let body = Body { error: code.as_str(), error_description: error.error_description() };
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

/// 303 to `location`, which no cache keeps and no referrer follows.
pub fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = status(StatusCode::SEE_OTHER);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The answer with one more header; an unusable value is left out.
pub fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
    response
}

/// The answer for scripts of any origin. Never on an answer that looks at cookies.
pub fn for_any_origin(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The answer to a preflight of an endpoint that scripts of any origin may call.
pub fn preflight() -> Response {
    let mut response = for_any_origin(status(StatusCode::NO_CONTENT));
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}
