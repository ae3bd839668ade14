//! A token response that cannot be sent yet.
//!
//! A draft does not serialise. The store commits what it asks for and gives a proof; only [`Draft::release`] with the
//! proof of the same grant makes the answer, and signing happens there, after the commit.

use std::marker::PhantomData;

use serde::Serialize;

use super::{
    access_token::{AccessToken, Subject},
    id_token::IdTokenDraft,
    key_ring::KeyRing,
    refresh_token::RefreshToken,
};
use crate::{client::TokenForm, grant::Proof, id::Id, random::Random, time::Timestamp};

/// A token response that waits for a proof of type `P`.
#[derive(Debug)]
#[must_use = "a draft is released with a proof"]
pub struct Draft<P> {
    id: Id,
    content: Content,
    proof: PhantomData<fn(P)>,
}

/// What a token response will hold.
#[derive(Debug)]
pub struct Content {
    /// The access token.
    pub access: AccessToken,
    /// Its form.
    pub form: TokenForm,
    /// Whom it speaks for.
    pub subject: Subject,
    /// The refresh token, if one is given.
    pub refresh: Option<RefreshDraft>,
    /// The ID token, under scope `openid`.
    pub id_token: Option<IdTokenDraft>,
}

/// The refresh token of a response.
#[derive(Debug)]
pub enum RefreshDraft {
    /// A new one, made by the rotation (or birth) at this time.
    New(RefreshToken, Timestamp),
    /// The one that was sent, which goes on being valid.
    Same(String),
}

/// The server cannot make the answer: no key serves, or the proof is for another draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer cannot be released")]
pub struct ReleaseError;

impl<P: Proof> Draft<P> {
    /// A draft about `id` (its grant).
    pub const fn new(id: Id, content: Content) -> Self {
        Self { id, content, proof: PhantomData }
    }

    /// What the draft is about.
    pub const fn id(&self) -> Id {
        self.id
    }

    /// Makes the answer. The proof must be about this draft; it is spent.
    pub fn release(self, proof: P, ring: &KeyRing, random: &mut dyn Random) -> Result<TokenResponse, ReleaseError> {
        if proof.draft() != self.id {
            return Err(ReleaseError);
        }
        self.content.write(ring, random).ok_or(ReleaseError)
    }
}

impl Content {
    /// Spells the answer. Private to the crate: outside, a proof is needed.
    pub(crate) fn write(self, ring: &KeyRing, random: &mut dyn Random) -> Option<TokenResponse> {
        let access_token = self.access.write(self.form, &self.subject, ring, random)?;
        let refresh_token = match self.refresh {
            Some(RefreshDraft::New(token, at)) => Some(token.write(at, ring)?),
            Some(RefreshDraft::Same(text)) => Some(text),
            None => None,
        };
        let id_token = match self.id_token {
            Some(draft) => Some(draft.sign(&access_token, ring)?),
            None => None,
        };
        Some(TokenResponse {
            access_token,
            token_type: "Bearer",
            expires_in: self.access.expires_at.millis_since(self.access.issued_at).max(0) / 1000,
            refresh_token,
            id_token,
            scope: self.access.scope.to_string(),
        })
    }
}

/// A token response (RFC 6749 §5.1), ready to be sent with `Cache-Control: no-store`.
#[derive(Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds from now.
    pub expires_in: i64,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What was granted, always named.
    pub scope: String,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenResponse([redacted])")
    }
}
