//! The URL table of github.com; whatever is not in it is the API's.
//!
//! Also the pictures, and what the control API has for GitHub alone.

use super::control;
use super::hook::{events, storm};
use super::login::{access_token, authorize, device, discovery, not_found};
use super::rest::{self, view::user_id};
use super::world::Simulation;
use crate::people::{Avatar, Person};
use crate::picture;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, delete, get, post};
use std::sync::Arc;

/// The side of a person's picture, in pixels.
const AVATAR_SIDE: usize = 460;

pub(crate) fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/login/oauth/authorize", get(authorize::page))
        .route("/login/oauth/access_token", get(access_token::get).post(access_token::post))
        .route("/login/device/code", post(device::code))
        .route("/login/device", get(device::form).post(device::enter))
        .route("/login/{*rest}", any(not_found))
        .route("/.well-known/oauth-authorization-server/login/oauth", get(discovery::document))
        .route("/.well-known/{*rest}", any(not_found))
        // avatars.githubusercontent.com
        .route("/u/{id}", get(avatar))
        // control
        .route("/_simulate/events", post(events::post).layer(DefaultBodyLimit::max(events::BODY_BYTES_MAX)))
        .route("/_simulate/storm", get(storm::get).post(storm::post).delete(storm::delete))
        .route("/_simulate/storm/acknowledged", get(storm::acknowledged))
        .route("/_simulate/repositories", get(control::repositories).post(control::add_repository))
        .route("/_simulate/grants/{client_id}/{person}", delete(control::end_grant))
        // api.github.com
        .fallback(api)
}

/// Somebody who looks at the bare address in a browser wants the phone, not the API's root.
async fn api(state: State<Arc<Simulation>>, request: Request) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if request.uri().path() == "/" && accept.contains("text/html") {
        return Redirect::to("/phone").into_response();
    }
    rest::answer(state, request).await
}

/// Whoever has no picture has a drawn one.
async fn avatar(State(simulation): State<Arc<Simulation>>, Path(id): Path<String>) -> Response {
    let is_it = |person: &&Person| user_id(person).to_string() == id;
    let person = simulation.world().people().iter().find(is_it).cloned();
    match person.as_ref().map(|person| (&person.avatar, person.avatar_key())) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some((Avatar::Url(url), _)) => Redirect::to(url).into_response(),
        Some((Avatar::Drawn | Avatar::None, key)) => picture::avatar(&key, AVATAR_SIDE),
    }
}
