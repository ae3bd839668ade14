//! `/applications/{client_id}`: what an app does with the tokens it was given, under its own
//! secret; and the revocation that needs none.
//!
//! `POST …/token` is how an app learns that a token was meant for it.

use super::view::{UserView, joined};
use super::{Answer, Call, Caller, RestError};
use crate::github::config::{App, AppKind};
use crate::github::date;
use crate::github::hook::signature::hex;
use crate::github::ledger::Token;
use crate::github::world::World;
use aws_lc_rs::digest;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// At most so many credentials are revoked at once.
const CREDENTIALS_MAX: usize = 1000;

/// The part of the URL table below an app.
pub(crate) fn route(call: &Call<'_>, world: &mut World, client_id: &str, rest: &[&str]) -> Result<Answer, RestError> {
    let app = match &call.caller {
        Caller::App(app) if app.client_id == client_id => app,
        Caller::App(_) => return Err(RestError::NOT_FOUND),
        Caller::User(_) | Caller::Nobody => return Err(RestError::REQUIRES_AUTHENTICATION),
    };
    let value = access_token(call)?;
    match (call.method.as_str(), rest) {
        ("POST", ["token"]) => {
            let token = world.ledger.token_of(client_id, &value, call.now).cloned();
            authorization(call, world, app, token)
        }
        ("PATCH", ["token"]) => {
            let token = world.ledger.reset_token(client_id, &value, call.now)?;
            authorization(call, world, app, token)
        }
        ("POST", ["token", "scoped"]) if app.kind == AppKind::GithubApp => scoped(call, world, app, &value),
        ("DELETE", ["token"]) => {
            own_token(call, world, app, &value)?;
            world.ledger.end_token(&value);
            Ok(Answer::no_content())
        }
        ("DELETE", ["grant"]) => {
            let person = own_token(call, world, app, &value)?.holder.person;
            world.ledger.end_authorization(client_id, &person);
            Ok(Answer::no_content())
        }
        _ => Err(RestError::NOT_FOUND),
    }
}

fn access_token(call: &Call<'_>) -> Result<String, RestError> {
    let body = call.json()?;
    let value =
        body.get("access_token").ok_or_else(|| RestError::invalid_request("\"access_token\" wasn't supplied."))?;
    let not_text = || RestError::invalid_request(&format!("For 'properties/access_token', {value} is not a string."));
    value.as_str().map(str::to_owned).ok_or_else(not_text)
}

fn own_token(call: &Call<'_>, world: &World, app: &App, value: &str) -> Result<Token, RestError> {
    world.ledger.token_of(&app.client_id, value, call.now).cloned().ok_or(RestError::NOT_FOUND)
}

/// A token of the same person, for a target that must be named. What it may do is not narrowed.
fn scoped(call: &Call<'_>, world: &mut World, app: &App, value: &str) -> Result<Answer, RestError> {
    let body = call.json()?;
    if !["target", "target_id"].iter().any(|name| body.contains_key(*name)) {
        return Err(RestError::invalid_request("\"target\" wasn't supplied."));
    }
    let holder = own_token(call, world, app, value)?.holder;
    let issued = world.ledger.issue(holder, call.now)?;
    let token = world.ledger.token_of(&app.client_id, &issued.access_token, call.now).cloned();
    authorization(call, world, app, token)
}

fn authorization(call: &Call<'_>, world: &World, app: &App, token: Option<Token>) -> Result<Answer, RestError> {
    let token = token.ok_or(RestError::NOT_FOUND)?;
    let person = world.person(&token.holder.person).ok_or(RestError::NOT_FOUND)?;
    let user = UserView { person, base_url: &world.base_url, api: &call.api };
    let created_at = date::iso(token.created_at.unix_seconds());
    let last_eight = token.value.get(token.value.len().saturating_sub(8)..).unwrap_or_default();
    let scopes = (app.kind == AppKind::OauthApp).then(|| token.holder.scopes.names());
    let about_app = json!({ "client_id": app.client_id, "name": app.name, "url": world.base_url });
    Ok(Answer::ok(joined(
        json!({
            "id": token.id,
            "url": format!("{}/authorizations/{}", call.api, token.id),
            "scopes": scopes,
            "token": token.value,
            "token_last_eight": last_eight,
            "hashed_token": hex(digest::digest(&digest::SHA256, token.value.as_bytes()).as_ref()),
        }),
        json!({
            "app": about_app,
            "note": null,
            "note_url": null,
            "fingerprint": null,
            "created_at": created_at,
            "updated_at": created_at,
            "expires_at": token.expires_at.map(|at| date::iso(at.unix_seconds())),
            "user": user.simple(),
        }),
    )))
}

/// `POST /credentials/revoke`: whoever holds a token may end it.
pub(crate) fn revoke(call: &Call<'_>, world: &mut World) -> Result<Answer, RestError> {
    let body = call.json()?;
    let credentials = body.get("credentials").and_then(Value::as_array);
    let credentials = credentials.filter(|list| !list.is_empty() && list.len() <= CREDENTIALS_MAX);
    let credentials = credentials.ok_or_else(|| RestError::invalid_request("\"credentials\" wasn't supplied."))?;
    for credential in credentials.iter().filter_map(Value::as_str) {
        world.ledger.revoke(credential);
    }
    Ok(Answer::with_status(StatusCode::ACCEPTED, json!({})))
}
