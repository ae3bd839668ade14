//! Feishu and Lark: tokens v2 and v3, a `code` of 0 beside the standard's names, numbered errors,
//! and an envelope around the user.

use super::dialect::{Dialect, Pkce, Routes, Shared};
use super::world::{self, Tokens, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::ledger::{Reason, Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, BASE64URL, HEX};
use crate::simulation::Title;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN_V3: &str = "/oauth/v3/token";

pub(crate) struct Feishu;

impl Dialect for Feishu {
    const NAME: &'static str = "feishu";
    const TITLE: Title = Title { chinese: "飞书", english: "Feishu" };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(300),
        access_token_lifetime: Duration::from_secs(7200),
        refresh_token_lifetime: Duration::from_secs(604_800),
        code: Spelling::of("", BASE64URL, 32),
        access_token: Spelling::of("u-", BASE64URL, 40),
        refresh_token: Spelling::of("ur-", BASE64URL, 40),
        rotation: Rotation::Replaces,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/open-apis/authen/v1/authorize", "/open-apis/authen/v1/index"];
    /// The older page says `app_id`.
    const APP: &'static [&'static str] = &["client_id", "app_id"];
    const PKCE: Pkce = Pkce::Understood;
    const TOO_OFTEN: &'static str = "99991400";

    /// `response_type` is not asked for.
    fn check(_request: &crate::fields::Fields) -> Result<(), super::dialect::Wrong> {
        Ok(())
    }

    fn is_refreshable(scope: &str) -> bool {
        scope.split(' ').any(|name| name == "offline_access")
    }

    fn routes() -> Routes<Self> {
        Router::new()
            .route("/open-apis/authen/v2/oauth/token", post(token))
            .route(TOKEN_V3, post(token))
            .route("/open-apis/authen/v1/user_info", get(user_info))
    }

    fn error(_world: &World<Self>, path: &str, error: &OwnError, _now: Timestamp) -> Response {
        let number = error.code.parse().unwrap_or(20050);
        let known = OAUTH.iter().find(|known| known.number == number);
        let text = error.description.as_deref().or(known.map(|known| known.text)).unwrap_or("request failed");
        match known {
            Some(known) if path.ends_with("/token") => oauth_error(number, known.error, text),
            _ if path.ends_with("/token") => oauth_error(number, "server_error", text),
            _ => envelope_error(number, text),
        }
    }
}

/// An error of the token endpoint: Feishu's number and the standard's word.
#[derive(Clone, Copy)]
struct Known {
    number: u64,
    error: &'static str,
    text: &'static str,
}

const fn known(number: u64, error: &'static str, text: &'static str) -> Known {
    Known { number, error, text }
}

const CLIENT: Known = known(20002, "invalid_client", "The app secret is invalid.");
const CODE: Known = known(20003, "invalid_grant", "The authorization code is not found.");
const CODE_EXPIRED: Known = known(20004, "invalid_grant", "The authorization code has expired.");
const NO_USER: Known = known(20008, "invalid_grant", "The user does not exist.");
const NOT_ALLOWED: Known = known(20010, "access_denied", "The user has no permission to use this app.");
const OTHER_APP: Known = known(20024, "invalid_grant", "The code does not belong to this app.");
const REFRESH_TOKEN: Known = known(20026, "invalid_grant", "The refresh token is invalid.");
const GRANT_TYPE: Known = known(20036, "unsupported_grant_type", "The grant_type is not supported.");
const REFRESH_EXPIRED: Known = known(20037, "invalid_grant", "The refresh token has expired.");
const PKCE: Known = known(20049, "invalid_grant", "The code_verifier does not match.");
const SERVER: Known = known(20050, "server_error", "The server failed.");
const CODE_USED: Known = known(20065, "invalid_grant", "The authorization code has been used.");
const REDIRECT_URI: Known = known(20071, "invalid_grant", "The redirect_uri does not match.");
const REFRESH_USED: Known = known(20073, "invalid_grant", "The refresh token has been used.");

const OAUTH: [Known; 14] = [
    CLIENT,
    CODE,
    CODE_EXPIRED,
    NO_USER,
    NOT_ALLOWED,
    OTHER_APP,
    REFRESH_TOKEN,
    GRANT_TYPE,
    REFRESH_EXPIRED,
    PKCE,
    SERVER,
    CODE_USED,
    REDIRECT_URI,
    REFRESH_USED,
];

