//! Subscriptions, and the messages that wait for them.

use super::authorization::Sender;
use super::config::{App, PushConfig, Switches};
use super::receive;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::simulation::{Provider, Scene, Title};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io;

/// Messages that are kept, of all subscriptions.
const MESSAGES_MAX: usize = 1000;

pub(crate) type Simulation = crate::simulation::Simulation<World>;

/// A message as it came: encrypted.
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) subscription: String,
    pub(crate) at: Timestamp,
    pub(crate) ttl: u64,
    pub(crate) urgency: String,
    pub(crate) topic: Option<String>,
    pub(crate) sender: Option<Sender>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "subscription": self.subscription,
            "at": self.at.unix_seconds(),
            "ttl": self.ttl,
            "urgency": self.urgency,
            "topic": self.topic,
            "application_server_key": self.sender.as_ref().map(|sender| &sender.key),
            "claims": self.sender.as_ref().map(|sender| &sender.claims),
            "body": URL_SAFE_NO_PAD.encode(&self.body),
        })
    }
}

/// The push service's state.
pub(crate) struct World {
    scene: Scene,
    apps: Vec<App>,
    pub(crate) switches: Switches,
    messages: VecDeque<Message>,
    last_id: u64,
}

impl World {
    pub(crate) fn new(config: PushConfig) -> io::Result<Self> {
        let PushConfig { apps, people, auto_confirm, base_url: _, switches } = config;
        let scene = Scene::new(people, auto_confirm)?;
        Ok(Self { scene, apps, switches, messages: VecDeque::new(), last_id: 0 })
    }

    pub(crate) fn subscription(&self, id: &str) -> Option<App> {
        self.apps.iter().find(|app| app.id == id).cloned()
    }

    pub(crate) fn subscriptions(&self) -> &[App] {
        &self.apps
    }

    /// Keeps a message, and gives its id.
    pub(crate) fn keep(&mut self, message: Message) -> u64 {
        self.last_id += 1;
        self.messages.push_back(Message { id: self.last_id, ..message });
        while self.messages.len() > MESSAGES_MAX {
            self.messages.pop_front();
        }
        self.last_id
    }

    /// Takes a message back; `false` when there is none.
    pub(crate) fn take_back(&mut self, id: u64) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.id != id);
        self.messages.len() < before
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
    const NAME: &'static str = "push";
    const TITLE: Title = Title { chinese: "推送服务", english: "push service" };
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
        &app.id
    }

    fn switches(&mut self) -> &mut Switches {
        &mut self.switches
    }

    fn check_error(&self, _path: &str, error: &OwnError) -> Result<(), String> {
        match error.code.parse() {
            Ok(400_u16..=599) => Ok(()),
            _ => Err("error is a status from 400 to 599".to_owned()),
        }
    }

    fn error(&self, _call: &Parts, error: &OwnError, _now: Timestamp) -> Response {
        let status = error.code.parse().ok().and_then(|code: u16| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = receive::refuse(status, error.description.as_deref().unwrap_or("as ordered"));
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }

    fn rate_limit(&self, call: &Parts, now: Timestamp) -> Response {
        self.error(call, &OwnError { code: "429".to_owned(), description: None }, now)
    }
}
