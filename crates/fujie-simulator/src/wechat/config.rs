//! What a simulated WeChat is made of: apps, people, lifetimes, and a switch wherever the truth is
//! open or has changed over the years.
//!
//! Does not act; [`super::simulation`] reads it. Serialised names are those of the control API.

use crate::base_url;
use crate::clock::seconds;
use crate::people::{Person, default_people};
use crate::random;
use crate::redirect_uri::{LOOPBACK, is_of_this_machine};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use url::Url;

/// The appid of the website app in the default configuration.
pub const DEFAULT_APPID: &str = "wx0123456789abcdef";
/// The appid of the official account in the default configuration, of the website app's account.
pub const DEFAULT_OFFICIAL_ACCOUNT_APPID: &str = "wxabcdef0123456789";
/// The appid of the mini-program in the default configuration, which is bound to no account.
pub const DEFAULT_MINI_PROGRAM_APPID: &str = "wx9876543210fedcba";
/// The secret of all apps in the default configuration; openly fake.
pub const DEFAULT_SECRET: &str = "fa4efa4efa4efa4efa4efa4efa4efa4e";

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WechatConfig {
    /// Registered apps. Appids differ.
    pub apps: Vec<App>,
    /// People who own a simulated phone; at least one, names differ.
    #[serde(skip)]
    pub people: Vec<Person>,
    /// Who agrees to every sign-in at once, so that no phone is needed.
    #[serde(skip)]
    pub auto_confirm: Option<String>,
    /// How long a QR code can be scanned and confirmed: 300 s.
    #[serde(rename = "qr_lifetime_seconds", deserialize_with = "seconds")]
    pub qr_lifetime: Duration,
    /// How long a code can be redeemed: 10 min for website apps.
    #[serde(rename = "code_lifetime_seconds", deserialize_with = "seconds")]
    pub code_lifetime: Duration,
    /// How long an official account's code or a mini-program's `js_code` can be redeemed: 5 min.
    #[serde(rename = "in_app_code_lifetime_seconds", deserialize_with = "seconds")]
    pub in_app_code_lifetime: Duration,
    /// How long an access token works: 7200 s.
    #[serde(rename = "access_token_lifetime_seconds", deserialize_with = "seconds")]
    pub access_token_lifetime: Duration,
    /// How long a refresh token works, from its first issue: 30 d, never extended.
    #[serde(rename = "refresh_token_lifetime_seconds", deserialize_with = "seconds")]
    pub refresh_token_lifetime: Duration,
    /// How long a long poll is held when nothing happens: 25 s.
    #[serde(rename = "poll_hold_seconds", deserialize_with = "seconds")]
    pub poll_hold: Duration,
    /// The address that QR codes and avatars name, when it is not the listener's: a machine's
    /// address in the local network, so that a real phone can scan.
    #[serde(deserialize_with = "base_url::read")]
    pub base_url: Option<String>,
    /// Open questions and older behaviour; can be changed while running.
    pub switches: Switches,
}

impl Default for WechatConfig {
    fn default() -> Self {
        Self {
            apps: vec![App::demo(), App::demo_official_account(), App::demo_mini_program()],
            people: default_people(),
            auto_confirm: None,
            qr_lifetime: Duration::from_secs(300),
            code_lifetime: Duration::from_secs(600),
            in_app_code_lifetime: Duration::from_secs(300),
            access_token_lifetime: Duration::from_secs(7200),
            refresh_token_lifetime: Duration::from_secs(30 * 86_400),
            poll_hold: Duration::from_secs(25),
            base_url: None,
            switches: Switches::default(),
        }
    }
}

