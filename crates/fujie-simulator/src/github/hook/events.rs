//! `POST /_simulate/events`: something happens in a repository, and its hooks are told.
//!
//! The simulator's own: nobody pushes code here. Without a payload, a skeleton is made.

use super::deliver::{self, deliver};
use super::log::Parcel;
use super::payload;
use crate::control::Refusal;
use crate::github::rest::view::{RepositoryView, UserView};
use crate::github::world::{Simulation, World};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Larger than the largest payload that is sent, so that one too large can be tried.
pub(crate) const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Happening {
    /// `owner/name`, by login.
    repository: String,
    event: String,
    /// For a skeleton: `opened`, `closed`, …
    action: Option<String>,
    /// Sent as it is, compact.
    payload: Option<Value>,
    /// Who did it: a person's name; the repository's owner when nobody is named.
    sender: Option<String>,
}

/// Waits until every hook has answered or its time is over; answers with the deliveries.
pub(crate) async fn post(State(simulation): State<Arc<Simulation>>, body: Bytes) -> Result<Response, Refusal> {
    let happening: Happening = serde_json::from_slice(&body)?;
    let parcels = happen(&simulation, happening)?;
    let tasks: Vec<_> = parcels
        .into_iter()
        .map(|parcel| {
            let simulation = Arc::clone(&simulation);
            tokio::spawn(async move { deliver(&simulation, parcel).await })
        })
        .collect();
    let mut deliveries = Vec::new();
    for task in tasks {
        if let Ok(Some(delivery)) = task.await {
            deliveries.push(delivery.view());
        }
    }
    Ok((StatusCode::OK, Json(json!({ "deliveries": deliveries }))).into_response())
}

/// What each active hook that wants the event will be sent.
fn happen(simulation: &Simulation, happening: Happening) -> Result<Vec<Parcel>, Refusal> {
    let now = simulation.now();
    let bad = |text: &str| Refusal::BadRequest(text.to_owned());
    check_name(&happening.event)?;
    let mut world = simulation.world();
    let (owner, name) = happening.repository.split_once('/').ok_or_else(|| bad("repository is owner/name"))?;
    let repository = world.repository(owner, name).ok_or_else(|| bad("no such repository"))?;
    let seed = world.hooks.next_delivery_id().to_string();
    let payload = match happening.payload {
        Some(payload) => payload,
        None => {
            let sender = happening.sender.as_deref().unwrap_or(&repository.owner);
            let scene = scene(&world, &repository, sender, now).ok_or_else(|| bad("no such sender"))?;
            payload::skeleton(&happening.event, happening.action.as_deref(), &scene, &seed)
        }
    };
    let id = repository.id();
    if happening.event == "push" {
        world.hooks.remember_push(id, &payload);
    }
    let told = |hook: &&super::Hook| hook.active && hook.wants(&happening.event);
    let hooks: Vec<_> = world.hooks.of(id).filter(told).cloned().collect();
    let mut parcels = Vec::new();
    for hook in hooks {
        parcels.push(deliver::parcel(&mut world.hooks, &hook, &happening.event, payload.clone())?);
    }
    Ok(parcels)
}

/// The name goes into a header; new events need not be known here.
pub(crate) fn check_name(event: &str) -> Result<(), Refusal> {
    if event.is_empty() || !event.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return Err(Refusal::BadRequest("event is a name such as push".to_owned()));
    }
    Ok(())
}

/// Who did what where, for a payload. Deliveries name the API without a prefix.
pub(crate) fn scene<'a>(
    world: &'a World,
    repository: &'a crate::github::config::Repository,
    sender: &str,
    now: crate::clock::Timestamp,
) -> Option<payload::Scene<'a>> {
    let view = |person| UserView { person, base_url: &world.base_url, api: &world.base_url };
    let owner = view(world.person(&repository.owner)?);
    let repository = RepositoryView { repository, owner, base_url: &world.base_url, api: &world.base_url };
    Some(payload::Scene { repository, sender: view(world.person(sender)?), now })
}
