//! `/phone`: all waiting sign-ins at a glance, with buttons for what a person could do.
//!
//! The same at every provider. Sign-ins of both kinds stand here: those on pages and a provider's
//! own.

use crate::control;
use crate::fields::Fields;
use crate::page::{self, Language, escape};
use crate::phone::{self, Frame};
use crate::sign_in::{self, Listed};
use crate::simulation::{Provider, Simulation};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

/// More rows than anybody reads.
const ROWS_MAX: usize = 20;

/// `GET /phone`
pub(crate) async fn page<P: Provider>(
    State(simulation): State<Arc<Simulation<P>>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::of(fields.sent("lang"), &headers);
    let people = phone::choices_of(&simulation.world().scene().people, language);
    let people = phone::choices(language.say("用哪个账号登录", "Sign in as"), &people);
    let open = sign_in::list(&simulation).into_iter().filter(|listed| listed.is_open).take(ROWS_MAX);
    let rows: String = open.map(|listed| row(&listed, &people, language)).collect();
    let heading = language.say("等待登录", "Waiting sign-ins");
    let empty = format!(
        "<p class=\"quiet empty\">{}</p>",
        language.say(
            "现在没有等待确认的登录。在应用里点“登录”后，会显示在这里。",
            "Nobody is waiting. Start to sign in at an application, and it appears here.",
        )
    );
    let body = format!(
        "<h1 class=\"heading\">{heading}</h1>\n{rows}\n\
         <p class=\"refresh\"><a href=\"/phone?lang={lang}\">{refresh}</a></p>\n\
         <script src=\"/_simulate/assets/phone.js\"></script>",
        rows = if rows.is_empty() { empty } else { rows },
        lang = language.parameter(),
        refresh = language.say("刷新", "Refresh"),
    );
    page::answer(StatusCode::OK, Frame::phone(P::TITLE, language).page(heading, &body))
}

/// `POST /phone/{id}` with `act` (`confirm`, `refuse`, `expire`) and `person`.
pub(crate) async fn act<P: Provider>(
    State(simulation): State<Arc<Simulation<P>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = Fields::of(&body);
    let language = Language::of(fields.sent("lang"), &headers);
    let act = fields.sent("act").unwrap_or_default();
    match control::perform(&simulation, &id, act, fields.filled("person")) {
        // What has ended meanwhile is gone from the list, which says enough.
        Ok(()) | Err(control::Refusal::Conflict(_)) => {
            Redirect::to(&format!("/phone?lang={}", language.parameter())).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn row(listed: &Listed, people: &str, language: Language) -> String {
    let say = |chinese, english| language.say(chinese, english);
    let left = match language {
        Language::Chinese => format!("剩余 {} 秒", listed.expires_in_seconds),
        Language::English => format!("{} s left", listed.expires_in_seconds),
    };
    format!(
        "<article class=\"card\">\n<h2>{name}</h2>\n\
         <p class=\"quiet\">{status} · {left}<br><code>{id}</code></p>\n\
         <form method=\"post\" action=\"/phone/{id}\">\n\
         <input type=\"hidden\" name=\"lang\" value=\"{lang}\">\n{people}\n<div class=\"decision\">\n\
         <button class=\"primary\" name=\"act\" value=\"confirm\">{confirm}</button>\n\
         <button name=\"act\" value=\"refuse\">{refuse}</button>\n\
         <button name=\"act\" value=\"expire\">{expire}</button>\n</div>\n</form>\n</article>\n",
        name = escape(&listed.app_name),
        status = say(listed.said.0, listed.said.1),
        id = escape(&listed.id),
        lang = language.parameter(),
        confirm = say("同意", "Agree"),
        refuse = say("拒绝", "Refuse"),
        expire = say("让它过期", "Let it expire"),
    )
}
