//! `POST /login/oauth/access_token`: codes, refresh tokens and device codes become tokens.
//!
//! The order of the checks: an unknown app is 404, then the grant type, then the secret, then what
//! was brought. A request that fails spends nothing.

use super::not_found_page;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::github::config::App;
use crate::github::device::Poll;
use crate::github::ledger::{Code, Denial, Holder, Issued};
use crate::github::reply::{self, Format, OauthError, Reply};
use crate::github::rest::basic;
use crate::github::world::{Simulation, World};
use crate::page::Language;
use crate::random::NoRandomness;
use aws_lc_rs::digest;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::sync::Arc;
use url::form_urlencoded;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The old way: answered only where a switch allows it.
pub(crate) async fn get(state: State<Arc<Simulation>>, query: RawQuery, headers: HeaderMap) -> Response {
    if !state.world().switches().token_endpoint_get {
        return not_found_page(Language::of(None, &headers));
    }
    post(state, query, headers, Bytes::new()).await
}

pub(crate) async fn post(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = fields(&headers, query.as_deref(), &body);
    let now = simulation.now();
    let mut world = simulation.world();
    let Some(app) = fields.filled("client_id").and_then(|id| world.app(id)).cloned() else {
        return reply::unknown_client();
    };
    let reply = match grant(&mut world, &app, &fields, now) {
        Ok(reply) => reply,
        Err(Denial::Error(error)) => error.reply(),
        Err(Denial::NoRandomness) => return NoRandomness.into_response(),
    };
    reply.respond(Format::of(&headers))
}

/// A request's fields: those of the body, a form or JSON; then the query; then the app's own from
/// HTTP Basic. The first of a name counts.
pub(crate) fn fields(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Fields {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = content_type.trim_start().to_ascii_lowercase().starts_with("application/json");
    let mut fields = if is_json { Fields::of(form_of_json(body).as_bytes()) } else { Fields::of(body) };
    fields.append(query.unwrap_or_default().as_bytes());
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = authorization.and_then(|value| value.split_once(' '));
    let credentials = credentials.filter(|(word, _)| word.eq_ignore_ascii_case("basic"));
    if let Some((client_id, client_secret)) = credentials.and_then(|(_, credentials)| basic(credentials)) {
        let pairs = [("client_id", client_id), ("client_secret", client_secret)];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        fields.append(form.as_bytes());
    }
    fields
}

/// The members of a JSON object that are text or numbers; of anything else, nothing.
fn form_of_json(body: &[u8]) -> String {
    let members: serde_json::Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &members {
        match value {
            Value::String(text) => form.append_pair(name, text),
            Value::Number(number) => form.append_pair(name, &number.to_string()),
            _ => &mut form,
        };
    }
    form.finish()
}

fn grant(world: &mut World, app: &App, fields: &Fields, now: Timestamp) -> Result<Reply, Denial> {
    let issued = match fields.filled("grant_type") {
        None | Some("authorization_code") => {
            authenticate(app, fields)?;
            redeem_code(world, app, fields, now)?
        }
        Some("refresh_token") => refresh(world, app, fields, now)?,
        Some(DEVICE_GRANT) => match poll(world, app, fields, now)? {
            Polled::Issued(issued) => issued,
            Polled::NotYet(reply) => return Ok(reply),
        },
        Some(_) => return Err(OauthError::UNSUPPORTED_GRANT_TYPE.into()),
    };
    Ok(told(issued, world.switches().expires_in_as_text))
}

fn authenticate(app: &App, fields: &Fields) -> Result<(), OauthError> {
    let is_right = fields.filled("client_secret") == Some(&app.client_secret);
    if is_right { Ok(()) } else { Err(OauthError::INCORRECT_CLIENT_CREDENTIALS) }
}

fn redeem_code(world: &mut World, app: &App, fields: &Fields, now: Timestamp) -> Result<Issued, Denial> {
    let value = fields.filled("code").unwrap_or_default();
    let code = world.ledger.code(&app.client_id, value, now)?;
    if fields.filled("redirect_uri").is_some_and(|redirect_uri| redirect_uri != code.redirect_uri) {
        return Err(OauthError::REDIRECT_URI_MISMATCH.into());
    }
    if !is_verified(code, fields.sent("code_verifier")) {
        // No text is published for this; a choice.
        return Err(OauthError::BAD_VERIFICATION_CODE.into());
    }
    if world.switches().unverified_user_email {
        return Err(OauthError::UNVERIFIED_USER_EMAIL.into());
    }
    world.ledger.redeem_code(value, now)
}

/// A verifier without a challenge is ignored: nobody says otherwise.
fn is_verified(code: &Code, verifier: Option<&str>) -> bool {
    let Some(challenge) = &code.code_challenge else { return true };
    let hashed = |verifier: &str| URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
    verifier.is_some_and(|verifier| hashed(verifier) == *challenge)
}

/// The secret is not asked for where the token came out of a device flow; one that is sent must be
/// right all the same.
fn refresh(world: &mut World, app: &App, fields: &Fields, now: Timestamp) -> Result<Issued, Denial> {
    let refresh_token = fields.filled("refresh_token").unwrap_or_default();
    if fields.filled("client_secret").is_some() || !world.ledger.is_of_device_flow(refresh_token) {
        authenticate(app, fields)?;
    }
    world.ledger.refresh(&app.client_id, refresh_token, now)
}

enum Polled {
    Issued(Issued),
    NotYet(Reply),
}

/// As with [`refresh`], a secret that is sent must be right.
fn poll(world: &mut World, app: &App, fields: &Fields, now: Timestamp) -> Result<Polled, Denial> {
    if fields.filled("client_secret").is_some() {
        authenticate(app, fields)?;
    }
    if !app.device_flow {
        return Err(OauthError::DEVICE_FLOW_DISABLED.into());
    }
    let device_code = fields.filled("device_code").unwrap_or_default();
    match world.devices.poll(&app.client_id, device_code, now) {
        Poll::NotYet(reply) => Ok(Polled::NotYet(reply)),
        Poll::Approved { person, asked } => {
            let holder = Holder { is_of_device_flow: true, ..world.holder(app, &person, &asked) };
            Ok(Polled::Issued(world.ledger.issue(holder, now)?))
        }
    }
}

fn told(issued: Issued, as_text: bool) -> Reply {
    let seconds = |seconds: u64| -> Value { if as_text { seconds.to_string().into() } else { seconds.into() } };
    let mut fields: Vec<(&'static str, Value)> = vec![
        ("access_token", issued.access_token.into()),
        ("token_type", "bearer".into()),
        ("scope", issued.scope.into()),
    ];
    if let Some((refresh_token, access_seconds, refresh_seconds)) = issued.refresh {
        fields.push(("expires_in", seconds(access_seconds)));
        fields.push(("refresh_token", refresh_token.into()));
        fields.push(("refresh_token_expires_in", seconds(refresh_seconds)));
    }
    Reply::ok(fields)
}
