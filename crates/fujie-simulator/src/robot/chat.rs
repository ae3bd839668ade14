//! `/phone`: the groups as on a member's phone, and `/_simulate/messages`, the same for tests.

use super::config::Kind;
use super::world::{Message, Simulation, Span, World};
use crate::clock::Timestamp;
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
use std::time::Duration;

/// Loads the page anew when somebody spoke; the page works without it.
pub(crate) const SCRIPT: &str = include_str!("../assets/chat.js");
/// Messages that are shown of a group.
const SHOWN_MAX: usize = 30;

/// `GET /_simulate/messages`: the oldest first.
pub(crate) async fn messages(State(simulation): State<Arc<Simulation>>) -> Response {
    let messages: Vec<Value> = simulation.world().messages().map(Message::view).collect();
    Json(messages).into_response()
}

/// `DELETE /_simulate/messages`: the groups are empty again. What was counted stays counted.
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
    let groups: String = world.robots().iter().map(|robot| group(&world, robot, language)).collect();
    let heading = language.say("群聊", "Group chats");
    let body =
        format!("<h1 class=\"heading\">{heading}</h1>\n{groups}\n<script src=\"/_simulate/assets/chat.js\"></script>");
    page::answer(StatusCode::OK, Frame::phone(World::TITLE, language).page(heading, &body))
}

fn group(world: &World, robot: &super::App, language: Language) -> String {
    let provider = match robot.kind {
        Kind::Dingtalk => language.say("钉钉", "DingTalk"),
        Kind::Feishu => language.say("飞书", "Feishu"),
        Kind::Wecom => language.say("企业微信", "WeCom"),
    };
    let of_group = |message: &&Message| message.kind == robot.kind && message.token == robot.token;
    let mut shown: Vec<String> =
        world.messages().rev().filter(of_group).take(SHOWN_MAX).map(|message| bubble(message, language)).collect();
    shown.reverse();
    let empty = format!("<p class=\"quiet\">{}</p>", language.say("还没有消息", "No messages yet"));
    let people = world.scene().people.len();
    let members = match language {
        Language::Chinese => format!("{provider} · {people} 人"),
        Language::English => format!("{provider} · {people} members"),
    };
    format!(
        "<section class=\"card chat\">\n<h2>{name}</h2>\n<p class=\"quiet\">{members}</p>\n{shown}</section>\n",
        name = escape(&robot.name),
        shown = if shown.is_empty() { empty } else { shown.concat() },
    )
}

fn bubble(message: &Message, language: Language) -> String {
    // DingTalk shows a title in the notification alone.
    let title = Some(escape(&message.said.title)).filter(|title| !title.is_empty() && message.kind == Kind::Feishu);
    let lines = message.said.lines.iter().map(|line| line.iter().map(span).collect::<String>());
    let paragraphs: String = title.into_iter().chain(lines).map(|line| format!("<p>{line}</p>\n")).collect();
    format!(
        "<article class=\"bubble\" data-id=\"{id}\">\n<p class=\"quiet\">{robot} · <time>{at}</time></p>\n\
         <div class=\"said\">\n{paragraphs}</div>\n</article>\n",
        id = message.id,
        robot = language.say("机器人", "Robot"),
        at = clock_time(message.at),
    )
}

fn span(span: &Span) -> String {
    match span {
        Span::Text(text) => escape(text),
        // An address that is none of the web is shown, not followed.
        Span::Link { text, href } if href.starts_with("http://") || href.starts_with("https://") => {
            format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escape(href), escape(text))
        }
        Span::Link { text, .. } => escape(text),
        Span::Mention(whom) => format!("<mark>@{}</mark>", escape(whom)),
    }
}

/// Hours and minutes in China.
fn clock_time(at: Timestamp) -> String {
    at.civil(Duration::from_secs(8 * 3600)).get(11..16).unwrap_or_default().to_owned()
}
