//! The one thing that touches the network: it sends a request and brings the answer.
//!
//! Owns the trait, its answers and its limits. What a request means, and what an answer says, is
//! none of a transport's business. No type of an HTTP library appears here.

#[cfg(feature = "admitted")]
mod admitted;
#[cfg(feature = "reqwest")]
mod over_reqwest;
#[cfg(feature = "ureq")]
mod over_ureq;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fujie_core::time::Timestamp;

#[cfg(feature = "admitted")]
pub use admitted::AdmittedTransport;
#[cfg(feature = "reqwest")]
pub use over_reqwest::ReqwestTransport;
#[cfg(feature = "ureq")]
pub use over_ureq::UreqTransport;

use crate::request::Request;

/// Bytes of an answer's body, at most: 256 KiB. A user answer has about one.
pub const RESPONSE_BODY_MAX: usize = 256 * 1024;

/// The headers of an answer that are kept; all others are nobody's business here.
#[cfg(any(feature = "reqwest", feature = "ureq"))]
pub(crate) const RESPONSE_HEADERS: &[&str] =
    &["content-type", "dpop-nonce", "link", "retry-after", "www-authenticate", "x-ratelimit-remaining"];

/// An answer. `Debug` shows neither headers nor body.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values. The `Content-Type` is for the log: nothing
    /// is decided by it.
    pub headers: Vec<(String, String)>,
    /// The body as it came, not longer than [`RESPONSE_BODY_MAX`].
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with no header but a `Content-Type`.
    pub fn new(status: u16, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Self {
        let headers = content_type.map(|value| ("content-type".to_owned(), value.to_owned()));
        Self { status, headers: headers.into_iter().collect(), body: body.into() }
    }

    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Response")
            .field("status", &self.status)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What sends requests.
///
/// With one of one's own a program keeps to the HTTP library that it has already, or keeps its tests
/// off the network:
///
/// ```
/// use std::pin::Pin;
/// use std::sync::Arc;
///
/// use fujie_client::{Client, Registration, Request, Response, Secret, Transport, TransportError, provider};
///
/// /// GitHub, as far as a sign-in goes.
/// struct Rehearsal;
///
/// impl Transport for Rehearsal {
///     fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
///         Box::pin(async move {
///             // An HTTP library gets request.method(), url(), headers() and body(), all as they are. What it
///             // says of a failure becomes a TransportError by the point that was reached: Unreachable as long
///             // as nothing was sent, Interrupted afterwards.
///             let body = match request.url() {
///                 "https://github.com/login/oauth/access_token" => r#"{"access_token": "gho_1", "token_type": "bearer"}"#,
///                 "https://api.github.com/user" => r#"{"id": 583231, "login": "octocat"}"#,
///                 _ => return Err(TransportError::Unreachable("not rehearsed".into())),
///             };
///             Ok(Response::new(200, Some("application/json"), body))
///         })
///     }
/// }
///
/// # async fn rehearse() -> Result<(), Box<dyn std::error::Error>> {
/// let registration = Registration::new(provider::github(), "Iv1.0123456789abcdef", Secret::new("the secret"))?;
/// let client = Client::over(Arc::new(Rehearsal), registration)?;
/// let begun = client.begin("https://app.example/callback")?;
/// // The browser comes back with the state that it was sent with.
/// let state = begun.url.split(['&', '?']).find(|parameter| parameter.starts_with("state=")).unwrap_or_default();
/// let signed_in = client.finish(&format!("code=1&{state}"), &begun.cookie.value).await?;
/// assert_eq!(signed_in.identity.subject, "583231");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(rehearse()).unwrap();
/// ```
///
/// A function that blocks needs no such type: [`crate::blocking::Client::over`] takes it as it is.
pub trait Transport: Send + Sync {
    /// Sends the request once and brings the whole answer, whatever its status. It must never
    /// follow a redirect, send a request twice, wait without end, read without limit, or log
    /// the URL.
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>>;
}

/// Why there is no answer. Sources must not contain the URL: its query may hold secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nothing was sent: name lookup, connection or TLS failed.
    #[error("no connection")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// Nothing was sent: the host has an address to which the transport may not connect.
    #[error("the host has an address that may not be reached")]
    NotAdmitted,
    /// The time was up before the answer was complete.
    #[error("no complete answer in time")]
    Timeout,
    /// The body is longer than [`RESPONSE_BODY_MAX`].
    #[error("the answer is too large")]
    TooLarge,
    /// The connection broke, or what came was not HTTP.
    #[error("the exchange broke off")]
    Interrupted(#[source] Box<dyn Error + Send + Sync>),
    /// The transport could not be set up, or the request not be written.
    #[error("the transport is unusable")]
    Unusable(#[source] Box<dyn Error + Send + Sync>),
}

/// How long a transport waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the beginning until the last byte of the answer.
    pub total: Duration,
}

impl Default for Limits {
    /// 2 s to connect, 5 s in all: a person is waiting in front of the browser.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(5) }
    }
}

/// The transport of this build. Without an async runtime ureq is right, and reqwest is wrong: a
/// build that has both takes reqwest, and [`crate::blocking`] takes ureq by itself.
///
/// # Errors
/// [`TransportError::Unusable`] when TLS cannot be set up on this host.
#[cfg(feature = "reqwest")]
pub(crate) fn default_transport() -> Result<std::sync::Arc<dyn Transport>, TransportError> {
    Ok(std::sync::Arc::new(ReqwestTransport::new()?))
}

/// The transport of this build.
///
/// # Errors
/// [`TransportError::Unusable`] when TLS cannot be set up on this host.
#[cfg(all(feature = "ureq", not(feature = "reqwest")))]
pub(crate) fn default_transport() -> Result<std::sync::Arc<dyn Transport>, TransportError> {
    Ok(std::sync::Arc::new(UreqTransport::new()?))
}

/// The machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that reads the clock; a client may have another"
)]
pub(crate) fn system_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
