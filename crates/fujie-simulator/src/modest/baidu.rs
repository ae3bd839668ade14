//! Baidu: GET or POST at the token endpoint, no `token_type`, tokens in the query alone, API errors
//! with 200.

use super::dialect::{Dialect, Pkce, Routes, Shared};
use super::world::{self, Tokens, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::ledger::{Reason, Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, BASE64URL, DIGIT, HEX};
use crate::simulation::Title;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(crate) struct Baidu;

impl Dialect for Baidu {
    const NAME: &'static str = "baidu";
    const TITLE: Title = Title { chinese: "百度", english: "Baidu" };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(600),
        access_token_lifetime: Duration::from_secs(2_592_000),
        refresh_token_lifetime: Duration::from_secs(3650 * 86_400),
        code: Spelling::of("", HEX, 32),
        access_token: Spelling::of("121.", BASE64URL, 80),
        refresh_token: Spelling::of("122.", BASE64URL, 80),
        rotation: Rotation::Replaces,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/oauth/2.0/authorize"];
    const PKCE: Pkce = Pkce::Ignored;
    const TOO_OFTEN: &'static str = "4";

    /// Commas or spaces in the request, spaces in the answer; `basic` is always among them.
    fn scope(request: &Fields) -> String {
        let asked = request.filled("scope").unwrap_or_default().split([' ', ',']);
        let others = asked.filter(|name| !name.is_empty() && *name != "basic");
        ["basic"].into_iter().chain(others).collect::<Vec<_>>().join(" ")
    }

    fn routes() -> Routes<Self> {
        Router::new()
            .route("/oauth/2.0/token", get(token).post(token))
            .route("/rest/2.0/passport/users/getInfo", get(info).post(info))
            .route("/rest/2.0/passport/users/getLoggedInUser", get(info).post(info))
    }

    fn error(world: &World<Self>, path: &str, error: &OwnError, _now: Timestamp) -> Response {
        let text = error.description.as_deref();
        match error.code.parse() {
            Ok(number) if path.starts_with("/rest/") => {
                let known = if number == 4 { "Open api request limit reached" } else { "Unknown error" };
                api_error(world, number, text.unwrap_or(known))
            }
            _ => oauth_error(&error.code, text.unwrap_or("request failed")),
        }
    }
}

fn oauth_error(error: &str, description: &str) -> Response {
    let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    (status, Json(json!({ "error": error, "error_description": description }))).into_response()
}

fn api_error(world: &World<Baidu>, number: u64, text: &str) -> Response {
    let told = if world.switches.numbers_as_strings { json!(number.to_string()) } else { json!(number) };
    Json(json!({ "error_code": told, "error_msg": text })).into_response()
}

async fn token(State(simulation): Shared<Baidu>, call: Call) -> Response {
    let fields = &call.fields;
    world::with(&simulation, |world, now| match exchange(world, fields, now) {
        Ok(tokens) => Json(json!({
            "access_token": tokens.access_token,
            "expires_in": Baidu::TERMS.access_token_lifetime.as_secs(),
            "refresh_token": tokens.refresh_token,
            "scope": tokens.grant.scope,
            "session_key": "",
            "session_secret": "",
        }))
        .into_response(),
        Err((error, description)) => oauth_error(error, description),
    })
}

type Failure = (&'static str, &'static str);

fn exchange(world: &mut World<Baidu>, fields: &Fields, now: Timestamp) -> Result<Tokens, Failure> {
    let sent = |name: &str| fields.filled(name).unwrap_or_default();
    let id = sent("client_id");
    let app = world.app(id).ok_or(("invalid_client", "unknown client id"))?;
    if app.client_secret != sent("client_secret") {
        return Err(("invalid_client", "Client authentication failed"));
    }
    match fields.filled("grant_type") {
        Some("authorization_code") => {
            let redirect_uri = Some(sent("redirect_uri"));
            let redemption = Redemption { client_id: id, code: sent("code"), redirect_uri, verifier: None };
            world.redeem(redemption, now).map_err(|reason| match reason {
                Reason::RedirectUri => ("redirect_uri_mismatch", "Invalid redirect uri"),
                _ => ("invalid_grant", "Invalid authorization code"),
            })
        }
        Some("refresh_token") => world.refresh(Some(id), sent("refresh_token"), now).map_err(|reason| match reason {
            Reason::Used => ("expired_token", "refresh token has been used"),
            Reason::Expired => ("expired_token", "refresh token has expired"),
            _ => ("invalid_grant", "Invalid refresh token"),
        }),
        _ => Err(("unsupported_grant_type", "The authorization grant type is not supported")),
    }
}

/// Two methods, two names for the same things. The token comes as a field: a header counts for
/// nothing.
async fn info(State(simulation): Shared<Baidu>, call: Call) -> Response {
    let fields = &call.fields;
    world::with(&simulation, |world, now| {
        let Ok((grant, person)) = world.open(fields.filled("access_token").unwrap_or_default(), now) else {
            return api_error(world, 110, "Access token invalid or no longer valid");
        };
        let is_short = call.path().ends_with("getLoggedInUser");
        let (name, id) = if is_short { ("uname", "uid") } else { ("username", "userid") };
        let mut user = Map::new();
        user.insert("openid".to_owned(), json!(settled("openid", &grant.client_id, person)));
        user.insert("unionid".to_owned(), json!(settled("unionid", "", person)));
        user.insert("portrait".to_owned(), json!(random::settled(&["portrait", &person.name], HEX, 32)));
        user.insert(name.to_owned(), json!(person.nickname));
        if is_short || world.switches.userid {
            user.insert(id.to_owned(), json!(random::settled(&["baidu", &person.name], DIGIT, 10)));
        }
        Json(Value::Object(user)).into_response()
    })
}

fn settled(word: &str, client_id: &str, person: &Person) -> String {
    random::settled(&["baidu", word, client_id, &person.name], BASE64URL, 22)
}
