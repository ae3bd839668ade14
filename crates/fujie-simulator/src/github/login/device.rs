//! The device flow: `/login/device/code` for the device, `/login/device` for its person.
//!
//! A device code is a sign-in like any other, which leads nowhere: the person decides on the same
//! page, and the control API and the phone see it. Polling is at the token endpoint.

use super::access_token;
use crate::fields::Fields;
use crate::github::config::AppKind;
use crate::github::device::INTERVAL_SECONDS;
use crate::github::reply::{self, Format, OauthError, Reply};
use crate::github::world::{Simulation, World};
use crate::page::{self, Language, escape};
use crate::phone::Frame;
use crate::random::NoRandomness;
use crate::sign_in::{self, Ask};
use crate::simulation::Provider;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

/// The field that tells a device's sign-in from others.
pub(crate) const DEVICE_CODE: &str = "device_code";

/// `POST /login/device/code`
pub(crate) async fn code(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, NoRandomness> {
    let fields = access_token::fields(&headers, query.as_deref(), &body);
    let format = Format::of(&headers);
    let app = fields.filled("client_id").and_then(|id| simulation.world().app(id).cloned());
    let Some(app) = app else { return Ok(reply::unknown_client()) };
    if !app.device_flow {
        let status = simulation.world().switches().device_flow_disabled_status;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        return Ok(OauthError::DEVICE_FLOW_DISABLED.reply().with_status(status).respond(format));
    }
    let scope = fields.sent("scope").filter(|_| app.kind == AppKind::OauthApp).unwrap_or_default();
    let (device, lifetime, auto_confirm) = {
        let mut world = simulation.world();
        let lifetime = world.config.device_code_lifetime;
        let device = world.devices.begin(&app.client_id, scope, simulation.now().after(lifetime))?;
        (device, lifetime, world.scene().auto_confirm.clone())
    };
    let ask = Ask {
        client_id: app.client_id,
        app_name: app.name,
        redirect_uri: String::new(),
        state: String::new(),
        scope: scope.to_owned(),
        request: Fields::of(format!("{DEVICE_CODE}={}", device.device_code).as_bytes()),
        lifetime,
    };
    let id = sign_in::begin(&simulation, ask)?;
    if auto_confirm.is_some() && sign_in::act(&simulation, &id, "confirm", auto_confirm.as_deref()).is_err() {
        tracing::debug!("auto_confirm names nobody any more");
    }
    let reply = Reply::ok(vec![
        ("device_code", device.device_code.into()),
        ("user_code", device.user_code.into()),
        ("verification_uri", format!("{}/login/device", simulation.base_url()).into()),
        // Live answers tell one second less than documented.
        ("expires_in", lifetime.as_secs().saturating_sub(1).into()),
        ("interval", INTERVAL_SECONDS.into()),
    ]);
    Ok(reply.respond(format))
}

/// `GET /login/device`: where the code is entered; one in the query stands there already.
pub(crate) async fn form(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::of(fields.sent("lang"), &headers);
    page::answer(StatusCode::OK, form_page(language, fields.sent("user_code").unwrap_or_default(), false))
}

/// `POST /login/device` with `user_code`: on to the page that asks, or back with an error.
pub(crate) async fn enter(State(simulation): State<Arc<Simulation>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = Fields::of(&body);
    let language = Language::of(fields.sent("lang"), &headers);
    let typed = fields.sent("user_code").unwrap_or_default();
    match waiting(&simulation, typed) {
        Some(id) => Redirect::to(&format!("/_simulate/page/{id}?lang={}", language.parameter())).into_response(),
        None => page::answer(StatusCode::OK, form_page(language, typed, true)),
    }
}

/// The sign-in of the device that waits under a user code.
fn waiting(simulation: &Simulation, typed: &str) -> Option<String> {
    let now = simulation.now();
    let world = simulation.world();
    let device_code = &world.devices.waiting(typed, now)?.device_code;
    let is_its = |sign_in: &&sign_in::SignIn| sign_in.ask.request.sent(DEVICE_CODE) == Some(device_code);
    Some(world.scene().sign_ins.newest_first().find(is_its)?.id.clone())
}

fn form_page(language: Language, typed: &str, is_wrong: bool) -> String {
    let say = |chinese, english| language.say(chinese, english);
    let fault = say(
        "验证码不正确或已过期，请检查后重新输入。",
        "This code is wrong or has expired. Check it and enter it again.",
    );
    let fault = if is_wrong { format!("<p class=\"fault\" role=\"alert\">{fault}</p>\n") } else { String::new() };
    let title = say("连接设备", "Connect a device");
    let body = format!(
        "<h1 class=\"heading\">{title}</h1>\n<p class=\"quiet\">{hint}</p>\n{fault}\
         <form method=\"post\" action=\"/login/device\" class=\"code\">\n\
         <input type=\"hidden\" name=\"lang\" value=\"{lang}\">\n\
         <label>{label}<input name=\"user_code\" value=\"{typed}\" placeholder=\"XXXX-XXXX\" required autofocus \
         maxlength=\"20\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\"></label>\n\
         <div class=\"decision\"><button class=\"primary\">{go}</button></div>\n</form>",
        hint = say("请输入设备上显示的验证码。", "Enter the code that your device shows."),
        lang = language.parameter(),
        label = say("验证码", "Code"),
        typed = escape(typed),
        go = say("继续", "Continue"),
    );
    Frame::browser(World::TITLE, language).page(title, &body)
}
