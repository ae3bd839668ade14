//! What can go wrong between a provider and us, by cause.
//!
//! Two readers: `description` is for the person in front of the browser and says little;
//! `report` is for the log and says all that may be said. Neither holds a secret.

use std::fmt;

use crate::transport::TransportError;

/// The endpoint concerned. Errors name it instead of a URL, whose query may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The token endpoint.
    Token,
    /// The refresh endpoint.
    Refresh,
    /// The endpoint that says whether an access token is good.
    Check,
    /// The endpoint that says whom a token is about.
    Subject,
    /// The endpoint that describes the person.
    User,
    /// The endpoint that ends tokens.
    Revocation,
    /// The endpoint that gives a device its code.
    DeviceAuthorization,
    /// The endpoint where requests are left before the browser is sent.
    PushedAuthorizationRequest,
    /// The issuer's metadata.
    Metadata,
    /// The issuer's keys.
    Jwks,
    /// A resource of the provider's API.
    Api,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Token => "token endpoint",
            Self::Refresh => "refresh endpoint",
            Self::Check => "check endpoint",
            Self::Subject => "subject endpoint",
            Self::User => "user endpoint",
            Self::Revocation => "revocation endpoint",
            Self::DeviceAuthorization => "device authorization endpoint",
            Self::PushedAuthorizationRequest => "pushed authorization request endpoint",
            Self::Metadata => "metadata",
            Self::Jwks => "key set",
            Self::Api => "API",
        })
    }
}

