//! Calls to an API in a person's name (feature `session`).
//!
//! Owns what lies between a path and an answer: the token that stays fresh, cookies, redirects,
//! credentials, proxies, time limits, and errors told apart by cause. Signing in is not here.
//!
//! **One rule guards all secrets**: the token, the credentials and the cookies go to the base
//! URL's origin and nowhere else, over TLS or loopback. A request for another origin, or a
//! redirect to one, is sent bare; what comes back from there stays bare.
//!
//! ```
//! use fujie_client::session::{Error, Session};
//! use fujie_client::Secret;
//!
//! # async fn example() -> Result<(), Error> {
//! let session = Session::builder("https://api.github.com").access_token(Secret::new("gho_…")).build()?;
//! let user = session.get("user").send().await?.error_for_status()?;
//! let user: serde_json::Value = user.json()?;
//! # Ok(())
//! # }
//! ```

mod address;
mod body;
mod builder;
mod cookie;
mod credentials;
mod error;
mod netrc;
mod proxy;
mod redirect;
mod request;
mod response;
mod send;
mod token_source;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use body::{Form, Part};
pub use builder::Builder;
pub use error::Error;
pub use proxy::Proxies;
pub use request::Request;
pub use response::{Download, Response};
pub use token_source::{Renew, Renewing, TokenError, TokenSource};

use address::Base;
use cookie::Jar;
use credentials::Credentials;
use reqwest::Method;

pub use crate::provider::TokenPlacement;
use crate::secret::Secret;

/// Calls relative to one base URL, with one person's token, one jar of cookies and one pool of
/// connections. Clones share them. It runs on a tokio runtime.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    base: Base,
    http: reqwest::Client,
    proxies: Proxies,
    token: Token,
    placement: TokenPlacement,
    /// Has the key to which tokens are bound, if they are.
    prover: Option<Arc<crate::Client>>,
    credentials: Credentials,
    cookies: Option<Jar>,
    headers: reqwest::header::HeaderMap,
    limits: Limits,
}

/// Whose access token goes along.
enum Token {
    None,
    Fixed(Secret),
    Getter(Getter),
    Source(TokenSource),
}

/// Whatever the caller says is the token at the moment.
type Getter = Arc<dyn Fn() -> Option<Secret> + Send + Sync>;

/// How long a session waits, how far it follows, how much it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, TLS and proxy included.
    pub connect: Duration,
    /// How long the server may be silent: before its answer, and between two pieces of it.
    pub read: Duration,
    /// From the call to the last byte of the answer, redirects and refreshes included.
    pub total: Duration,
    /// Bytes of an answer's body, decompressed, where [`Request::send`] reads all of it.
    pub body_length_max: u64,
    /// Redirects that are followed.
    pub redirects_max: usize,
}

impl Default for Limits {
    /// 10 s to connect, 30 s of silence, 5 min in all, 8 MiB, 10 redirects.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            total: Duration::from_secs(300),
            body_length_max: 8 * 1024 * 1024,
            redirects_max: 10,
        }
    }
}

impl Session {
    /// A session without a token.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new(base_url: &str) -> Result<Self, Error> {
        Self::builder(base_url).build()
    }

    /// A session that is yet to be described.
    pub fn builder(base_url: impl Into<String>) -> Builder {
        Builder::new(base_url.into())
    }

    /// A GET of this path, or of a whole URL.
    pub fn get(&self, target: &str) -> Request<'_> {
        Request::new(self, Method::GET, target)
    }

    /// A POST to this path.
    pub fn post(&self, target: &str) -> Request<'_> {
        Request::new(self, Method::POST, target)
    }

    /// A PUT to this path.
    pub fn put(&self, target: &str) -> Request<'_> {
        Request::new(self, Method::PUT, target)
    }

    /// A PATCH of this path.
    pub fn patch(&self, target: &str) -> Request<'_> {
        Request::new(self, Method::PATCH, target)
    }

    /// A DELETE of this path.
    pub fn delete(&self, target: &str) -> Request<'_> {
        Request::new(self, Method::DELETE, target)
    }

    /// A HEAD of this path: its answer has no body.
    pub fn head(&self, target: &str) -> Request<'_> {
        Request::new(self, Method::HEAD, target)
    }

    /// A request with any method, such as `OPTIONS` or `PURGE`.
    pub fn request(&self, method: &str, target: &str) -> Request<'_> {
        match Method::from_bytes(method.as_bytes()) {
            Ok(method) if method != Method::CONNECT => Request::new(self, method, target),
            _ => Request::faulty(self, Error::BadRequest("has a method that is none")),
        }
    }

    /// Forgets all cookies.
    pub fn clear_cookies(&self) {
        if let Some(jar) = &self.inner.cookies {
            jar.clear();
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session").field("host", &self.inner.base.host()).finish_non_exhaustive()
    }
}
