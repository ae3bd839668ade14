//! `/phone`: what waits at the push service, as far as it can see; and `/_simulate/messages`, the same for tests.

use super::world::{Message, Simulation, World};
use crate::fields::Fields;
use crate::page::{self, Language, escape};
use crate::phone::Frame;
use crate::simulation::Provider;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::Arc;

/// Messages that are shown of a subscription.
const SHOWN_MAX: usize = 20;

/// `GET /_simulate/messages`: the oldest first, with their encrypted bodies in base64url.
pub(crate) async fn messages(State(simulation): State<Arc<Simulation>>) -> Response {
    let messages: Vec<Value> = simulation.world().messages().map(Message::view).collect();
    Json(messages).into_response()
}

/// `DELETE /_simulate/messages`
pub(crate) async fn clear(State(simulation): State<Arc<Simulation>>) -> StatusCode {
    simulation.world().clear();
    StatusCode::NO_CONTENT
}

/// `GET /phone`
pub(crate) async fn page(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::of(fields.sent("lang"), &headers);
    let world = simulation.world();
    let cards: String = world.subscriptions().iter().map(|one| card(&world, one, language)).collect();
    let heading = language.say("推送消息", "Push messages");
    let why = language.say(
        "内容已加密，只有订阅它的浏览器能读。",
        "The messages are encrypted: only the browser that subscribed can read them.",
    );
    let body = format!(
        "<h1 class=\"heading\">{heading}</h1>\n<p class=\"quiet why\">{why}</p>\n{cards}\n\
         <script src=\"/_simulate/assets/chat.js\"></script>"
    );
    page::answer(StatusCode::OK, Frame::phone(World::TITLE, language).page(heading, &body))
}

fn card(world: &World, subscription: &super::App, language: Language) -> String {
    let state = if subscription.ended {
        language.say("已取消订阅", "ended")
    } else {
        language.say("已订阅", "subscribed")
    };
    let of_card = |message: &&Message| message.subscription == subscription.id;
    let shown: String =
        world.messages().rev().filter(of_card).take(SHOWN_MAX).map(|message| row(message, language)).collect();
    let empty = format!("<p class=\"quiet\">{}</p>", language.say("还没有消息", "No messages yet"));
    format!(
        "<section class=\"card chat\">\n<h2>{id}</h2>\n<p class=\"quiet\">{state}</p>\n{shown}</section>\n",
        id = escape(&subscription.id),
        shown = if shown.is_empty() { empty } else { shown },
    )
}

fn row(message: &Message, language: Language) -> String {
    let bytes = message.body.len();
    let size = match language {
        Language::Chinese => format!("加密消息，{bytes} 字节"),
        Language::English => format!("Encrypted message, {bytes} bytes"),
    };
    let about = [Some(message.urgency.as_str()), message.topic.as_deref()];
    let about: Vec<String> = about.into_iter().flatten().map(escape).collect();
    format!(
        "<article class=\"bubble\" data-id=\"{id}\">\n<div class=\"said\">\n<p>🔒 {size}</p>\n\
         <p class=\"quiet\">{about}</p>\n</div>\n</article>\n",
        id = message.id,
        about = about.join(" · "),
    )
}
