//! `/phone`: all waiting sign-ins at a glance, with buttons for what a person could do.
//!
//! The buttons act as the phone that holds the sign-in, whichever it is.

use super::confirm::{app_name, choices};
use super::control;
use super::sign_in::Status;
use super::simulation::Simulation;
use crate::fields::Fields;
use crate::page::{self, Language, escape};
use crate::phone::{self, Choice};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

/// More rows than anybody reads.
const ROWS_MAX: usize = 20;

/// `GET /phone`
pub(crate) async fn page(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::of(fields.sent("lang"), &headers);
    let people = choices(&simulation, language);
    let rows: String = open_sign_ins(&simulation).iter().map(|open| row(open, &people, language)).collect();
    let heading = language.say("等待登录", "Waiting sign-ins");
    let empty = format!(
        "<p class=\"quiet empty\">{}</p>",
        language.say(
            "现在没有等待确认的登录。打开二维码页面后，会显示在这里。",
            "Nobody is waiting. Open a QR page, and its sign-in appears here.",
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
    page::answer(StatusCode::OK, phone::frame(language, heading, &body))
}

/// `POST /phone/{uuid}` with `act` (`confirm`, `refuse`, `expire`) and `person`.
pub(crate) async fn act(
    State(simulation): State<Arc<Simulation>>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = Fields::of(&body);
    let language = Language::of(fields.sent("lang"), &headers);
    let act = fields.sent("act").unwrap_or_default();
    match control::perform(&simulation, &uuid, act, fields.filled("person")) {
        // What has ended meanwhile is gone from the list, which says enough.
        Ok(()) | Err(control::Refusal::Conflict(_)) => {
            Redirect::to(&format!("/phone?lang={}", language.parameter())).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

struct Open {
    uuid: String,
    status: Status,
    app_name: String,
    expires_in_seconds: u64,
}

fn open_sign_ins(simulation: &Simulation) -> Vec<Open> {
    let now = simulation.now();
    let is_open = |status| matches!(status, Status::Waiting | Status::Scanned | Status::Refused);
    let found: Vec<_> = {
        let world = simulation.world();
        let open = world.sign_ins.newest_first().filter(|sign_in| is_open(sign_in.status(now)));
        let facts = open.map(|sign_in| {
            let left = now.until(sign_in.expires_at).as_secs();
            (sign_in.uuid.clone(), sign_in.status(now), sign_in.appid.clone(), left)
        });
        facts.take(ROWS_MAX).collect()
    };
    let named = |(uuid, status, appid, expires_in_seconds): (String, Status, String, u64)| Open {
        uuid,
        status,
        app_name: app_name(simulation, &appid),
        expires_in_seconds,
    };
    found.into_iter().map(named).collect()
}

fn row(open: &Open, people: &[Choice], language: Language) -> String {
    let say = |chinese, english| language.say(chinese, english);
    let status = match open.status {
        Status::Scanned => say("已扫描", "Scanned"),
        Status::Refused => say("已拒绝", "Refused"),
        _ => say("等待扫描", "Not scanned yet"),
    };
    let left = match language {
        Language::Chinese => format!("剩余 {} 秒", open.expires_in_seconds),
        Language::English => format!("{} s left", open.expires_in_seconds),
    };
    format!(
        "<article class=\"card\">\n<h2>{name}</h2>\n\
         <p class=\"quiet\">{status} · {left}<br><code>{uuid}</code></p>\n\
         <form method=\"post\" action=\"/phone/{uuid}\">\n\
         <input type=\"hidden\" name=\"lang\" value=\"{lang}\">\n{people}\n<div class=\"decision\">\n\
         <button class=\"primary\" name=\"act\" value=\"confirm\">{confirm}</button>\n\
         <button name=\"act\" value=\"refuse\">{refuse}</button>\n\
         <button name=\"act\" value=\"expire\">{expire}</button>\n</div>\n</form>\n</article>\n",
        name = escape(&open.app_name),
        uuid = escape(&open.uuid),
        lang = language.parameter(),
        people = phone::choices(say("用哪个账号登录", "Sign in as"), people),
        confirm = say("同意", "Agree"),
        refuse = say("拒绝", "Refuse"),
        expire = say("让它过期", "Let it expire"),
    )
}
