//! How verbs end when they were done: what happened, or which race was lost. What could not be done is an error.

use fujie_core::{
    account::{Account, Session},
    binding::identity::Bound,
    grant::{CodeRedeemed, GrantBorn, Refreshed},
    id::Id,
};

use crate::record::UpstreamToken;

mod channel;

pub use channel::*;

/// How [`crate::Store::change_keys`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysChanged {
    /// As asked.
    Changed,
    /// Another process changed the keys since they were read: read again, plan again.
    Lost,
}

/// How [`crate::Store::add_client`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAdded {
    /// It is registered.
    Added,
    /// Its id, or the resource of its API, is registered already.
    Taken,
}

/// How a change of one client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientChanged {
    /// As asked.
    Changed,
    /// No such client, or it was so already.
    Unchanged,
}

/// How [`crate::Store::create_account`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountCreated {
    /// The account.
    Created(Account),
    /// Another account has this username.
    UsernameTaken,
}

/// How a change of one account ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChanged {
    /// As asked.
    Changed,
    /// No such account, or it is disabled.
    Gone,
}

/// How [`crate::Store::put_setup_link`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupLinkPut {
    /// The link waits; an earlier one is void.
    Waiting,
    /// An administrator was made once: there will be no link any more.
    Refused,
}

/// How [`crate::Store::spend_setup_link`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupLinkSpent {
    /// The first administrator.
    Made(Account),
    /// The link is another, expired or spent, or an administrator was made before.
    Refused,
    /// Another account has this username. The link still works.
    UsernameTaken,
}

/// How [`crate::Store::begin_session`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one is made per sign-in, and moved once")]
pub enum SessionBegun {
    /// The session.
    Begun(Session),
    /// No such account, or it is disabled.
    AccountGone,
}

/// How the end of a session or a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It ended now.
    Ended,
    /// There is none, or it had ended before.
    Absent,
}

/// How [`crate::Store::begin_grant`] ended. Only the first wrote anything.
#[derive(Debug)]
pub enum GrantBegun {
    /// It is born.
    Born(GrantBorn),
    /// The session ended, expired or belongs to another account.
    SessionEnded,
    /// No such account, or it is disabled.
    AccountGone,
    /// The remembered consent is gone or does not admit the scope: ask.
    ConsentGone,
    /// The fresh sign-in was used up by another grant: demand one again.
    FreshnessGone,
    /// Too many codes of this session wait to be redeemed.
    TooManyUnredeemed,
}

/// How [`crate::Store::redeem_code`] ended.
#[derive(Debug)]
pub enum Redemption {
    /// Now and for the first time.
    Redeemed(CodeRedeemed),
    /// It was redeemed before: its grant has just been ended for that (RFC 6749 §4.1.2).
    Replayed,
    /// No such grant, or it ended or expired before.
    Gone,
}

/// How [`crate::Store::rotate`] or [`crate::Store::extend`] ended.
#[derive(Debug)]
pub enum Refresh {
    /// As asked.
    Refreshed(Refreshed),
    /// The grant is no longer as it was read: load it again with a fresh time, decide again.
    Lost,
}

/// Whether something usable once was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Now, for the first time.
    First,
    /// It was used before.
    Again,
}

/// How a sign-in with a vouched identity ended. Only the first wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one is made per sign-in, and moved once")]
pub enum SignIn {
    /// The session.
    SignedIn(Session),
    /// The flow (or the ticket) was used before, or the ticket expired.
    FlowUsed,
    /// The identity leads nowhere: store it as pending.
    NotBound,
    /// Its two rows lead to two accounts: the person proves both and chooses.
    Conflict {
        /// The account of the identity's own row.
        identity: Id,
        /// The account of the union row.
        union: Id,
    },
    /// The account is disabled.
    AccountDisabled,
}

/// How [`crate::Store::store_pending`] ended. Only the first wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingStored {
    /// It waits for the person.
    Stored,
    /// The flow was used before.
    FlowUsed,
    /// It leads to an account by now: decide again, as a sign-in with the same flow.
    AlreadyBound(Bound),
}

/// How [`crate::Store::create_and_bind`] ended. Only the first wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one is made per sign-in, and moved once")]
pub enum CreatedAndBound {
    /// The new account's session.
    Bound(Session),
    /// The ticket was spent, discarded or expired.
    TicketGone,
    /// The identity leads to an account by now. The ticket still works: [`crate::Store::sign_in_by_ticket`].
    AlreadyBound(Bound),
    /// Another account has this username. The ticket still works.
    UsernameTaken,
}

/// How [`crate::Store::attach_and_bind`] ended. Only the first wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// The identity leads to this account, the session's.
    Bound(Account),
    /// The ticket was spent, discarded or expired.
    TicketGone,
    /// The session ended, or its account is disabled. The ticket still works.
    SessionEnded,
    /// The identity leads to another account. The ticket still works.
    AlreadyBoundElsewhere,
}

/// How [`crate::Store::unbind`] ended. Only the first wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbinding {
    /// The identity, its union row and all that was joined to it are gone. So are the account's tokens at that provider,
    /// which nobody else knows any more: these.
    Unbound(Vec<UpstreamToken>),
    /// The account could not be entered any more.
    LastWayIn,
    /// The account has no such identity.
    Absent,
    /// The fresh sign-in was for something else, is used up, or its session ended.
    FreshnessGone,
}
