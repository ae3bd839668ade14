//! A bearer token presented at a protected resource of ours (RFC 6750): whose it is, and whether it may do this.

use super::access_token::AccessToken;
use crate::{
    account::Account,
    client::Registry,
    error::{ErrorCode, WireError},
    grant::Grant,
    request::scope::Scope,
    time::Timestamp,
};

/// What is known of a token's grant, as loaded.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The grant's row.
    pub grant: Option<&'a Grant>,
    /// The token was revoked alone.
    pub is_revoked: bool,
    /// The grant's account.
    pub account: Option<&'a Account>,
}

/// What a resource demands of a token.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// The audience it must be meant for.
    pub audience: &'a str,
    /// The scope token it must have.
    pub scope: &'static str,
}

/// Who holds a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A person, by a client that the person let in.
    Account(&'a Account),
    /// A client for itself (RFC 6749 §4.4): its `client_id`.
    Client(&'a str),
}

/// A token that may do what was demanded, at the moment it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted<'a> {
    /// Who holds it.
    pub holder: Holder<'a>,
    /// What it allows now: its own scope, within its grant's.
    pub scope: Scope,
    /// It ends here at the latest.
    pub expires_at: Timestamp,
}

/// Why a token is refused (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// Not a token of ours, expired, revoked, ended, or not meant for this place.
    #[error("the access token is not valid here")]
    Token,
    /// It lacks this scope token.
    #[error("the access token needs scope {0}")]
    Scope(&'static str),
}

impl BearerError {
    /// The scope token that is lacking, for the challenge (RFC 6750 §3).
    pub const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Token => None,
            Self::Scope(scope) => Some(scope),
        }
    }
}

impl WireError for BearerError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Token => ErrorCode::InvalidToken,
            Self::Scope(_) => ErrorCode::InsufficientScope,
        }
    }
}

/// Judges `token`: it, its client, its grant and its account are alive, it is meant for this place, and it has the
/// scope. A token that never had the scope is told so, whatever it was meant for.
pub fn judge<'a>(
    token: &'a AccessToken,
    facts: Facts<'a>,
    demand: Demand<'_>,
    registry: &Registry,
    now: Timestamp,
) -> Result<Admitted<'a>, BearerError> {
    if facts.is_revoked || !token.is_current(registry, now) {
        return Err(BearerError::Token);
    }
    let (holder, scope, expires_at) = match token.grant {
        None => (Holder::Client(&token.client), token.scope.clone(), token.expires_at),
        Some(id) => {
            let grant = facts.grant.filter(|grant| grant.id == id && grant.is_live(now)).ok_or(BearerError::Token)?;
            let is_its_own = |account: &&Account| account.disabled_at.is_none() && account.id == grant.account;
            let account = facts.account.filter(is_its_own).ok_or(BearerError::Token)?;
            let ends = token.expires_at.min(grant.expires_at);
            (Holder::Account(account), token.scope.intersection(&grant.scope), ends)
        }
    };
    if !scope.contains(demand.scope) {
        return Err(BearerError::Scope(demand.scope));
    }
    if !token.audience.iter().any(|audience| audience == demand.audience) {
        return Err(BearerError::Token);
    }
    Ok(Admitted { holder, scope, expires_at })
}
