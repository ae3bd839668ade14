//! What a simulated GitHub is made of: apps, repositories, lifetimes, and a switch wherever the
//! truth is open or has changed over the years.
//!
//! Does not act; [`super::simulation`] reads it. Serialised names are those of the control API.

use super::callback::{CALLBACKS_MAX, Callback};
use crate::base_url;
use crate::clock::seconds;
use crate::people::{Person, default_people};
use crate::simulation::invalid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::time::Duration;

/// The client_id of the OAuth app in the default configuration.
pub const DEFAULT_CLIENT_ID: &str = "Ov23fa4efa4efa4efa4e";
/// The client_id of the GitHub App in the default configuration.
pub const DEFAULT_GITHUB_APP_CLIENT_ID: &str = "Iv23fa4efa4efa4efa4e";
/// The client_secret of both; openly fake.
pub const DEFAULT_SECRET: &str = "fa4efa4efa4efa4efa4efa4efa4efa4efa4efa4e";

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubConfig {
    /// Registered apps. Client ids differ.
    pub apps: Vec<App>,
    /// People who have an account; at least one, names differ.
    #[serde(skip)]
    pub people: Vec<Person>,
    /// Who agrees to every sign-in at once, if anybody: a name.
    #[serde(skip)]
    pub auto_confirm: Option<String>,
    /// Repositories. Whoever owns none of these owns a public one named `demo`.
    pub repositories: Vec<Repository>,
    /// How long the authorization page can be answered: 30 min.
    #[serde(rename = "sign_in_lifetime_seconds", deserialize_with = "seconds")]
    pub sign_in_lifetime: Duration,
    /// How long a code can be redeemed: 10 min.
    #[serde(rename = "code_lifetime_seconds", deserialize_with = "seconds")]
    pub code_lifetime: Duration,
    /// How long an expiring token works: 8 h.
    #[serde(rename = "access_token_lifetime_seconds", deserialize_with = "seconds")]
    pub access_token_lifetime: Duration,
    /// How long a refresh token works: 15897600 s; older documents say 15811200.
    #[serde(rename = "refresh_token_lifetime_seconds", deserialize_with = "seconds")]
    pub refresh_token_lifetime: Duration,
    /// How long a device code works: 900 s. Answers tell a second less, as the real ones do.
    #[serde(rename = "device_code_lifetime_seconds", deserialize_with = "seconds")]
    pub device_code_lifetime: Duration,
    /// How long a delivery may take, from connecting to the whole answer: 10 s.
    #[serde(rename = "delivery_timeout_seconds", deserialize_with = "seconds")]
    pub delivery_timeout: Duration,
    /// Requests in an hour, per token: 5000.
    pub rate_limit: u32,
    /// Requests in an hour without a token: 60.
    pub rate_limit_without_token: u32,
    /// The address that pages and answers name, when it is not the listener's.
    #[serde(deserialize_with = "base_url::read")]
    pub base_url: Option<String>,
    /// Open questions and older behaviour; can be changed while running.
    pub switches: Switches,
}

impl Default for GithubConfig {
    fn default() -> Self {
        Self {
            apps: vec![App::demo(), App::demo_github_app()],
            people: default_people(),
            auto_confirm: None,
            repositories: Vec::new(),
            sign_in_lifetime: Duration::from_secs(1800),
            code_lifetime: Duration::from_secs(600),
            access_token_lifetime: Duration::from_secs(28_800),
            refresh_token_lifetime: Duration::from_secs(15_897_600),
            device_code_lifetime: Duration::from_secs(900),
            delivery_timeout: Duration::from_secs(10),
            rate_limit: 5000,
            rate_limit_without_token: 60,
            base_url: None,
            switches: Switches::default(),
        }
    }
}

impl GithubConfig {
    /// Refuses apps and repositories that contradict each other; people are checked elsewhere.
    pub(crate) fn check(&self) -> io::Result<()> {
        let mut repositories = HashSet::new();
        let is_known = |name: &str| self.people.iter().any(|person| person.name == name);
        if let Some(fault) = self.apps.iter().find_map(App::fault) {
            Err(invalid(fault))
        } else if !self.repositories.iter().all(|one| is_known(&one.owner) && repositories.insert(one.key())) {
            Err(invalid("every repository needs a known owner and a name of its own"))
        } else {
            Ok(())
        }
    }
}

