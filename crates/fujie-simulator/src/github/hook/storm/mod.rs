//! `/_simulate/storm`: one hook is sent very many deliveries, most of them several times and out of order, until each
//! sending got a 2xx.
//!
//! The simulator's own: GitHub never sends a delivery again by itself. Here a tireless person presses "redeliver".
//! What a storm delivered does not stand in the hook's list of deliveries.

mod letter;
mod plan;
mod send;

use super::{Hook, events, payload};
use crate::clock::Timestamp;
use crate::control::{self, Refusal};
use crate::github::world::{Simulation, World};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use letter::Letter;
use plan::Plan;
use serde::Deserialize;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use url::Url;

/// Deliveries of one storm.
const COUNT_MAX: u32 = 1_000_000;
/// Sendings of one delivery.
const REPEAT_MAX: u32 = 16;
/// Connections of one storm.
const CONCURRENCY_MAX: usize = 1024;

/// What is ordered. The hook is named by its id or by its repository.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    hook_id: Option<u64>,
    /// `owner/name`, by login: its only active hook that wants the event.
    repository: Option<String>,
    #[serde(default = "push")]
    event: String,
    count: u32,
    /// The same seed gives the same order.
    #[serde(default)]
    seed: u64,
    /// Each delivery is sent once to so many times.
    #[serde(default = "five")]
    repeat_max: u32,
    #[serde(default = "sixty_four")]
    concurrency: usize,
    /// Sent as it is, compact, but for its `after`.
    payload: Option<Value>,
}

fn push() -> String {
    "push".to_owned()
}

fn five() -> u32 {
    5
}

fn sixty_four() -> usize {
    64
}

/// A storm that was ordered.
pub(crate) struct Storm {
    plan: Mutex<Plan>,
    letter: Letter,
    url: Url,
    concurrency: usize,
    /// How long an answer may take.
    answer_max: Duration,
}

impl Storm {
    /// Nothing panics while it holds this lock.
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> Response {
        Json(self.plan().progress()).into_response()
    }
}

/// A storm and its end.
pub(crate) struct Raging {
    storm: Arc<Storm>,
    task: AbortHandle,
}

/// `POST /_simulate/storm`: begins one, and answers at once.
pub(crate) async fn post(State(simulation): State<Arc<Simulation>>, body: Bytes) -> Result<Response, Refusal> {
    let order: Order = control::read(&body)?;
    order.check()?;
    let plan = Plan::draw(order.count, order.repeat_max, order.seed);
    let storm = {
        let mut world = simulation.world();
        if world.hooks.storm.as_ref().is_some_and(|raging| !raging.task.is_finished()) {
            return Err(Refusal::Conflict("a storm is raging already"));
        }
        let storm = Arc::new(order.storm(plan, &world, simulation.now())?);
        let task = tokio::spawn(send::rage(Arc::clone(&simulation), Arc::clone(&storm))).abort_handle();
        world.hooks.storm = Some(Raging { storm: Arc::clone(&storm), task });
        storm
    };
    Ok((StatusCode::ACCEPTED, storm.view()).into_response())
}

/// `GET /_simulate/storm`: how far the last one is.
pub(crate) async fn get(State(simulation): State<Arc<Simulation>>) -> Result<Response, Refusal> {
    Ok(last(&simulation)?.view())
}

fn last(simulation: &Simulation) -> Result<Arc<Storm>, Refusal> {
    let world = simulation.world();
    let raging = world.hooks.storm.as_ref().ok_or(Refusal::NotFound("no storm was ordered"))?;
    Ok(Arc::clone(&raging.storm))
}

/// `GET /_simulate/storm/acknowledged`: the GUIDs of all deliveries that got a 2xx by now, one a line.
pub(crate) async fn acknowledged(State(simulation): State<Arc<Simulation>>) -> Result<Response, Refusal> {
    let storm = last(&simulation)?;
    let numbers: Vec<u32> = storm.plan().acknowledged().collect();
    let lines: String = numbers.into_iter().map(|number| storm.letter.guid(number) + "\n").collect();
    Ok(lines.into_response())
}

/// `DELETE /_simulate/storm`: ends it, wherever it is, and forgets it.
pub(crate) async fn delete(State(simulation): State<Arc<Simulation>>) -> StatusCode {
    if let Some(raging) = simulation.world().hooks.storm.take() {
        raging.task.abort();
    }
    StatusCode::NO_CONTENT
}

impl Order {
    fn check(&self) -> Result<(), Refusal> {
        events::check_name(&self.event)?;
        let is_within = (1..=COUNT_MAX).contains(&self.count)
            && (1..=REPEAT_MAX).contains(&self.repeat_max)
            && (1..=CONCURRENCY_MAX).contains(&self.concurrency);
        let limits =
            format!("count is 1 to {COUNT_MAX}, repeat_max 1 to {REPEAT_MAX}, concurrency 1 to {CONCURRENCY_MAX}");
        if is_within { Ok(()) } else { Err(Refusal::BadRequest(limits)) }
    }

    fn storm(self, plan: Plan, world: &World, now: Timestamp) -> Result<Storm, Refusal> {
        let hook = self.hook(world)?;
        let url = Url::parse(&hook.config.url).map_err(|error| Refusal::BadRequest(error.to_string()))?;
        if url.scheme() != "http" {
            return Err(bad("a storm goes to http alone"));
        }
        let payload = match self.payload {
            Some(payload) => payload,
            None => skeleton(world, &hook, &self.event, now).ok_or_else(|| bad("no such repository"))?,
        };
        let letter = Letter::new(hook, self.event, &payload)?;
        let (concurrency, answer_max) = (self.concurrency, world.config.delivery_timeout);
        Ok(Storm { plan: Mutex::new(plan), letter, url, concurrency, answer_max })
    }

    fn hook(&self, world: &World) -> Result<Hook, Refusal> {
        let repository_id = match &self.repository {
            None => None,
            Some(name) => {
                let (owner, name) = name.split_once('/').ok_or_else(|| bad("repository is owner/name"))?;
                Some(world.repository(owner, name).ok_or_else(|| bad("no such repository"))?.id())
            }
        };
        if self.hook_id.is_none() && repository_id.is_none() {
            return Err(bad("name a hook_id or a repository"));
        }
        let is_meant = |hook: &&Hook| {
            self.hook_id.is_none_or(|id| hook.id == id)
                && repository_id.is_none_or(|id| hook.repository_id == id)
                && hook.active
                && hook.wants(&self.event)
        };
        let mut meant = world.hooks.all().filter(is_meant);
        match (meant.next(), meant.next()) {
            (Some(hook), None) => Ok(hook.clone()),
            (None, _) => Err(bad("no active hook there wants the event")),
            (Some(_), Some(_)) => Err(bad("more than one hook: name one by its hook_id")),
        }
    }
}

/// The payload that the events of this repository have when nobody gives one; its owner acts.
fn skeleton(world: &World, hook: &Hook, event: &str, now: Timestamp) -> Option<Value> {
    let repository = world.repositories().into_iter().find(|one| one.id() == hook.repository_id)?;
    let scene = events::scene(world, &repository, &repository.owner, now)?;
    Some(payload::skeleton(event, None, &scene, "storm"))
}

fn bad(text: &str) -> Refusal {
    Refusal::BadRequest(text.to_owned())
}
