//! The page that posts an answer to the client (OAuth 2.0 Form Post Response Mode).
//!
//! A decision on the shared page leads by redirect to [`PATH`] first, because a redirect cannot
//! post.

use super::house::Manners;
use super::world::World;
use crate::page::{self, Language, escape};
use crate::simulation::Simulation;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Where such pages are, each by the id of its sign-in.
pub(crate) const PATH: &str = "/_simulate/form_post";
/// Sends the form off; without a script there is a button.
pub(crate) const SCRIPT: &str = include_str!("../assets/form_post.js");

/// An answer to post.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) address: String,
    pub(crate) parameters: Vec<(&'static str, String)>,
}

/// `GET /_simulate/form_post/{id}`
pub(crate) async fn look<M: Manners>(
    State(simulation): State<Arc<Simulation<World<M>>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match simulation.world().posts.get(&id) {
        Some(post) => page(post, Language::of(None, &headers)),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A form that sends itself.
pub(crate) fn page(post: &Post, language: Language) -> Response {
    let fields: String = post
        .parameters
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escape(value)))
        .collect();
    let head = "<link rel=\"stylesheet\" href=\"/_simulate/assets/phone.css\">\n";
    let body = format!(
        "<body>\n<form method=\"post\" action=\"{address}\" id=\"form_post\">\n{fields}\
         <noscript><button class=\"primary\">{go_on}</button></noscript>\n</form>\n\
         <script src=\"/_simulate/assets/form_post.js\"></script>\n</body>",
        address = escape(&post.address),
        go_on = language.say("继续", "Continue"),
    );
    let title = language.say("正在返回应用…", "Going back…");
    page::answer(StatusCode::OK, page::document(language, title, head, &body))
}
