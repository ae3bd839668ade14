//! `/_simulate`: the simulator's own JSON API, for tests in any language.
//!
//! Acts as a person, a clock and an operator would; everything it does goes through the same acts
//! as the phone. Bodies are JSON whatever their content type says; an empty body is `{}`.

use super::config::{App, Person, Switches};
use super::errcode::Errcode;
use super::picture::confirm_url;
use super::sign_in::{Obstacle, Progress, SignIn, Status};
use super::simulation::{ConfirmError, Endpoint, Fault, Simulation, World};
use crate::clock::Timestamp;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The phone that scans on behalf of the control API.
const PHONE: &str = "control";
/// At most so many apps, people and ordered faults each.
const ENTRIES_MAX: usize = 1000;

/// Why a control request was refused; told as `{"error": …}`.
#[derive(Debug)]
pub(crate) enum Refusal {
    BadRequest(String),
    NotFound,
    Conflict(&'static str),
    NoRandomness,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::BadRequest(error) => (StatusCode::BAD_REQUEST, error),
            Self::NotFound => (StatusCode::NOT_FOUND, "no such sign-in".to_owned()),
            Self::Conflict(error) => (StatusCode::CONFLICT, error.to_owned()),
            Self::NoRandomness => (StatusCode::INTERNAL_SERVER_ERROR, "no randomness".to_owned()),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}

impl From<Obstacle> for Refusal {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Unknown => Self::NotFound,
            Obstacle::Expired => Self::Conflict("expired"),
            Obstacle::ScannedElsewhere => Self::Conflict("scanned by another phone"),
            Obstacle::NotScanned => Self::Conflict("not scanned"),
            Obstacle::AlreadyConfirmed => Self::Conflict("already confirmed"),
        }
    }
}

impl From<ConfirmError> for Refusal {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Obstacle(obstacle) => obstacle.into(),
            ConfirmError::UnknownPerson => Self::BadRequest("no such person".to_owned()),
            ConfirmError::NoRandomness => Self::NoRandomness,
        }
    }
}

type Shared = State<Arc<Simulation>>;

/// `GET /_simulate`: what there is. The secrets are fake ones, and a test needs them.
pub(crate) async fn index(State(simulation): Shared) -> Response {
    let world = simulation.world();
    Json(json!({
        "provider": "wechat",
        "base_url": simulation.base_url(),
        "now": simulation.now().unix_seconds(),
        "apps": world.config.apps,
        "people": world.config.people,
        "switches": world.config.switches,
    }))
    .into_response()
}

/// `GET /_simulate/sign-ins`: the newest first.
pub(crate) async fn sign_ins(State(simulation): Shared) -> Response {
    let now = simulation.now();
    let world = simulation.world();
    let views = world.sign_ins.newest_first().map(|one| view(&simulation, &world, one, now));
    Json(views.collect::<Vec<_>>()).into_response()
}

/// `GET /_simulate/sign-ins/{uuid}`
pub(crate) async fn sign_in(State(simulation): Shared, Path(uuid): Path<String>) -> Result<Response, Refusal> {
    let now = simulation.now();
    let world = simulation.world();
    let sign_in = world.sign_ins.get(&uuid).ok_or(Refusal::NotFound)?;
    Ok(Json(view(&simulation, &world, sign_in, now)).into_response())
}

/// A sign-in as the control API tells it.
#[derive(Serialize)]
struct View<'a> {
    uuid: &'a str,
    appid: &'a str,
    status: &'static str,
    wx_errcode: u16,
    redirect_uri: &'a str,
    state: &'a str,
    expires_in_seconds: u64,
    confirm_url: String,
    /// Who confirmed.
    person: Option<&'a str>,
    /// Where the page goes, or would go, now.
    redirect_url: Option<String>,
}

