//! `/connect/confirm`: what the phone shows. Opening it is the scan.
//!
//! The first phone that opens a uuid holds it; a cookie tells phones apart, and the form carries
//! the same value, so that only the holder decides. All of it works without a script.

use super::sign_in::Obstacle;
use super::simulation::{ConfirmError, Simulation, World};
use crate::fields::Fields;
use crate::page::{self, Language, escape};
use crate::phone::{self, Choice, Frame, Mark};
use crate::random::{self, NoRandomness};
use crate::simulation::Provider;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Cookies ignore ports: the name is the simulator's own.
const COOKIE: &str = "fujie_simulated_phone";
/// Characters of a phone's value.
const PHONE_LENGTH: usize = 24;

/// `GET /connect/confirm?uuid=`
pub(crate) async fn scan(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, NoRandomness> {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::of(fields.sent("lang"), &headers);
    let uuid = fields.sent("uuid").unwrap_or_default();
    let phone = match phone_of(&headers) {
        Some(phone) => phone,
        None => random::text(random::ALPHANUMERIC, PHONE_LENGTH)?,
    };
    let scanned = simulation.act(uuid, |sign_in, now| {
        sign_in.scan(&phone, now)?;
        Ok(sign_in.appid.clone())
    });
    let appid = match scanned {
        Ok(appid) => appid,
        Err(obstacle) => return Ok(obstacle_page(language, obstacle)),
    };
    let (app_name, people) = {
        let world = simulation.world();
        (app_name(&world, &appid), phone::choices_of(&world.scene.people, language))
    };
    let html = Form { uuid, phone: &phone, app_name, language }.page(&people);
    let cookie = format!("{COOKIE}={phone}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
    Ok(([(header::SET_COOKIE, cookie)], page::answer(StatusCode::OK, html)).into_response())
}

/// `POST /connect/confirm` with `uuid`, `phone`, `person` and `decision` (`agree` or `refuse`).
pub(crate) async fn decide(State(simulation): State<Arc<Simulation>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = Fields::of(&body);
    let language = Language::of(fields.sent("lang"), &headers);
    let sent = |name: &str| fields.sent(name).unwrap_or_default();
    let (uuid, phone) = (sent("uuid"), sent("phone"));
    let decided = match sent("decision") {
        "agree" => simulation.confirm(uuid, phone, sent("person")),
        "refuse" => simulation.refuse(uuid, phone).map_err(ConfirmError::from),
        _ => return incomplete(language),
    };
    let (mark, title, text) = match decided {
        Ok(()) if sent("decision") == "agree" => (
            Mark::Done,
            language.say("已同意登录", "Signed in"),
            language.say("请回到电脑上继续。", "Go on in the browser on your computer."),
        ),
        Ok(()) => (
            Mark::Stopped,
            language.say("已拒绝登录", "Refused"),
            language.say("对方不会收到你的任何信息。", "The website learns nothing about you."),
        ),
        Err(ConfirmError::Obstacle(obstacle)) => return obstacle_page(language, obstacle),
        Err(ConfirmError::UnknownPerson) => return incomplete(language),
        Err(ConfirmError::NoRandomness) => return NoRandomness.into_response(),
    };
    page::answer(StatusCode::OK, Frame::phone(World::TITLE, language).notice(mark, title, text))
}

/// The app's name, or its appid when it has none.
pub(crate) fn app_name(world: &World, appid: &str) -> String {
    let named = world.app(appid).map(|app| app.name.clone()).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| appid.to_owned())
}

struct Form<'a> {
    uuid: &'a str,
    phone: &'a str,
    app_name: String,
    language: Language,
}

impl Form<'_> {
    fn page(&self, people: &[Choice]) -> String {
        let say = |chinese, english| self.language.say(chinese, english);
        let body = format!(
            "{app}\n<form method=\"post\" action=\"/connect/confirm\">\n\
             <input type=\"hidden\" name=\"uuid\" value=\"{uuid}\">\n\
             <input type=\"hidden\" name=\"phone\" value=\"{phone}\">\n\
             <input type=\"hidden\" name=\"lang\" value=\"{lang}\">\n{people}\n\
             <div class=\"decision\">\n\
             <button class=\"primary\" name=\"decision\" value=\"agree\">{agree}</button>\n\
             <button name=\"decision\" value=\"refuse\">{refuse}</button>\n</div>\n</form>",
            app = phone::app(
                &self.app_name,
                say("申请用你的微信账号登录网页", "asks to sign you in on the web with WeChat")
            ),
            uuid = escape(self.uuid),
            phone = escape(self.phone),
            lang = self.language.parameter(),
            people = phone::choices(say("用哪个账号登录", "Sign in as"), people),
            agree = say("同意", "Agree"),
            refuse = say("拒绝", "Refuse"),
        );
        Frame::phone(World::TITLE, self.language).page(say("微信登录确认", "Confirm sign-in"), &body)
    }
}

/// The value of this browser's phone cookie, if it is one of ours.
fn phone_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let value = cookies
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    let is_ours = value.len() == PHONE_LENGTH && value.bytes().all(|b| b.is_ascii_alphanumeric());
    is_ours.then(|| value.to_owned())
}

fn incomplete(language: Language) -> Response {
    let title = language.say("请求不完整", "Incomplete request");
    let text = language.say("请重新扫描二维码。", "Please scan the code again.");
    page::answer(StatusCode::BAD_REQUEST, Frame::phone(World::TITLE, language).notice(Mark::Wrong, title, text))
}

fn obstacle_page(language: Language, obstacle: Obstacle) -> Response {
    let (status, chinese, english) = match obstacle {
        Obstacle::Unknown => (StatusCode::NOT_FOUND, "无效的二维码", "Unknown code"),
        Obstacle::Expired => (StatusCode::GONE, "二维码已过期", "This code has expired"),
        Obstacle::ScannedElsewhere => (StatusCode::CONFLICT, "二维码已被扫描", "This code was already scanned"),
        Obstacle::NotScanned => (StatusCode::CONFLICT, "请先扫描二维码", "Scan the code first"),
        Obstacle::AlreadyConfirmed => (StatusCode::CONFLICT, "二维码已使用", "This code was already used"),
    };
    let text = language.say("请在电脑上刷新页面，再扫一次。", "Reload the page on your computer and scan again.");
    let html = Frame::phone(World::TITLE, language).notice(Mark::Wrong, language.say(chinese, english), text);
    page::answer(status, html)
}
