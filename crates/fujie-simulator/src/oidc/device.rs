//! The device authorization grant (RFC 8628): the endpoint, the page where the code is typed, and
//! the poll.
//!
//! The decision itself is a sign-in on the shared page, so that the control API and the phone can
//! make it too.

use super::answer;
use super::failure::Failure;
use super::house::Manners;
use super::world::{Object, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::page::{self, Language, escape};
use crate::phone::{Frame, Mark};
use crate::random;
use crate::sign_in::{self, Progress};
use crate::simulation::Simulation;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The page where people type the code.
pub(crate) const PAGE: &str = "/device";

const LIFETIME: Duration = Duration::from_secs(900);
const INTERVAL_SECONDS: u64 = 5;
/// RFC 8628 §6.1: no vowels, nothing that looks like something else.
const USER_CODE_ALPHABET: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// A device that waits.
#[derive(Debug)]
pub(crate) struct Device {
    client_id: String,
    user_code: String,
    scope: String,
    /// The sign-in on the shared page.
    sign_in: String,
    expires_at: Timestamp,
    interval: Duration,
    polled_at: Option<Timestamp>,
    is_spent: bool,
}

/// `POST` by the device (RFC 8628 §3.1).
pub(crate) async fn authorize<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let now = simulation.now();
    match begin(&simulation, &call, now) {
        Ok(object) => answer::json(&Value::Object(object)),
        Err(failure) => answer::failure::<M>(&failure, call.path(), &call.head.headers, now),
    }
}

fn begin<M: Manners>(simulation: &Simulation<World<M>>, call: &Call, now: Timestamp) -> Result<Object, Failure> {
    let form = call.form();
    let client = simulation.world().client(&call.head.headers, &form, M::PATHS.tenant_in(call.path()), now)?;
    let device_code = random::text(random::BASE64URL, 43)?;
    let drawn = random::text(USER_CODE_ALPHABET, 8)?;
    let user_code = format!("{}-{}", drawn.get(..4).unwrap_or_default(), drawn.get(4..).unwrap_or_default());
    let scope = M::scope(form.filled("scope").unwrap_or_default());
    let sign_in = sign_in::begin(
        simulation,
        sign_in::Ask {
            client_id: client.client_id.clone(),
            app_name: client.shown_name().to_owned(),
            redirect_uri: String::new(),
            state: String::new(),
            scope: scope.clone(),
            request: Fields::of(b"flow=device"),
            lifetime: LIFETIME,
        },
    )?;
    let auto_confirm = simulation.world().scene.auto_confirm.clone();
    if let Some(person) = auto_confirm {
        // A person who is always there agrees at once; nothing can be in the way of a new sign-in.
        let _agreed = sign_in::act(simulation, &sign_in, "confirm", Some(&person));
    }
    let mut world = simulation.world();
    let device = Device {
        client_id: client.client_id,
        user_code: user_code.clone(),
        scope,
        sign_in,
        expires_at: now.after(LIFETIME),
        interval: Duration::from_secs(INTERVAL_SECONDS),
        polled_at: None,
        is_spent: false,
    };
    world.devices.insert(device_code.clone(), device);
    let page = world.url(PAGE, "");
    let mut object = Object::new();
    object.insert("device_code".to_owned(), json!(device_code));
    object.insert("verification_uri_complete".to_owned(), json!(format!("{page}?user_code={user_code}")));
    object.insert("user_code".to_owned(), json!(user_code));
    object.insert("verification_uri".to_owned(), json!(page));
    object.insert("expires_in".to_owned(), json!(LIFETIME.as_secs()));
    object.insert("interval".to_owned(), json!(INTERVAL_SECONDS));
    M::device(&mut object);
    Ok(object)
}

/// What a poll finds (RFC 8628 §3.5): the person and the scope, once.
pub(crate) fn poll<M: Manners>(
    world: &mut World<M>,
    client_id: &str,
    device_code: &str,
    now: Timestamp,
) -> Result<(String, String), Failure> {
    let known = world.devices.get_mut(device_code).filter(|device| device.client_id == client_id && !device.is_spent);
    let device = known.ok_or(Failure::of("invalid_grant", "the device_code is unknown or has been used"))?;
    if device.expires_at <= now {
        return Err(Failure::of("expired_token", "the device_code has expired"));
    }
    let is_early = device.polled_at.is_some_and(|polled_at| now < polled_at.after(device.interval));
    device.polled_at = Some(now);
    if is_early {
        device.interval += Duration::from_secs(INTERVAL_SECONDS);
        return Err(Failure::of("slow_down", "polled too soon; the interval is 5 seconds longer now"));
    }
    let sign_in = world.scene.sign_ins.get(&device.sign_in);
    match sign_in.map(|sign_in| (&sign_in.progress, sign_in.expires_at)) {
        Some((Progress::Agreed { person, .. }, _)) => {
            device.is_spent = true;
            Ok((person.clone(), device.scope.clone()))
        }
        Some((Progress::Refused { .. }, _)) => Err(Failure::of("access_denied", "the person refused")),
        Some((Progress::Waiting, expires_at)) if expires_at > now => {
            Err(Failure::of("authorization_pending", "nobody has agreed yet"))
        }
        _ => Err(Failure::of("expired_token", "the device_code has expired")),
    }
}

/// `GET` or `POST /device`: asks for the code a person sees, and goes on to the sign-in behind it.
pub(crate) async fn page<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let fields = &call.fields;
    let language = Language::of(fields.sent("lang"), &call.head.headers);
    let Some(typed) = fields.filled("user_code") else {
        return page::answer(StatusCode::OK, question::<M>(language));
    };
    let found = {
        let world = simulation.world();
        let plain = |code: &str| code.to_ascii_uppercase().replace(['-', ' '], "");
        let typed = plain(typed);
        world
            .devices
            .newest_first()
            .find(|device| plain(&device.user_code) == typed)
            .map(|device| device.sign_in.clone())
    };
    match found {
        Some(sign_in) => sign_in::show(&simulation, &sign_in, language),
        None => {
            let title = language.say("代码不正确", "Unknown code");
            let text = language
                .say("请核对设备上显示的代码，再输入一次。", "Please check the code on your device and type it again.");
            page::answer(StatusCode::NOT_FOUND, Frame::browser(M::TITLE, language).notice(Mark::Wrong, title, text))
        }
    }
}

fn question<M: Manners>(language: Language) -> String {
    let title = language.say("连接设备", "Connect a device");
    let body = format!(
        "<h1 class=\"heading\">{title}</h1>\n<form method=\"post\" action=\"{PAGE}\">\n\
         <input type=\"hidden\" name=\"lang\" value=\"{lang}\">\n\
         <label class=\"typed\">{label}<input name=\"user_code\" autocomplete=\"off\" autocapitalize=\"characters\" \
         spellcheck=\"false\" maxlength=\"20\" required autofocus></label>\n\
         <div class=\"decision\"><button class=\"primary\">{go_on}</button></div>\n</form>",
        title = escape(title),
        lang = language.parameter(),
        label = language.say("设备上显示的代码", "Code shown on your device"),
        go_on = language.say("继续", "Continue"),
    );
    Frame::browser(M::TITLE, language).page(title, &body)
}
