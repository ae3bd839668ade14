//! The userinfo endpoint (OpenID Connect Core §5.3), by GET or POST, with a bearer token.

use super::answer;
use super::ask;
use super::dpop;
use super::failure::Failure;
use super::house::Manners;
use super::id_token::STRANGER;
use super::world::{Object, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::simulation::Simulation;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn userinfo<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let now = simulation.now();
    let Some((scheme, access_token)) = call.authorization().and_then(|value| value.split_once(' ')) else {
        // RFC 6750 §3.1: no token, no error.
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
    };
    let mut world = simulation.world();
    let shown = dpop::is_shown_well(&mut world, &call, scheme, access_token, now);
    match shown.and_then(|()| claims(&world, access_token, now)) {
        Ok(claims) => answer::json(&Value::Object(claims)),
        Err(failure) => answer::failure::<M>(&failure, call.path(), &call.head.headers, now),
    }
}

fn claims<M: Manners>(world: &World<M>, access_token: &str, now: Timestamp) -> Result<Object, Failure> {
    let grant = world.ledger.open(access_token, now).or(Err(Failure::INVALID_TOKEN))?;
    if !ask::has_scope(&grant.scope, "openid") {
        return Err(Failure::INSUFFICIENT_SCOPE);
    }
    let person = grant.person.as_ref().and_then(|name| world.scene.person(name)).ok_or(Failure::INVALID_TOKEN)?;
    let mut claims = M::profile(&world.facts(grant, person, now));
    if world.switches.userinfo_of_another_sub {
        claims.insert("sub".to_owned(), json!(STRANGER));
    }
    Ok(claims)
}
