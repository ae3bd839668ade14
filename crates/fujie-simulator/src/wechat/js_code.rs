//! `POST /_simulate/js-codes`: what `wx.login` gives a mini-program inside WeChat.
//!
//! There is no page: the code comes to the mini-program's script, which sends it to its server.

use super::config::AppKind;
use super::ledger::{Consent, Way};
use super::simulation::Simulation;
use crate::control::{Refusal, read};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    appid: String,
    /// The first person when none is named.
    #[serde(default)]
    person: Option<String>,
}

/// With `{"appid": …, "person": …}`; answers `{"js_code": …}`.
pub(crate) async fn issue(State(simulation): State<Arc<Simulation>>, body: Bytes) -> Result<Response, Refusal> {
    let Login { appid, person } = read(&body)?;
    let now = simulation.now();
    let mut world = simulation.world();
    if world.app(&appid).is_none_or(|app| app.kind != AppKind::MiniProgram) {
        return Err(Refusal::BadRequest("no such mini-program".to_owned()));
    }
    let person = world
        .scene
        .person_or_first(person.as_deref())
        .ok_or_else(|| Refusal::BadRequest("no such person".to_owned()))?
        .name
        .clone();
    let consent = Consent { appid, person, way: Way::MiniProgram, is_snapshot: false };
    let js_code = world.ledger.issue_code(consent, now)?;
    Ok((StatusCode::CREATED, Json(json!({ "js_code": js_code }))).into_response())
}
