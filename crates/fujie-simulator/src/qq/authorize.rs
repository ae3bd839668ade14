//! `/oauth2.0/authorize` and `/oauth2.0/show`: where a sign-in begins, and the pages.
//!
//! The first only redirects to the second, which is the sign-in page or the error page; many sites link to the second
//! at once. Nothing that is wrong with a request is ever told to the application.

use super::answer::page_text;
use super::error::QqError;
use super::request::Request;
use super::world::World;
use crate::call::Call;
use crate::fields::Fields;
use crate::page::{self, Language};
use crate::phone::{Frame, Mark};
use crate::sign_in::{self, Ask};
use crate::simulation::{Provider, Simulation};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

type Shared = State<Arc<Simulation<World>>>;

/// `GET /oauth2.0/authorize`
pub(crate) async fn authorize(State(simulation): Shared, call: Call) -> Response {
    let checked = Request::check(&simulation.world(), &call.fields);
    let display = match checked {
        Ok(request) if request.is_mobile => "mobile",
        Ok(_) => "pc",
        Err(error) => return to_error_page(error.number, call.query()),
    };
    let is_answered_at_once = simulation.world().scene.auto_confirm.is_some();
    if is_answered_at_once {
        return login(&simulation, &call);
    }
    sign_in::found(&format!("/oauth2.0/show?which=Login&display={display}&{}", call.query()))
}

/// `GET /oauth2.0/show?which=…`
pub(crate) async fn show(State(simulation): Shared, call: Call) -> Response {
    match call.fields.sent("which") {
        Some("Login") => login(&simulation, &call),
        Some("error") => {
            let number = call.fields.sent("error").and_then(|number| number.parse().ok()).unwrap_or_default();
            let text = QqError::numbered(number).map_or("", |known| known.text);
            error_page(number, text, &call.head.headers)
        }
        _ => {
            let QqError { number, text } = QqError::WHICH_MISSING;
            error_page(number, text, &call.head.headers)
        }
    }
}

/// 302 to the error page, with the original query behind.
pub(crate) fn to_error_page(number: i32, query: &str) -> Response {
    sign_in::found(&format!("/oauth2.0/show?which=error&display=pc&error={number}&{query}"))
}

fn login(simulation: &Simulation<World>, call: &Call) -> Response {
    let asked = {
        let world = simulation.world();
        Request::check(&world, &call.fields).map(|request| ask(&world, request, &call.fields))
    };
    match asked {
        Ok(ask) => sign_in::authorize(simulation, ask, Language::of(None, &call.head.headers)).into_response(),
        Err(error) => to_error_page(error.number, call.query()),
    }
}

fn ask(world: &World, request: Request, fields: &Fields) -> Ask {
    Ask {
        app_name: world.app(&request.client_id).map(|app| app.name.clone()).unwrap_or_default(),
        client_id: request.client_id,
        redirect_uri: request.redirect_uri,
        state: request.state.unwrap_or_default(),
        scope: request.scope,
        request: fields.clone(),
        lifetime: world.sign_in_lifetime,
    }
}

/// Text, then the number in parentheses.
pub(crate) fn error_page(number: i32, text: &str, headers: &HeaderMap) -> Response {
    let language = Language::of(None, headers);
    let title = language.say("登录失败", "Sign-in failed");
    let html = Frame::browser(World::TITLE, language).notice(Mark::Wrong, title, &page_text(number, text));
    page::answer(StatusCode::OK, html)
}
