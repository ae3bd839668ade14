//! Douyin: `client_key`, commas in scopes, everything inside `data`, errors with 200, a refresh
//! that asks for no secret and changes nothing but the access token.

use super::config::App;
use super::config::Switches;
use super::dialect::{Dialect, Parameters, Routes, Shared};
use super::wecom::admits_domain;
use super::world::{self, Tokens, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::ledger::{Reason, Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, BASE64URL, DIGIT};
use crate::sign_in::SignIn;
use crate::simulation::Title;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) struct Douyin;

impl Dialect for Douyin {
    const NAME: &'static str = "douyin";
    const TITLE: Title = Title { chinese: "抖音", english: "Douyin" };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(600),
        access_token_lifetime: Duration::from_secs(1_296_000),
        refresh_token_lifetime: Duration::from_secs(2_592_000),
        code: Spelling::of("", BASE64URL, 48),
        access_token: Spelling::of("act.", BASE64URL, 64),
        refresh_token: Spelling::of("rft.", BASE64URL, 64),
        rotation: Rotation::Stays,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/platform/oauth/connect", "/platform/oauth/connect/"];
    const APP: &'static [&'static str] = &["client_key"];
    const TOO_OFTEN: &'static str = "10020";

    /// The domain alone is registered.
    fn admits(app: &App, uri: &str) -> bool {
        admits_domain(app, uri)
    }

    /// The granted scopes come back too.
    fn callback(code: String, state: Option<String>, sign_in: &SignIn, _switches: &Switches) -> Parameters {
        let mut parameters = vec![("code", code)];
        parameters.extend(state.map(|state| ("state", state)));
        parameters.push(("scopes", sign_in.ask.scope.clone()));
        parameters
    }

    fn routes() -> Routes<Self> {
        Router::new()
            .route("/oauth/access_token/", post(access_token))
            .route("/oauth/refresh_token/", post(refresh_token))
            .route("/oauth/userinfo/", get(userinfo).post(userinfo))
    }

    fn error(world: &World<Self>, _path: &str, error: &OwnError, now: Timestamp) -> Response {
        let number = error.code.parse().unwrap_or(10002);
        let known = ERRORS.iter().find(|(known, _)| *known == number).map(|(_, text)| *text);
        refuse(world, (number, error.description.as_deref().or(known).unwrap_or("系统繁忙，此时请开发者稍候再试")), now)
    }
}

