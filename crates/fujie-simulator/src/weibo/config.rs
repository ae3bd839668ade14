//! What a simulated Weibo is made of: apps, people, lifetimes, limits, and a switch wherever the truth is open.
//!
//! Does not act. Serialised names are those of the control API.

use crate::base_url;
use crate::clock::seconds;
use crate::people::{Person, default_people};
use crate::redirect_uri::{LOOPBACK, is_of_this_machine};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use url::Url;

/// The AppKey of the app in the default configuration.
pub const DEFAULT_CLIENT_ID: &str = "1000000001";
/// The AppSecret of the app in the default configuration; openly fake.
pub const DEFAULT_SECRET: &str = "fa4efa4efa4efa4efa4efa4efa4efa4e";

/// The scopes beyond reading in the person's name; each needs Weibo's approval, `all` asks for all of them.
pub const SCOPES: [&str; 8] = [
    "email",
    "direct_messages_write",
    "direct_messages_read",
    "invitation_write",
    "friendships_groups_read",
    "friendships_groups_write",
    "statuses_to_me_read",
    "follow_app_official_microblog",
];

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeiboConfig {
    /// Registered apps. Their ids differ.
    pub apps: Vec<App>,
    /// People with a Weibo account; at least one, names differ.
    #[serde(skip)]
    pub people: Vec<Person>,
    /// Who agrees to every sign-in at once: a person's name. A switch of the control API as well.
    #[serde(skip)]
    pub auto_confirm: Option<String>,
    /// How long the sign-in page can be answered: 10 min (a choice).
    #[serde(rename = "sign_in_lifetime_seconds", deserialize_with = "seconds")]
    pub sign_in_lifetime: Duration,
    /// How long a code can be redeemed: 10 min.
    #[serde(rename = "code_lifetime_seconds", deserialize_with = "seconds")]
    pub code_lifetime: Duration,
    /// The address that pages and avatars name, when it is not the listener's.
    #[serde(deserialize_with = "base_url::read")]
    pub base_url: Option<String>,
    /// Open questions and older behaviour; can be changed while running.
    pub switches: Switches,
}

impl Default for WeiboConfig {
    fn default() -> Self {
        Self {
            apps: vec![App::demo()],
            people: default_people(),
            auto_confirm: None,
            sign_in_lifetime: Duration::from_secs(600),
            code_lifetime: Duration::from_secs(600),
            base_url: None,
            switches: Switches::default(),
        }
    }
}

/// Behaviour that differs by year or that no source settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Seconds an access token works: 157679999 (five years, the app's own account), 7776000 (partner), 2592000
    /// (ordinary app) or 86400 (app under test).
    pub access_token_lifetime_seconds: u64,
    /// `expires_in` is a string, as in the documentation of 2022. Off: a number.
    pub expires_in_string: bool,
    /// What the token answer says in `isRealName`, a string; null leaves the field out.
    pub is_real_name: Option<bool>,
    /// Answers are `text/plain;charset=UTF-8`, as in older captures. Off: `application/json;charset=UTF-8`.
    pub text_plain: bool,
    /// `error_code` of API calls is a string, as the documentation prints it. Off: a number.
    pub error_code_string: bool,
    /// Refreshing spends the refresh token and answers with a new one. Off: it answers without any.
    pub refresh_token_rotates: bool,
    /// `appkey` of `get_token_info` is a string. Off: a number, as in the documentation.
    pub appkey_string: bool,
    /// `get_token_info` says `expires_in`, as an older revision did. Off: `expire_in`.
    pub token_info_expires_in: bool,
    /// `email.json` answers an object. Off: an array with one.
    pub email_object: bool,
    /// `province` and `city` are numbers. Off: strings.
    pub province_number: bool,
    /// Profiles carry `status`, the latest post.
    pub latest_status: bool,
    /// The status of 21332: 403, or 401 or 400 as seen elsewhere.
    pub invalid_token_status: u16,
    /// Advanced scopes that the person unticks on the page: they are not granted, and no answer says so.
    pub withheld_scopes: Vec<String>,
    /// API calls in an hour, per person and app.
    pub user_limit: u32,
    /// API calls in an hour, of the calling server.
    pub ip_limit: u32,
    /// The rate limit's error says which `request` it refused; it sometimes does not.
    pub rate_limit_request: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            access_token_lifetime_seconds: 157_679_999,
            expires_in_string: false,
            is_real_name: Some(true),
            text_plain: false,
            error_code_string: false,
            refresh_token_rotates: false,
            appkey_string: true,
            token_info_expires_in: false,
            email_object: false,
            province_number: false,
            latest_status: true,
            invalid_token_status: 403,
            withheld_scopes: Vec::new(),
            user_limit: 150,
            ip_limit: 10_000,
            rate_limit_request: true,
        }
    }
}

