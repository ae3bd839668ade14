//! What a simulated QQ is made of: apps, people, lifetimes, and a switch wherever the truth is open or has changed.
//!
//! Does not act. Serialised names are those of the control API.

use super::callback::{Callback, CallbackRule};
use crate::base_url;
use crate::clock::seconds;
use crate::people::{Person, default_people};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The appid of the app in the default configuration.
pub const DEFAULT_CLIENT_ID: &str = "101000001";
/// The appkey of the app in the default configuration; openly fake.
pub const DEFAULT_SECRET: &str = "fa4efa4efa4efa4efa4efa4efa4efa4e";

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QqConfig {
    /// Registered websites. Their ids differ.
    pub apps: Vec<App>,
    /// People with a QQ account; at least one, names differ.
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

impl Default for QqConfig {
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
    /// Seconds an access token works, and what `expires_in` says: 7776000 in all captures; 5184000 in today's
    /// documentation.
    pub access_token_lifetime_seconds: u64,
    /// With `fmt=json`, `expires_in` is a string. Off: a number.
    pub expires_in_string: bool,
    /// What the answers of all endpoints are labelled as.
    pub content_type: ContentType,
    /// A JSONP answer ends in a line feed.
    pub jsonp_newline: bool,
    /// `unionid=1` is answered. Off: 100048, as for a developer without that right.
    pub unionid: bool,
    /// What refusing on the page does.
    pub cancel: Cancel,
    /// What of a redirect URI is compared with the registered ones.
    pub callback_rule: CallbackRule,
    /// A new sign-in of the same person at the same app ends the earlier access tokens (100013).
    pub invalidate_previous_token: bool,
    /// Profiles tell gender, place, year and constellation, as years ago. Off: `男` for everybody, and empty.
    pub full_profile: bool,
    /// What stands for a QQ avatar of 100 pixels, which not everybody has.
    pub figureurl_qq_2: LargeAvatar,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            access_token_lifetime_seconds: 7_776_000,
            expires_in_string: false,
            content_type: ContentType::Html,
            jsonp_newline: true,
            unionid: true,
            cancel: Cancel::ByDisplay,
            callback_rule: CallbackRule::Path,
            invalidate_previous_token: false,
            full_profile: false,
            figureurl_qq_2: LargeAvatar::Present,
        }
    }
}

/// The labels that answers were seen with; no client may look at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// `text/html; charset=utf-8` for everything.
    Html,
    /// `text/plain` for everything.
    Plain,
    /// `text/plain` for success, `application/json` for failure.
    JsonFailure,
}

/// What refusing on the page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancel {
    /// A PC page closes and nothing is redirected; a mobile one (`display=mobile` or `g_ut`) says `usercancel=1`.
    ByDisplay,
    /// Nothing is ever redirected.
    Closes,
    /// The application always hears `usercancel=1`.
    Redirects,
}

/// `figureurl_qq_2` of somebody without a large avatar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LargeAvatar {
    /// They have one.
    Present,
    /// The address of the small one.
    Small,
    /// An empty string.
    Empty,
    /// No such field.
    Absent,
}

/// A website registered at QQ Connect.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The appid, nine or ten digits.
    pub client_id: String,
    /// The appkey, compared by the token endpoint; use fake ones.
    pub secret: String,
    /// Shown to people.
    pub name: String,
    /// Where codes may be sent.
    pub callback: Callback,
    /// Apps of one developer see the same unionid for a person.
    #[serde(default)]
    pub developer: String,
    /// False while the app is being reviewed: nobody can sign in (100011).
    #[serde(default = "yes")]
    pub is_online: bool,
    /// A mobile app, which need not repeat `redirect_uri` at the token endpoint.
    #[serde(default)]
    pub is_mobile_app: bool,
}

impl App {
    /// The app of the default configuration, which may be called back on loopback.
    pub fn demo() -> Self {
        Self {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            secret: DEFAULT_SECRET.to_owned(),
            name: "演示网站".to_owned(),
            callback: Callback::Loopback,
            developer: "demo".to_owned(),
            is_online: true,
            is_mobile_app: false,
        }
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

fn yes() -> bool {
    true
}
