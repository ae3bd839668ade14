//! The page of one identity of an account: what goes when it is removed, and the question. Nothing else is done there.
//!
//! Form. `POST /account/identities/{reference}`: `csrf`.

use serde::Serialize;

use super::account::{BoundIdentity, identity};
use super::{Page, ProviderKind};

/// Remove this way to sign in?
#[derive(Debug, Clone, Serialize)]
pub struct Unbind {
    /// The identity.
    pub identity: BoundIdentity,
    /// Those that the provider says are the same person: they go with it.
    pub joined: Vec<BoundIdentity>,
    /// The account.
    pub account_name: String,
    /// Nobody could sign in to the account without it, so nothing is asked.
    pub is_last_way_in: bool,
    /// Whether this browser signed in by it.
    pub ends_this_session: bool,
    /// Whether the person lets us act for them at this provider.
    pub has_leave: bool,
    /// The token that proves the form is ours.
    pub csrf: String,
}

impl Page for Unbind {
    const TEMPLATE: &'static str = "unbind.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            identity: identity(ProviderKind::Github, "octo-alice"),
            joined: Vec::new(),
            account_name: "alice".to_owned(),
            is_last_way_in: false,
            ends_this_session: false,
            has_leave: true,
            csrf: "csrf-sample".to_owned(),
        };
        let joined = Self {
            identity: identity(ProviderKind::Wechat, "小明🌟"),
            joined: vec![identity(ProviderKind::Wechat, &"averyveryverylongnicknamewithoutasinglespace".repeat(3))],
            ends_this_session: true,
            has_leave: false,
            ..plain.clone()
        };
        let last = Self { joined: Vec::new(), is_last_way_in: true, ..joined.clone() };
        vec![plain, joined, last]
    }
}
