//! DingTalk (OAuth of the new kind): `authCode` in the callback, JSON in camel case, `expireIn`
//! without an s, a header of its own for the token, errors whose code is a dotted text.

use super::config::{CallbackCode, Switches};
use super::dialect::{Dialect, Parameters, Routes, Shared, Wrong};
use super::world::{self, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::ledger::{Reason, Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, BASE64URL, HEX};
use crate::sign_in::SignIn;
use crate::simulation::Title;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) struct Dingtalk;

impl Dialect for Dingtalk {
    const NAME: &'static str = "dingtalk";
    const TITLE: Title = Title { chinese: "钉钉", english: "DingTalk" };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(300),
        access_token_lifetime: Duration::from_secs(7200),
        refresh_token_lifetime: Duration::from_secs(30 * 86_400),
        code: Spelling::of("", HEX, 32),
        access_token: Spelling::of("", HEX, 32),
        refresh_token: Spelling::of("", HEX, 32),
        rotation: Rotation::Replaces,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/oauth2/auth", "/oauth2/challenge.htm"];
    const TOO_OFTEN: &'static str = "Forbidden.AccessDenied.QpsLimitForApi";

    /// `openid` has to be asked for, `corpid` may be; joined by a space, or a comma as some do.
    fn check(request: &Fields) -> Result<(), Wrong> {
        let has_openid = scope_names(request).any(|name| name == "openid");
        match request.filled("response_type") {
            Some("code") if has_openid => Ok(()),
            _ => Err(Wrong::Page),
        }
    }

    fn scope(request: &Fields) -> String {
        scope_names(request).collect::<Vec<_>>().join(" ")
    }

    fn callback(code: String, state: Option<String>, _sign_in: &SignIn, switches: &Switches) -> Parameters {
        let mut parameters = Vec::new();
        if switches.callback_code != CallbackCode::Code {
            parameters.push(("authCode", code.clone()));
        }
        if switches.callback_code != CallbackCode::AuthCode {
            parameters.push(("code", code));
        }
        parameters.extend(state.map(|state| ("state", state)));
        parameters
    }

    fn routes() -> Routes<Self> {
        Router::new()
            .route("/v1.0/oauth2/userAccessToken", post(user_access_token))
            .route("/v1.0/contact/users/me", get(me))
    }

    fn error(_world: &World<Self>, _path: &str, error: &OwnError, now: Timestamp) -> Response {
        refuse(&error.code, error.description.as_deref().unwrap_or("请求失败"), now)
    }
}

fn scope_names(request: &Fields) -> impl Iterator<Item = &str> {
    request.filled("scope").unwrap_or_default().split([' ', ',']).filter(|name| !name.is_empty())
}

/// The first part of the code decides the status.
fn refuse(code: &str, message: &str, now: Timestamp) -> Response {
    let status = match code.split('.').next() {
        Some("Forbidden") => StatusCode::FORBIDDEN,
        Some("InternalFailure") => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let request_id = random::settled(&["requestid", &now.unix_seconds().to_string()], HEX, 32).to_uppercase();
    (status, Json(json!({ "code": code, "message": message, "requestid": request_id }))).into_response()
}

async fn user_access_token(State(simulation): Shared<Dingtalk>, call: Call) -> Response {
    world::with(&simulation, |world, now| match exchange(world, &call.json(), now) {
        Ok(answer) => Json(answer).into_response(),
        Err((code, message)) => refuse(code, message, now),
    })
}

type Failure = (&'static str, &'static str);

fn exchange(world: &mut World<Dingtalk>, body: &Value, now: Timestamp) -> Result<Value, Failure> {
    let field = |name: &str, missing: Failure| {
        body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(missing)
    };
    let id = field("clientId", ("MissingclientId", "clientId is mandatory for this action."))?;
    let secret = field("clientSecret", ("MissingclientSecret", "clientSecret is mandatory for this action."))?;
    let known = world.app(id).filter(|app| app.client_secret == secret);
    known.ok_or(("invalidClientIdOrSecret", "无效的clientId或者clientSecret"))?;
    let issued = match field("grantType", ("MissinggrantType", "grantType is mandatory for this action."))? {
        "authorization_code" => {
            let code = field("code", ("Missingcode", "code is mandatory for this action."))?;
            let redemption = Redemption { client_id: id, code, redirect_uri: None, verifier: None };
            world
                .redeem(redemption, now)
                .map_err(|_reason| ("invalidParameter.authCode.notFound", "不合法的临时授权码"))
        }
        "refresh_token" => {
            let token = field("refreshToken", ("MissingrefreshToken", "refreshToken is mandatory for this action."))?;
            let unknown = ("invalidParameter.refreshToken.notFound", "不合法的refreshToken");
            world.refresh(Some(id), token, now).map_err(|_reason| unknown)
        }
        _ => return Err(("invalidParameter.grantType", "不合法的grantType")),
    }?;
    let mut answer = json!({
        "accessToken": issued.access_token,
        "refreshToken": issued.refresh_token,
        "expireIn": Dingtalk::TERMS.access_token_lifetime.as_secs(),
    });
    if issued.grant.scope.split(' ').any(|name| name == "corpid")
        && let Some(members) = answer.as_object_mut()
    {
        members.insert("corpId".to_owned(), json!("dingfa4efa4efa4efa4efa4efa4e"));
    }
    Ok(answer)
}

/// The token stands in `x-acs-dingtalk-access-token`; `Authorization` means nothing here.
async fn me(State(simulation): Shared<Dingtalk>, call: Call) -> Response {
    world::with(&simulation, |world, now| {
        let token = call.header("x-acs-dingtalk-access-token").unwrap_or_default();
        match world.open(token, now) {
            Ok((grant, person)) => Json(json!({
                "nick": person.nickname,
                "unionId": union_id(person),
                "openId": open_id(&grant.client_id, person),
                "avatarUrl": world.picture(person),
                "email": person.email,
                "stateCode": "86",
            }))
            .into_response(),
            Err(Reason::Expired) => refuse("InvalidAuthentication", "access_token已过期", now),
            Err(_) => refuse("InvalidAuthentication", "不合法的access_token", now),
        }
    })
}

/// One for all apps of a developer.
fn union_id(person: &Person) -> String {
    random::settled(&["dingtalk unionId", &person.name], BASE64URL, 22)
}

/// One for every app.
fn open_id(client_id: &str, person: &Person) -> String {
    random::settled(&["dingtalk openId", client_id, &person.name], BASE64URL, 22)
}
