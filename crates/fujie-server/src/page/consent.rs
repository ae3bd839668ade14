//! The consent page: what an application would be allowed to do, in words.
//!
//! Forms. `POST /consent`: `resume`, `csrf`, `decision=allow|deny`. `POST /sign-in/other`:
//! `resume`, `csrf`, for a person who is signed in with the wrong account.

use minijinja::value::{Kwargs, Value};
use serde::Serialize;

use super::words::Words;
use super::{Lang, Page};

/// May this application do this?
#[derive(Debug, Clone, Serialize)]
pub struct Consent {
    /// The application's name, as its developer registered it.
    pub client_name: String,
    /// The host the answer goes to, from the proven redirect URI: what a name cannot fake.
    pub client_host: String,
    /// A public client cannot prove that it is the application it says it is.
    pub client_is_public: bool,
    /// What is asked for.
    pub scopes: Vec<ScopeWords>,
    /// Who is asked.
    pub account_name: String,
    /// The sealed authorization request.
    pub resume: String,
    /// The token over session and `resume`.
    pub csrf: String,
}

/// One scope (RFC 6749 §3.3) and how to say it.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeWords {
    /// The scope token.
    pub name: String,
    /// The operator's sentence in the page's language. Without it a scope that the pages know is
    /// said in their words, and any other is shown by its name.
    pub sentence: Option<String>,
}

/// A scope in the pages' own words, or by its name when they have none for it.
pub(super) fn sentence(words: &Words, lang: Lang, scope: &str) -> Result<String, minijinja::Error> {
    if let Some((_, key)) = KNOWN_SCOPES.iter().find(|(known, _)| *known == scope) {
        return words.say_plain(lang, key);
    }
    words.say(lang, "scope-other", &Kwargs::from_iter([("scope", Value::from(scope))]))
}

const KNOWN_SCOPES: [(&str, &str); 5] = [
    ("openid", "scope-openid"),
    ("profile", "scope-profile"),
    ("email", "scope-email"),
    ("offline_access", "scope-offline-access"),
    ("read_contacts", "scope-read-contacts"),
];

impl Page for Consent {
    const TEMPLATE: &'static str = "consent.html";

    fn samples() -> Vec<Self> {
        let scope = |name: &str| ScopeWords { name: name.to_owned(), sentence: None };
        let plain = Self {
            client_name: "Demo Notes".to_owned(),
            client_host: "notes.example.com".to_owned(),
            client_is_public: false,
            scopes: vec![scope("openid"), scope("profile")],
            account_name: "alice".to_owned(),
            resume: "fj_resume_sample".to_owned(),
            csrf: "csrf-sample".to_owned(),
        };
        let much = Self {
            client_is_public: true,
            client_host: "127.0.0.1:49152".to_owned(),
            scopes: vec![
                scope("openid"),
                scope("profile"),
                scope("email"),
                scope("offline_access"),
                scope("read_contacts"),
                scope("https://api.example.com/calendars.readonly"),
                ScopeWords { name: "notes".to_owned(), sentence: Some("笔记 · notes".to_owned()) },
            ],
            ..plain.clone()
        };
        let nothing = Self { scopes: Vec::new(), ..plain.clone() };
        vec![plain, much, nothing]
    }
}
