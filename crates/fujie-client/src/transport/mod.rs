//! The one thing that touches the network: it sends a request and brings the answer.
//!
//! Owns the trait, its answers and its limits. What a request means, and what an answer says, is
//! none of a transport's business. No type of an HTTP library appears here.

#[cfg(feature = "reqwest")]
mod over_reqwest;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

#[cfg(feature = "reqwest")]
pub use over_reqwest::ReqwestTransport;

use crate::request::Request;

/// Bytes of an answer's body, at most: 256 KiB. A user answer has about one.
pub const RESPONSE_BODY_MAX: usize = 256 * 1024;

/// An answer. `Debug` does not show the body.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`, for the log: nothing is decided by it.
    pub content_type: Option<String>,
    /// The body as it came, not longer than [`RESPONSE_BODY_MAX`].
    pub body: Vec<u8>,
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