/// What was seen of an answer, scrubbed: it may be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// Who answered.
    pub endpoint: Endpoint,
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` as sent.
    pub content_type: Option<String>,
    /// Bytes of the body.
    pub body_length: usize,
    /// The provider's error code.
    pub errcode: Option<String>,
    /// The provider's own text, with its request id where there is one.
    pub message: Option<String>,
    /// The beginning of the body without values.
    pub excerpt: String,
}

impl Evidence {
    /// An endpoint and the HTTP status of its answer, of which nothing else is known.
    pub fn bare(endpoint: Endpoint, status: u16) -> Self {
        Self {
            endpoint,
            status,
            content_type: None,
            body_length: 0,
            errcode: None,
            message: None,
            excerpt: String::new(),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content_type = self.content_type.as_deref().unwrap_or("absent");
        write!(out, "{}, status {}, content type {content_type}", self.endpoint, self.status)?;
        if let Some(errcode) = &self.errcode {
            write!(out, ", error code {errcode}")?;
        }
        if let Some(message) = &self.message {
            write!(out, " ({message})")?;
        }
        write!(out, ", {} bytes: {}", self.body_length, self.excerpt)
    }
}

/// Why a sign-in with a provider did not come about, or a token could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The redirect URI we were given is unsafe or would not survive the way back.
    #[error("the redirect URI {0}")]
    RedirectUriUnusable(&'static str),
    /// The attempt, callback or tokens belong to another provider or application.
    #[error("this was begun with another provider or application")]
    OtherClient,
    /// A parameter of the callback came twice (RFC 6749 §3.1).
    #[error("the callback has a parameter twice")]
    DuplicateParameter,
    /// The callback is too long, or its code is not one.
    #[error("the callback is unreadable: {0}")]
    CallbackUnreadable(&'static str),
    /// The callback has no state.
    #[error("the callback has no state")]
    StateMissing,
    /// The state is not the one this browser was given.
    #[error("the state of the callback is not that of the attempt")]
    StateMismatch,
    /// The callback names another issuer, or none where one is promised (RFC 9207 §2.4).
    #[error("the callback does not come from the expected issuer")]
    IssuerMismatch,
    /// The attempt is too old.
    #[error("the attempt has expired")]
    Expired,
    /// The person refused.
    #[error("the person refused")]
    Denied,
    /// The provider refused at the authorization endpoint; its `error` is given, scrubbed.
    #[error("the authorization endpoint refused: {0}")]
    AuthorizationRefused(String),
    /// The provider has no such endpoint, or issued no such token.
    #[error("the provider offers no {0}")]
    NotOffered(&'static str),
    /// Nothing was sent: name lookup, connection or TLS failed.
    #[error("{endpoint} cannot be reached")]
    Unreachable {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What the transport says.
        source: TransportError,
    },
    /// Nothing was sent: the transport cannot be used as it is set up, or the request not be written.
    #[error("{endpoint} was not asked")]
    TransportUnusable {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What the transport says.
        source: TransportError,
    },
    /// No answer in time. The request may have been acted upon.
    #[error("{endpoint} did not answer in time")]
    Timeout {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What the transport says.
        source: TransportError,
    },
    /// The connection broke during the exchange. The request may have been acted upon.
    #[error("{endpoint} broke off")]
    Interrupted {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What the transport says.
        source: TransportError,
    },
    /// The answer is larger than any honest one.
    #[error("{endpoint} answered with more than 256 KiB")]
    TooLarge {
        /// Which endpoint.
        endpoint: Endpoint,
    },
    /// The provider redirects. We never follow: the request carries secrets.
    #[error("the provider answered with a redirect, which is never followed: {0}")]
    Redirected(Box<Evidence>),
    /// The answer is not what the provider's record says.
    #[error("{what}: {evidence}")]
    Unreadable {
        /// What is missing or wrong.
        what: String,
        /// What was seen.
        evidence: Box<Evidence>,
    },
    /// The code is unknown to the provider or expired.
    #[error("the code was refused: {0}")]
    CodeRefused(Box<Evidence>),
    /// The code was redeemed before; in-app browsers call a callback twice.
    #[error("the code was redeemed before: {0}")]
    CodeUsed(Box<Evidence>),
    /// The provider does not accept our id or secret.
    #[error("our credentials were refused: {0}")]
    CredentialsRefused(Box<Evidence>),
    /// The access token is unknown, expired or another person's.
    #[error("the access token was refused: {0}")]
    AccessTokenRefused(Box<Evidence>),
    /// The refresh token is unknown, expired or ended by the person.
    #[error("the refresh token was refused: {0}")]
    RefreshTokenRefused(Box<Evidence>),
    /// We asked too often.
    #[error("the provider limits our requests: {0}")]
    RateLimited(Box<Evidence>),
    /// The provider cannot answer at the moment.
    #[error("the provider is busy: {0}")]
    Busy(Box<Evidence>),
    /// Our application lacks a permission.
    #[error("our application lacks a permission: {0}")]
    NotPermitted(Box<Evidence>),
    /// The provider has restricted the person's account.
    #[error("the person's account is restricted: {0}")]
    AccountRestricted(Box<Evidence>),
    /// The provider did not understand our request.
    #[error("our request was not understood: {0}")]
    RequestRefused(Box<Evidence>),
    /// The provider refused for a cause that its record does not list.
    #[error("the provider refused: {0}")]
    Refused(Box<Evidence>),
    /// The answer names no usable subject: it is missing, empty, a placeholder or not a string.
    #[error("no usable subject in {field}: {evidence}")]
    SubjectMissing {
        /// The field that should have named it.
        field: String,
        /// What was seen.
        evidence: Box<Evidence>,
    },
    /// Two answers name different people.
    #[error("{field} is not that of the token: {evidence}")]
    SubjectMismatch {
        /// The field that differs.
        field: String,
        /// What was seen.
        evidence: Box<Evidence>,
    },
    /// The token was issued to another application (token substitution).
    #[error("the token belongs to another application: {0}")]
    OtherAudience(Box<Evidence>),
    /// An issuer's description cannot be had or is not believed.
    #[error("the issuer's metadata cannot be used: {0}")]
    Discovery(String),
    /// The ID token was refused; the check that failed is named.
    #[error("the ID token was refused: {0}")]
    IdTokenRefused(String),
    /// The sealed cookie is not ours, or not this attempt's, or was changed.
    #[error("the cookie of the attempt is missing or not ours")]
    CookieUnusable,
    /// The visitor has no real account with the provider (a snapshot page's virtual user).
    #[error("the visitor is provisional")]
    Provisional,
}

impl ProviderError {
    /// What was seen of the provider's answer, if one was at fault.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Redirected(evidence)
            | Self::Unreadable { evidence, .. }
            | Self::CodeRefused(evidence)
            | Self::CodeUsed(evidence)
            | Self::CredentialsRefused(evidence)
            | Self::AccessTokenRefused(evidence)
            | Self::RefreshTokenRefused(evidence)
            | Self::RateLimited(evidence)
            | Self::Busy(evidence)
            | Self::NotPermitted(evidence)
            | Self::AccountRestricted(evidence)
            | Self::RequestRefused(evidence)
            | Self::Refused(evidence)
            | Self::SubjectMissing { evidence, .. }
            | Self::OtherAudience(evidence)
            | Self::SubjectMismatch { evidence, .. } => Some(evidence),
            _ => None,
        }
    }

    /// The provider's own error code, if it gave one.
    pub fn errcode(&self) -> Option<&str> {
        self.evidence()?.errcode.as_deref()
    }

    /// The whole story in one line for the log: cause, sources, whether to retry, what to do.
    pub fn report(&self) -> String {
        let mut report = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            report.push_str(&format!(": {error}"));
            source = error.source();
        }
        let retry = if self.retry() { "yes" } else { "no" };
        format!("{report}; retry: {retry}; next: {}", self.next_step())
    }
}
