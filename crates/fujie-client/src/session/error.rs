//! What can go wrong between a session and a server, by cause.
//!
//! Owns the causes and what to do about each. No variant shows a token, a query or a body: a
//! place is a method and a URL without its query.

use std::error::Error as StdError;

use super::TokenError;

/// What a library below us says. Its type is nobody's business.
pub(super) type Source = Box<dyn StdError + Send + Sync>;

/// Why a call did not come about. What python-requests calls `RequestException`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be used. Nothing was sent.
    #[error("the URL {0}")]
    BadUrl(&'static str),
    /// The request cannot be written: a header, a body, a name. Nothing was sent.
    #[error("the request {0}")]
    BadRequest(&'static str),
    /// The session cannot be set up as it was told.
    #[error("the session {what}")]
    Setup {
        /// What is wrong.
        what: &'static str,
        /// The cause, if another part found it.
        source: Option<Source>,
    },
    /// There is no valid access token. Nothing was sent to the server.
    #[error("no access token")]
    Token(#[source] TokenError),
    /// Name lookup or connection failed.
    #[error("{place}: no connection")]
    Connect {
        /// What was asked of whom.
        place: String,
        /// What the network says.
        source: Source,
    },
    /// The connection did not stand in time, TLS included.
    #[error("{place}: no connection in time")]
    ConnectTimeout {
        /// What was asked of whom.
        place: String,
    },
    /// The server fell silent: before its answer, or in the midst of it. It may have acted.
    #[error("{place}: the server fell silent")]
    ReadTimeout {
        /// What was asked of whom.
        place: String,
    },
    /// The whole took too long, though the server was never silent. It may have acted.
    #[error("{place}: not finished in time")]
    Timeout {
        /// What was asked of whom.
        place: String,
    },
    /// The server could not prove who it is, or TLS failed otherwise.
    #[error("{place}: no trusted TLS connection")]
    Tls {
        /// What was asked of whom.
        place: String,
        /// What TLS says.
        source: Source,
    },
    /// The proxy cannot be reached, or refuses to connect us.
    #[error("{place}: no connection through the proxy")]
    Proxy {
        /// What was asked of whom.
        place: String,
        /// What the proxy says.
        source: Source,
    },
    /// The connection broke before there was an answer, or what came was not HTTP. The server
    /// may have acted.
    #[error("{place}: the exchange broke off")]
    Interrupted {
        /// What was asked of whom.
        place: String,
        /// What the network says.
        source: Source,
    },
    /// The answer's status says that it failed; only `error_for_status` makes this an error.
    #[error("{place}: status {status}")]
    Status {
        /// What was asked of whom.
        place: String,
        /// The HTTP status, 400 or above.
        status: u16,
    },
    /// The server redirects again and again.
    #[error("{place}: more than {limit} redirects")]
    TooManyRedirects {
        /// Where the last one came from.
        place: String,
        /// How many were followed.
        limit: usize,
    },
    /// A redirect that must not be followed.
    #[error("{place}: redirect not followed: it {what}")]
    RedirectRefused {
        /// Where it came from.
        place: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// What was to be sent could not be read, or the answer broke off in the midst of its body.
    #[error("{place}: {what}")]
    Body {
        /// What was asked of whom.
        place: String,
        /// Which of the two.
        what: &'static str,
        /// The cause.
        source: Source,
    },
    /// The answer's body is longer than was allowed, decompressed.
    #[error("{place}: the answer is longer than {limit} bytes")]
    TooLarge {
        /// What was asked of whom.
        place: String,
        /// Bytes that were allowed.
        limit: u64,
    },
    /// The answer is not what it says it is: its compression, its JSON, its charset.
    #[error("{place}: the answer {what}")]
    Decode {
        /// What was asked of whom.
        place: String,
        /// What it is not.
        what: &'static str,
        /// The cause. It never quotes the answer.
        source: Source,
    },
}

impl Error {
    /// The cause in one word, stable: for metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadUrl(_) => "bad_url",
            Self::BadRequest(_) => "bad_request",
            Self::Setup { .. } => "setup",
            Self::Token(_) => "token",
            Self::Connect { .. } => "connect",
            Self::ConnectTimeout { .. } => "connect_timeout",
            Self::ReadTimeout { .. } => "read_timeout",
            Self::Timeout { .. } => "timeout",
            Self::Tls { .. } => "tls",
            Self::Proxy { .. } => "proxy",
            Self::Interrupted { .. } => "interrupted",
            Self::Status { .. } => "status",
            Self::TooManyRedirects { .. } => "too_many_redirects",
            Self::RedirectRefused { .. } => "redirect_refused",
            Self::Body { .. } => "body",
            Self::TooLarge { .. } => "too_large",
            Self::Decode { .. } => "decode",
        }
    }

    /// Whether time ran out, wherever.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::ConnectTimeout { .. } | Self::ReadTimeout { .. } | Self::Timeout { .. })
    }

    /// Whether no connection stood, so that the server has seen nothing of the request.
    pub fn is_connection(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::ConnectTimeout { .. } | Self::Tls { .. } | Self::Proxy { .. })
    }

    /// The HTTP status, if the answer's status is the error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What to do next, for whoever reads the log.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::BadUrl(_) | Self::BadRequest(_) => "correct the call",
            Self::Setup { .. } => "correct the session's settings",
            Self::Token(error) => error.next_step(),
            Self::Connect { .. } => "check the host's name, the network and the firewall; then try again",
            Self::ConnectTimeout { .. } => "check firewall and proxy settings; then try again",
            Self::ReadTimeout { .. } | Self::Timeout { .. } => {
                "the server may have acted: ask before repeating, or allow more time"
            }
            Self::Tls { .. } => "check the host's name and clock; give the root certificate of a private authority",
            Self::Proxy { .. } => "check the proxy's address and password, or except this host from it",
            Self::Interrupted { .. } | Self::Body { .. } => "the server may have acted: ask before repeating",
            Self::Status { status, .. } => status_next_step(*status),
            Self::TooManyRedirects { .. } => "correct the address; a missing cookie or slash often makes such a loop",
            Self::RedirectRefused { .. } => "call the new address itself, if it may be trusted",
            Self::TooLarge { .. } => "download it with a limit of your own, or treat the server as hostile",
            Self::Decode { .. } => "see what the server sent; a proxy may be answering in its place",
        }
    }

    /// The whole story in one line for the log: cause, sources, what to do.
    pub fn report(&self) -> String {
        let mut report = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            report.push_str(&format!(": {error}"));
            source = error.source();
        }
        format!("{report}; next: {}", self.next_step())
    }
}

fn status_next_step(status: u16) -> &'static str {
    match status {
        401 => "let the person sign in again",
        403 | 404 => "check the address, and whether the token's scope allows it",
        407 => "check the proxy's password",
        408 | 425 | 429 | 503 => "wait as long as Retry-After says, then try again",
        500.. => "try again later; it is the server's fault",
        _ => "correct the call; the answer's body usually says why",
    }
}
