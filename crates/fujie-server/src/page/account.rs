//! The account page: which identities sign in here, which applications have access, where the
//! account is signed in.
//!
//! Forms. `POST /account/revoke`: `csrf`, `client_id`. `POST /sign-out`: `csrf`, `resume` (empty). An identity is
//! removed on a page of its own.

use minijinja::value::Value;
use serde::Serialize;

use super::words::Words;
use super::{Lang, Page, Provider, ProviderKind, ScopeWords, provider};

/// A person's own account.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// The name to sign in with, or the generated one.
    pub account_name: String,
    /// What the person is called, when known.
    pub nickname: Option<String>,
    /// Third-party identities bound to this account.
    pub identities: Vec<BoundIdentity>,
    /// Applications that have or had access.
    pub applications: Vec<Application>,
    /// Where the account is signed in.
    pub sessions: Vec<SignedInSession>,
    /// The token that proves the forms are ours.
    pub csrf: String,
    /// Whether this account administers the server.
    pub is_administrator: bool,
}

/// A third-party identity of this account.
#[derive(Debug, Clone, Serialize)]
pub struct BoundIdentity {
    /// Names it in the address of its page without telling whose it is: 64 hexadecimal digits.
    pub reference: String,
    /// Where it comes from.
    pub provider: Provider,
    /// What the person is called there.
    pub nickname: String,
    /// When it was bound, in Unix milliseconds.
    pub bound_at_milliseconds: i64,
}

/// An application's access.
#[derive(Debug, Clone, Serialize)]
pub struct Application {
    /// Sent back to revoke it.
    pub client_id: String,
    /// Its name.
    pub client_name: String,
    /// What it may do.
    pub scopes: Vec<ScopeWords>,
    /// Since when, in Unix milliseconds.
    pub since_milliseconds: i64,
    /// Why it has access no longer; `None` while it has.
    pub ended_why: Option<EndedWhy>,
}

/// Why an application's access ended, as far as its person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum EndedWhy {
    /// A code was used twice: somebody may have intercepted it.
    CodeReplayed,
    /// An old refresh token was used: somebody may have copied it.
    RefreshReused,
    /// The person took it back.
    Revoked,
    /// The application gave it back.
    RevokedByClient,
    /// The session it hung on ended.
    SignedOut,
    /// It ran out.
    Expired,
    /// An administrator ended it.
    Administrator,
    /// Anything else.
    Other,
}

/// One browser in which the account is signed in.
#[derive(Debug, Clone, Serialize)]
pub struct SignedInSession {
    /// When it signed in, in Unix milliseconds.
    pub signed_in_at_milliseconds: i64,
    /// How.
    pub methods: Vec<SignInMethod>,
    /// Whether it is the browser that looks at the page.
    pub current: bool,
}

/// One of the ways in which a session signed in.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum SignInMethod {
    /// Name and password.
    Password,
    /// A provider.
    Provider {
        /// Which.
        provider: Provider,
    },
    /// Any other, by its authentication method reference (RFC 8176).
    Other {
        /// The reference.
        reference: String,
    },
}

/// How a session signed in, for people, from serialised [`SignInMethod`]s.
pub(super) fn method_names(words: &Words, lang: Lang, methods: &[Value]) -> Result<String, minijinja::Error> {
    let mut names = Vec::with_capacity(methods.len());
    for method in methods {
        names.push(match method.get_attr("is")?.as_str() {
            Some("password") => words.say_plain(lang, "method-password")?,
            Some("provider") => provider::name(words, lang, &method.get_attr("provider")?)?,
            _ => method.get_attr("reference")?.to_string(),
        });
    }
    Ok(names.join(" + "))
}

impl Page for Account {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            account_name: "alice".to_owned(),
            nickname: None,
            identities: Vec::new(),
            applications: Vec::new(),
            sessions: vec![session(vec![SignInMethod::Password], true)],
            csrf: "csrf-sample".to_owned(),
            is_administrator: true,
        };
        let full = Self {
            nickname: Some("小明🌟".to_owned()),
            identities: vec![identity(ProviderKind::Wechat, "小明🌟"), identity(ProviderKind::Github, "octo-alice")],
            applications: [
                None,
                Some(EndedWhy::CodeReplayed),
                Some(EndedWhy::RefreshReused),
                Some(EndedWhy::Revoked),
                Some(EndedWhy::RevokedByClient),
                Some(EndedWhy::SignedOut),
                Some(EndedWhy::Expired),
                Some(EndedWhy::Administrator),
                Some(EndedWhy::Other),
            ]
            .map(application)
            .to_vec(),
            sessions: vec![
                session(vec![SignInMethod::Provider { provider: Provider::of(ProviderKind::Wechat) }], true),
                session(vec![SignInMethod::Password, SignInMethod::Other { reference: "otp".to_owned() }], false),
                session(Vec::new(), false),
            ],
            is_administrator: false,
            ..empty.clone()
        };
        vec![full, empty]
    }
}

pub(super) fn identity(kind: ProviderKind, nickname: &str) -> BoundIdentity {
    BoundIdentity {
        reference: "5a".repeat(32),
        provider: Provider::of(kind),
        nickname: nickname.to_owned(),
        bound_at_milliseconds: SAMPLE_TIME,
    }
}

fn application(ended_why: Option<EndedWhy>) -> Application {
    Application {
        client_id: "client-sample".to_owned(),
        client_name: "Demo Notes".to_owned(),
        scopes: ["openid", "profile", "email", "offline_access", "read_contacts", "notes:write"]
            .map(|name| ScopeWords { name: name.to_owned(), sentence: None })
            .to_vec(),
        since_milliseconds: SAMPLE_TIME,
        ended_why,
    }
}

fn session(methods: Vec<SignInMethod>, current: bool) -> SignedInSession {
    SignedInSession { signed_in_at_milliseconds: SAMPLE_TIME, methods, current }
}

const SAMPLE_TIME: i64 = 1_795_183_380_000;
