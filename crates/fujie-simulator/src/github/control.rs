//! What the control API has for GitHub alone: repositories, and a person who takes a grant back.
//!
//! `hook::events` lets something happen in a repository.

use super::config::Repository;
use super::world::Simulation;
use crate::control::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// At most so many are configured.
const REPOSITORIES_MAX: usize = 1000;

/// `GET /_simulate/repositories`: all, also those that nobody configured.
pub(crate) async fn repositories(State(simulation): State<Arc<Simulation>>) -> Response {
    Json(simulation.world().repositories()).into_response()
}

/// `POST /_simulate/repositories`: adds a repository, or replaces the one of that owner and name.
pub(crate) async fn add_repository(
    State(simulation): State<Arc<Simulation>>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let repository: Repository = serde_json::from_slice(&body)?;
    let mut world = simulation.world();
    if world.person(&repository.owner).is_none() || repository.name.is_empty() {
        return Err(Refusal::BadRequest("a repository has a known owner and a name".to_owned()));
    }
    let answer = (StatusCode::CREATED, Json(&repository)).into_response();
    let configured = &mut world.config.repositories;
    configured.retain(|known| known.key() != repository.key());
    if configured.len() >= REPOSITORIES_MAX {
        return Err(Refusal::Conflict("too many already"));
    }
    configured.push(repository);
    Ok(answer)
}

/// `DELETE /_simulate/grants/{client_id}/{person}`: the person takes back all that the app was
/// granted, as on the page of the account's settings.
pub(crate) async fn end_grant(
    State(simulation): State<Arc<Simulation>>,
    Path((client_id, person)): Path<(String, String)>,
) -> StatusCode {
    simulation.world().ledger.end_authorization(&client_id, &person);
    StatusCode::NO_CONTENT
}