/// Behaviour that differs by year or that no source settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Refusing on the phone sends the browser back with `state` alone, as it did years ago.
    /// Off: nothing happens but a message on the page, as today.
    pub denial_redirects: bool,
    /// A new sign-in of the same person at the same app ends the earlier access token.
    pub invalidate_previous_token: bool,
    /// The OAuth endpoints also read a form body; the query string wins. Off: a POST finds no
    /// `appid`. `jscode2session` reads the query string alone in any case.
    pub form_body: bool,
    /// Answers carry `unionid`. Off: as if no app were bound to an open-platform account; for one
    /// app, leave its [`App::open_platform_account`] empty.
    pub unionid: bool,
    /// Every visitor is a provisional one, as with `forceSnapShot=true`: the token answer says
    /// `is_snapshotuser: 1`, and openid and profile are not those of a person. WeChat has them with
    /// `snsapi_userinfo` alone; the switch also makes them of the QR page's visitors, so that an app
    /// without in-app authorization can be tried.
    pub snapshot_user: bool,
    /// In-app authorization opens in WeChat's own browser alone. Off: in any browser, for want of
    /// a real WeChat on a developer's machine.
    pub only_in_wechat: bool,
    /// `snsapi_userinfo` opens only with its parameters in the documented order.
    pub strict_order: bool,
    /// `snsapi_userinfo` shows no page either, as for a follower who comes from the account's own
    /// chat. `forcePopup` changes nothing about that.
    pub silent_userinfo: bool,
    /// In-app authorization refuses an absent `state` with 10013, although it is optional.
    pub state_is_required: bool,
    /// A query parameter named `openId` is lost from an in-app redirect URI.
    pub open_id_is_dropped: bool,
    /// A code that has expired is 42003. Off: 40029, as real answers say.
    pub expired_code_is_42003: bool,
    /// A code that was used is 40029, as before about 2017. Off: 40163.
    pub used_code_is_40029: bool,
    /// The `scope` of a refreshed token ends with a comma, as in one real answer.
    pub scope_ends_with_comma: bool,
    /// Profiles carry sex and region, as before 2021-10-20. Off: 0 and empty, as today.
    pub full_profile: bool,
    /// What stands behind the text of an error.
    pub errmsg_suffix: ErrmsgSuffix,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            denial_redirects: false,
            invalidate_previous_token: false,
            form_body: true,
            unionid: true,
            snapshot_user: false,
            only_in_wechat: false,
            strict_order: true,
            silent_userinfo: false,
            state_is_required: false,
            open_id_is_dropped: true,
            expired_code_is_42003: false,
            used_code_is_40029: false,
            scope_ends_with_comma: false,
            full_profile: false,
            errmsg_suffix: ErrmsgSuffix::Rid,
        }
    }
}

/// The ways `errmsg` has ended over the years. Nobody may compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrmsgSuffix {
    /// Nothing, as in the documentation.
    Plain,
    /// `, hints: [ req_id: … ]`, about 2017 to 2020.
    Hints,
    /// `, rid: …`, since about September 2020.
    Rid,
}

/// What an app is; each kind has a way of signing in, and scopes, of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// Signs in by the QR page with `snsapi_login`.
    #[default]
    Website,
    /// Signs in inside WeChat with `snsapi_base` or `snsapi_userinfo`.
    OfficialAccount,
    /// Signs in with a `js_code`; no scope, no page.
    MiniProgram,
}

/// An app registered at WeChat.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// `wx` and 16 lowercase hexadecimal digits.
    pub appid: String,
    /// What the token endpoint compares; use fake ones.
    pub secret: String,
    /// Shown to people.
    pub name: String,
    /// Where codes may be sent.
    pub callback_domain: CallbackDomain,
    /// Apps of one account see the same unionid for a person; an app of none (empty) sees none.
    #[serde(default)]
    pub open_platform_account: String,
    /// Which way it signs in.
    #[serde(default)]
    pub kind: AppKind,
}

impl App {
    /// The website app of the default configuration, which may be called back on loopback.
    pub fn demo() -> Self {
        Self {
            appid: DEFAULT_APPID.to_owned(),
            secret: DEFAULT_SECRET.to_owned(),
            name: "演示网站".to_owned(),
            callback_domain: CallbackDomain::Loopback,
            open_platform_account: "demo".to_owned(),
            kind: AppKind::Website,
        }
    }

    /// The official account of the default configuration, of the same open-platform account.
    pub fn demo_official_account() -> Self {
        Self {
            appid: DEFAULT_OFFICIAL_ACCOUNT_APPID.to_owned(),
            name: "演示公众号".to_owned(),
            kind: AppKind::OfficialAccount,
            ..Self::demo()
        }
    }

