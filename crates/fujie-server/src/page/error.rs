//! The page for what cannot go on: what happened, what the person can do, what a developer should
//! mend. It stands where a redirect would be unsafe (RFC 6749 §4.1.2.1) and where there is nothing
//! to redirect to.
//!
//! Deliberately not here: which of these a request deserves.

use serde::Serialize;

use super::{Page, Provider, ProviderKind};

/// An error page.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorPage {
    /// What happened.
    pub kind: ErrorKind,
}

/// What happened, with the facts a developer needs to mend it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The requested redirect URI is none of the registered ones (RFC 9700 §4.1.3).
    RedirectUriMismatch {
        /// What the request said.
        requested: String,
        /// What is registered.
        registered: Vec<String>,
        /// Where the nearest registered one differs, when one is near.
        differs: Option<Difference>,
    },
    /// No enabled application has this id.
    UnknownClient {
        /// What the request said.
        client_id: String,
    },
    /// The request cannot be understood or may not be granted.
    InvalidRequest {
        /// What is wrong with it.
        fault: RequestFault,
    },
    /// The request does not fit into an address.
    RequestTooLong {
        /// How many characters do.
        limit: usize,
    },
    /// The sealed request, or what stood behind it, is too old.
    Expired,
    /// A form came without the token that proves it is ours.
    Forbidden,
    /// The account may not be used.
    AccountDisabled,
    /// Another account has the identity already.
    BoundElsewhere {
        /// Where the identity comes from.
        provider: Provider,
    },
    /// The link for the first administrator is spent, expired, or was never right.
    SetupClosed,
    /// Nothing is at this address.
    NotFound,
    /// Something is, but not for this method.
    MethodNotAllowed,
    /// The request was sent to another host than the issuer's (RFC 9110 §15.5.20).
    WrongHost {
        /// The address to use instead.
        issuer: String,
    },
    /// Too many requests from here.
    TooManyRequests,
    /// Not just now.
    Unavailable,
    /// A fault of ours.
    Internal {
        /// What to look for in the log.
        reference: String,
    },
}

/// The first part in which two redirect URIs differ.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Which part.
    pub part: UriPart,
    /// It in the request; may be empty.
    pub requested: String,
    /// It in the registered URI; may be empty.
    pub registered: String,
}

/// A part of a URI (RFC 3986 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum UriPart {
    /// `https`.
    Scheme,
    /// `app.example.com`.
    Host,
    /// `8080`.
    Port,
    /// `/callback`.
    Path,
    /// `?a=b`.
    Query,
    /// `#part`, which a redirect URI may not have.
    Fragment,
}

/// What is wrong with an authorization request.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum RequestFault {
    /// A required parameter is absent.
    Missing {
        /// Its name.
        parameter: String,
    },
    /// A parameter is there twice.
    Duplicate {
        /// Its name.
        parameter: String,
    },
    /// A parameter's value cannot be read or is too long.
    Malformed {
        /// Its name.
        parameter: String,
    },
    /// A parameter's value is not supported, or not for this application.
    Unsupported {
        /// Its name.
        parameter: String,
        /// What it said.
        value: String,
    },
    /// `code_challenge` is absent (RFC 7636).
    PkceRequired,
    /// The request cannot be read at all.
    Unreadable,
}

impl ErrorKind {
    /// The HTTP status this page goes with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::RedirectUriMismatch { .. }
            | Self::UnknownClient { .. }
            | Self::InvalidRequest { .. }
            | Self::Expired => 400,
            Self::Forbidden | Self::AccountDisabled | Self::SetupClosed => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::BoundElsewhere { .. } => 409,
            Self::RequestTooLong { .. } => 414,
            Self::WrongHost { .. } => 421,
            Self::TooManyRequests => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable => 503,
        }
    }
}

impl From<ErrorKind> for ErrorPage {
    fn from(kind: ErrorKind) -> Self {
        Self { kind }
    }
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<Self> {
        let mut kinds = vec![
            ErrorKind::UnknownClient { client_id: "fj_client_7Hq2".to_owned() },
            ErrorKind::RequestTooLong { limit: 6000 },
            ErrorKind::Expired,
            ErrorKind::Forbidden,
            ErrorKind::AccountDisabled,
            ErrorKind::BoundElsewhere { provider: Provider::of(ProviderKind::Wechat) },
            ErrorKind::SetupClosed,
            ErrorKind::NotFound,
            ErrorKind::MethodNotAllowed,
            ErrorKind::WrongHost { issuer: "https://id.example.com".to_owned() },
            ErrorKind::TooManyRequests,
            ErrorKind::Unavailable,
            ErrorKind::Internal { reference: "0192f3a1-7c2e".to_owned() },
        ];
        kinds.extend(sample_mismatches());
        kinds.extend(sample_faults().map(|fault| ErrorKind::InvalidRequest { fault }));
        kinds.into_iter().map(Self::from).collect()
    }
}

fn sample_mismatches() -> Vec<ErrorKind> {
    let mismatch = |requested: &str, differs| ErrorKind::RedirectUriMismatch {
        requested: requested.to_owned(),
        registered: vec!["https://app.example.com/callback".to_owned(), "http://127.0.0.1/callback".to_owned()],
        differs,
    };
    let difference = |part, requested: &str, registered: &str| {
        Some(Difference { part, requested: requested.to_owned(), registered: registered.to_owned() })
    };
    vec![
        mismatch("https://app.example.com/callback/", difference(UriPart::Path, "/callback/", "/callback")),
        mismatch("http://app.example.com/callback", difference(UriPart::Scheme, "http", "https")),
        mismatch("https://www.example.com/callback", difference(UriPart::Host, "www.example.com", "app.example.com")),
        mismatch("https://app.example.com:8443/callback", difference(UriPart::Port, "8443", "")),
        mismatch("https://app.example.com/callback?next=1", difference(UriPart::Query, "?next=1", "")),
        mismatch("https://app.example.com/callback#x", difference(UriPart::Fragment, "#x", "")),
        mismatch("https://elsewhere.example/a", None),
        ErrorKind::RedirectUriMismatch {
            requested: "https://a.example/cb".to_owned(),
            registered: Vec::new(),
            differs: None,
        },
    ]
}

fn sample_faults() -> [RequestFault; 6] {
    [
        RequestFault::Missing { parameter: "response_type".to_owned() },
        RequestFault::Duplicate { parameter: "state".to_owned() },
        RequestFault::Malformed { parameter: "code_challenge".to_owned() },
        RequestFault::Unsupported { parameter: "response_type".to_owned(), value: "token".to_owned() },
        RequestFault::PkceRequired,
        RequestFault::Unreadable,
    ]
}