fn view<'a>(simulation: &Simulation, world: &World, sign_in: &'a SignIn, now: Timestamp) -> View<'a> {
    View {
        uuid: &sign_in.uuid,
        appid: &sign_in.appid,
        status: sign_in.status(now).word(),
        wx_errcode: sign_in.status(now).wx_errcode(),
        redirect_uri: &sign_in.redirect_uri,
        state: &sign_in.state,
        expires_in_seconds: now.until(sign_in.expires_at).as_secs(),
        confirm_url: confirm_url(simulation.base_url(), &sign_in.uuid),
        person: match &sign_in.progress {
            Progress::Confirmed { person, .. } => Some(person),
            _ => None,
        },
        redirect_url: sign_in.redirect_url(now, world.config.switches.denial_redirects),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ActBody {
    person: Option<String>,
}

/// `POST /_simulate/sign-ins/{uuid}/{scan|confirm|refuse|expire}`, body `{"person": "…"}`; the
/// first person when none is named. Confirming and refusing scan first where needed. Answers
/// with the sign-in.
pub(crate) async fn act(
    State(simulation): Shared,
    Path((uuid, act)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let body: ActBody = read(&body)?;
    perform(&simulation, &uuid, &act, body.person.as_deref())?;
    sign_in(State(simulation), Path(uuid)).await
}

/// One act of a person, as the phone that holds the sign-in.
pub(crate) fn perform(simulation: &Simulation, uuid: &str, act: &str, person: Option<&str>) -> Result<(), Refusal> {
    match act {
        "scan" => scan(simulation, uuid).map(drop).map_err(Refusal::from),
        "confirm" => {
            let phone = scan(simulation, uuid)?;
            let first = || Some(simulation.world().config.people.first()?.name.clone());
            let person = person.map(str::to_owned).or_else(first).unwrap_or_default();
            Ok(simulation.confirm(uuid, &phone, &person)?)
        }
        "refuse" => {
            let phone = scan(simulation, uuid)?;
            Ok(simulation.refuse(uuid, &phone)?)
        }
        "expire" => Ok(simulation.act(uuid, |sign_in, now| {
            if sign_in.status(now) == Status::Confirmed {
                return Err(Obstacle::AlreadyConfirmed);
            }
            sign_in.expires_at = sign_in.expires_at.min(now);
            Ok(())
        })?),
        other => Err(Refusal::BadRequest(format!("no such act: {other}"))),
    }
}

/// Scans unless a phone has; says which phone holds the sign-in now.
fn scan(simulation: &Simulation, uuid: &str) -> Result<String, Obstacle> {
    simulation.act(uuid, |sign_in, now| {
        let holder = match &sign_in.progress {
            Progress::Scanned { phone } => phone.clone(),
            _ => PHONE.to_owned(),
        };
        sign_in.scan(&holder, now)?;
        Ok(holder)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: u64,
}

/// `POST /_simulate/clock` with `{"advance_seconds": n}`; time only moves forward.
pub(crate) async fn clock(State(simulation): Shared, body: Bytes) -> Result<Response, Refusal> {
    let body: ClockBody = read(&body)?;
    simulation.advance_clock(Duration::from_secs(body.advance_seconds));
    Ok(Json(json!({ "now": simulation.now().unix_seconds() })).into_response())
}

/// `GET /_simulate/switches`
pub(crate) async fn switches(State(simulation): Shared) -> Response {
    Json(&simulation.world().config.switches).into_response()
}

/// `POST /_simulate/switches` with those that change; answers with all.
pub(crate) async fn set_switches(State(simulation): Shared, body: Bytes) -> Result<Response, Refusal> {
    let changes: Map<String, Value> = read(&body)?;
    let mut world = simulation.world();
    let switches = &mut world.config.switches;
    let mut all = serde_json::to_value(&*switches).map_err(bad_request)?;
    if let Some(known) = all.as_object_mut() {
        known.extend(changes);
    }
    *switches = serde_json::from_value::<Switches>(all).map_err(bad_request)?;
    Ok(Json(&*switches).into_response())
}

/// `POST /_simulate/apps`: adds an app, or replaces the one with its appid.
pub(crate) async fn add_app(State(simulation): Shared, body: Bytes) -> Result<Response, Refusal> {
    let app: App = read(&body)?;
    named(&app.appid, "appid")?;
    let mut world = simulation.world();
    world.config.apps.retain(|known| known.appid != app.appid);
    room(world.config.apps.len())?;
    let answer = (StatusCode::CREATED, Json(&app)).into_response();
    world.config.apps.push(app);
    Ok(answer)
}

/// `POST /_simulate/people`: adds a person, or replaces the one of that name in place.
pub(crate) async fn add_person(State(simulation): Shared, body: Bytes) -> Result<Response, Refusal> {
    let person: Person = read(&body)?;
    named(&person.name, "name")?;
    let mut world = simulation.world();
    let people = &mut world.config.people;
    let answer = (StatusCode::CREATED, Json(&person)).into_response();
    match people.iter_mut().find(|known| known.name == person.name) {
        Some(known) => *known = person,
        None => {
            room(people.len())?;
            people.push(person);
        }
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    at: Endpoint,
    errcode: i32,
    #[serde(default)]
    errmsg: Option<String>,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

/// `POST /_simulate/faults` with `{"at": "access_token", "errcode": -1, "times": 1}`; `at` is
/// `access_token`, `refresh_token`, `auth`, `userinfo` or `poll`. `errmsg` is needed only where
/// the number is not a known one.
pub(crate) async fn add_fault(State(simulation): Shared, body: Bytes) -> Result<Response, Refusal> {
    let FaultBody { at, errcode, errmsg, times } = read(&body)?;
    let known = || Errcode::text_of(errcode).map(str::to_owned);
    let errmsg = match errmsg.or_else(known) {
        Some(errmsg) => errmsg,
        None if at == Endpoint::Poll => String::new(),
        None => {
            return Err(Refusal::BadRequest("this errcode needs an errmsg".to_owned()));
        }
    };
    let mut world = simulation.world();
    room(world.faults.len())?;
    world.faults.push(Fault { at, errcode, errmsg, times });
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /_simulate/faults`: forgets all that were ordered.
pub(crate) async fn clear_faults(State(simulation): Shared) -> StatusCode {
    simulation.world().faults.clear();
    StatusCode::NO_CONTENT
}

pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(bad_request)
}

fn bad_request(error: serde_json::Error) -> Refusal {
    Refusal::BadRequest(error.to_string())
}

fn named(name: &str, field: &str) -> Result<(), Refusal> {
    if name.is_empty() { Err(Refusal::BadRequest(format!("{field} is empty"))) } else { Ok(()) }
}

fn room(count: usize) -> Result<(), Refusal> {
    if count < ENTRIES_MAX { Ok(()) } else { Err(Refusal::Conflict("too many already")) }
}