/// An app registered at Weibo's open platform.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The AppKey, about ten digits.
    pub client_id: String,
    /// The AppSecret, compared by the token endpoint; use fake ones.
    pub secret: String,
    /// Shown to people.
    pub name: String,
    /// Where codes may be sent.
    pub callback: Callback,
    /// Advanced scopes that Weibo approved for this app.
    #[serde(default)]
    pub approved_scopes: Vec<String>,
    /// An app with the mobile SDK is given refresh tokens.
    #[serde(default)]
    pub is_mobile_sdk: bool,
    /// May read other people's profiles; the others get 21335.
    #[serde(default)]
    pub has_high_rights: bool,
    /// Who may use an app under test (names of people); everybody else gets 21321. Null for an audited app.
    #[serde(default)]
    pub testers: Option<Vec<String>>,
}

impl App {
    /// The app of the default configuration, which may be called back on loopback.
    pub fn demo() -> Self {
        Self {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            secret: DEFAULT_SECRET.to_owned(),
            name: "演示应用".to_owned(),
            callback: Callback::Loopback,
            approved_scopes: SCOPES.map(str::to_owned).to_vec(),
            is_mobile_sdk: false,
            has_high_rights: false,
            testers: None,
        }
    }

    /// What of the asked scopes is granted when the person withholds some. Unknown and unapproved ones fall away.
    pub(crate) fn grants(&self, asked: &str, withheld: &[String]) -> Vec<String> {
        let asked: Vec<&str> = asked.split([',', ' ']).collect();
        let is_granted =
            |scope: &&String| (asked.contains(&scope.as_str()) || asked.contains(&"all")) && !withheld.contains(scope);
        self.approved_scopes.iter().filter(is_granted).cloned().collect()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("App")
            .field("client_id", &self.client_id)
            .field("name", &self.name)
            .field("callback", &self.callback)
            .finish_non_exhaustive()
    }
}

/// The callback page of an app, in its "advanced information".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Callback {
    /// `127.0.0.1`, `[::1]` and `localhost` at every port and path: `*loopback*` in the control API. The real platform
    /// has no such thing, but a program on a laptop changes its port.
    Loopback,
    /// This address, to the letter.
    Exactly(String),
}

impl Callback {
    pub(crate) fn admits(&self, redirect_uri: &str) -> bool {
        match self {
            Self::Exactly(registered) => registered == redirect_uri,
            Self::Loopback => Url::parse(redirect_uri).is_ok_and(|uri| is_of_this_machine(&uri)),
        }
    }
}

impl From<String> for Callback {
    fn from(text: String) -> Self {
        if text == LOOPBACK { Self::Loopback } else { Self::Exactly(text) }
    }
}

impl From<Callback> for String {
    fn from(callback: Callback) -> Self {
        match callback {
            Callback::Loopback => LOOPBACK.to_owned(),
            Callback::Exactly(address) => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{App, Callback};

    #[test]
    fn a_callback_is_compared_to_the_letter() {
        let callback = Callback::from("https://a.example/back".to_owned());
        for (uri, expected) in [
            ("https://a.example/back", true),
            ("https://a.example/back?x=1", false),
            ("https://a.example/back/", false),
            ("https://A.example/back", false),
        ] {
            assert_eq!(callback.admits(uri), expected, "{uri}");
        }
        assert!(Callback::Loopback.admits("http://127.0.0.1:5000/x") && Callback::Loopback.admits("http://[::1]:1/"));
        assert!(!Callback::Loopback.admits("http://127.0.0.1.evil.test/") && !Callback::Loopback.admits("x:localhost"));
    }

    #[test]
    fn scopes_are_granted_as_far_as_asked_approved_and_ticked() {
        let app = App { approved_scopes: vec!["email".to_owned(), "invitation_write".to_owned()], ..App::demo() };
        assert_eq!(app.grants("email,direct_messages_read", &[]), ["email"]);
        assert_eq!(app.grants("all", &[]), ["email", "invitation_write"]);
        assert_eq!(app.grants("all", &["email".to_owned()]), ["invitation_write"]);
        assert!(app.grants("", &[]).is_empty());
    }
}
