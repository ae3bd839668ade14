//! Grants: one row each, and everything that is issued points to one.
//!
//! This module owns the facts of a grant and the proofs that a store gives after its commit; each grant type
//! of the standards has a file of its own.

pub mod authorization_code;
pub mod authorize;
pub mod client_credentials;
pub mod implicit;
pub mod password;
pub mod refresh_token;

use std::fmt;

use crate::{
    client::Registry,
    id::Id,
    policy::Policy,
    random::Random,
    request::{parameters::Parameters, scope::Scope},
    secret::Digest,
    time::Timestamp,
    token::{
        access_token::{AccessToken, Audience},
        error::TokenError,
    },
};

/// What every decision may know of the server: its clients, its policy, its name, the time.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// All clients.
    pub registry: &'a Registry,
    /// Lifetimes.
    pub policy: &'a Policy,
    /// The issuer, as in metadata.
    pub issuer: &'a str,
    /// The time of this request.
    pub now: Timestamp,
}

/// A grant: that this account let this client do this. Also the shape of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Time-ordered.
    pub id: Id,
    /// Who granted.
    pub account: Id,
    /// The client's `client_id`.
    pub client: String,
    /// The client's epoch when the grant was born; a raised epoch ends all before it.
    pub client_epoch: u32,
    /// The browser session it was given in; `None` for grants without a browser.
    pub session: Option<Digest>,
    /// When the person last proved who they are.
    pub auth_time: Timestamp,
    /// Authentication context class, if any was claimed.
    pub acr: Option<String>,
    /// Authentication methods, space-separated (RFC 8176).
    pub amr: String,
    /// What was granted.
    pub scope: Scope,
    /// Where tokens may be used (RFC 8707), space-separated absolute URIs; empty means here only.
    pub resource: String,
    /// Thumbprint of the key that tokens are bound to, if any.
    pub key_binding: Option<Digest>,
    /// Refresh tokens rotate.
    pub rotates: bool,
    /// How the client authenticated when the grant was born: `none` or `secret`; never grows weaker.
    pub client_auth: ClientAuth,
    /// The grant this one was exchanged from.
    pub parent: Option<Id>,
    /// The generation of the refresh token that is valid now; the first is 0.
    pub generation: u32,
    /// When `generation` was last raised, or the grant last extended.
    pub rotated_at: Timestamp,
    /// When its code was redeemed; `None` while the code waits.
    pub redeemed_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was born.
    pub created_at: Timestamp,
    /// When it was ended, and why.
    pub ended: Option<(Timestamp, EndedWhy)>,
}

impl Grant {
    /// The grant is redeemed, not ended and not expired.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.redeemed_at.is_some() && self.ended.is_none() && now < self.expires_at
    }

    /// It outlives its browser session (OpenID Connect Core 1.0 §11).
    pub fn is_offline(&self) -> bool {
        self.scope.contains("offline_access")
    }

    /// An access token under this grant: for the audience's APIs, and for userinfo under scope `openid`.
    pub(crate) fn access_token(
        &self,
        scope: &Scope,
        audience: &Audience,
        expires_at: Timestamp,
        setting: Setting<'_>,
        random: &mut dyn Random,
    ) -> AccessToken {
        let userinfo = scope.contains("openid").then(|| setting.issuer.to_owned());
        AccessToken {
            id: AccessToken::new_id(random),
            grant: Some(self.id),
            client: self.client.clone(),
            client_epoch: self.client_epoch,
            scope: scope.clone(),
            audience: audience.resources.iter().cloned().chain(userinfo).collect(),
            issued_at: setting.now,
            expires_at,
        }
    }
}

/// The audience of a token request under `grant` for `scope`: what `resource` narrows it to, else every granted API
/// that still is one and has a scope token left (RFC 8707 §2.2).
pub(crate) fn narrowed(
    grant: &Grant,
    scope: &Scope,
    parameters: &Parameters,
    registry: &Registry,
) -> Result<Audience, TokenError> {
    let granted = || grant.resource.split(' ').filter(|resource| !resource.is_empty());
    let asked: Vec<_> = parameters.all("resource").collect();
    if asked.iter().any(|resource| !granted().any(|own| own == *resource)) {
        return Err(TokenError::Target);
    }
    let is_alive = |resource: &&str| {
        registry.api(resource).is_some_and(|api| scope.tokens().any(|token| api.scope.contains(token)))
    };
    let resources: Vec<_> = if asked.is_empty() { granted().filter(is_alive).collect() } else { asked };
    if resources.is_empty() {
        return Ok(Audience { resources: Vec::new(), form: crate::client::TokenForm::Opaque });
    }
    Audience::resolve(registry, scope, resources.into_iter()).or(Err(TokenError::Target))
}

/// How a client proved who it is when a grant was born.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// A public client: it named itself.
    None,
    /// A confidential client: it knew its secret.
    Secret,
}

impl ClientAuth {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret => "secret",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Secret].into_iter().find(|own| own.as_str() == word)
    }
}

/// Why a grant was ended. The word is stored and shown on the account page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedWhy {
    /// Its code came a second time (RFC 6749 §4.1.2).
    CodeReplayed,
    /// The right client sent its code with a wrong verifier or redirect URI.
    CodeMisused,
    /// An old refresh token came again (RFC 9700 §4.14.2).
    RefreshReused,
    /// The client revoked it (RFC 7009).
    Revoked,
    /// The browser session ended.
    SignedOut,
    /// The person withdrew consent.
    ConsentWithdrawn,
    /// The account was disabled or its password changed.
    AccountChanged,
    /// The client was disabled or all of its grants were ended.
    ClientChanged,
}

impl EndedWhy {
    const ALL: [Self; 8] = [
        Self::CodeReplayed,
        Self::CodeMisused,
        Self::RefreshReused,
        Self::Revoked,
        Self::SignedOut,
        Self::ConsentWithdrawn,
        Self::AccountChanged,
        Self::ClientChanged,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::CodeMisused => "code_misused",
            Self::RefreshReused => "refresh_reused",
            Self::Revoked => "revoked",
            Self::SignedOut => "signed_out",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::AccountChanged => "account_changed",
            Self::ClientChanged => "client_changed",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// A fact that allows an answer to be sent. Each is made in one place, by `assertion`, and spent by move.
pub trait Proof: fmt::Debug {
    /// The draft (its grant, or its own id) that this fact is about.
    fn draft(&self) -> Id;
}

macro_rules! proof {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[must_use = "an answer is released with this proof"]
        pub struct $name(Id);

        impl $name {
            /// States the fact. Only for the code that established it; a tidy test lists who may.
            pub const fn assertion(draft: Id) -> Self {
                Self(draft)
            }
        }

        impl Proof for $name {
            fn draft(&self) -> Id {
                self.0
            }
        }
    };
}

proof! {
    /// The grant's row is committed. Made by the store.
    GrantBorn
}
proof! {
    /// The code of this grant was redeemed, now and for the first time, and that is committed. Made by the store.
    CodeRedeemed
}
proof! {
    /// The refresh token was rotated, or the grant needs no rotation, and that is committed. Made by the store.
    Refreshed
}