    /// The mini-program of the default configuration: of no account, so without unionid.
    pub fn demo_mini_program() -> Self {
        Self {
            appid: DEFAULT_MINI_PROGRAM_APPID.to_owned(),
            name: "演示小程序".to_owned(),
            open_platform_account: String::new(),
            kind: AppKind::MiniProgram,
            ..Self::demo()
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("App")
            .field("appid", &self.appid)
            .field("name", &self.name)
            .field("callback_domain", &self.callback_domain)
            .finish_non_exhaustive()
    }
}

/// The callback domain of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum CallbackDomain {
    /// `127.0.0.1`, `[::1]` and `localhost` at every port: `*loopback*` in the control API. The
    /// real console has no such thing, but a program on a laptop changes its port.
    Loopback,
    /// `host` or `host:port`, without scheme; path and query of the redirect URI are free.
    Host(String),
}

impl CallbackDomain {
    /// Whether a redirect URI may be used with this domain.
    pub(crate) fn admits(&self, redirect_uri: &Url) -> bool {
        let Some(host) = redirect_uri.host_str() else {
            return false;
        };
        if !matches!(redirect_uri.scheme(), "http" | "https") {
            return false;
        }
        match self {
            Self::Loopback => is_of_this_machine(redirect_uri),
            Self::Host(registered) => match redirect_uri.port() {
                Some(port) => registered.eq_ignore_ascii_case(&format!("{host}:{port}")),
                None => registered.eq_ignore_ascii_case(host),
            },
        }
    }
}

impl From<String> for CallbackDomain {
    fn from(text: String) -> Self {
        if text == LOOPBACK { Self::Loopback } else { Self::Host(text) }
    }
}

impl From<CallbackDomain> for String {
    fn from(domain: CallbackDomain) -> Self {
        match domain {
            CallbackDomain::Loopback => LOOPBACK.to_owned(),
            CallbackDomain::Host(host) => host,
        }
    }
}

/// The visitor that takes a person's place on a snapshot page: somebody else, without a profile.
pub(crate) fn provisional(person: &Person) -> Person {
    Person::named(&format!("{} on a snapshot page", person.name), "微信用户", 0)
}

/// 28 characters, the same for this person and appid for ever.
pub(crate) fn openid(person: &Person, appid: &str) -> String {
    format!("o{}", random::settled(&["openid", appid, &person.name], random::BASE64URL, 27))
}

/// One value for all apps of an open-platform account.
pub(crate) fn unionid(person: &Person, account: &str) -> String {
    format!("o{}", random::settled(&["unionid", account, &person.name], random::BASE64URL, 27))
}

#[cfg(test)]
mod tests {
    use super::{CallbackDomain, openid, unionid};
    use crate::people::Person;
    use url::Url;

    #[test]
    fn a_callback_domain_admits_its_host_and_port_alone() {
        let host = |text: &str| CallbackDomain::from(text.to_owned());
        let cases = [
            ("example.com", "https://example.com/any/path?x=1", true),
            ("example.com", "https://example.com:443/", true),
            ("example.com", "https://example.com:8443/", false),
            ("example.com", "https://www.example.com/", false),
            ("example.com", "https://example.com.evil.test/", false),
            ("example.com", "https://example.com@evil.test/", false),
            ("example.com:8443", "https://example.com:8443/", true),
            ("*loopback*", "http://127.0.0.1:54321/back", true),
            ("*loopback*", "http://localhost/", true),
            ("*loopback*", "http://[::1]:9/", true),
            ("*loopback*", "http://127.0.0.1.evil.test/", false),
            ("*loopback*", "javascript:alert(1)", false),
            ("localhost", "ftp://localhost/", false),
        ];
        for (domain, uri, expected) in cases {
            let admitted = Url::parse(uri).is_ok_and(|uri| host(domain).admits(&uri));
            assert_eq!(admitted, expected, "{domain} {uri}");
        }
    }

    #[test]
    fn an_openid_is_per_app_and_a_unionid_per_account() {
        let person = Person::named("xiaoming", "小明🌟", 1);
        assert_eq!(openid(&person, "wx1").len(), 28);
        assert!(openid(&person, "wx1").starts_with('o'));
        assert_ne!(openid(&person, "wx1"), openid(&person, "wx2"));
        assert_eq!(unionid(&person, "a"), unionid(&person, "a"));
        assert_ne!(unionid(&person, "a"), unionid(&person, "b"));
    }
}
