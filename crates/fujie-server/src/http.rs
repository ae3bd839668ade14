//! HTTP inward, as values: a request that was read whole within its limits, and answers with the headers they need.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use fujie_core::{
    error::WireError,
    request::parameters::{ParameterError, Parameters},
};
use fujie_store::StoreError;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::{Frame, SizeHint},
    upgrade::Upgraded,
};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::read::Reserved;

/// An answer.
pub type Response = http::Response<Body>;

/// What an answer carries.
pub enum Body {
    /// All of it at once.
    Whole(Full<Bytes>),
    /// Piece by piece, as it comes; the next piece is taken when the peer has room for it.
    Stream(mpsc::Receiver<Bytes>),
    /// Nothing: after the head (101) the connection is given to another protocol.
    Upgrade(Upgrade),
}

/// What is done with a connection that speaks another protocol from now on.
pub type Upgrade = Box<dyn FnOnce(Upgraded) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

impl Body {
    /// A body at hand.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Body::Whole",
            Self::Stream(_) => "Body::Stream",
            Self::Upgrade(_) => "Body::Upgrade",
        })
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole).poll_frame(context),
            Self::Stream(pieces) => pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece)))),
            Self::Upgrade(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Stream(_) => false,
            Self::Upgrade(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Stream(_) => SizeHint::default(),
            Self::Upgrade(_) => SizeHint::with_exact(0),
        }
    }
}

/// Largest body that an ordinary endpoint reads, in bytes.
pub const BODY_LENGTH_MAX: usize = 64 * 1024;

/// A request, read whole.
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
    /// Memory that is set aside for a large body.
    pub(crate) memory: Reserved,
}

/// Without what may be secret: the query's and the headers' values, and the body.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, headers, body, peer, .. } = self;
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Request")
            .field("method", method)
            .field("path", path)
            .field("headers", &names)
            .field("body", &body.len())
            .field("peer", peer)
            .finish_non_exhaustive()
    }
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
        let is_form = self.media_type() == "application/x-www-form-urlencoded";
        if is_form { Parameters::parse(&self.body) } else { Ok(Parameters::default()) }
    }

    /// The media type of the body without its parameters, in lower case; empty when there is none.
    pub fn media_type(&self) -> String {
        let value = self.header(header::CONTENT_TYPE).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// An empty answer with this status.
pub fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// An answer that no cache keeps: JSON text.
pub fn json_text(code: StatusCode, text: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// `text` as an answer takes it; if it is large, with `memory` (in KiB) that is given back when it was sent. `None` when
/// there is too little.
pub(crate) fn counted(memory: &Arc<Semaphore>, text: Vec<u8>) -> Option<Bytes> {
    struct Counted {
        text: Vec<u8>,
        _memory: OwnedSemaphorePermit,
    }
    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.text
        }
    }
    if text.len() <= BODY_LENGTH_MAX {
        return Some(text.into());
    }
    let size = u32::try_from(text.len().div_ceil(1024)).ok()?;
    let memory = Arc::clone(memory).try_acquire_many_owned(size).ok()?;
    Some(Bytes::from_owner(Counted { text, _memory: memory }))
}

/// An answer that no cache keeps: JSON of `value`.
pub fn json<T: Serialize>(code: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => json_text(code, text),
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The answer of a server that is too busy just now.
pub fn busy() -> Response {
    let body = r#"{"error":"temporarily_unavailable","error_description":"too much at once, try again soon"}"#;
    with_header(json_text(StatusCode::SERVICE_UNAVAILABLE, body), header::RETRY_AFTER, "2")
}

/// The answer to a machine when the store failed: it should come again.
pub fn unavailable(error: &StoreError) -> Response {
    tracing::error!(%error, "the store failed");
    busy()
}

/// The answer of a topic that keeps as much as it may, or of a server whose topics do together (RFC 4918 §11.5).
pub(crate) fn full() -> Response {
    let words = "as much is kept as may be, until older events are gone";
    refusal(StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage", words)
}

/// An error as the standards spell it (RFC 6749 §5.2).
pub fn error(error: &impl WireError) -> Response {
    let code = error.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let response = refusal(status, code.as_str(), &error.error_description());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return with_header(response, header::RETRY_AFTER, "2");
    }
    response
}

/// An error with a status that its place gives it.
pub fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a str,
        error_description: &'a str,
    }
    json(status, &Body { error, error_description: description })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_nothing_secret() {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
        headers.insert(header::COOKIE, HeaderValue::from_static("session=secret"));
        let request = Request {
            method: Method::POST,
            authority: None,
            path: "/token".to_owned(),
            query: "code=secret".to_owned(),
            headers,
            body: Bytes::from_static(b"client_secret=secret"),
            peer: IpAddr::from([127, 0, 0, 1]),
            memory: Reserved::default(),
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("/token") && shown.contains("authorization"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_large_answer_keeps_its_memory_until_it_was_sent() {
        let memory = Arc::new(Semaphore::new(100));
        let text = |length: usize| vec![b'x'; length];
        let large = counted(&memory, text(80 * 1024)).unwrap();
        assert_eq!((large.len(), memory.available_permits()), (80 * 1024, 20));
        assert!(counted(&memory, text(80 * 1024)).is_none());
        assert!(counted(&memory, text(BODY_LENGTH_MAX)).is_some(), "an ordinary one is not counted");
        let rest = large.slice(1..);
        drop(large);
        assert_eq!(memory.available_permits(), 20);
        drop(rest);
        assert_eq!(memory.available_permits(), 100);
    }
}
