//! Token revocation (RFC 7009).

use super::introspect::Presented;
use crate::{
    error::{ErrorCode, WireError},
    grant::Grant,
    id::Id,
    request::client_auth::ClientAuthenticated,
    time::Timestamp,
};

/// What to commit before answering 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// End the grant: its refresh token was revoked, and its access tokens with it (§2.1).
    Grant(Id),
    /// Remember this access token as revoked until it would have ended.
    Token([u8; 16], Timestamp),
    /// Nothing: the token is unknown, which is as good as revoked (§2.2).
    Nothing,
}

/// The token belongs to another client (§2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token was not issued to this client")]
pub struct NotYours;

impl WireError for NotYours {
    fn code(&self) -> ErrorCode {
        ErrorCode::UnauthorizedClient
    }
}

/// What revoking `presented` means for `caller`. An old generation of a refresh token ends its grant too.
pub fn decide(
    presented: &Presented,
    grant: Option<&Grant>,
    caller: &ClientAuthenticated,
) -> Result<Revocation, NotYours> {
    match presented {
        Presented::Access(token) if token.client == caller.client().id => {
            Ok(Revocation::Token(token.id, token.expires_at))
        }
        Presented::Refresh(token) => match grant {
            Some(grant) if grant.client == caller.client().id => Ok(Revocation::Grant(token.grant)),
            Some(_) => Err(NotYours),
            None => Ok(Revocation::Nothing),
        },
        Presented::Access(_) => Err(NotYours),
        Presented::Unknown => Ok(Revocation::Nothing),
    }
}
