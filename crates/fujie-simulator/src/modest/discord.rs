//! Discord: forms alone at the token endpoint, ids that do not fit into a double, code challenges
//! of public apps only, a float in `retry_after`.

use super::dialect::{Dialect, Pkce, Routes, Shared};
use super::world::{self, Tokens, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::ledger::{Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, ALPHANUMERIC, DIGIT, HEX};
use crate::simulation::Title;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::time::Duration;

pub(crate) struct Discord;

impl Dialect for Discord {
    const NAME: &'static str = "discord";
    const TITLE: Title = Title { chinese: "Discord", english: "Discord" };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(60),
        access_token_lifetime: Duration::from_secs(604_800),
        refresh_token_lifetime: Duration::from_secs(10 * 366 * 86_400),
        code: Spelling::of("", ALPHANUMERIC, 30),
        access_token: Spelling::of("", ALPHANUMERIC, 30),
        refresh_token: Spelling::of("", ALPHANUMERIC, 30),
        rotation: Rotation::Replaces,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/oauth2/authorize", "/api/oauth2/authorize"];
    const PKCE: Pkce = Pkce::PublicApps;
    const TOO_OFTEN: &'static str = "429";

    fn routes() -> Routes<Self> {
        Router::new()
            .route("/api/oauth2/token", post(token))
            .route("/api/oauth2/token/revoke", post(revoke))
            .route("/api/users/@me", get(me))
            .route("/api/v10/users/@me", get(me))
    }

    fn error(_world: &World<Self>, path: &str, error: &OwnError, _now: Timestamp) -> Response {
        let text = error.description.as_deref();
        match error.code.as_str() {
            "429" => {
                let body = json!({ "message": "You are being rate limited.", "retry_after": 0.5, "global": false });
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], Json(body)).into_response()
            }
            _ if path.contains("/users/") => unauthorized(text.unwrap_or("401: Unauthorized")),
            code => oauth_error(code, text.unwrap_or("request failed")),
        }
    }
}

fn oauth_error(error: &str, description: &str) -> Response {
    let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    (status, Json(json!({ "error": error, "error_description": description }))).into_response()
}

fn unauthorized(message: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "message": message, "code": 0 }))).into_response()
}

/// The edge refuses what says no name.
fn nameless(call: &Call, world: &World<Discord>) -> Option<Response> {
    let is_nameless = call.header("user-agent").is_none_or(str::is_empty);
    (is_nameless && world.switches.user_agent_needed)
        .then(|| (StatusCode::FORBIDDEN, "error code: 1010").into_response())
}

async fn token(State(simulation): Shared<Discord>, call: Call) -> Response {
    world::with(&simulation, |world, now| {
        if let Some(refusal) = nameless(&call, world) {
            return refusal;
        }
        match exchange(world, &call, now) {
            Ok(tokens) => Json(json!({
                "token_type": "Bearer",
                "access_token": tokens.access_token,
                "expires_in": Discord::TERMS.access_token_lifetime.as_secs(),
                "refresh_token": tokens.refresh_token,
                "scope": tokens.grant.scope,
            }))
            .into_response(),
            Err((error, description)) => oauth_error(error, description),
        }
    })
}

type Failure = (&'static str, &'static str);

/// The app that calls, by Basic or by its fields; a public one only names itself.
fn client_id(world: &World<Discord>, call: &Call) -> Result<String, Failure> {
    let form = call.form();
    let sent = |name: &str| form.filled(name).unwrap_or_default().to_owned();
    let (id, secret) = call.basic().unwrap_or_else(|| (sent("client_id"), sent("client_secret")));
    let app = world.app(&id).filter(|app| app.client_secret == secret);
    app.map(|app| app.client_id.clone()).ok_or(("invalid_client", "Invalid client"))
}

fn exchange(world: &mut World<Discord>, call: &Call, now: Timestamp) -> Result<Tokens, Failure> {
    let form = call.form();
    let sent = |name: &str| form.filled(name).unwrap_or_default();
    let grant_type = form.filled("grant_type").ok_or(("unsupported_grant_type", "Grant type None is not supported"))?;
    let id = client_id(world, call)?;
    match grant_type {
        "authorization_code" => {
            let redemption = Redemption {
                client_id: &id,
                code: sent("code"),
                redirect_uri: Some(sent("redirect_uri")),
                // A verifier without a challenge is a confidential app's, whose challenge was ignored.
                verifier: form.filled("code_verifier").filter(|_| is_public(world, &id)),
            };
            world.redeem(redemption, now).map_err(|_reason| ("invalid_grant", "Invalid \"code\" in request."))
        }
        "refresh_token" => {
            let refreshed = world.refresh(Some(&id), sent("refresh_token"), now);
            refreshed.map_err(|_reason| ("invalid_grant", "Invalid \"refresh_token\" in request."))
        }
        _ => Err(("unsupported_grant_type", "Grant type is not supported")),
    }
}

fn is_public(world: &World<Discord>, id: &str) -> bool {
    world.app(id).is_some_and(|app| app.client_secret.is_empty())
}

async fn revoke(State(simulation): Shared<Discord>, call: Call) -> Response {
    world::with(&simulation, |world, _now| match client_id(world, &call) {
        Ok(id) => {
            world.ledger.revoke(&id, call.form().filled("token").unwrap_or_default());
            Json(json!({})).into_response()
        }
        Err((error, description)) => oauth_error(error, description),
    })
}

async fn me(State(simulation): Shared<Discord>, call: Call) -> Response {
    world::with(&simulation, |world, now| {
        if let Some(refusal) = nameless(&call, world) {
            return refusal;
        }
        let Ok((grant, person)) = world.open(call.bearer().unwrap_or_default(), now) else {
            return unauthorized("401: Unauthorized");
        };
        let has = |scope: &str| grant.scope.split(' ').any(|name| name == scope);
        if !has("identify") {
            return unauthorized("401: Unauthorized");
        }
        let mut user = json!({
            "id": snowflake(person),
            "username": person.login(),
            "global_name": Some(&person.nickname).filter(|nickname| !nickname.is_empty()),
            "discriminator": "0",
            "avatar": person.picture().map(|_picture| random::settled(&["avatar", &person.name], HEX, 32)),
            "locale": "zh-CN",
            "mfa_enabled": false,
        });
        if let Some(members) = user.as_object_mut().filter(|_| has("email")) {
            members.insert("email".to_owned(), json!(person.email));
            members.insert("verified".to_owned(), json!(person.email.is_some()));
        }
        Json(user).into_response()
    })
}

/// 19 digits as a string: more than 2^53.
fn snowflake(person: &Person) -> String {
    format!("1{}", random::settled(&["discord", &person.name], DIGIT, 18))
}
