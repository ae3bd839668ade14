//! Why the token endpoint refuses (RFC 6749 §5.2), cause by cause.

use crate::{
    error::{ErrorCode, WireError},
    request::{client_auth::ClientAuthError, parameters::ParameterError},
};

/// Causes of a refused token request. Several causes look alike to the client on purpose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The body cannot be read.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// The client is not authenticated.
    #[error(transparent)]
    ClientAuth(#[from] ClientAuthError),
    /// A required parameter is absent.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// No such grant type here.
    #[error("this grant_type is not supported; use one of the metadata's grant_types_supported")]
    UnsupportedGrantType,
    /// The grant type is not switched on for this client.
    #[error("this grant type is not switched on for this client")]
    GrantTypeOff,
    /// Only a confidential client may do this.
    #[error("this grant type needs a confidential client")]
    PublicClient,
    /// Not a code of ours, or expired, or ended, or of another client.
    #[error("the authorization code is not valid")]
    CodeInvalid,
    /// The code was redeemed before; its grant has ended.
    #[error("the authorization code is not valid")]
    CodeReplayed,
    /// The redirect URI is not the one of the authorization request.
    #[error("redirect_uri is not the one of the authorization request")]
    RedirectUriMismatch,
    /// The verifier is missing, wrong, or came without a challenge.
    #[error("code_verifier does not fit the authorization request")]
    VerifierMismatch,
    /// Not a refresh token of ours, or expired, or ended, or of another client.
    #[error("the refresh token is not valid")]
    RefreshInvalid,
    /// An old refresh token; its grant has ended.
    #[error("the refresh token is not valid")]
    RefreshReused,
    /// More than was granted or registered.
    #[error("the scope is malformed or wider than allowed")]
    Scope,
    /// RFC 8707.
    #[error("the resource is not an API registered here, or was not granted")]
    Target,
    /// Wrong name or password, or an account that may not sign in.
    #[error("the name or the password is wrong")]
    PasswordWrong,
    /// Too many failures lately.
    #[error("too many failed attempts; wait a minute and try again")]
    TooMany,
    /// The server's clock stands behind its own records by more than a minute, or nothing can be written now.
    #[error("the server cannot answer safely now; try again soon")]
    Unavailable,
    /// A fault of the server.
    #[error("the server failed")]
    Server,
}

impl WireError for TokenError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Parameters(_) | Self::Missing(_) => ErrorCode::InvalidRequest,
            Self::ClientAuth(error) => error.code(),
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::GrantTypeOff | Self::PublicClient => ErrorCode::UnauthorizedClient,
            Self::CodeInvalid
            | Self::CodeReplayed
            | Self::RedirectUriMismatch
            | Self::VerifierMismatch
            | Self::RefreshInvalid
            | Self::RefreshReused
            | Self::PasswordWrong => ErrorCode::InvalidGrant,
            Self::Scope => ErrorCode::InvalidScope,
            Self::Target => ErrorCode::InvalidTarget,
            Self::TooMany | Self::Unavailable => ErrorCode::TemporarilyUnavailable,
            Self::Server => ErrorCode::ServerError,
        }
    }
}
