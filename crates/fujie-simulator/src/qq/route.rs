//! The URL table of `graph.qq.com`, and the shell around each endpoint.

use super::answer::{Format, api_failure, failure, is_api, labelled, wrapped};
use super::authorize::{self, error_page};
use super::config::Switches;
use super::world::World;
use super::{identity, me, token, user_info};
use crate::call::Call;
use crate::fields::Fields;
use crate::people::Person;
use crate::picture;
use crate::simulation::Simulation;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

type Shared = State<Arc<Simulation<World>>>;

pub(crate) fn routes() -> Router<Arc<Simulation<World>>> {
    Router::new()
        .route("/oauth2.0/authorize", get(authorize::authorize))
        .route("/oauth2.0/show", get(authorize::show))
        .route("/oauth2.0/token", get(answer_token).post(answer_token))
        .route("/oauth2.0/me", get(answer_me))
        .route("/user/get_user_info", get(answer_user_info))
        // qzapp.qlogo.cn and thirdqq.qlogo.cn
        .route("/qzapp/{client_id}/{openid}/{pixels}", get(qzone_picture))
        .route("/g", get(qq_picture))
}

async fn answer_token(State(simulation): Shared, call: Call) -> Response {
    let now = simulation.now();
    let mut world = simulation.world();
    let answered = token::token(&mut world, &call.fields, now);
    let format = Format::of(&call.fields);
    match answered {
        Ok(facts) => finished(facts.body(format, &world.switches), true, &world.switches),
        Err(error) => finished(failure(format, error.number, error.text, &world.switches), false, &world.switches),
    }
}

async fn answer_me(State(simulation): Shared, call: Call) -> Response {
    let world = simulation.world();
    let format = Format::of(&call.fields);
    match me::me(&world, &call.fields, simulation.now()) {
        Ok(me) => finished(wrapped(format, &me, &world.switches), true, &world.switches),
        Err(error) => finished(failure(format, error.number, error.text, &world.switches), false, &world.switches),
    }
}

async fn answer_user_info(State(simulation): Shared, call: Call) -> Response {
    let world = simulation.world();
    let is_xml = call.fields.sent("format") == Some("xml");
    match user_info::profile(&world, &call.fields, simulation.base_url(), simulation.now()) {
        Ok(profile) if is_xml => {
            ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], profile.xml(&world.switches)).into_response()
        }
        Ok(profile) => finished(profile.json(&world.switches), true, &world.switches),
        Err(error) => finished(api_failure(error.number, error.text), false, &world.switches),
    }
}

/// An error in the notation that this call would get.
pub(crate) fn refused(call: &Parts, number: i32, text: &str, switches: &Switches) -> Response {
    let (path, query) = (call.uri.path(), call.uri.query().unwrap_or_default());
    match path {
        "/oauth2.0/authorize" => authorize::to_error_page(number, query),
        "/oauth2.0/show" => error_page(number, text, &call.headers),
        _ if is_api(path) => finished(api_failure(number, text), false, switches),
        _ => finished(failure(Format::of(&Fields::of(query.as_bytes())), number, text, switches), false, switches),
    }
}

fn finished(body: Result<String, serde_json::Error>, is_success: bool, switches: &Switches) -> Response {
    match body {
        Ok(body) => labelled(body, is_success, switches),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `GET /qzapp/{client_id}/{openid}/{pixels}`
async fn qzone_picture(
    State(simulation): Shared,
    Path((client_id, openid, pixels)): Path<(String, String, String)>,
) -> Response {
    let key = {
        let world = simulation.world();
        let is_theirs = |person: &&Person| identity::openid(&client_id, &person.name) == openid;
        world.scene.people.iter().find(is_theirs).map(Person::avatar_key)
    };
    match (key, pixels.as_str()) {
        (Some(key), "30") => picture::avatar(&key, 30),
        (Some(key), "50") => picture::avatar(&key, 50),
        (Some(key), "100") => picture::avatar(&key, 100),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /g?b=oidb&k=KEY&s=PIXELS`
async fn qq_picture(RawQuery(query): RawQuery) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let Some(key) = fields.filled("k") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match fields.sent("s") {
        Some("40") => picture::avatar(key, 40),
        Some("100") => picture::avatar(key, 100),
        Some("640") => picture::avatar(key, 640),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