type Failure = (u64, &'static str);

const PARAMETER: Failure = (10002, "参数错误");
const CLIENT_KEY: Failure = (10003, "client_key错误");
const CODE: Failure = (10007, "授权码过期");
const TOKEN_EXPIRED: Failure = (2_190_008, "access_token过期,请刷新或重新授权");
const TOKEN_UNKNOWN: Failure = (2_190_002, "access_token无效");
const REFRESH: Failure = (10010, "refresh_token过期");
const SECRET: Failure = (10013, "client_key或者client_secret报错");

const ERRORS: [Failure; 8] =
    [PARAMETER, CLIENT_KEY, CODE, TOKEN_EXPIRED, TOKEN_UNKNOWN, REFRESH, SECRET, (10020, "请求过于频繁")];

/// A number, or its digits as some documents print it.
fn number(world: &World<Douyin>, number: u64) -> Value {
    if world.switches.numbers_as_strings { json!(number.to_string()) } else { json!(number) }
}

fn refuse(world: &World<Douyin>, (code, text): (u64, &str), now: Timestamp) -> Response {
    let log_id = log_id(now);
    Json(json!({
        "data": { "captcha": "", "desc_url": "", "description": text, "error_code": number(world, code) },
        "extra": { "logid": log_id, "now": now.unix_seconds() * 1000 },
        "message": "error",
    }))
    .into_response()
}

fn log_id(now: Timestamp) -> String {
    random::settled(&["logid", &now.unix_seconds().to_string()], DIGIT, 34)
}

/// Query, form or JSON, whichever has the field.
fn fields(call: &Call) -> Fields {
    let (query, body) = (call.asked(), call.form_or_json());
    query.iter().chain(body.iter()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn access_token(State(simulation): Shared<Douyin>, call: Call) -> Response {
    let fields = fields(&call);
    let sent = |name: &str| fields.filled(name).unwrap_or_default();
    world::with(&simulation, |world, now| {
        let redeemed = if sent("code").is_empty() || sent("grant_type") != "authorization_code" {
            Err(PARAMETER)
        } else if let Some(app) = world.app(sent("client_key")) {
            if app.client_secret == sent("client_secret") { Ok(()) } else { Err(SECRET) }
        } else {
            Err(CLIENT_KEY)
        };
        let redemption =
            Redemption { client_id: sent("client_key"), code: sent("code"), redirect_uri: None, verifier: None };
        match redeemed.and_then(|()| world.redeem(redemption, now).map_err(|_reason| CODE)) {
            Ok(tokens) => answer(world, &tokens, now),
            Err(failure) => refuse(world, failure, now),
        }
    })
}

/// No secret is asked for; the refresh token keeps its own end.
async fn refresh_token(State(simulation): Shared<Douyin>, call: Call) -> Response {
    let fields = fields(&call);
    let sent = |name: &str| fields.filled(name).unwrap_or_default();
    world::with(&simulation, |world, now| {
        if world.app(sent("client_key")).is_none() {
            return refuse(world, CLIENT_KEY, now);
        }
        if sent("grant_type") != "refresh_token" {
            return refuse(world, PARAMETER, now);
        }
        match world.refresh(Some(sent("client_key")), sent("refresh_token"), now) {
            Ok(tokens) => answer(world, &tokens, now),
            Err(_reason) => refuse(world, REFRESH, now),
        }
    })
}

fn answer(world: &World<Douyin>, tokens: &Tokens, now: Timestamp) -> Response {
    let terms = Douyin::TERMS;
    Json(json!({
        "data": {
            "access_token": tokens.access_token,
            "captcha": "",
            "desc_url": "",
            "description": "",
            "error_code": number(world, 0),
            "expires_in": number(world, terms.access_token_lifetime.as_secs()),
            "log_id": log_id(now),
            "open_id": open_id(&tokens.grant.client_id, &tokens.person),
            "refresh_expires_in": number(world, terms.refresh_token_lifetime.as_secs()),
            "refresh_token": tokens.refresh_token,
            "scope": tokens.grant.scope,
        },
        "message": "success",
    }))
    .into_response()
}

/// The token belongs to one `open_id`; it comes as a field, or in the header `access-token`.
async fn userinfo(State(simulation): Shared<Douyin>, call: Call) -> Response {
    let fields = fields(&call);
    world::with(&simulation, |world, now| {
        let token = fields.filled("access_token").or(call.header("access-token")).unwrap_or_default();
        let (grant, person) = match world.open(token, now) {
            Ok(opened) => opened,
            Err(Reason::Expired) => return refuse(world, TOKEN_EXPIRED, now),
            Err(_) => return refuse(world, TOKEN_UNKNOWN, now),
        };
        let open_id = open_id(&grant.client_id, person);
        if fields.filled("open_id") != Some(&open_id) {
            return refuse(world, PARAMETER, now);
        }
        Json(json!({
            "data": {
                "avatar": world.picture(person),
                "city": "",
                "country": "",
                "description": "",
                "error_code": number(world, 0),
                "gender": person.sex,
                "nickname": person.nickname,
                "open_id": open_id,
                "province": "",
                "union_id": random::settled(&["douyin union", &person.name], BASE64URL, 36),
            },
            "message": "success",
        }))
        .into_response()
    })
}

fn open_id(client_key: &str, person: &Person) -> String {
    format!("_000{}", random::settled(&["douyin", client_key, &person.name], BASE64URL, 32))
}
