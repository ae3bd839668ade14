//! Who may read: the questions that whoever holds the tokens answers.
//!
//! Nothing here knows what a token is. The server answers from its grants and its topics' members.

use std::{future::Future, sync::Arc};

use fujie_core::secret::Secret;

/// Decides who may read which topic. Both questions are asked again, at least every 30 seconds of a connection, so that
/// a token that ended and a member who left stop reading soon.
pub trait Gate: Send + Sync + 'static {
    /// What an admitted token stands for; the gate is given it back when it is asked about a topic.
    type Pass: Send + Sync + 'static;

    /// Is `token` alive, for this channel (its audience), with the scope `channel:read`, and is there room for one more
    /// of whom it stands for? Room that a pass holds is held until it is dropped; `earlier` is the pass of a session that
    /// is asked about again, or says anew who it is.
    fn admit(
        &self,
        token: &Secret,
        earlier: Option<&Self::Pass>,
    ) -> impl Future<Output = Result<Self::Pass, Refusal>> + Send;

    /// May whom `pass` stands for read `topic`?
    fn may_read(&self, pass: &Self::Pass, topic: &str) -> impl Future<Output = Result<(), Refusal>> + Send;
}

impl<G: Gate> Gate for Arc<G> {
    type Pass = G::Pass;

    fn admit(
        &self,
        token: &Secret,
        earlier: Option<&Self::Pass>,
    ) -> impl Future<Output = Result<Self::Pass, Refusal>> + Send {
        G::admit(self, token, earlier)
    }

    fn may_read(&self, pass: &Self::Pass, topic: &str) -> impl Future<Output = Result<(), Refusal>> + Send {
        G::may_read(self, pass, topic)
    }
}

/// Why the gate stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The token is not one of ours, has ended, or is for another audience (RFC 6750 §3.1).
    #[error("the token is not valid here")]
    InvalidToken,
    /// The token lacks the scope `channel:read` (RFC 6750 §3.1).
    #[error("the token lacks the scope channel:read")]
    InsufficientScope,
    /// Whom the token stands for is no member of the topic.
    #[error("not a member of this topic")]
    AccessDenied,
    /// There is no such topic. A gate may answer [`Refusal::AccessDenied`] instead, and so not tell which topics exist.
    #[error("there is no such topic")]
    UnknownTopic,
    /// It cannot be decided now, or there is no room: ask again later.
    #[error("not now, come again later")]
    Unavailable,
}
