//! `/oauth2/authorize`: the sign-in page, or why there is none.
//!
//! What a request says of `forcelogin` changes nothing here: everybody is asked every time.

use super::error::WeiboError;
use super::request::{Refusal, Request};
use super::world::World;
use crate::call::Call;
use crate::fields::Fields;
use crate::page::{self, Language};
use crate::phone::{Frame, Mark};
use crate::sign_in::{self, Ask};
use crate::simulation::{Provider, Simulation};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// `GET` and `POST /oauth2/authorize`
pub(crate) async fn authorize(State(simulation): State<Arc<Simulation<World>>>, call: Call) -> Response {
    let language = language(&call.fields);
    let asked = {
        let world = simulation.world();
        Request::check(&world, &call.fields).map(|request| ask(&world, request, &call.fields))
    };
    match asked {
        Ok(ask) => sign_in::authorize(&simulation, ask, language).into_response(),
        Err(Refusal::Redirect(address)) => sign_in::found(&address),
        Err(Refusal::Page(error)) => error_page(&error, language),
    }
}

/// Simplified Chinese unless English is asked for; the browser's wishes do not count.
pub(crate) fn language(fields: &Fields) -> Language {
    Language::named(fields.sent("language")).unwrap_or(Language::Chinese)
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

/// A page on Weibo's own host, status 400; nothing is told to the application.
pub(crate) fn error_page(error: &WeiboError, language: Language) -> Response {
    let title = language.say("访问出错了", "Something is wrong");
    let text = language.say(
        "微博无法确认这个应用的身份，请联系应用的管理员。",
        "Weibo could not verify the application you came from. Please tell its administrator.",
    );
    let text = format!("{text} error: {}, error_code: {}", error.text, error.number);
    page::answer(StatusCode::BAD_REQUEST, Frame::browser(World::TITLE, language).notice(Mark::Wrong, title, &text))
}
