//! `github.com/login`: the endpoints a browser and an OAuth client meet.
//!
//! The API is in `rest`. What is not found here is a page, not JSON.

pub(crate) mod access_token;
pub(crate) mod authorize;
pub(crate) mod device;
pub(crate) mod discovery;

use super::world::World;
use crate::page::{self, Language};
use crate::phone::{Frame, Mark};
use crate::simulation::Provider;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// What github.com shows for an address that is not there, and for an app that is not.
pub(crate) async fn not_found(headers: HeaderMap) -> Response {
    not_found_page(Language::of(None, &headers))
}

fn not_found_page(language: Language) -> Response {
    let text = language.say("这里没有你要找的网页。", "This is not the web page you are looking for.");
    wrong(StatusCode::NOT_FOUND, language, language.say("找不到网页", "Page not found"), text)
}

/// A page that says what is wrong.
fn wrong(status: StatusCode, language: Language, title: &str, text: &str) -> Response {
    page::answer(status, Frame::browser(World::TITLE, language).notice(Mark::Wrong, title, text))
}
