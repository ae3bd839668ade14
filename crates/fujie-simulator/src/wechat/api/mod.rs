//! The endpoints of `api.weixin.qq.com`: how they read and how they answer.
//!
//! Every answer is JSON labelled `text/plain` without a charset, UTF-8 as it is, slashes escaped,
//! status 200 for success and failure alike. One file per endpoint decides what is in it.

mod access_token;
mod auth;
mod jscode2session;
mod refresh_token;
mod userinfo;

pub(crate) use access_token::access_token;
pub(crate) use auth::auth;
pub(crate) use jscode2session::jscode2session;
pub(crate) use refresh_token::refresh_token;
pub(crate) use userinfo::userinfo;

use super::config;
use super::errcode::{Errcode, errmsg};
use super::ledger::{Consent, Grant};
use super::simulation::{Simulation, World};
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::random::NoRandomness;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// A call's fields: the query string, then a form body where the switch allows it. Headers such
/// as `Authorization` and `Accept` mean nothing here.
pub(crate) struct Call(Fields);

impl FromRequest<Arc<Simulation>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, simulation: &Arc<Simulation>) -> Result<Self, Response> {
        let Query(mut fields) = Query::of(&request).map_err(|errcode| refuse(simulation, errcode))?;
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

/// A call's fields where a form body is never read.
pub(crate) struct Query(Fields);

impl Query {
    /// GET is the documented method and POST is let through; every other one is refused.
    fn of(request: &Request) -> Result<Self, Errcode> {
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
            Ok(Self(Fields::of(request.uri().query().unwrap_or_default().as_bytes())))
        } else {
            Err(Errcode::REQUIRE_GET)
        }
    }
}

impl FromRequest<Arc<Simulation>> for Query {
    type Rejection = Response;

    async fn from_request(request: Request, simulation: &Arc<Simulation>) -> Result<Self, Response> {
        Self::of(&request).map_err(|errcode| refuse(simulation, errcode))
    }
}

impl From<Query> for Call {
    fn from(query: Query) -> Self {
        Self(query.0)
    }
}

impl Call {
    fn require(&self, name: &str, missing: Errcode) -> Result<&str, Errcode> {
        self.0.filled(name).ok_or(missing)
    }

    /// The appid of an app that has shown its secret.
    fn authenticate(&self, world: &World) -> Result<&str, Errcode> {
        let appid = self.appid(world)?;
        let secret = self.require("secret", Errcode::APPSECRET_MISSING)?;
        let is_right = world.app(appid).is_some_and(|app| app.secret == secret);
        if is_right { Ok(appid) } else { Err(Errcode::INVALID_APPSECRET) }
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
        let person = world.visitor(&grant.consent).ok_or(Errcode::INVALID_CREDENTIAL)?;
        let is_own = config::openid(&person, &grant.consent.appid) == openid;
        if is_own { Ok(grant) } else { Err(Errcode::INVALID_OPENID) }
    }
}

/// Whatever is not an endpoint.
pub(crate) async fn invalid_url(State(simulation): State<Arc<Simulation>>) -> Response {
    refuse(&simulation, Errcode::INVALID_URL)
}

/// Answers with an error before any endpoint has looked.
fn refuse(simulation: &Simulation, errcode: Errcode) -> Response {
    failure(&simulation.world(), errcode.number, errcode.text, simulation.now())
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
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_snapshotuser: Option<u8>,
}

impl Tokens {
    /// The five fields every token answer has.
    fn of(world: &World, grant: Grant) -> Result<Self, Errcode> {
        let person = world.visitor(&grant.consent).ok_or(Errcode::USER_LIMITED)?;
        Ok(Self {
            openid: config::openid(&person, &grant.consent.appid),
            expires_in: world.ledger.access_token_lifetime_seconds(),
            access_token: grant.access_token,
            refresh_token: grant.refresh_token,
            scope: grant.consent.way.scope().to_owned(),
            unionid: None,
            is_snapshotuser: None,
        })
    }
}

/// The unionid as an app sees it: only if the app is bound to an open-platform account, and not
/// with `snsapi_base`.
fn unionid(world: &World, consent: &Consent) -> Option<String> {
    let is_told = world.config.switches.unionid && consent.way.opens_unionid();
    let account = &world.app(&consent.appid)?.open_platform_account;
    let person = world.visitor(consent)?;
    (is_told && !account.is_empty()).then(|| config::unionid(&person, account))
}
