//! What a simulated provider of the modest kind is made of. Does not act.

use crate::base_url;
use crate::people::{self, Person};
use crate::redirect_uri::LOOPBACK;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The secret of the app in every default configuration; openly fake.
pub const DEFAULT_SECRET: &str = "fa4efa4efa4efa4efa4efa4efa4efa4e";

/// Which provider is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// gitee.com.
    #[default]
    Gitee,
    /// login.dingtalk.com and api.dingtalk.com.
    Dingtalk,
    /// accounts.feishu.cn and open.feishu.cn; Lark has the same paths.
    Feishu,
    /// login.work.weixin.qq.com and qyapi.weixin.qq.com.
    Wecom,
    /// open.douyin.com.
    Douyin,
    /// openauth.alipay.com and openapi.alipay.com.
    Alipay,
    /// openapi.baidu.com.
    Baidu,
    /// discord.com.
    Discord,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Gitee,
        Self::Dingtalk,
        Self::Feishu,
        Self::Wecom,
        Self::Douyin,
        Self::Alipay,
        Self::Baidu,
        Self::Discord,
    ];

    /// The id of the app in the default configuration, spelt as the provider spells them.
    pub fn default_client_id(self) -> &'static str {
        match self {
            Self::Gitee => "fa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4e",
            Self::Dingtalk => "dingfa4efa4efa4efa4e",
            Self::Feishu => "cli_fa4efa4efa4efa4e",
            Self::Wecom => "wwfa4efa4efa4efa4e",
            Self::Douyin => "awfa4efa4efa4efa",
            Self::Alipay => "2021000000000001",
            Self::Baidu => "fa4efa4efa4efa4efa4efa4e",
            Self::Discord => "1000000000000000001",
        }
    }
}

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModestConfig {
    /// Which provider it is. No key of a file: whoever reads one says so with [`Self::playing`].
    #[serde(skip)]
    pub kind: Kind,
    /// Registered apps. Their ids differ. None until it is said which provider is played.
    pub apps: Vec<App>,
    /// People who can sign in; at least one, names differ.
    #[serde(skip)]
    pub people: Vec<Person>,
    /// Who agrees to every sign-in at once, if anybody: then no page is shown.
    #[serde(skip)]
    pub auto_confirm: Option<String>,
    /// The address that answers name, when it is not the listener's.
    #[serde(deserialize_with = "base_url::read")]
    pub base_url: Option<String>,
    /// Open questions; can be changed while running.
    pub switches: Switches,
}

impl Default for ModestConfig {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            apps: Vec::new(),
            people: people::default_people(),
            auto_confirm: None,
            base_url: None,
            switches: Switches::default(),
        }
    }
}

impl ModestConfig {
    /// The default configuration of a provider.
    pub fn of(kind: Kind) -> Self {
        Self::default().playing(kind)
    }

    /// This configuration for a provider, with a demo app where there is none.
    pub fn playing(mut self, kind: Kind) -> Self {
        self.kind = kind;
        if self.apps.is_empty() {
            self.apps.push(App::demo(kind));
        }
        self
    }
}

/// A registered app.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// `client_id`, `appid`, `client_key`, CorpID: whatever the provider calls it.
    pub client_id: String,
    /// What the token endpoint compares; use fake ones. Empty for a public client of Discord, and at
    /// Alipay, where apps sign.
    #[serde(default)]
    pub client_secret: String,
    /// Shown to people.
    #[serde(default)]
    pub name: String,
    /// Each exactly as it will be sent; a `host` or `host:port` where the provider compares domains
    /// (WeCom, Douyin). `*loopback*` admits every http URL of this machine.
    pub redirect_uris: Vec<String>,
    /// The key that the app signs with at Alipay: PEM, or its bare Base64.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The private half, when the simulator made the pair because nobody registered one.
    #[serde(default)]
    pub private_key: Option<String>,
    /// The provider's own key, which verifies its answers at Alipay; told, not read.
    #[serde(default)]
    pub provider_public_key: Option<String>,
}

impl App {
    /// The app of the default configuration, which may be called back on loopback.
    pub fn demo(kind: Kind) -> Self {
        Self {
            client_id: kind.default_client_id().to_owned(),
            client_secret: DEFAULT_SECRET.to_owned(),
            name: "演示应用".to_owned(),
            redirect_uris: vec![LOOPBACK.to_owned()],
            ..Self::default()
        }
    }

    /// The name, or the id where there is none.
    pub(crate) fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.client_id } else { &self.name }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("App")
            .field("client_id", &self.client_id)
            .field("name", &self.name)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}

/// Behaviour that no source settles, or that differs by app. Each belongs to the providers its text
/// names, and does nothing elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Gitee, Discord: a call without a `User-Agent` is refused.
    pub user_agent_needed: bool,
    /// Gitee: `email` of the user is told; else it is null and stands in `/emails` alone.
    pub email_public: bool,
    /// DingTalk: by which name the callback brings the code.
    pub callback_code: CallbackCode,
    /// WeCom: a refusal sends the browser back with `state` alone; else nothing happens.
    pub denial_redirects: bool,
    /// WeCom: everybody is from outside the company, and has an `openid` instead of a `userid`.
    pub outsiders: bool,
    /// Douyin, Alipay, Baidu: numbers come as strings.
    pub numbers_as_strings: bool,
    /// Alipay: the app is a new one, which is told `open_id` instead of `user_id`.
    pub open_id_only: bool,
    /// Baidu: the app is an old one, which is told `userid` too.
    pub userid: bool,
    /// Discord: a code challenge of a confidential app is refused; else it is ignored.
    pub challenge_refused: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            user_agent_needed: true,
            email_public: false,
            callback_code: CallbackCode::Both,
            denial_redirects: true,
            outsiders: false,
            numbers_as_strings: false,
            open_id_only: false,
            userid: false,
            challenge_refused: false,
        }
    }
}

/// DingTalk's names for the code in the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackCode {
    /// `authCode` and `code`, as the newest pages do.
    Both,
    /// `authCode` alone.
    AuthCode,
    /// `code` alone.
    Code,
}
