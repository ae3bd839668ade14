//! WeCom: no token of the user but one of the app, two spellings of who it was, callback domains
//! instead of addresses, errors with 200.

use super::config::{App, Switches};
use super::dialect::{Dialect, Parameters, Routes, Shared, Wrong};
use super::world::{self, AppToken, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::ledger::{Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, BASE64URL};
use crate::redirect_uri;
use crate::simulation::Title;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;

const APP_TOKEN: Spelling = Spelling::of("", BASE64URL, 214);
const APP_TOKEN_LIFETIME: Duration = Duration::from_secs(7200);

pub(crate) struct Wecom;

impl Dialect for Wecom {
    const NAME: &'static str = "wecom";
    const TITLE: Title = Title { chinese: "企业微信", english: "WeCom" };
    /// Users have no tokens here: only the code's part of it counts.
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(300),
        access_token_lifetime: APP_TOKEN_LIFETIME,
        refresh_token_lifetime: Duration::ZERO,
        code: Spelling::of("", BASE64URL, 43),
        access_token: APP_TOKEN,
        refresh_token: APP_TOKEN,
        rotation: Rotation::Stays,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/wwlogin/sso/login", "/wwopen/sso/qrConnect"];
    const APP: &'static [&'static str] = &["appid"];
    const TOO_OFTEN: &'static str = "45009";

    /// Host and port; path and scheme are free.
    fn admits(app: &App, uri: &str) -> bool {
        admits_domain(app, uri)
    }

    /// A company's own app is named by its agent too.
    fn check(request: &Fields) -> Result<(), Wrong> {
        let is_of_provider = request.filled("login_type") == Some("ServiceApp");
        if is_of_provider || request.filled("agentid").is_some() { Ok(()) } else { Err(Wrong::Page) }
    }

    fn scope(_request: &Fields) -> String {
        String::new()
    }

    fn is_refreshable(_scope: &str) -> bool {
        false
    }

    /// `state` alone, or nothing at all.
    fn denial(state: Option<String>, switches: &Switches) -> Option<Parameters> {
        switches.denial_redirects.then(|| state.into_iter().map(|state| ("state", state)).collect())
    }

    fn routes() -> Routes<Self> {
        Router::new()
            .route("/cgi-bin/gettoken", get(gettoken))
            .route("/cgi-bin/auth/getuserinfo", get(getuserinfo))
            .route("/cgi-bin/user/getuserinfo", get(getuserinfo))
            .route("/cgi-bin/user/get", get(user))
    }

    fn error(_world: &World<Self>, _path: &str, error: &OwnError, _now: Timestamp) -> Response {
        let number = error.code.parse().unwrap_or(-1);
        let known = ERRORS.iter().find(|(known, _)| *known == number).map(|(_, text)| *text);
        refuse((number, error.description.as_deref().or(known).unwrap_or("system error")))
    }
}

/// Whether one of the registered domains is the URI's host and port.
pub(crate) fn admits_domain(app: &App, uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let domain = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_registered = |entry: &String| entry.eq_ignore_ascii_case(&domain);
    let is_loopback = |entry: &String| entry == redirect_uri::LOOPBACK;
    let of_this_machine = || redirect_uri::admits(&[redirect_uri::LOOPBACK.to_owned()], uri);
    is_web
        && (app.redirect_uris.iter().any(is_registered)
            || app.redirect_uris.iter().any(is_loopback) && of_this_machine())
}

const INVALID_CREDENTIAL: (i64, &str) = (40001, "invalid credential");
const INVALID_CORPID: (i64, &str) = (40013, "invalid corpid");
const INVALID_ACCESS_TOKEN: (i64, &str) = (40014, "invalid access_token");
const INVALID_CODE: (i64, &str) = (40029, "invalid code");
const ACCESS_TOKEN_MISSING: (i64, &str) = (41001, "access_token missing");
const ACCESS_TOKEN_EXPIRED: (i64, &str) = (42001, "access_token expired");
const USERID_NOT_FOUND: (i64, &str) = (60111, "userid not found");

const ERRORS: [(i64, &str); 10] = [
    INVALID_CREDENTIAL,
    INVALID_CORPID,
    INVALID_ACCESS_TOKEN,
    INVALID_CODE,
    ACCESS_TOKEN_MISSING,
    ACCESS_TOKEN_EXPIRED,
    (45009, "reach max api daily quota limit"),
    (50001, "redirect_url unauthorized"),
    (60020, "not allow to access from your ip"),
    USERID_NOT_FOUND,
];

