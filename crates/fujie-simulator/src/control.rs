//! `/_simulate`: the simulator's own JSON API, for tests in any language, the same at every provider.
//!
//! Acts as a person, a clock and an operator would; everything it does goes through the same acts
//! as the pages. Bodies are JSON whatever their content type says; an empty body is `{}`.

use crate::fault::Fault;
use crate::people::Person;
use crate::random::NoRandomness;
use crate::sign_in;
use crate::simulation::{Provider, Simulation};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// At most so many apps and people each.
const ENTRIES_MAX: usize = 1000;
/// The switch that every provider has.
const AUTO_CONFIRM: &str = "auto_confirm";

/// Why a control request was refused; told as `{"error": …}`.
#[derive(Debug)]
pub(crate) enum Refusal {
    BadRequest(String),
    NotFound(&'static str),
    Conflict(&'static str),
    NoRandomness,
}

impl Refusal {
    pub(crate) const NO_SIGN_IN: Self = Self::NotFound("no such sign-in");
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::BadRequest(error) => (StatusCode::BAD_REQUEST, error),
            Self::NotFound(error) => (StatusCode::NOT_FOUND, error.to_owned()),
            Self::Conflict(error) => (StatusCode::CONFLICT, error.to_owned()),
            Self::NoRandomness => (StatusCode::INTERNAL_SERVER_ERROR, "no randomness".to_owned()),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}

impl From<NoRandomness> for Refusal {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::BadRequest(error.to_string())
    }
}

type Shared<P> = State<Arc<Simulation<P>>>;

/// `GET /_simulate`: what there is. The secrets are fake ones, and a test needs them.
pub(crate) async fn index<P: Provider>(State(simulation): Shared<P>) -> Result<Response, Refusal> {
    let mut world = simulation.world();
    Ok(Json(json!({
        "provider": P::NAME,
        "base_url": simulation.base_url(),
        "now": simulation.now().unix_seconds(),
        "apps": serde_json::to_value(world.apps())?,
        "people": world.scene().people,
        "switches": all_switches(&mut *world)?,
    }))
    .into_response())
}

/// `GET /_simulate/sign-ins`: the newest first.
pub(crate) async fn sign_ins<P: Provider>(State(simulation): Shared<P>) -> Response {
    let views: Vec<Value> = sign_in::list(&simulation).into_iter().map(|listed| listed.view).collect();
    Json(views).into_response()
}

/// `GET /_simulate/sign-ins/{id}`
pub(crate) async fn sign_in<P: Provider>(
    State(simulation): Shared<P>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let found = sign_in::list(&simulation).into_iter().find(|listed| listed.id == id);
    Ok(Json(found.ok_or(Refusal::NO_SIGN_IN)?.view).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ActBody {
    person: Option<String>,
}

/// `POST /_simulate/sign-ins/{id}/{confirm|refuse|expire}`, body `{"person": "…"}`; the first
/// person when none is named. A provider's own sign-ins know more acts. Answers with the sign-in.
pub(crate) async fn act<P: Provider>(
    State(simulation): Shared<P>,
    Path((id, act)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let body: ActBody = read(&body)?;
    perform(&simulation, &id, &act, body.person.as_deref())?;
    sign_in(State(simulation), Path(id)).await
}

/// One act on a sign-in of either kind.
pub(crate) fn perform<P: Provider>(
    simulation: &Simulation<P>,
    id: &str,
    act: &str,
    person: Option<&str>,
) -> Result<(), Refusal> {
    P::act_on_own(simulation, id, act, person).unwrap_or_else(|| sign_in::act(simulation, id, act, person))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    #[serde(default)]
    advance_seconds: u64,
    skew_seconds: Option<i64>,
}

/// `GET /_simulate/calls`: how often each path was called, whatever came of it.
pub(crate) async fn calls<P: Provider>(State(simulation): Shared<P>) -> Response {
    Json(&simulation.world().scene().calls).into_response()
}

/// `POST /_simulate/clock` with `{"advance_seconds": n}`, which moves time forward, or
/// `{"skew_seconds": n}`, which sets how far the provider's clock is wrong (behind when negative,
/// right when 0), or both.
pub(crate) async fn clock<P: Provider>(State(simulation): Shared<P>, body: Bytes) -> Result<Response, Refusal> {
    let body: ClockBody = read(&body)?;
    simulation.advance_clock(Duration::from_secs(body.advance_seconds));
    if let Some(seconds) = body.skew_seconds {
        simulation.skew_clock(seconds);
    }
    Ok(Json(json!({ "now": simulation.now().unix_seconds() })).into_response())
}

/// `GET /_simulate/switches`
pub(crate) async fn switches<P: Provider>(State(simulation): Shared<P>) -> Result<Response, Refusal> {
    Ok(Json(all_switches(&mut *simulation.world())?).into_response())
}

/// `POST /_simulate/switches` with those that change; answers with all. `auto_confirm` is a
/// person's name, or null.
pub(crate) async fn set_switches<P: Provider>(State(simulation): Shared<P>, body: Bytes) -> Result<Response, Refusal> {
    let changes: Map<String, Value> = read(&body)?;
    let mut world = simulation.world();
    let mut all = all_switches(&mut *world)?;
    all.extend(changes);
    let auto_confirm: Option<String> = serde_json::from_value(all.remove(AUTO_CONFIRM).unwrap_or_default())?;
    if auto_confirm.as_ref().is_some_and(|name| world.scene().person(name).is_none()) {
        return Err(Refusal::BadRequest("auto_confirm: no such person".to_owned()));
    }
    *world.switches() = serde_json::from_value(Value::Object(all))?;
    world.scene_mut().auto_confirm = auto_confirm;
    Ok(Json(all_switches(&mut *world)?).into_response())
}

/// The provider's switches and the one that every provider has.
fn all_switches<P: Provider>(world: &mut P) -> Result<Map<String, Value>, Refusal> {
    let mut all: Map<String, Value> = serde_json::from_value(serde_json::to_value(world.switches())?)?;
    all.insert(AUTO_CONFIRM.to_owned(), json!(world.scene().auto_confirm));
    Ok(all)
}

/// `POST /_simulate/apps`: adds an app, or replaces the one with its client id.
pub(crate) async fn add_app<P: Provider>(State(simulation): Shared<P>, body: Bytes) -> Result<Response, Refusal> {
    let app: P::App = read(&body)?;
    if P::client_id(&app).is_empty() {
        return Err(Refusal::BadRequest("the app's id is empty".to_owned()));
    }
    let answer = (StatusCode::CREATED, Json(serde_json::to_value(&app)?)).into_response();
    let mut world = simulation.world();
    let apps = world.apps();
    match apps.iter_mut().find(|known| P::client_id(known) == P::client_id(&app)) {
        Some(known) => *known = app,
        None => {
            room(apps.len())?;
            apps.push(app);
        }
    }
    Ok(answer)
}

/// `POST /_simulate/people`: adds a person, or replaces the one of that name in place.
pub(crate) async fn add_person<P: Provider>(State(simulation): Shared<P>, body: Bytes) -> Result<Response, Refusal> {
    let person: Person = read(&body)?;
    if person.name.is_empty() {
        return Err(Refusal::BadRequest("name is empty".to_owned()));
    }
    let answer = (StatusCode::CREATED, Json(&person)).into_response();
    let mut world = simulation.world();
    let people = &mut world.scene_mut().people;
    match people.iter_mut().find(|known| known.name == person.name) {
        Some(known) => *known = person,
        None => {
            room(people.len())?;
            people.push(person);
        }
    }
    Ok(answer)
}

/// `POST /_simulate/faults`: orders a [`Fault`].
pub(crate) async fn add_fault<P: Provider>(State(simulation): Shared<P>, body: Bytes) -> Result<Response, Refusal> {
    let fault = Fault::read(read(&body)?)?;
    let mut world = simulation.world();
    if let Some(error) = fault.own_error() {
        world.check_error(fault.at(), error).map_err(Refusal::BadRequest)?;
    }
    world.scene_mut().faults.order(fault)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /_simulate/faults`: forgets all that were ordered.
pub(crate) async fn clear_faults<P: Provider>(State(simulation): Shared<P>) -> StatusCode {
    simulation.world().scene_mut().faults.clear();
    StatusCode::NO_CONTENT
}

/// Reads a control request's body.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    Ok(serde_json::from_slice(body)?)
}

fn room(count: usize) -> Result<(), Refusal> {
    if count < ENTRIES_MAX { Ok(()) } else { Err(Refusal::Conflict("too many already")) }
}
