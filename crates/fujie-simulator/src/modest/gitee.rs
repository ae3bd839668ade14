//! Gitee (Doorkeeper): parameters in query or form, a user id in digits, an address that hides in
//! `/emails`, errors in Chinese with 401.

use super::config::Switches;
use super::dialect::{Dialect, Parameters, Pkce, Routes, Shared};
use super::world::{self, Tokens, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::ledger::{Reason, Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, DIGIT, HEX};
use crate::simulation::{Simulation, Title};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) struct Gitee;

impl Dialect for Gitee {
    const NAME: &'static str = "gitee";
    const TITLE: Title = Title { chinese: "Gitee", english: "Gitee" };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(600),
        access_token_lifetime: Duration::from_secs(86_400),
        refresh_token_lifetime: Duration::from_secs(10 * 366 * 86_400),
        code: Spelling::of("", HEX, 64),
        access_token: Spelling::of("", HEX, 32),
        refresh_token: Spelling::of("", HEX, 64),
        rotation: Rotation::Replaces,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/oauth/authorize"];
    const PKCE: Pkce = Pkce::Understood;
    const TOO_OFTEN: &'static str = "429";

    /// No scope is the app's own set.
    fn scope(request: &Fields) -> String {
        request.filled("scope").unwrap_or("user_info").to_owned()
    }

    fn denial(state: Option<String>, _switches: &Switches) -> Option<Parameters> {
        let description = "用户或服务器拒绝了请求".to_owned();
        let parameters = [("error", "access_denied".to_owned()), ("error_description", description)];
        Some(parameters.into_iter().chain(state.map(|state| ("state", state))).collect())
    }

    fn routes() -> Routes<Self> {
        Router::new()
            .route("/oauth/token", post(token))
            .route("/api/v5/user", get(user))
            .route("/api/v5/emails", get(emails))
    }

    fn error(_world: &World<Self>, path: &str, error: &OwnError, _now: Timestamp) -> Response {
        let text = error.description.as_deref().unwrap_or("请求失败");
        match error.code.parse().ok().and_then(|status| StatusCode::from_u16(status).ok()) {
            Some(status) => (status, Json(json!({ "message": text }))).into_response(),
            None if path.starts_with("/api/") => unauthorized(text),
            None => oauth_error(&error.code, text),
        }
    }
}

/// `{"error": …}`, always with 401.
fn oauth_error(error: &str, description: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": error, "error_description": description }))).into_response()
}

fn unauthorized(message: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "message": message }))).into_response()
}

/// The edge refuses what says no name.
fn nameless(call: &Call, world: &World<Gitee>) -> Option<Response> {
    let is_nameless = call.header("user-agent").is_none_or(str::is_empty);
    (is_nameless && world.switches.user_agent_needed).then(|| (StatusCode::FORBIDDEN, "403 Forbidden").into_response())
}

async fn token(State(simulation): Shared<Gitee>, call: Call) -> Response {
    world::with(&simulation, |world, now| {
        if let Some(refusal) = nameless(&call, world) {
            return refusal;
        }
        match exchange(world, &call, now) {
            Ok(tokens) => Json(answer(&tokens, now)).into_response(),
            Err((error, description)) => oauth_error(error, description),
        }
    })
}

type Failure = (&'static str, &'static str);

const INVALID_CLIENT: Failure = ("invalid_client", "由于未知、不支持或没有客户端，认证失败");

fn exchange(world: &mut World<Gitee>, call: &Call, now: Timestamp) -> Result<Tokens, Failure> {
    let fields = &call.fields;
    let sent = |name: &str| fields.filled(name).unwrap_or_default().to_owned();
    let (id, secret) = call.basic().unwrap_or_else(|| (sent("client_id"), sent("client_secret")));
    world.app(&id).filter(|app| app.client_secret == secret).ok_or(INVALID_CLIENT)?;
    let issued = match fields.filled("grant_type") {
        Some("authorization_code") => {
            let redirect_uri = Some(fields.sent("redirect_uri").unwrap_or_default());
            let (code, verifier) = (&sent("code"), fields.filled("code_verifier"));
            world.redeem(Redemption { client_id: &id, code, redirect_uri, verifier }, now)
        }
        Some("refresh_token") => world.refresh(Some(&id), &sent("refresh_token"), now),
        _ => return Err(("unsupported_grant_type", "服务器不支持此类型的授权")),
    };
    issued.map_err(|reason| match reason {
        Reason::NoRandomness => ("server_error", "服务器异常"),
        _ => ("invalid_grant", "授权方式无效，或者登录回调地址无效、过期或已被撤销"),
    })
}

fn answer(tokens: &Tokens, now: Timestamp) -> Value {
    json!({
        "access_token": tokens.access_token,
        "token_type": "bearer",
        "expires_in": Gitee::TERMS.access_token_lifetime.as_secs(),
        "refresh_token": tokens.refresh_token,
        "scope": tokens.grant.scope,
        "created_at": now.unix_seconds(),
    })
}

/// A resource call: the token stands in the query or comes as `Bearer`.
fn opened(
    simulation: &Simulation<World<Gitee>>,
    call: &Call,
    tell: impl FnOnce(&World<Gitee>, &str, &Person) -> Response,
) -> Response {
    world::with(simulation, |world, now| {
        if let Some(refusal) = nameless(call, world) {
            return refusal;
        }
        let query = call.asked();
        let token = query.filled("access_token").or(call.bearer()).unwrap_or_default();
        match world.open(token, now) {
            Ok((grant, person)) => tell(world, &grant.scope, person),
            Err(Reason::Expired) => unauthorized("401 Unauthorized: Access token is expired"),
            Err(_) => unauthorized("401 Unauthorized: Access token does not exist"),
        }
    })
}

async fn user(State(simulation): Shared<Gitee>, call: Call) -> Response {
    opened(&simulation, &call, |world, _scope, person| {
        let page = format!("{}/{}", world.base_url, person.login());
        Json(json!({
            "id": id(person),
            "login": person.login(),
            "name": person.nickname,
            "avatar_url": world.picture(person),
            "html_url": page,
            "bio": null,
            "blog": null,
            "type": "User",
            "email": person.email.as_ref().filter(|_| world.switches.email_public),
        }))
        .into_response()
    })
}

/// The addresses, for the scope `emails`.
async fn emails(State(simulation): Shared<Gitee>, call: Call) -> Response {
    opened(&simulation, &call, |_world, scope, person| {
        if !scope.split(' ').any(|name| name == "emails") {
            return (StatusCode::FORBIDDEN, Json(json!({ "message": "403 Forbidden" }))).into_response();
        }
        let one = |email: &String| json!({ "email": email, "state": "confirmed", "scope": ["primary", "notified"] });
        Json(person.email.iter().map(one).collect::<Vec<_>>()).into_response()
    })
}

fn id(person: &Person) -> u32 {
    random::settled(&["gitee", &person.name], DIGIT, 7).trim_start_matches('0').parse().unwrap_or(1)
}
