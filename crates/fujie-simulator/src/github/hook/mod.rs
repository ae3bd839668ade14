//! Repository hooks: what was registered, what each delivery sent, what came back.
//!
//! Owns the records and the act of delivering. The endpoints of the API are in `rest`; `events`
//! lets a test push, `storm` lets it push a hundred thousand times.

pub(crate) mod deliver;
pub(crate) mod event;
pub(crate) mod events;
pub(crate) mod log;
pub(crate) mod payload;
pub(crate) mod post;
pub(crate) mod request;
pub(crate) mod signature;
pub(crate) mod storm;

use super::date;
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use log::{Delivery, DeliveryLog, Parcel};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What stands in place of a secret: exactly eight.
pub(crate) const MASK: &str = "********";
/// Subscriptions to one event in one repository.
pub(crate) const HOOKS_PER_EVENT_MAX: usize = 20;
/// Repositories whose latest push is remembered.
const PUSHES_MAX: usize = 100;

/// Where a hook is delivered, and how.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HookConfig {
    pub(crate) url: String,
    pub(crate) content_type: ContentType,
    pub(crate) secret: Option<String>,
    pub(crate) insecure_ssl: String,
}

/// How a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    Form,
    Json,
}

impl ContentType {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "json",
        }
    }
}

impl HookConfig {
    /// As answers tell it: the secret masked, its key absent when there is none.
    pub(crate) fn view(&self) -> Value {
        let mut view = Map::from_iter([
            ("content_type".to_owned(), json!(self.content_type.word())),
            ("insecure_ssl".to_owned(), json!(self.insecure_ssl)),
            ("url".to_owned(), json!(self.url)),
        ]);
        if self.secret.is_some() {
            view.insert("secret".to_owned(), json!(MASK));
        }
        Value::Object(view)
    }
}

/// How the last delivery of a hook went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastResponse {
    pub(crate) code: Option<u16>,
    pub(crate) status: &'static str,
    pub(crate) message: Option<String>,
}

impl LastResponse {
    const UNUSED: Self = Self { code: None, status: "unused", message: None };
}

/// A registered hook.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) id: u64,
    pub(crate) repository_id: u64,
    pub(crate) active: bool,
    pub(crate) events: Vec<String>,
    pub(crate) config: HookConfig,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) last_response: LastResponse,
}

impl Hook {
    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|wanted| wanted == event || wanted == "*")
    }

    /// As answers tell it. `repository_url` is the API's address of the repository; `test` is the
    /// last segment of `test_url`.
    pub(crate) fn view(&self, repository_url: &str, test: &str) -> Value {
        let url = format!("{repository_url}/hooks/{}", self.id);
        json!({
            "type": "Repository",
            "id": self.id,
            "name": "web",
            "active": self.active,
            "events": self.events,
            "config": self.config.view(),
            "updated_at": date::iso(self.updated_at.unix_seconds()),
            "created_at": date::iso(self.created_at.unix_seconds()),
            "test_url": format!("{url}/{test}"),
            "ping_url": format!("{url}/pings"),
            "deliveries_url": format!("{url}/deliveries"),
            "last_response": {
                "code": self.last_response.code,
                "status": self.last_response.status,
                "message": self.last_response.message,
            },
            "url": url,
        })
    }
}

/// All hooks of one simulator, and what they delivered.
pub(crate) struct Hooks {
    by_id: BTreeMap<u64, Hook>,
    last_id: u64,
    pub(crate) log: DeliveryLog,
    /// To be delivered as soon as the lock is free.
    pub(crate) outbox: Vec<Parcel>,
    last_delivery_id: u64,
    /// The last one that was ordered.
    pub(crate) storm: Option<storm::Raging>,
    /// The latest push of a repository, by its id in text.
    pushes: Bounded<Value>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            by_id: BTreeMap::new(),
            last_id: 292_430_182,
            log: DeliveryLog::default(),
            outbox: Vec::new(),
            last_delivery_id: 180_000_000_000,
            storm: None,
            pushes: Bounded::new(PUSHES_MAX),
        }
    }
}

impl Hooks {
    /// The hooks of all repositories, the oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Hook> {
        self.by_id.values()
    }

    /// The hooks of a repository, the oldest first.
    pub(crate) fn of(&self, repository_id: u64) -> impl Iterator<Item = &Hook> {
        self.all().filter(move |hook| hook.repository_id == repository_id)
    }

    pub(crate) fn hook(&self, repository_id: u64, id: u64) -> Option<&Hook> {
        self.by_id.get(&id).filter(|hook| hook.repository_id == repository_id)
    }

    pub(crate) fn add(&mut self, repository_id: u64, wish: request::Wish, now: Timestamp) -> Hook {
        self.last_id += 1;
        let hook = Hook {
            id: self.last_id,
            repository_id,
            active: wish.active,
            events: wish.events,
            config: wish.config,
            created_at: now,
            updated_at: now,
            last_response: LastResponse::UNUSED,
        };
        self.by_id.insert(hook.id, hook.clone());
        // As created, events stand as they were asked for; later reads tell them sorted.
        if let Some(kept) = self.by_id.get_mut(&hook.id) {
            kept.events.sort_unstable();
        }
        hook
    }

    pub(crate) fn change(&mut self, id: u64, wish: request::Wish, now: Timestamp) -> Option<&Hook> {
        let hook = self.by_id.get_mut(&id)?;
        hook.active = wish.active;
        hook.events = wish.events;
        hook.events.sort_unstable();
        hook.config = wish.config;
        hook.updated_at = now;
        Some(hook)
    }

    pub(crate) fn remove(&mut self, id: u64) {
        self.by_id.remove(&id);
    }

    /// The id of one more delivery; a redelivery has a new one too.
    pub(crate) fn next_delivery_id(&mut self) -> u64 {
        self.last_delivery_id += 1;
        self.last_delivery_id
    }

    /// Remembers how a delivery ended.
    pub(crate) fn delivered(&mut self, delivery: Delivery) {
        if let Some(hook) = self.by_id.get_mut(&delivery.parcel.hook_id) {
            hook.last_response = delivery.last_response();
        }
        self.log.push(delivery);
    }

    pub(crate) fn remember_push(&mut self, repository_id: u64, payload: &Value) {
        self.pushes.insert(repository_id.to_string(), payload.clone());
    }

    pub(crate) fn latest_push(&self, repository_id: u64) -> Option<&Value> {
        self.pushes.get(&repository_id.to_string())
    }
}
