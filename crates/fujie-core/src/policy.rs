//! Lifetimes and switches of one server: the safe defaults, and what an operator may change.

use crate::time::Lifetime;

/// Lifetimes. Everything issued also ends with what it points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// An authorization code: 60 s.
    pub code: Lifetime,
    /// An access token: 3,600 s.
    pub access_token: Lifetime,
    /// A JWT access token that comes with a refresh token: 600 s, because an API that does not ask cannot see it end.
    pub access_token_jwt: Lifetime,
    /// An ID token: 3,600 s.
    pub id_token: Lifetime,
    /// A refresh token that is not used: 30 days.
    pub refresh_idle: Lifetime,
    /// A grant in all: 365 days.
    pub refresh_total: Lifetime,
    /// An authorization request while the person signs in: 30 min.
    pub request: Lifetime,
    /// A sign-in with a provider: 10 min.
    pub flow: Lifetime,
    /// A bind ticket: 30 min.
    pub bind_ticket: Lifetime,
    /// A browser session: 14 days.
    pub session: Lifetime,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            code: Lifetime::from_seconds(60),
            access_token: Lifetime::from_seconds(3600),
            access_token_jwt: Lifetime::from_seconds(600),
            id_token: Lifetime::from_seconds(3600),
            refresh_idle: Lifetime::from_days(30),
            refresh_total: Lifetime::from_days(365),
            request: Lifetime::from_seconds(30 * 60),
            flow: Lifetime::from_seconds(10 * 60),
            bind_ticket: Lifetime::from_seconds(30 * 60),
            session: Lifetime::from_days(14),
        }
    }
}
