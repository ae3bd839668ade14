//! Token introspection (RFC 7662).

use serde::Serialize;

use super::{access_token::AccessToken, key_ring::KeyRing, refresh_token::RefreshToken};
use crate::{
    client::{Client, Registry},
    grant::{ClientAuth, Grant},
    id::Id,
    request::client_auth::ClientAuthenticated,
    time::Timestamp,
};

/// A token as presented, read but not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// An access token of ours, in either form.
    Access(AccessToken),
    /// A refresh token of ours.
    Refresh(RefreshToken),
    /// Anything else.
    Unknown,
}

impl Presented {
    /// Reads `text`. The hint of the request is not needed: our tokens name their kind.
    pub fn read(text: &str, ring: &KeyRing) -> Self {
        if let Some(token) = RefreshToken::read(text, ring) {
            return Self::Refresh(token);
        }
        AccessToken::read(text, ring).map_or(Self::Unknown, Self::Access)
    }

    /// The grant to load before judging.
    pub const fn grant(&self) -> Option<Id> {
        match self {
            Self::Access(token) => token.grant,
            Self::Refresh(token) => Some(token.grant),
            Self::Unknown => None,
        }
    }

    /// The access token's own id, to ask whether it was revoked alone.
    pub const fn token_id(&self) -> Option<[u8; 16]> {
        match self {
            Self::Access(token) => Some(token.id),
            _ => None,
        }
    }
}

/// An introspection response. An inactive one says nothing else (§2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
}

impl Introspection {
    /// Is the token alive, as far as the caller may know?
    pub const fn is_active(&self) -> bool {
        self.active
    }
}

/// What to tell `caller` about `presented`: the truth to the token's own client and to an API in its audience, and
/// `active: false` to everybody else.
pub fn decide(
    presented: &Presented,
    grant: Option<&Grant>,
    is_revoked: bool,
    caller: &ClientAuthenticated,
    registry: &Registry,
    issuer: &str,
    now: Timestamp,
) -> Introspection {
    // Whoever only names itself is not authorized to ask (RFC 7662 §2.1).
    if caller.method() == ClientAuth::None {
        return Introspection::default();
    }
    let live = grant.filter(|grant| grant.is_live(now));
    match presented {
        Presented::Access(token) => {
            let grant_holds = token.grant.is_none() || live.is_some_and(|grant| token.grant == Some(grant.id));
            let may_know = token.client == caller.client().id || is_audience(caller.client(), &token.audience);
            if is_revoked || !grant_holds || !may_know || !token.is_current(registry, now) {
                return Introspection::default();
            }
            of_access(token, live, issuer)
        }
        Presented::Refresh(token) => match live {
            Some(grant)
                if grant.client == caller.client().id
                    && grant.id == token.grant
                    && grant.generation == token.generation
                    && registry.client(&grant.client).is_some_and(|own| own.epoch == grant.client_epoch) =>
            {
                of_refresh(grant, issuer)
            }
            _ => Introspection::default(),
        },
        Presented::Unknown => Introspection::default(),
    }
}

fn is_audience(caller: &Client, audience: &[String]) -> bool {
    caller.api.as_ref().is_some_and(|api| audience.contains(&api.resource))
}

fn of_access(token: &AccessToken, grant: Option<&Grant>, issuer: &str) -> Introspection {
    let scope = grant.map_or_else(|| token.scope.clone(), |grant| token.scope.intersection(&grant.scope));
    Introspection {
        active: true,
        scope: Some(scope.to_string()),
        client_id: Some(token.client.clone()),
        token_type: Some("Bearer"),
        sub: Some(grant.map_or_else(|| token.client.clone(), |grant| grant.account.to_string())),
        aud: (!token.audience.is_empty()).then(|| token.audience.clone()),
        iss: Some(issuer.to_owned()),
        exp: Some(token.expires_at.seconds()),
        iat: Some(token.issued_at.seconds()),
        auth_time: grant.map(|grant| grant.auth_time.seconds()),
    }
}

fn of_refresh(grant: &Grant, issuer: &str) -> Introspection {
    Introspection {
        active: true,
        scope: Some(grant.scope.to_string()),
        client_id: Some(grant.client.clone()),
        sub: Some(grant.account.to_string()),
        iss: Some(issuer.to_owned()),
        exp: Some(grant.expires_at.seconds()),
        iat: Some(grant.rotated_at.seconds()),
        auth_time: Some(grant.auth_time.seconds()),
        ..Introspection::default()
    }
}
