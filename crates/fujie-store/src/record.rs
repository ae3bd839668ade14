//! What goes into the verbs and comes out of them, where core has no word for it. Engines read and write these;
//! how a verb ends is in `outcome`.

use fujie_core::{
    binding::identity::Identity,
    grant::Grant,
    id::Id,
    request::scope::Scope,
    secret::{Digest, Secret},
    time::Timestamp,
};

mod channel;

pub use channel::*;

/// Who this database speaks for. Part of every derived key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Made once, at the first start.
    pub id: Id,
    /// The issuer it was first started with.
    pub issuer: String,
    /// Raised when a copy must not speak for the original any more.
    pub epoch: u32,
}

/// A name to sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As the person wrote it.
    pub shown: String,
    /// Folded by the caller so that spellings of one name are equal; unique.
    pub folded: String,
}

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    /// Its id.
    pub id: Id,
    /// The name to sign in with by password, if any.
    pub username: Option<Username>,
    /// The name shown to people.
    pub name: String,
    /// Address of a picture.
    pub picture: Option<String>,
    /// The password's PHC string.
    pub password_hash: Option<Secret>,
    /// May use the administration pages. The first such account closes the set-up link for good.
    pub is_administrator: bool,
}

/// A browser session to be begun. Its account is the verb's own argument or finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Digest of the cookie.
    pub id: Digest,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// How (RFC 8176 values, space-separated).
    pub amr: String,
    /// What demanded this sign-in, as a digest, if anything did.
    pub fresh_for: Option<[u8; 32]>,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
    /// The session that this browser had before: it ends. Grants that hang on it move over if the account is the same,
    /// since signing in again is not signing out; else they end with it.
    pub replaces: Option<Digest>,
}

/// A grant to be born.
#[derive(Clone, Debug)]
pub struct BeginGrant {
    /// The grant. With `redeemed_at: None` it waits for its code.
    pub grant: Grant,
    /// What consent it rests on.
    pub consent: Consent,
    /// The demand whose fresh sign-in it uses up; must equal the session's `fresh_for`.
    pub consume_fresh: Option<[u8; 32]>,
    /// It outlives its session (`offline_access`).
    pub offline: bool,
}

/// What consent a grant rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Given for this grant alone, or none is needed. Nothing is read or remembered.
    Once,
    /// Given now and to be remembered: united with what was remembered before.
    Remember(Scope),
    /// Remembered from before: it is read again and must still admit the grant's scope.
    Remembered,
}

/// A remembered consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consented {
    /// The client's `client_id`.
    pub client: String,
    /// What may be granted without asking again.
    pub scope: Scope,
    /// When it was last given.
    pub given_at: Timestamp,
}

/// A sign-in with a provider, usable once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its id, at most 64 bytes.
    pub id: Vec<u8>,
    /// Until when it could come again.
    pub until: Timestamp,
}

/// The key of an identity's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityKey {
    /// As in [`Identity`].
    pub provider: String,
    /// As in [`Identity`].
    pub app: String,
    /// As in [`Identity`].
    pub subject: String,
}

impl IdentityKey {
    /// The key of this identity.
    pub fn of(identity: &Identity) -> Self {
        let Identity { provider, app, subject, .. } = identity.clone();
        Self { provider, app, subject }
    }
}

/// An identity to be taken from an account.
#[derive(Clone, Debug)]
pub struct Unbind {
    /// The account.
    pub account: Id,
    /// The identity.
    pub key: IdentityKey,
    /// The session whose fresh sign-in it uses up.
    pub session: Digest,
    /// What that sign-in was for; must equal the session's `fresh_for`.
    pub consume_fresh: [u8; 32],
    /// The ways in of which one must remain.
    pub offered: WaysIn,
}

/// The ways in that the server offers now. A password or an identity that it does not ask for is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaysIn {
    /// User name and password.
    pub password: bool,
    /// Sign-in with a provider, by each connection there is.
    pub connections: Vec<WayIn>,
}

/// The identities that a connection signs in: those of its provider and application, and those of its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayIn {
    /// The `provider` of identities.
    pub provider: String,
    /// Our name at the provider, the `app` of identities; `None` when it is not known yet, which lets all in. Identities
    /// without one are every application's.
    pub app: Option<String>,
    /// The group of union identities, if applications share one.
    pub group: Option<String>,
}

/// An identity that leads to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundIdentity {
    /// The identity, with the union row it is joined to.
    pub identity: Identity,
    /// When it was bound.
    pub bound_at: Timestamp,
}

