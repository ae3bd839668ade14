//! OAuth errors as the plain standards write them (RFC 6749 §5.2, RFC 6750 §3, RFC 8628 §3.5).
//!
//! The cause decides word and status; a house may write the body in its own way.

use crate::ledger::Reason;
use crate::random::NoRandomness;
use axum::http::StatusCode;
use std::borrow::Cow;

/// A refusal of the token endpoint or one of its neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) error: Cow<'static, str>,
    pub(crate) description: Cow<'static, str>,
}

impl Failure {
    pub(crate) const fn of(error: &'static str, description: &'static str) -> Self {
        let (error, description) = (Cow::Borrowed(error), Cow::Borrowed(description));
        Self { status: StatusCode::BAD_REQUEST, error, description }
    }

    pub(crate) const INVALID_CLIENT: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        error: Cow::Borrowed("invalid_client"),
        description: Cow::Borrowed("client authentication failed"),
    };
    pub(crate) const INVALID_TOKEN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        error: Cow::Borrowed("invalid_token"),
        description: Cow::Borrowed("the access token is unknown, expired or revoked"),
    };
    pub(crate) const INSUFFICIENT_SCOPE: Self = Self {
        status: StatusCode::FORBIDDEN,
        error: Cow::Borrowed("insufficient_scope"),
        description: Cow::Borrowed("the access token was not issued for the scope openid"),
    };
    pub(crate) const INVALID_DPOP_PROOF: Self = Self::of("invalid_dpop_proof", "the DPoP proof is not good");
    pub(crate) const USE_DPOP_NONCE: Self = Self::of("use_dpop_nonce", "the DPoP proof needs the nonce");
    pub(crate) const TOO_MANY: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        error: Cow::Borrowed("temporarily_unavailable"),
        description: Cow::Borrowed("too many requests"),
    };
    pub(crate) const SERVER_ERROR: Self = Self {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        error: Cow::Borrowed("server_error"),
        description: Cow::Borrowed("no randomness"),
    };
}

impl Failure {
    /// The same at a resource, where a token was shown.
    pub(crate) fn at_resource(self) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..self }
    }

    /// An error that was ordered by its word.
    pub(crate) fn ordered(error: &str, description: Option<&str>) -> Self {
        let status = match error {
            "invalid_client" | "invalid_token" => StatusCode::UNAUTHORIZED,
            "insufficient_scope" => StatusCode::FORBIDDEN,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let description = description.unwrap_or("an ordered error").to_owned();
        Self { status, error: Cow::Owned(error.to_owned()), description: Cow::Owned(description) }
    }
}

impl From<NoRandomness> for Failure {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::SERVER_ERROR
    }
}

impl From<Reason> for Failure {
    /// Whatever is wrong with a code or a refresh token is `invalid_grant`.
    fn from(reason: Reason) -> Self {
        let description = match reason {
            Reason::Unknown => "the code or token is unknown",
            Reason::OfAnotherClient => "the code or token was issued to another client",
            Reason::Expired => "the code or token has expired",
            Reason::Used => "the code or token has been used",
            Reason::Ended => "the grant has ended",
            Reason::RedirectUri => "redirect_uri is not the one the code was asked for with",
            Reason::Verifier => "code_verifier is missing or does not meet the challenge",
            Reason::NoChallenge => "code_verifier came, but the request had no code_challenge",
            Reason::NoRandomness => return Self::SERVER_ERROR,
        };
        Self::of("invalid_grant", description)
    }
}
