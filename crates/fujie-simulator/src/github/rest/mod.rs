//! `api.github.com`: the URL table, and what every call meets before and after its endpoint.
//!
//! Served at `/` as there and under `/api/v3` as on Enterprise Server. A method that an address
//! does not know is 404, like an address that is not there; so is a slash too many.

mod answer;
mod application;
mod call;
mod delivery;
mod headers;
mod hook;
mod list;
mod repository;
mod user;
pub(crate) mod view;

pub(crate) use answer::{Answer, RestError};
pub(crate) use call::{Call, Caller, basic};

use super::hook::deliver;
use super::limit::Standing;
use super::world::{Simulation, World};
use crate::fields::Fields;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use view::user_id;

/// Nobody sends more than this to the API.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The beginning of the path on Enterprise Server.
const ENTERPRISE: &str = "/api/v3";
/// The version when none is named.
const VERSION: &str = "2022-11-28";
const VERSIONS: &[&str] = &[VERSION, "2026-03-10"];

/// Every call that no page and no OAuth endpoint answers.
pub(crate) async fn answer(State(simulation): State<Arc<Simulation>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !parts.headers.contains_key(header::USER_AGENT) {
        return without_user_agent();
    }
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let response = respond(&simulation, &parts, &body);
    deliver::start_all(&simulation);
    response
}

/// Not JSON, and the connection ends.
fn without_user_agent() -> Response {
    let text = "Request forbidden by administrative rules.\n\
                Please make sure your request has a User-Agent header\n\
                (https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent).\n";
    let headers = [(header::CONTENT_TYPE, "text/html"), (header::CONNECTION, "close")];
    (StatusCode::FORBIDDEN, headers, text).into_response()
}

fn respond(simulation: &Simulation, parts: &Parts, body: &[u8]) -> Response {
    let now = simulation.now();
    let mut world = simulation.world();
    let path = parts.uri.path();
    let (prefix, rest) = match path.strip_prefix(ENTERPRISE) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => (ENTERPRISE, rest),
        _ => ("", path),
    };
    let raw_query = parts.uri.query().unwrap_or_default();
    let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
    let mut call = Call {
        method,
        segments: rest.strip_prefix('/').unwrap_or(rest).split('/').collect(),
        query: Fields::of(raw_query.as_bytes()),
        raw_query,
        body,
        caller: Caller::Nobody,
        api: format!("{}{prefix}", simulation.base_url()),
        now,
    };
    let judged = judge(&mut call, parts, &mut world);
    let standing = standing(&call, &mut world);
    let decided = judged.and_then(|()| {
        let standing = standing.map_err(|_standing| exceeded(&call, &world))?;
        route(&call, &mut world, standing)
    });
    let response = match decided {
        Ok(answer) => answer.respond(),
        Err(error) => error.respond(&world),
    };
    headers::complete(response, parts, &call, &mut world, standing.unwrap_or_else(|standing| standing))
}

/// What is refused whatever was asked.
fn judge(call: &mut Call<'_>, parts: &Parts, world: &mut World) -> Result<(), RestError> {
    call.caller = Caller::of(&parts.headers, world, call.now)?;
    if let Some(version) = parts.headers.get("x-github-api-version") {
        let version = String::from_utf8_lossy(version.as_bytes());
        if !VERSIONS.contains(&version.as_ref()) {
            return Err(RestError::unsupported_version(&version));
        }
    }
    if call.query.sent("access_token").is_some() {
        return Err(RestError::TOKEN_IN_QUERY);
    }
    if world.switches().secondary_rate_limit_exceeded {
        return Err(RestError::secondary_rate_limit(world));
    }
    Ok(())
}

/// Counts the call, but not one that asks about the limit.
fn standing(call: &Call<'_>, world: &mut World) -> Result<Standing, Standing> {
    let (limit, caller) = (limit(call, world), limited(call));
    if world.switches().rate_limit_exceeded {
        return Err(Standing { used: limit, ..world.limits.standing(&caller, limit, call.now) });
    }
    if call.segments == ["rate_limit"] {
        return Ok(world.limits.standing(&caller, limit, call.now));
    }
    world.limits.charge(&caller, limit, call.now)
}

fn limit(call: &Call<'_>, world: &World) -> u32 {
    match call.caller {
        Caller::Nobody => world.config.rate_limit_without_token,
        Caller::App(_) | Caller::User(_) => world.config.rate_limit,
    }
}

/// Under which name a caller's calls are counted.
pub(crate) fn limited(call: &Call<'_>) -> String {
    match &call.caller {
        Caller::Nobody => String::new(),
        Caller::App(app) => app.client_id.clone(),
        Caller::User(user) => format!("{}\n{}", user.person.name, user.app.client_id),
    }
}

fn exceeded(call: &Call<'_>, world: &World) -> RestError {
    match &call.caller {
        Caller::User(user) => RestError::rate_limit(world, &format!("user ID {}", user_id(&user.person))),
        Caller::App(_) | Caller::Nobody => RestError::rate_limit(world, "127.0.0.1"),
    }
}

/// The URL table.
fn route(call: &Call<'_>, world: &mut World, standing: Standing) -> Result<Answer, RestError> {
    match (call.method.as_str(), call.segments.as_slice()) {
        ("GET", [""]) => Ok(user::root(call)),
        ("GET", ["meta"]) => Ok(user::meta()),
        ("GET", ["rate_limit"]) => Ok(user::rate_limit(standing)),
        ("GET", ["user"]) => user::own(call, world),
        ("GET", ["user", "emails"]) => user::emails(call, world),
        ("GET", ["user", "orgs"]) => user::organizations(call),
        ("GET", ["user", "repos"]) => repository::own(call, world),
        ("GET", ["user", id]) => user::by_id(call, world, id),
        ("GET", ["users", login]) => user::by_login(call, world, login),
        ("GET", ["users", login, "repos"]) => repository::of_person(call, world, login),
        (_, ["repos", owner, name, rest @ ..]) => {
            let found = world.repository(owner, name);
            repository::route(call, world, found, rest)
        }
        // Links to other parts of a list lead here.
        (_, ["repositories", id, rest @ ..]) => {
            let found = world.repositories().into_iter().find(|one| one.id().to_string() == *id);
            repository::route(call, world, found, rest)
        }
        (_, ["applications", client_id, rest @ ..]) => application::route(call, world, client_id, rest),
        ("POST", ["credentials", "revoke"]) => application::revoke(call, world),
        _ => Err(RestError::NOT_FOUND),
    }
}
