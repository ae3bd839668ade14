//! `…/hooks/{id}/deliveries`: what a hook was sent, the newest first, and once more on demand.
//!
//! Lists go by `cursor`, not by page.

use super::hook::hooks_url;
use super::{Answer, Call, RestError, list};
use crate::github::config::Repository;
use crate::github::hook::log::Delivery;
use crate::github::hook::{Hook, deliver};
use crate::github::world::World;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// `GET …/deliveries` with `per_page`, `cursor`, `redelivery` and `status`.
pub(crate) fn all(call: &Call<'_>, world: &World, repository: &Repository, hook: &Hook) -> Result<Answer, RestError> {
    let redelivery = match call.query.filled("redelivery") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(RestError::invalid_request("redelivery is true or false.")),
    };
    let success = match call.query.filled("status") {
        None => None,
        Some("success") => Some(true),
        Some("failure") => Some(false),
        Some(_) => return Err(RestError::invalid_request("status is success or failure.")),
    };
    let cursor = match call.query.filled("cursor") {
        None => None,
        Some(cursor) => {
            let id = cursor.strip_prefix("v1_").and_then(|id| id.parse::<u64>().ok());
            Some(id.ok_or_else(|| RestError::invalid_request("cursor is not one of ours."))?)
        }
    };
    let is_wanted = |one: &&Delivery| {
        redelivery.is_none_or(|wanted| one.parcel.is_redelivery == wanted)
            && success.is_none_or(|wanted| one.is_success() == wanted)
            && cursor.is_none_or(|cursor| one.parcel.id < cursor)
    };
    let per_page = list::per_page(call);
    let mut found: Vec<&Delivery> = world.hooks.log.of(hook.id, call.now).filter(is_wanted).collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.parcel.id));
    let last_shown = found.get(..per_page).and_then(<[_]>::last).filter(|_| found.len() > per_page);
    let link = last_shown.map(|one| {
        let url = format!("{}/{}/deliveries", hooks_url(call, repository), hook.id);
        let next = list::with_field(&url, call.raw_query, "cursor", &format!("v1_{}", one.parcel.id));
        format!("<{next}>; rel=\"next\"")
    });
    let items = found.into_iter().take(per_page).map(|one| Value::Object(one.item())).collect();
    Ok(Answer::part(Value::Array(items), link))
}

/// `GET …/deliveries/{id}`
pub(crate) fn one(call: &Call<'_>, world: &World, hook: &Hook, id: &str) -> Result<Answer, RestError> {
    Ok(Answer::ok(found(call, world, hook, id)?.view()))
}

/// `POST …/deliveries/{id}/attempts`: the same GUID and body under a new id.
pub(crate) fn attempt(call: &Call<'_>, world: &mut World, hook: &Hook, id: &str) -> Result<Answer, RestError> {
    let earlier = found(call, world, hook, id)?.parcel.clone();
    let parcel = deliver::again(&mut world.hooks, hook, &earlier);
    world.hooks.outbox.push(parcel);
    let status = StatusCode::from_u16(world.switches().redelivery_status).unwrap_or(StatusCode::ACCEPTED);
    Ok(Answer::with_status(status, json!({})))
}

fn found<'a>(call: &Call<'_>, world: &'a World, hook: &Hook, id: &str) -> Result<&'a Delivery, RestError> {
    let mut kept = world.hooks.log.of(hook.id, call.now);
    kept.find(|one| one.parcel.id.to_string() == id).ok_or(RestError::NOT_FOUND)
}