fn refuse((number, text): (i64, &str)) -> Response {
    Json(json!({ "errcode": number, "errmsg": text })).into_response()
}

/// The app's token. Asked again, it is the same one until it ends.
async fn gettoken(State(simulation): Shared<Wecom>, call: Call) -> Response {
    let query = call.asked();
    world::with(&simulation, |world, now| {
        let corpid = query.filled("corpid").unwrap_or_default();
        let Some(app) = world.app(corpid) else {
            return refuse(INVALID_CORPID);
        };
        if query.filled("corpsecret") != Some(&app.client_secret) {
            return refuse(INVALID_CREDENTIAL);
        }
        let live = world.app_tokens.newest_first().find(|token| token.client_id == corpid && now < token.expires_at);
        let token = match live.cloned() {
            Some(token) => token,
            None => {
                let Ok(value) = APP_TOKEN.draw() else {
                    return refuse((-1, "system error"));
                };
                let expires_at = now.after(APP_TOKEN_LIFETIME);
                let token = AppToken { value, client_id: corpid.to_owned(), expires_at };
                world.app_tokens.insert(token.value.clone(), token.clone());
                token
            }
        };
        let expires_in = now.until(token.expires_at).as_secs();
        Json(json!({ "errcode": 0, "errmsg": "ok", "access_token": token.value, "expires_in": expires_in }))
            .into_response()
    })
}

/// Which company an app token belongs to.
fn opened(world: &World<Wecom>, query: &Fields, now: Timestamp) -> Result<String, (i64, &'static str)> {
    let value = query.filled("access_token").ok_or(ACCESS_TOKEN_MISSING)?;
    let token = world.app_tokens.get(value).ok_or(INVALID_ACCESS_TOKEN)?;
    if token.expires_at <= now { Err(ACCESS_TOKEN_EXPIRED) } else { Ok(token.client_id.clone()) }
}

/// Who it was. The old path spells its fields with capital letters.
async fn getuserinfo(State(simulation): Shared<Wecom>, call: Call) -> Response {
    let query = call.asked();
    let is_old = call.path().starts_with("/cgi-bin/user/");
    let found = world::with(&simulation, |world, now| {
        let client_id = opened(world, &query, now)?;
        let code = query.filled("code").unwrap_or_default();
        let redemption = Redemption { client_id: &client_id, code, redirect_uri: None, verifier: None };
        let tokens = world.redeem(redemption, now).map_err(|_reason| INVALID_CODE)?;
        Ok::<_, (i64, &str)>(who(&tokens.person, &client_id, is_old, world.switches.outsiders))
    });
    match found {
        Ok(answer) => Json(Value::Object(answer)).into_response(),
        Err(error) => refuse(error),
    }
}

fn who(person: &Person, corpid: &str, is_old: bool, is_outsider: bool) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("errcode".to_owned(), json!(0));
    answer.insert("errmsg".to_owned(), json!("ok"));
    let (name, value) = match is_outsider {
        true => (["openid", "OpenId"], random::settled(&["wecom", corpid, &person.name], BASE64URL, 28)),
        false => (["userid", "UserId"], person.login().to_owned()),
    };
    let [new, old] = name;
    answer.insert(if is_old { old } else { new }.to_owned(), json!(value));
    if is_old {
        answer.insert("DeviceId".to_owned(), json!(""));
    }
    answer
}

/// A member's details, by `userid`.
async fn user(State(simulation): Shared<Wecom>, call: Call) -> Response {
    let query = call.asked();
    world::with(&simulation, |world, now| {
        if let Err(error) = opened(world, &query, now) {
            return refuse(error);
        }
        let userid = query.filled("userid").unwrap_or_default();
        match world.scene.people.iter().find(|person| person.login() == userid) {
            Some(person) => Json(json!({
                "errcode": 0,
                "errmsg": "ok",
                "userid": person.login(),
                "name": person.nickname,
                "department": [1],
                "gender": person.sex.to_string(),
                "avatar": world.picture(person),
                "status": 1,
            }))
            .into_response(),
            None => refuse(USERID_NOT_FOUND),
        }
    })
}
