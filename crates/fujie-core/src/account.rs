//! People as the authorization server knows them: accounts and their browser sessions.

use crate::{id::Id, secret::Digest, time::Timestamp};

/// An account: one person at this server. Its id is the OpenID `sub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The subject identifier, never reassigned.
    pub id: Id,
    /// The name a person signs in with by password, if there is one.
    pub username: Option<String>,
    /// The name shown to people and, under scope `profile`, to clients. UTF-8, at most 255 characters.
    pub name: String,
    /// An address of a picture, https or loopback http.
    pub picture: Option<String>,
    /// May use the administration pages.
    pub is_administrator: bool,
    /// Raised by every change of how this account can be entered.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was disabled; a disabled account cannot do anything.
    pub disabled_at: Option<Timestamp>,
}

/// A browser that signed in, together with its account as read in the same statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Digest of the cookie.
    pub id: Digest,
    /// Who signed in.
    pub account: Account,
    /// When the person last proved who they are.
    pub auth_time: Timestamp,
    /// How (RFC 8176 values, space-separated: `pwd`, `fed`).
    pub amr: String,
    /// The authorization request (digest of its `resume`) that demanded this sign-in and has not used it yet.
    pub fresh_for: Option<[u8; 32]>,
    /// The session ends here at the latest.
    pub expires_at: Timestamp,
}
