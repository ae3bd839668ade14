//! The sign-in page: third-party providers first, then user name and password.
//!
//! Forms. `POST /sign-in`: `resume`, `csrf`, `username`, `password`, and `ticket_digest` while
//! attaching. `POST /broker/{id}/start`: `resume`, `csrf`, and `ticket_digest` while attaching.

use serde::Serialize;

use super::{Page, Provider, ProviderKind};

/// The sign-in page in all its states.
#[derive(Debug, Clone, Serialize)]
pub struct SignIn {
    /// The application that asked, when one did.
    pub client_name: Option<String>,
    /// The sealed authorization request to go on with; empty when the visitor came by themselves.
    pub resume: String,
    /// The token that proves the form is ours.
    pub csrf: String,
    /// The providers offered, in the operator's order.
    pub providers: Vec<Provider>,
    /// What was typed before, or the login hint; may be empty.
    pub username: String,
    /// What went wrong the last time.
    pub error: Option<SignInError>,
    /// Set while a new third-party identity is waiting to be attached to the account that signs in.
    pub attach: Option<AttachTo>,
    /// Whether it is to prove who they are before an identity is taken from their account.
    pub unbinds: bool,
    /// Whether user name and password are offered.
    pub password_enabled: bool,
}

/// The identity that will be attached once its owner has signed in.
#[derive(Debug, Clone, Serialize)]
pub struct AttachTo {
    /// Where the identity comes from.
    pub provider: Provider,
    /// What its owner is called there.
    pub nickname: String,
    /// Names the bind ticket without being it; sent back by every form of the page.
    pub ticket_digest: String,
}

/// Why the last attempt to sign in did not succeed.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum SignInError {
    /// User name and password do not belong together. Never says which of them was wrong.
    BadPassword,
    /// Too many attempts; wait.
    TooMany,
    /// The person refused at the provider.
    ProviderRefused {
        /// The provider.
        provider: Provider,
    },
    /// The provider could not be reached or answered what it should not.
    ProviderFailed {
        /// The provider.
        provider: Provider,
    },
    /// The provider vouched for a provisional visitor only (WeChat's snapshot pages).
    ProviderProvisional {
        /// The provider.
        provider: Provider,
    },
    /// The page was open for too long, or a provider's code expired.
    Expired,
    /// The answer came back to a browser that did not begin this sign-in.
    FlowLost,
}

impl Page for SignIn {
    const TEMPLATE: &'static str = "sign_in.html";

    fn samples() -> Vec<Self> {
        let wechat = || Provider::of(ProviderKind::Wechat);
        let plain = || Self {
            client_name: Some("Demo Notes".to_owned()),
            resume: "fj_resume_sample".to_owned(),
            csrf: "csrf-sample".to_owned(),
            providers: ProviderKind::NAMED.into_iter().take(4).map(Provider::of).collect(),
            username: String::new(),
            error: None,
            attach: None,
            unbinds: false,
            password_enabled: true,
        };
        let failed = |error| Self { username: "alice".to_owned(), error: Some(error), ..plain() };
        let attach =
            AttachTo {
                provider: wechat(), nickname: "小明🌟".to_owned(), ticket_digest: "digest-sample".to_owned()
            };
        vec![
            plain(),
            failed(SignInError::BadPassword),
            failed(SignInError::TooMany),
            failed(SignInError::ProviderRefused { provider: wechat() }),
            failed(SignInError::ProviderFailed { provider: Provider::of(ProviderKind::Github) }),
            failed(SignInError::ProviderProvisional { provider: wechat() }),
            failed(SignInError::Expired),
            failed(SignInError::FlowLost),
            Self { attach: Some(attach), ..plain() },
            Self { client_name: None, unbinds: true, ..plain() },
            Self { client_name: None, providers: Vec::new(), ..plain() },
            Self {
                password_enabled: false,
                providers: vec![
                    wechat(),
                    Provider { label: Some("Example SSO".to_owned()), ..Provider::of(ProviderKind::Other) },
                    Provider { id: "intranet".to_owned(), ..Provider::of(ProviderKind::Other) },
                ],
                ..plain()
            },
            Self { providers: ProviderKind::NAMED.map(Provider::of).to_vec(), ..plain() },
            Self { password_enabled: false, providers: Vec::new(), ..plain() },
        ]
    }
}
