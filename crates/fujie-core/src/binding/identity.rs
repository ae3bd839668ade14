//! Identities at providers: the keys by which somebody else's person is known to us (design: account binding).
//!
//! Never a nickname, never an e-mail address.

use crate::id::Id;

/// An identity at a provider, as the provider vouched for it just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The connection's provider, for example `wechat`; `wechat@simulator` when it is not the real one.
    pub provider: String,
    /// Our application there, where each is told another subject (WeChat and QQ: the appid); else empty.
    pub app: String,
    /// The person under that application (WeChat: `openid`). 1 to 255 characters.
    pub subject: String,
    /// The person across the applications of one group (WeChat: `unionid`), when the provider gave it.
    pub union: Option<Union>,
    /// The name shown to the person; says nothing about who they are.
    pub nickname: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
}

/// The part of an identity that is shared by all applications of one open-platform account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Union {
    /// The operator's name for the open-platform account.
    pub group: String,
    /// The person in that group (WeChat: `unionid`).
    pub unionid: String,
}

/// Where the two rows of an identity lead, as read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// The account of the identity's own row.
    pub identity: Option<Id>,
    /// The account of the union row.
    pub union: Option<Id>,
}

/// An identity that waits on the server until the person says what to do with it (design: account binding, step 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The identity.
    pub identity: Identity,
    /// The connection it came by.
    pub connection: String,
    /// Digest of the ticket's cookie.
    pub ticket: crate::secret::Digest,
    /// Digest of the `resume` it will go back to.
    pub expires_at: crate::time::Timestamp,
}
