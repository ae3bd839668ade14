//! Pushed authorization requests (RFC 9126): the request is left here, and the browser brings its
//! name alone, once and soon.

use super::answer;
use super::ask::{self, Refusal};
use super::dpop;
use super::failure::Failure;
use super::house::Manners;
use super::world::{Object, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::random::{self, BASE64URL};
use crate::simulation::Simulation;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const LIFETIME: Duration = Duration::from_secs(60);
const NAME: &str = "urn:ietf:params:oauth:request_uri:";

/// A request that waits for its browser.
#[derive(Clone)]
pub(crate) struct Pushed {
    request: Fields,
    expires_at: Timestamp,
    is_spent: bool,
}

/// `POST` by the client, which proves itself as at the token endpoint.
pub(crate) async fn push<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let now = simulation.now();
    let kept = keep(&mut simulation.world(), &call, now);
    match kept {
        Ok(object) => {
            let mut response = answer::json(&Value::Object(object));
            *response.status_mut() = StatusCode::CREATED;
            response
        }
        Err(failure) => answer::failure::<M>(&failure, call.path(), &call.head.headers, now),
    }
}

fn keep<M: Manners>(world: &mut World<M>, call: &Call, now: Timestamp) -> Result<Object, Failure> {
    let form = call.form();
    let tenant = M::PATHS.tenant_in(call.path());
    let client_id = world.client(&call.head.headers, &form, tenant, now)?.client_id;
    if form.filled("request_uri").is_some() {
        return Err(Failure::of("invalid_request", "a pushed request is no reference to another"));
    }
    let proven = dpop::proof(world, call, None, now)?;
    if proven.is_some() && form.filled("dpop_jkt").is_some_and(|sent| Some(sent) != proven.as_deref()) {
        return Err(Failure::INVALID_DPOP_PROOF);
    }
    // What we know comes first and so wins.
    let known = [("client_id".to_owned(), client_id)].into_iter().chain(proven.map(|key| ("dpop_jkt".to_owned(), key)));
    let sent = form.iter().filter(|(name, _)| !matches!(*name, "client_secret" | "client_assertion"));
    let request: Fields = known.chain(sent.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
    match ask::judge(&request, &world.clients, &world.switches, M::RULES) {
        Ok(_) => {}
        Err(Refusal::Page { english, .. }) => return Err(Failure::of("invalid_request", english)),
        Err(Refusal::Back { error, description, .. }) => return Err(Failure::of(error, description)),
    }
    let name = format!("{NAME}{}", random::text(BASE64URL, 43)?);
    world.pushed.insert(name.clone(), Pushed { request, expires_at: now.after(LIFETIME), is_spent: false });
    let mut object = Object::new();
    object.insert("request_uri".to_owned(), json!(name));
    object.insert("expires_in".to_owned(), json!(LIFETIME.as_secs()));
    Ok(object)
}

/// The request behind the name that a browser brings, if its client left it here and it is fresh.
pub(crate) fn take<M: Manners>(world: &mut World<M>, brought: &Fields, now: Timestamp) -> Option<Fields> {
    let pushed = world.pushed.get_mut(brought.filled("request_uri")?)?;
    let is_its = pushed.request.sent("client_id") == brought.filled("client_id");
    if pushed.is_spent || pushed.expires_at <= now || !is_its {
        return None;
    }
    pushed.is_spent = true;
    Some(pushed.request.clone())
}