fn oauth_error(number: u64, error: &str, text: &str) -> Response {
    let body = json!({ "code": number, "error": error, "error_description": text });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn envelope_error(number: u64, text: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "code": number, "msg": text }))).into_response()
}

async fn token(State(simulation): Shared<Feishu>, call: Call) -> Response {
    world::with(&simulation, |world, now| match exchange(world, &call, now) {
        Ok(tokens) => Json(answer(&tokens)).into_response(),
        Err(known) => oauth_error(known.number, known.error, known.text),
    })
}

fn exchange(world: &mut World<Feishu>, call: &Call, now: Timestamp) -> Result<Tokens, Known> {
    let fields = call.form_or_json();
    let sent = |name: &str| fields.filled(name).unwrap_or_default();
    let id = sent("client_id");
    world.app(id).filter(|app| app.client_secret == sent("client_secret")).ok_or(CLIENT)?;
    match fields.filled("grant_type") {
        Some("authorization_code") => {
            let redemption = Redemption {
                client_id: id,
                code: sent("code"),
                redirect_uri: fields.filled("redirect_uri"),
                verifier: fields.filled("code_verifier"),
            };
            let redeemed = match world.redeem(redemption, now) {
                // Only v3 minds a verifier that nobody announced.
                Err(Reason::NoChallenge) if call.path() != TOKEN_V3 => {
                    world.redeem(Redemption { verifier: None, ..redemption }, now)
                }
                other => other,
            };
            redeemed.map_err(|reason| match reason {
                Reason::Unknown => CODE,
                Reason::OfAnotherClient => OTHER_APP,
                Reason::Expired => CODE_EXPIRED,
                Reason::Used => CODE_USED,
                Reason::Ended => NO_USER,
                Reason::RedirectUri => REDIRECT_URI,
                Reason::Verifier | Reason::NoChallenge => PKCE,
                Reason::NoRandomness => SERVER,
            })
        }
        Some("refresh_token") => world.refresh(Some(id), sent("refresh_token"), now).map_err(|reason| match reason {
            Reason::Expired => REFRESH_EXPIRED,
            Reason::Used => REFRESH_USED,
            _ => REFRESH_TOKEN,
        }),
        _ => Err(GRANT_TYPE),
    }
}

/// Flat, with a `code` of 0 although all went well.
fn answer(tokens: &Tokens) -> Value {
    let mut answer = json!({
        "code": 0,
        "access_token": tokens.access_token,
        "expires_in": Feishu::TERMS.access_token_lifetime.as_secs(),
        "token_type": "Bearer",
        "scope": tokens.grant.scope,
    });
    if let (Some(refresh_token), Some(members)) = (&tokens.refresh_token, answer.as_object_mut()) {
        let lifetime = Feishu::TERMS.refresh_token_lifetime.as_secs();
        members.insert("refresh_token".to_owned(), json!(refresh_token));
        members.insert("refresh_token_expires_in".to_owned(), json!(lifetime));
    }
    answer
}

async fn user_info(State(simulation): Shared<Feishu>, call: Call) -> Response {
    world::with(&simulation, |world, now| match world.open(call.bearer().unwrap_or_default(), now) {
        Ok((grant, person)) => Json(json!({
            "code": 0,
            "msg": "success",
            "data": {
                "name": person.nickname,
                "en_name": person.login(),
                "avatar_url": world.picture(person),
                "open_id": format!("ou_{}", random::settled(&["feishu", &grant.client_id, &person.name], HEX, 32)),
                "union_id": union_id(person),
                "user_id": random::settled(&["feishu user", &person.name], HEX, 8),
                "tenant_key": random::settled(&["feishu tenant"], HEX, 16),
                "email": person.email.clone().unwrap_or_default(),
            },
        }))
        .into_response(),
        Err(_) => envelope_error(20005, "The user access token passed is invalid."),
    })
}

/// One for all apps of a developer.
fn union_id(person: &Person) -> String {
    format!("on_{}", random::settled(&["feishu union", &person.name], HEX, 32))
}
