//! The engine under all three: the robots, how often they were called, and what they said.

use super::config::{App, Kind, RobotConfig, Switches};
use super::{dingtalk, feishu, wecom};
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::simulation::{Provider, Scene, Title};
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::Duration;

/// Messages that are kept, of all groups.
const MESSAGES_MAX: usize = 1000;

pub(crate) type Simulation = crate::simulation::Simulation<World>;

/// How often a robot may be called: so many times in such a span, and how long it is shut off for more.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) calls: usize,
    pub(crate) span: Duration,
    pub(crate) shut_off: Duration,
}

/// When a robot was called.
#[derive(Default)]
struct Calls {
    at: VecDeque<Timestamp>,
    shut_off_until: Option<Timestamp>,
}

/// A part of a line as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Text(String),
    Link {
        text: String,
        href: String,
    },
    /// `all`, or somebody's id.
    Mention(String),
}

/// What a robot said, as the group sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) title: String,
    pub(crate) lines: Vec<Vec<Span>>,
}

/// A message in a group.
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    pub(crate) token: String,
    pub(crate) at: Timestamp,
    pub(crate) said: Said,
    body: Value,
}

impl Message {
    pub(crate) fn view(&self) -> Value {
        let spans = || self.said.lines.iter().flatten();
        let text: Vec<String> = self.said.lines.iter().map(|line| line.iter().map(Span::text).collect()).collect();
        let links: Vec<Value> = spans()
            .filter_map(|span| match span {
                Span::Link { text, href } => Some(json!({ "text": text, "href": href })),
                _ => None,
            })
            .collect();
        let mentions: Vec<&str> = spans()
            .filter_map(|span| match span {
                Span::Mention(whom) => Some(whom.as_str()),
                _ => None,
            })
            .collect();
        json!({
            "id": self.id,
            "kind": self.kind,
            "token": self.token,
            "at": self.at.unix_seconds(),
            "title": self.said.title,
            "text": text.join("\n"),
            "links": links,
            "mentions": mentions,
            "body": self.body,
        })
    }
}

impl Span {
    fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Link { text, .. } => text.clone(),
            Self::Mention(whom) => format!("@{whom}"),
        }
    }
}

/// The robots' state.
pub(crate) struct World {
    scene: Scene,
    apps: Vec<App>,
    pub(crate) switches: Switches,
    calls: HashMap<String, Calls>,
    messages: VecDeque<Message>,
    last_id: u64,
}

impl World {
    pub(crate) fn new(config: RobotConfig) -> io::Result<Self> {
        let RobotConfig { apps, people, auto_confirm, base_url: _, switches } = config;
        Ok(Self {
            scene: Scene::new(people, auto_confirm)?,
            apps,
            switches,
            calls: HashMap::new(),
            messages: VecDeque::new(),
            last_id: 0,
        })
    }

    /// The robot of this kind at this token.
    pub(crate) fn robot(&self, kind: Kind, token: &str) -> Option<App> {
        self.apps.iter().find(|app| app.kind == kind && app.token == token).cloned()
    }

    pub(crate) fn robots(&self) -> &[App] {
        &self.apps
    }

    /// Counts a call; `false` when it is one too many.
    pub(crate) fn admit(&mut self, robot: &App, limits: &[Limit], now: Timestamp) -> bool {
        if !self.switches.limits {
            return true;
        }
        let calls = self.calls.entry(robot.token.clone()).or_default();
        if calls.shut_off_until.is_some_and(|until| now < until) {
            return false;
        }
        let longest = limits.iter().map(|limit| limit.span).max().unwrap_or_default();
        while calls.at.front().is_some_and(|at| at.after(longest) <= now) {
            calls.at.pop_front();
        }
        for limit in limits {
            let count = calls.at.iter().filter(|at| now < at.after(limit.span)).count();
            if count >= limit.calls {
                calls.shut_off_until = Some(now.after(limit.shut_off));
                return false;
            }
        }
        calls.at.push_back(now);
        true
    }

    /// Puts a message into the robot's group.
    pub(crate) fn say(&mut self, robot: &App, said: Said, body: Value, now: Timestamp) {
        self.last_id += 1;
        let (id, kind, token) = (self.last_id, robot.kind, robot.token.clone());
        self.messages.push_back(Message { id, kind, token, at: now, said, body });
        while self.messages.len() > MESSAGES_MAX {
            self.messages.pop_front();
        }
    }

    /// The oldest first.
    pub(crate) fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.messages.clear();
    }
}

impl Provider for World {
    const NAME: &'static str = "robot";
    const TITLE: Title = Title { chinese: "群机器人", english: "group robots" };
    const HAS_PHONE: bool = true;
    type App = App;
    type Switches = Switches;

    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn scene_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }

    fn apps(&mut self) -> &mut Vec<App> {
        &mut self.apps
    }

    fn client_id(app: &App) -> &str {
        &app.token
    }

    fn switches(&mut self) -> &mut Switches {
        &mut self.switches
    }

    fn check_error(&self, _path: &str, error: &OwnError) -> Result<(), String> {
        match error.code.parse::<i64>() {
            Ok(_) => Ok(()),
            Err(_) => Err("error is one of the provider's numbers".to_owned()),
        }
    }

    fn error(&self, call: &Parts, error: &OwnError, now: Timestamp) -> Response {
        let code = error.code.parse().unwrap_or(-1);
        let text = error.description.as_deref();
        match call.uri.path() {
            dingtalk::PATH => dingtalk::error(code, text),
            wecom::PATH => wecom::error(code, text, now),
            _ => feishu::error(code, text),
        }
    }

    fn rate_limit(&self, call: &Parts, now: Timestamp) -> Response {
        match call.uri.path() {
            dingtalk::PATH => dingtalk::error(dingtalk::TOO_OFTEN, None),
            wecom::PATH => wecom::error(wecom::TOO_OFTEN, None, now),
            _ => feishu::error(feishu::TOO_OFTEN, None),
        }
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