/// What can be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedKind {
    /// A sign-in with a provider.
    Flow,
    /// An access token that was revoked.
    Revoked,
    /// A generation of a refresh token whose repetition was noted.
    RefreshRepeated,
    /// The `jti` of a client's assertion (RFC 7523 §3).
    AssertionJti,
    /// The `jti` of a DPoP proof (RFC 9449 §11.1).
    DpopJti,
    /// A pushed authorization request (RFC 9126 §4).
    Par,
}

impl UsedKind {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Revoked => "revoked",
            Self::RefreshRepeated => "refresh_repeated",
            Self::AssertionJti => "assertion_jti",
            Self::DpopJti => "dpop_jti",
            Self::Par => "par",
        }
    }
}

/// What an audit row tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody signed in.
    SignedIn,
    /// Requests without authentication were refused; at most one row a minute and cause, by the caller's care.
    Refused,
    /// An account was made.
    AccountMade,
    /// The first administrator was made with the set-up link.
    AdministratorMade,
    /// A password was set.
    PasswordSet,
    /// An account was disabled.
    AccountDisabled,
    /// An identity was bound to an account.
    IdentityBound,
    /// Identities were taken from an account.
    IdentityUnbound,
    /// Consent was remembered.
    ConsentGiven,
    /// Consent was withdrawn.
    ConsentWithdrawn,
    /// A grant was ended; the detail says why.
    GrantEnded,
    /// An access token was revoked alone; a refresh token ends its grant.
    TokenRevoked,
    /// The last refresh token but one came again within its window.
    RefreshRepeated,
    /// A client was registered.
    ClientAdded,
    /// A client was disabled.
    ClientDisabled,
    /// A client was enabled.
    ClientEnabled,
    /// All grants of a client were ended.
    ClientEnded,
    /// A key was made, to follow those before it.
    KeyRotated,
    /// A topic was made.
    TopicMade,
    /// A topic was deleted with all that belonged to it.
    TopicDeleted,
    /// Somebody was added to a topic, or got another role there.
    MemberAdded,
    /// Somebody was removed from a topic.
    MemberRemoved,
    /// An integration was added to a topic.
    IntegrationAdded,
    /// An integration got another secret.
    IntegrationSecretReplaced,
    /// An integration was removed.
    IntegrationRemoved,
    /// A target was added to a topic.
    TargetAdded,
    /// A target was removed by a person.
    TargetRemoved,
    /// A target was given up; the detail says why.
    TargetDisabled,
}

impl EventKind {
    const ALL: [Self; 28] = [
        Self::SignedIn,
        Self::Refused,
        Self::AccountMade,
        Self::AdministratorMade,
        Self::PasswordSet,
        Self::AccountDisabled,
        Self::IdentityBound,
        Self::IdentityUnbound,
        Self::ConsentGiven,
        Self::ConsentWithdrawn,
        Self::GrantEnded,
        Self::TokenRevoked,
        Self::RefreshRepeated,
        Self::ClientAdded,
        Self::ClientDisabled,
        Self::ClientEnabled,
        Self::ClientEnded,
        Self::KeyRotated,
        Self::TopicMade,
        Self::TopicDeleted,
        Self::MemberAdded,
        Self::MemberRemoved,
        Self::IntegrationAdded,
        Self::IntegrationSecretReplaced,
        Self::IntegrationRemoved,
        Self::TargetAdded,
        Self::TargetRemoved,
        Self::TargetDisabled,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Refused => "refused",
            Self::AccountMade => "account_made",
            Self::AdministratorMade => "administrator_made",
            Self::PasswordSet => "password_set",
            Self::AccountDisabled => "account_disabled",
            Self::IdentityBound => "identity_bound",
            Self::IdentityUnbound => "identity_unbound",
            Self::ConsentGiven => "consent_given",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::GrantEnded => "grant_ended",
            Self::TokenRevoked => "token_revoked",
            Self::RefreshRepeated => "refresh_repeated",
            Self::ClientAdded => "client_added",
            Self::ClientDisabled => "client_disabled",
            Self::ClientEnabled => "client_enabled",
            Self::ClientEnded => "client_ended",
            Self::KeyRotated => "key_rotated",
            Self::TopicMade => "topic_made",
            Self::TopicDeleted => "topic_deleted",
            Self::MemberAdded => "member_added",
            Self::MemberRemoved => "member_removed",
            Self::IntegrationAdded => "integration_added",
            Self::IntegrationSecretReplaced => "integration_secret_replaced",
            Self::IntegrationRemoved => "integration_removed",
            Self::TargetAdded => "target_added",
            Self::TargetRemoved => "target_removed",
            Self::TargetDisabled => "target_disabled",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// An audit row. Never holds a token, a code, a secret or a provider's subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Whose account, if one is known.
    pub account: Option<Id>,
    /// Which client, if one is known.
    pub client: Option<String>,
    /// More, as a JSON object.
    pub detail: Option<String>,
}
