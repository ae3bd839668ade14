//! What the simulated robots are made of. Does not act.

use crate::base_url;
use crate::people::{self, Person};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The secret of DingTalk's robot in the default configuration; openly fake.
pub const DEFAULT_DINGTALK_SECRET: &str = "SECfa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4e";
/// The secret of Feishu's robot in the default configuration; openly fake.
pub const DEFAULT_FEISHU_SECRET: &str = "fa4efa4efa4efa4efa4efa";

/// Whose robot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// DingTalk.
    Dingtalk,
    /// Feishu, and Lark.
    Feishu,
    /// WeCom.
    Wecom,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dingtalk, Self::Feishu, Self::Wecom];
}

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobotConfig {
    /// The robots, each in a group of its own. Their tokens differ.
    pub apps: Vec<App>,
    /// The members of every group.
    #[serde(skip)]
    pub people: Vec<Person>,
    /// Nobody signs in here.
    #[serde(skip)]
    pub auto_confirm: Option<String>,
    /// The address that stands for the providers' hosts, when it is not the listener's.
    #[serde(deserialize_with = "base_url::read")]
    pub base_url: Option<String>,
    /// Can be changed while running.
    pub switches: Switches,
}

impl Default for RobotConfig {
    fn default() -> Self {
        Self {
            apps: Kind::ALL.map(App::demo).into(),
            people: people::default_people(),
            auto_confirm: None,
            base_url: None,
            switches: Switches::default(),
        }
    }
}

/// A robot in a group.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Whose.
    pub kind: Kind,
    /// `access_token`, the end of the hook's path, or `key`.
    pub token: String,
    /// What it signs with; none where signatures are not checked. WeCom has none.
    #[serde(default)]
    pub secret: Option<String>,
    /// A word that every message must have. WeCom has none.
    #[serde(default)]
    pub keyword: Option<String>,
    /// The group's name.
    #[serde(default)]
    pub name: String,
    /// Somebody stopped it.
    #[serde(default)]
    pub stopped: bool,
}

impl App {
    /// The robot of the default configuration.
    pub fn demo(kind: Kind) -> Self {
        let (token, secret, name) = match kind {
            Kind::Dingtalk => (
                "fa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4e",
                Some(DEFAULT_DINGTALK_SECRET),
                "项目群",
            ),
            Kind::Feishu => ("fa4efa4e-fa4e-fa4e-fa4e-fa4efa4efa41", Some(DEFAULT_FEISHU_SECRET), "研发群"),
            Kind::Wecom => ("fa4efa4e-fa4e-fa4e-fa4e-fa4efa4efa42", None, "值班群"),
        };
        let secret = secret.map(str::to_owned);
        Self { kind, token: token.to_owned(), secret, keyword: None, name: name.to_owned(), stopped: false }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}

/// What can be changed while running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// A robot that is called too often is refused. Off: it never is.
    pub limits: bool,
    /// An address that leads to no robot: DingTalk says 300005, as it does today; off, 300001, as it once did.
    pub new_token_error: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { limits: true, new_token_error: true }
    }
}
