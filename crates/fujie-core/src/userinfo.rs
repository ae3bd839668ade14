//! Claims about a person (OpenID Connect Core 1.0 §5.1, §5.3).

use serde::Serialize;

use crate::{
    account::Account,
    client::Registry,
    error::{ErrorCode, WireError},
    grant::Grant,
    request::scope::Scope,
    time::Timestamp,
    token::access_token::AccessToken,
};

/// Claims of scope `profile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileClaims {
    name: String,
    nickname: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
}

impl ProfileClaims {
    /// The claims of `account`, when `scope` has `profile`.
    pub fn of(account: &Account, scope: &Scope) -> Option<Self> {
        scope.contains("profile").then(|| Self {
            name: account.name.clone(),
            nickname: account.name.clone(),
            preferred_username: account.username.clone(),
            picture: account.picture.clone(),
        })
    }
}

/// A userinfo response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Userinfo {
    sub: String,
    #[serde(flatten)]
    profile: Option<ProfileClaims>,
}

/// Why userinfo is refused (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserinfoError {
    /// Not a token of ours, expired, revoked, ended, or not meant for this endpoint.
    #[error("the access token is not valid here")]
    Token,
    /// It lacks `openid`.
    #[error("the access token needs scope openid")]
    Scope,
}

impl WireError for UserinfoError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Token => ErrorCode::InvalidToken,
            Self::Scope => ErrorCode::InsufficientScope,
        }
    }
}

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

/// The claims that `token` allows.
pub fn decide(
    token: &AccessToken,
    facts: Facts<'_>,
    registry: &Registry,
    issuer: &str,
    now: Timestamp,
) -> Result<Userinfo, UserinfoError> {
    let grant = facts.grant.filter(|grant| grant.is_live(now)).ok_or(UserinfoError::Token)?;
    let account = facts
        .account
        .filter(|account| account.disabled_at.is_none() && account.id == grant.account)
        .ok_or(UserinfoError::Token)?;
    if facts.is_revoked || token.grant != Some(grant.id) || !token.is_current(registry, now) {
        return Err(UserinfoError::Token);
    }
    if !token.audience.iter().any(|audience| audience == issuer) {
        return Err(if token.scope.contains("openid") { UserinfoError::Token } else { UserinfoError::Scope });
    }
    let scope = token.scope.intersection(&grant.scope);
    if !scope.contains("openid") {
        return Err(UserinfoError::Scope);
    }
    Ok(Userinfo { sub: account.id.to_string(), profile: ProfileClaims::of(account, &scope) })
}