/// Behaviour that differs by year or edition, or that no source settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Callbacks carry `iss`, as since August 2026. Off: as before, and on Enterprise Server.
    pub iss_in_callback: bool,
    /// The issuer is this host's, as a client that reads the discovery document here expects. Off:
    /// `https://github.com/login/oauth`, as a client that was made for GitHub expects.
    pub issuer_of_this_host: bool,
    /// A `redirect_uri` that is not registered sends the browser to the registered callback with
    /// an error, as documented. Off: a page says so.
    pub redirect_uri_mismatch_redirects: bool,
    /// The token endpoint answers GET as well, as it once did. Off: 404.
    pub token_endpoint_get: bool,
    /// PKCE is known, as since July 2025. Off: ignored, as on Enterprise Server 3.17 to 3.20.
    pub pkce: bool,
    /// The scope `offline_access` gives an OAuth app a refresh token. Off: ignored.
    pub offline_access: bool,
    /// `expires_in` and its like are JSON strings, as announced in 2020. Off: numbers.
    pub expires_in_as_text: bool,
    /// The status of `device_flow_disabled` at `/login/device/code`: 400, in older records 200.
    pub device_flow_disabled_status: u16,
    /// Everybody lacks a verified primary address: no code can be redeemed.
    pub unverified_user_email: bool,
    /// Profiles show the address, as for people who made it public. Off: null.
    pub public_email: bool,
    /// Error bodies of the API have a `status` member, as since about 2024.
    pub status_in_errors: bool,
    /// The status of exceeded limits: 403 or 429.
    pub rate_limit_status: u16,
    /// Every API call is over the primary limit.
    pub rate_limit_exceeded: bool,
    /// Every API call is over the secondary limit.
    pub secondary_rate_limit_exceeded: bool,
    /// The secondary limit tells `Retry-After: 60`. Off: nothing.
    pub retry_after: bool,
    /// Hooks on localhost are refused, as by the real one.
    pub refuse_localhost_hooks: bool,
    /// A hook's `test_url` ends in `/tests`, as in older answers. Off: `/test`.
    pub older_test_url: bool,
    /// A POST to `/attempts` is answered with this status: 202, perhaps 200 or 201.
    pub redelivery_status: u16,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            iss_in_callback: true,
            issuer_of_this_host: false,
            redirect_uri_mismatch_redirects: false,
            token_endpoint_get: false,
            pkce: true,
            offline_access: true,
            expires_in_as_text: false,
            device_flow_disabled_status: 400,
            unverified_user_email: false,
            public_email: false,
            status_in_errors: true,
            rate_limit_status: 403,
            rate_limit_exceeded: false,
            secondary_rate_limit_exceeded: false,
            retry_after: true,
            refuse_localhost_hooks: false,
            older_test_url: false,
            redelivery_status: 202,
        }
    }
}

/// The two kinds of app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// Asks for scopes; its tokens begin with `gho_`.
    #[default]
    OauthApp,
    /// Has permissions; its users' tokens begin with `ghu_` and have no scope.
    GithubApp,
}

/// A registered app.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// `Ov23` or `Iv23` and 16 letters and digits.
    pub client_id: String,
    /// 40 lowercase hexadecimal digits; use fake ones.
    pub client_secret: String,
    /// Shown to people.
    pub name: String,
    /// OAuth app or GitHub App.
    #[serde(default)]
    pub kind: AppKind,
    /// Where codes may be sent: one to ten; the first one when a request names none.
    pub callbacks: Vec<Callback>,
    /// The device flow is switched on.
    #[serde(default)]
    pub device_flow: bool,
    /// Tokens expire and can be refreshed; a GitHub App's do unless told otherwise.
    #[serde(default)]
    pub expiring_tokens: Option<bool>,
    /// GitHub has suspended the app.
    #[serde(default)]
    pub suspended: bool,
    /// What a GitHub App may do: `emails`, `repository_hooks`, …, each `read` or `write`.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
}

impl App {
    /// The OAuth app of the default configuration, which may be called back on loopback.
    pub fn demo() -> Self {
        let loopback = ["http://127.0.0.1/", "http://localhost/", "http://[::1]/"];
        Self {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_SECRET.to_owned(),
            name: "演示应用".to_owned(),
            kind: AppKind::OauthApp,
            callbacks: loopback.map(Callback::wildcard).into(),
            device_flow: true,
            expiring_tokens: None,
            suspended: false,
            permissions: BTreeMap::new(),
        }
    }

    /// The GitHub App of the default configuration, which may be called back on loopback.
    pub fn demo_github_app() -> Self {
        let permissions = [("emails", "read"), ("metadata", "read"), ("repository_hooks", "write")];
        Self {
            client_id: DEFAULT_GITHUB_APP_CLIENT_ID.to_owned(),
            name: "演示 GitHub App".to_owned(),
            kind: AppKind::GithubApp,
            permissions: permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).into(),
            ..Self::demo()
        }
    }

    /// What is wrong with the registration, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.client_id.is_empty() {
            Some("client_id is empty")
        } else if self.callbacks.is_empty() || self.callbacks.len() > CALLBACKS_MAX {
            Some("an app has one to ten callbacks")
        } else {
            None
        }
    }

    pub(crate) fn tokens_expire(&self) -> bool {
        self.expiring_tokens.unwrap_or(self.kind == AppKind::GithubApp)
    }

    /// Whether the app's permission `name` is `read` or better, or `write` where that is needed.
    pub(crate) fn permits(&self, name: &str, write: bool) -> bool {
        let level = self.permissions.get(name).map(String::as_str);
        matches!((level, write), (Some("write" | "admin"), _) | (Some("read"), false))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("App")
            .field("client_id", &self.client_id)
            .field("name", &self.name)
            .field("callbacks", &self.callbacks)
            .finish_non_exhaustive()
    }
}

/// A repository of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Who owns it and is its administrator: a person's name in the configuration.
    pub owner: String,
    /// Its name, without the owner's.
    pub name: String,
    /// Seen by its owner and collaborators only.
    #[serde(default)]
    pub private: bool,
    /// Others who may push to it but not administer it: names in the configuration.
    #[serde(default)]
    pub collaborators: Vec<String>,
}

impl Repository {
    /// A public repository without collaborators.
    pub fn public(owner: &str, name: &str) -> Self {
        Self { owner: owner.to_owned(), name: name.to_owned(), private: false, collaborators: Vec::new() }
    }

    /// Owner and name in small letters: two that differ by case alone are one.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.owner, self.name).to_lowercase()
    }
}
