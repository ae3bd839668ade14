//! The two bind pages: what to do with a third-party identity nobody here has yet, and the last
//! question before it is attached to an existing account.
//!
//! Forms, all `POST /bind` with `csrf`, `ticket_digest`, `resume` and `action`: `create`,
//! `attach` (leads to a fresh sign-in) and `cancel` on the first page, `confirm` and `cancel` on
//! the second. No picture of the person is shown: it would be fetched from a foreign host.

use serde::Serialize;

use super::{Page, Provider, ProviderKind};

/// A new identity: create an account, attach to one, or cancel.
#[derive(Debug, Clone, Serialize)]
pub struct Bind {
    /// Where the identity comes from.
    pub provider: Provider,
    /// What the person is called there.
    pub nickname: String,
    /// The token that proves the form is ours.
    pub csrf: String,
    /// Names the bind ticket without being it.
    pub ticket_digest: String,
    /// The sealed authorization request to go on with; may be empty.
    pub resume: String,
    /// The application that asked, when one did.
    pub client_name: Option<String>,
}

/// After the fresh sign-in: attach this identity to this account?
#[derive(Debug, Clone, Serialize)]
pub struct BindConfirm {
    /// Where the identity comes from.
    pub provider: Provider,
    /// What the person is called there.
    pub nickname: String,
    /// The account that just signed in.
    pub account_name: String,
    /// The token that proves the form is ours.
    pub csrf: String,
    /// Names the bind ticket without being it.
    pub ticket_digest: String,
    /// The sealed authorization request to go on with; may be empty.
    pub resume: String,
}

impl Page for Bind {
    const TEMPLATE: &'static str = "bind.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            provider: Provider::of(ProviderKind::Wechat),
            nickname: "小明🌟".to_owned(),
            csrf: "csrf-sample".to_owned(),
            ticket_digest: "digest-sample".to_owned(),
            resume: "fj_resume_sample".to_owned(),
            client_name: Some("Demo Notes".to_owned()),
        };
        let long = Self {
            provider: Provider::of(ProviderKind::Github),
            nickname: "averyveryverylongnicknamewithoutasinglespace".repeat(3),
            client_name: None,
            ..plain.clone()
        };
        vec![plain, long]
    }
}

impl Page for BindConfirm {
    const TEMPLATE: &'static str = "bind_confirm.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            provider: Provider::of(ProviderKind::Wechat),
            nickname: "小明🌟".to_owned(),
            account_name: "alice".to_owned(),
            csrf: "csrf-sample".to_owned(),
            ticket_digest: "digest-sample".to_owned(),
            resume: "fj_resume_sample".to_owned(),
        }]
    }
}
