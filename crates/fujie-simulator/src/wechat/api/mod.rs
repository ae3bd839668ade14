//! The endpoints of `api.weixin.qq.com`: how they read and how they answer.
//!
//! Every answer is JSON labelled `text/plain` without a charset, UTF-8 as it is, slashes escaped,
//! status 200 for success and failure alike. One file per endpoint decides what is in it.

mod access_token;
mod auth;
mod refresh_token;
mod userinfo;

pub(crate) use access_token::access_token;
pub(crate) use auth::auth;
pub(crate) use refresh_token::refresh_token;
pub(crate) use userinfo::userinfo;

use super::config;
use super::errcode::{Errcode, errmsg};
use super::ledger::Grant;
use super::simulation::{Simulation, World};
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::random::NoRandomness;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// A call's fields: the query string, then a form body where the switch allows it. Headers such
/// as `Authorization` and `Accept` mean nothing here.
pub(crate) struct Call(Fields);

impl FromRequest<Arc<Simulation>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, simulation: &Arc<Simulation>) -> Result<Self, Response> {
        let mut fields = Fields::of(request.uri().query().unwrap_or_default().as_bytes());
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let is_form =
            content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        if is_form && simulation.world().config.switches.form_body {
            let body = Bytes::from_request(request, simulation).await;
            fields.append(&body.map_err(IntoResponse::into_response)?);
        }
        Ok(Self(fields))
    }
}

impl Call {
    fn require(&self, name: &str, missing: Errcode) -> Result<&str, Errcode> {
        self.0.filled(name).ok_or(missing)
    }

    /// 41002 comes before anything else, then 40013, whatever else is wrong.
    fn appid(&self, world: &World) -> Result<&str, Errcode> {
        let appid = self.require("appid", Errcode::APPID_MISSING)?;
        world.app(appid).map(|_| appid).ok_or(Errcode::INVALID_APPID)
    }

    fn grant_type(&self, expected: &str) -> Result<(), Errcode> {
        let is_expected = self.0.filled("grant_type") == Some(expected);
        if is_expected { Ok(()) } else { Err(Errcode::INVALID_GRANT_TYPE) }
    }

    /// The grant behind a token that is used with its own openid.
    fn grant<'a>(&self, simulation: &Simulation, world: &'a World) -> Result<&'a Grant, Errcode> {
        let access_token = self.require("access_token", Errcode::ACCESS_TOKEN_MISSING)?;
        let openid = self.require("openid", Errcode::MISSING_OPENID)?;
        let grant = world.ledger.open_access_token(access_token, simulation.now())?;
        let person = world.person(&grant.person).ok_or(Errcode::INVALID_CREDENTIAL)?;
        let is_own = config::openid(person, &grant.appid) == openid;
        if is_own { Ok(grant) } else { Err(Errcode::INVALID_OPENID) }
    }
}

/// Whatever is not an endpoint.
pub(crate) async fn invalid_url(State(simulation): State<Arc<Simulation>>) -> Response {
    failure(&simulation.world(), Errcode::INVALID_URL.number, Errcode::INVALID_URL.text, simulation.now())
}

/// Answers with what `decide` says.
fn answer<T: Serialize>(simulation: &Simulation, decide: impl FnOnce(&mut World) -> Result<T, Errcode>) -> Response {
    let mut world = simulation.world();
    match decide(&mut world) {
        Ok(body) => json(&body),
        Err(errcode) => failure(&world, errcode.number, errcode.text, simulation.now()),
    }
}

#[derive(Serialize)]
struct Failure<'a> {
    errcode: i32,
    errmsg: &'a str,
}

/// Answers with an error, its text ending by the fashion.
pub(crate) fn failure(world: &World, errcode: i32, text: &str, now: Timestamp) -> Response {
    match errmsg(text, world.config.switches.errmsg_suffix, now) {
        Ok(errmsg) => json(&Failure { errcode, errmsg: &errmsg }),
        Err(NoRandomness) => json(&Failure { errcode, errmsg: text }),
    }
}

/// A slash occurs in JSON within strings only, so escaping every one of them is safe.
fn json(body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(json) => ([(header::CONTENT_TYPE, "text/plain")], json.replace('/', "\\/")).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The token answer. Its field order is the documented one; there is no `token_type`.
#[derive(Serialize)]
struct Tokens {
    access_token: String,
    expires_in: u64,
    refresh_token: String,
    openid: String,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_snapshotuser: Option<u8>,
}

impl Tokens {
    /// The five fields every token answer has.
    fn of(world: &World, grant: Grant) -> Result<Self, Errcode> {
        let person = world.person(&grant.person).ok_or(Errcode::USER_LIMITED)?;
        Ok(Self {
            openid: config::openid(person, &grant.appid),
            expires_in: world.ledger.access_token_lifetime_seconds(),
            access_token: grant.access_token,
            refresh_token: grant.refresh_token,
            // What a website app can be given, whatever else was asked for.
            scope: "snsapi_login",
            unionid: None,
            is_snapshotuser: None,
        })
    }
}

/// The unionid of a person as an app sees it, unless that is switched off.
fn unionid(world: &World, appid: &str, person: &str) -> Option<String> {
    let (app, person) = (world.app(appid)?, world.person(person)?);
    world.config.switches.unionid.then(|| config::unionid(person, &app.open_platform_account))
}
