//! The URL table of `api.weibo.com`, and the shell around each endpoint.
//!
//! The OAuth endpoints answer under `/oauth2` and, as some clients call them, under `/2/oauth2`.

use super::answer::{api_failure, json, oauth_failure};
use super::authorize::{self, authorize, error_page};
use super::error::WeiboError;
use super::request::Request;
use super::world::World;
use super::{api, basic, identity, token, token_info};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::page;
use crate::people::Person;
use crate::phone::{Frame, Mark};
use crate::picture;
use crate::sign_in;
use crate::simulation::{Provider, Simulation};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Serialize;
use std::sync::Arc;

/// Where a frame inside of weibo.com ends: it loads the page around it anew.
pub(crate) const RELOAD: &str = "/oauth2/reload.html";

type Shared = State<Arc<Simulation<World>>>;
type Routes = Router<Arc<Simulation<World>>>;

pub(crate) fn routes() -> Routes {
    let routes = Router::new()
        .route("/2/account/get_uid.json", get(uid).fallback(wrong_method))
        .route("/2/account/profile/email.json", get(email).fallback(wrong_method))
        .route("/2/account/rate_limit_status.json", get(rate_limit_status).fallback(wrong_method))
        .route("/2/users/show.json", get(user).fallback(wrong_method))
        .route("/2/{*rest}", any(not_found))
        .route("/oauth2/default.html", get(default_page))
        .route(RELOAD, get(|| async { Html(RELOAD_PAGE) }))
        // tp1.sinaimg.cn
        .route("/{uid}/{pixels}/0/1", get(avatar));
    ["/oauth2", "/2/oauth2"].iter().fold(routes, |routes, place| oauth_routes(routes, place))
}

/// The routes are not nested: their answers tell the whole path that was called.
fn oauth_routes(routes: Routes, place: &str) -> Routes {
    routes
        .route(&format!("{place}/authorize"), get(authorize).post(authorize))
        .route(&format!("{place}/access_token"), post(access_token).fallback(wrong_method))
        .route(&format!("{place}/get_token_info"), post(get_token_info).fallback(wrong_method))
        .route(&format!("{place}/revokeoauth2"), get(revoke).post(revoke))
        .route(&format!("{place}/get_oauth2_token"), post(migrate).fallback(wrong_method))
}

const RELOAD_PAGE: &str = "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>微博</title>\n\
                           <script>if (parent !== window) parent.location.reload();</script>\n";

async fn access_token(State(simulation): Shared, call: Call) -> Response {
    let basic = call.authorization().and_then(basic::read);
    oauth(&simulation, &call, |world, now| token::access_token(world, &call.fields, basic.as_ref(), now))
}

async fn get_token_info(State(simulation): Shared, call: Call) -> Response {
    oauth(&simulation, &call, |world, now| token_info::token_info(world, &call.fields, now))
}

async fn revoke(State(simulation): Shared, call: Call) -> Response {
    oauth(&simulation, &call, |world, now| token_info::revoke(world, &call.fields, now))
}

/// Tokens of OAuth 1.0a are not to be had here, so that there is nothing to change for.
async fn migrate(State(simulation): Shared, call: Call) -> Response {
    oauth(&simulation, &call, |_world, _now| Err::<(), _>(WeiboError::UNAUTHORIZED_CLIENT))
}

async fn uid(State(simulation): Shared, call: Call) -> Response {
    resource(&simulation, &call, |world, caller| {
        let grant = caller.counted_grant(world)?;
        Ok(json(StatusCode::OK, &api::uid(&grant), &world.switches))
    })
}

async fn email(State(simulation): Shared, call: Call) -> Response {
    resource(&simulation, &call, |world, caller| {
        let grant = caller.counted_grant(world)?;
        Ok(json(StatusCode::OK, &api::email(world, &grant)?, &world.switches))
    })
}

async fn rate_limit_status(State(simulation): Shared, call: Call) -> Response {
    resource(&simulation, &call, |world, caller| {
        let grant = caller.grant(world)?;
        let status = world.limits.status(&grant.client_id, &grant.person, &world.switches, caller.now);
        Ok(json(StatusCode::OK, &status, &world.switches))
    })
}

async fn user(State(simulation): Shared, call: Call) -> Response {
    resource(&simulation, &call, |world, caller| {
        let grant = caller.counted_grant(world)?;
        Ok(json(StatusCode::OK, &api::user(world, &grant, caller.fields, simulation.base_url())?, &world.switches))
    })
}

async fn wrong_method(State(simulation): Shared, call: Call) -> Response {
    api_failure(&WeiboError::METHOD, call.path(), &simulation.world().switches)
}

async fn not_found(State(simulation): Shared, call: Call) -> Response {
    api_failure(&WeiboError::API_NOT_FOUND, call.path(), &simulation.world().switches)
}

/// What a desktop application names as its redirect URI; it reads the code from the address.
async fn default_page(call: Call) -> Response {
    let language = authorize::language(&call.fields);
    let title = language.say("授权完成", "Done");
    let text = language.say("请回到应用中继续。", "Go on in the application.");
    page::answer(StatusCode::OK, Frame::browser(World::TITLE, language).notice(Mark::Done, title, text))
}

/// `GET /{uid}/{pixels}/0/1`
async fn avatar(State(simulation): Shared, Path((uid, pixels)): Path<(String, String)>) -> Response {
    let key = {
        let world = simulation.world();
        let person = world.scene.people.iter().find(|person| identity::uid(&person.name).to_string() == uid);
        person.map(Person::avatar_key)
    };
    match (key, pixels.as_str()) {
        (Some(key), "50") => picture::avatar(&key, 50),
        (Some(key), "180") => picture::avatar(&key, 180),
        (Some(key), "1024") => picture::avatar(&key, 1024),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn oauth<T: Serialize>(
    simulation: &Simulation<World>,
    call: &Call,
    decide: impl FnOnce(&mut World, Timestamp) -> Result<T, WeiboError>,
) -> Response {
    let now = simulation.now();
    let mut world = simulation.world();
    match decide(&mut world, now) {
        Ok(body) => json(StatusCode::OK, &body, &world.switches),
        Err(error) => oauth_failure(&error, call.path(), &world.switches),
    }
}

fn resource(
    simulation: &Simulation<World>,
    call: &Call,
    decide: impl FnOnce(&mut World, &api::Caller<'_>) -> Result<Response, WeiboError>,
) -> Response {
    let authorization = call.authorization();
    let caller = api::Caller { fields: &call.fields, authorization, now: simulation.now() };
    let mut world = simulation.world();
    decide(&mut world, &caller).unwrap_or_else(|error| api_failure(&error, call.path(), &world.switches))
}

/// An error in the notation that this call would get.
pub(crate) fn refused(call: &Parts, error: &WeiboError, world: &World) -> Response {
    let path = call.uri.path();
    if !path.contains("/oauth2/") {
        return api_failure(error, path, &world.switches);
    }
    if !path.ends_with("/authorize") {
        return oauth_failure(error, path, &world.switches);
    }
    let fields = Fields::of(call.uri.query().unwrap_or_default().as_bytes());
    let is_page = [WeiboError::REDIRECT_URI_MISMATCH, WeiboError::INVALID_CLIENT].contains(error);
    match Request::check(world, &fields) {
        Ok(request) if !is_page => sign_in::found(&request.failed(error)),
        _ => error_page(error, authorize::language(&fields)),
    }
}
