//! Claims about a person (OpenID Connect Core 1.0 §5.1, §5.3).

use serde::Serialize;

use crate::{
    account::Account,
    client::Registry,
    request::scope::Scope,
    time::Timestamp,
    token::{
        access_token::AccessToken,
        bearer::{self, BearerError, Demand, Facts, Holder},
    },
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

/// The claims that `token` allows, or why it is refused. A client that acts for itself is no person.
pub fn decide(
    token: &AccessToken,
    facts: Facts<'_>,
    registry: &Registry,
    issuer: &str,
    now: Timestamp,
) -> Result<Userinfo, BearerError> {
    let admitted = bearer::judge(token, facts, Demand { audience: issuer, scope: SCOPE }, registry, now)?;
    match admitted.holder {
        Holder::Account(account) => {
            Ok(Userinfo { sub: account.id.to_string(), profile: ProfileClaims::of(account, &admitted.scope) })
        }
        Holder::Client(_) => Err(BearerError::Token),
    }
}

const SCOPE: &str = "openid";
