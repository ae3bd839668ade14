//! Sign-ins that wait on an authorize page: who asks, who answers, and where the browser goes then.
//!
//! A provider checks the request and calls [`authorize`]; it gets the answer to send, and says
//! through [`Provider::agree`] and [`Provider::refuse`] what a decision leads to. Not here: the
//! checks, the codes, and sign-ins that wait for a phone elsewhere.

use crate::clock::Timestamp;
use crate::control::Refusal;
use crate::fields::Fields;
use crate::page::{self, Language, escape};
use crate::phone::{self, Frame, Mark};
use crate::random::{self, NoRandomness};
use crate::simulation::{Provider, Simulation};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

/// Follows a decision that was made elsewhere; the page works without it.
pub(crate) const SCRIPT: &str = include_str!("assets/sign_in.js");
/// Letters and digits of an id.
const ID_LENGTH: usize = 24;

/// What an authorize request asks for, checked by the provider.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) client_id: String,
    /// Shown to people.
    pub(crate) app_name: String,
    /// Decoded, and proven to belong to the app; empty when the browser goes nowhere.
    pub(crate) redirect_uri: String,
    /// Decoded; empty when none was sent.
    pub(crate) state: String,
    /// As the provider reads it; shown to people when not empty.
    pub(crate) scope: String,
    /// The request's fields, or whatever else the provider will need when a person agrees:
    /// `code_challenge`, `nonce`, a device code.
    pub(crate) request: Fields,
    /// How long the page can be answered.
    pub(crate) lifetime: Duration,
}

/// A sign-in that waits on a page, or has been decided.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) id: String,
    pub(crate) ask: Ask,
    pub(crate) begun_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) progress: Progress,
}

/// How far a sign-in has come, apart from expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    /// Where the browser goes, if anywhere.
    Agreed {
        person: String,
        redirect_url: Option<String>,
    },
    /// Where the browser goes, if anywhere.
    Refused {
        redirect_url: Option<String>,
    },
}

/// The states by the control API's words. A decided sign-in stays decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Waiting,
    Confirmed,
    Refused,
    Expired,
}

impl SignIn {
    pub(crate) fn status(&self, now: Timestamp) -> Status {
        match self.progress {
            Progress::Agreed { .. } => Status::Confirmed,
            Progress::Refused { .. } => Status::Refused,
            Progress::Waiting if self.expires_at <= now => Status::Expired,
            Progress::Waiting => Status::Waiting,
        }
    }

    /// Where the browser goes now, if anywhere.
    pub(crate) fn redirect_url(&self) -> Option<&str> {
        match &self.progress {
            Progress::Waiting => None,
            Progress::Agreed { redirect_url, .. } | Progress::Refused { redirect_url } => redirect_url.as_deref(),
        }
    }

    fn listed(&self, base_url: &str, now: Timestamp) -> Listed {
        let status = self.status(now);
        let expires_in_seconds = now.until(self.expires_at).as_secs();
        let person = match &self.progress {
            Progress::Agreed { person, .. } => Some(person),
            _ => None,
        };
        let view = json!({
            "id": self.id,
            "client_id": self.ask.client_id,
            "app_name": self.ask.app_name,
            "status": status.word(),
            "redirect_uri": self.ask.redirect_uri,
            "state": self.ask.state,
            "scope": self.ask.scope,
            "expires_in_seconds": expires_in_seconds,
            "page_url": format!("{base_url}/_simulate/page/{}", self.id),
            "person": person,
            "redirect_url": self.redirect_url(),
        });
        Listed {
            id: self.id.clone(),
            app_name: self.ask.app_name.clone(),
            said: ("等待确认", "Waiting for an answer"),
            is_open: status == Status::Waiting,
            begun_at: self.begun_at,
            expires_in_seconds,
            view,
        }
    }
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

/// A sign-in of any kind, as the control API and the phone list it.
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) app_name: String,
    /// How far it has come, in Chinese and in English.
    pub(crate) said: (&'static str, &'static str),
    /// Whether a person can still act on it.
    pub(crate) is_open: bool,
    pub(crate) begun_at: Timestamp,
    pub(crate) expires_in_seconds: u64,
    /// What the control API tells.
    pub(crate) view: Value,
}

/// All sign-ins of both kinds, the newest first.
pub(crate) fn list<P: Provider>(simulation: &Simulation<P>) -> Vec<Listed> {
    let (base_url, now) = (simulation.base_url(), simulation.now());
    let world = simulation.world();
    let on_pages = world.scene().sign_ins.newest_first().map(|sign_in| sign_in.listed(base_url, now));
    let mut all: Vec<Listed> = on_pages.chain(world.own_sign_ins(base_url, now)).collect();
    all.sort_by_key(|sign_in| Reverse(sign_in.begun_at));
    all
}

/// The answer to a good authorize request: a page that asks, or a redirect at once when
/// `auto_confirm` names a person.
pub(crate) fn authorize<P: Provider>(
    simulation: &Simulation<P>,
    ask: Ask,
    language: Language,
) -> Result<Response, NoRandomness> {
    let person = simulation.world().scene().auto_confirm.clone();
    match person {
        Some(person) => at_once(simulation, ask, Some(&person), language),
        None => Ok(show(simulation, &begin(simulation, ask)?, language)),
    }
}

/// The answer where nobody is asked: a redirect as if the person named, else the first one, had
/// agreed.
pub(crate) fn at_once<P: Provider>(
    simulation: &Simulation<P>,
    ask: Ask,
    person: Option<&str>,
    language: Language,
) -> Result<Response, NoRandomness> {
    let id = begin(simulation, ask)?;
    match act(simulation, &id, "confirm", person) {
        Ok(()) => Ok(match redirect_url(simulation, &id) {
            Some(address) => found(&address),
            None => show(simulation, &id, language),
        }),
        Err(Refusal::NoRandomness) => Err(NoRandomness),
        Err(refusal) => Ok(refusal.into_response()),
    }
}

/// Remembers a sign-in that waits; its id. [`authorize`] also answers.
pub(crate) fn begin<P: Provider>(simulation: &Simulation<P>, ask: Ask) -> Result<String, NoRandomness> {
    let id = random::text(random::ALPHANUMERIC, ID_LENGTH)?;
    let begun_at = simulation.now();
    let expires_at = begun_at.after(ask.lifetime);
    tracing::debug!(client_id = ask.client_id, "a page asks");
    let sign_in = SignIn { id: id.clone(), ask, begun_at, expires_at, progress: Progress::Waiting };
    simulation.world().scene_mut().sign_ins.insert(id.clone(), sign_in);
    simulation.tell_change();
    Ok(id)
}

/// `confirm` (by the person named, else the first one), `refuse` or `expire`.
pub(crate) fn act<P: Provider>(
    simulation: &Simulation<P>,
    id: &str,
    act: &str,
    person: Option<&str>,
) -> Result<(), Refusal> {
    let now = simulation.now();
    let mut world = simulation.world();
    let mut sign_in = world.scene().sign_ins.get(id).cloned().ok_or(Refusal::NO_SIGN_IN)?;
    match sign_in.status(now) {
        Status::Waiting => {}
        Status::Confirmed => return Err(Refusal::Conflict("already confirmed")),
        Status::Refused => return Err(Refusal::Conflict("already refused")),
        Status::Expired => return Err(Refusal::Conflict("expired")),
    }
    match act {
        "confirm" => {
            let nobody = || Refusal::BadRequest("no such person".to_owned());
            let person = world.scene().person_or_first(person).cloned().ok_or_else(nobody)?;
            let redirect_url = world.agree(&sign_in, &person, now)?;
            sign_in.progress = Progress::Agreed { person: person.name, redirect_url };
        }
        "refuse" => sign_in.progress = Progress::Refused { redirect_url: world.refuse(&sign_in, now) },
        "expire" => sign_in.expires_at = now,
        other => return Err(Refusal::BadRequest(format!("no such act: {other}"))),
    }
    tracing::debug!(client_id = sign_in.ask.client_id, act, "a person acted");
    world.scene_mut().sign_ins.insert(sign_in.id.clone(), sign_in);
    drop(world);
    simulation.tell_change();
    Ok(())
}

/// Where a decided sign-in leads, if anywhere.
fn redirect_url<P: Provider>(simulation: &Simulation<P>, id: &str) -> Option<String> {
    simulation.world().scene().sign_ins.get(id)?.redirect_url().map(str::to_owned)
}

/// `GET /_simulate/page/{id}`: the page again, or where its decision leads.
pub(crate) async fn look<P: Provider>(
    State(simulation): State<Arc<Simulation<P>>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    show(&simulation, &id, Language::of(fields.sent("lang"), &headers))
}

/// `POST /_simulate/page/{id}` with `decision` (`agree` or `refuse`) and `person`. A second press
/// of a button leads where the first one did.
pub(crate) async fn decide<P: Provider>(
    State(simulation): State<Arc<Simulation<P>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = Fields::of(&body);
    let language = Language::of(fields.sent("lang"), &headers);
    let decided = match fields.sent("decision") {
        Some("agree") => act(&simulation, &id, "confirm", fields.filled("person")),
        Some("refuse") => act(&simulation, &id, "refuse", None),
        _ => Err(Refusal::BadRequest("decision is agree or refuse".to_owned())),
    };
    match decided {
        Ok(()) | Err(Refusal::Conflict(_) | Refusal::NotFound(_)) => show(&simulation, &id, language),
        Err(refusal) => refusal.into_response(),
    }
}

/// The page of a sign-in in any state; a decided one that leads somewhere is a redirect.
pub(crate) fn show<P: Provider>(simulation: &Simulation<P>, id: &str, language: Language) -> Response {
    let now = simulation.now();
    let frame = Frame::browser(P::TITLE, language);
    let (sign_in, mut people) = {
        let world = simulation.world();
        let scene = world.scene();
        (scene.sign_ins.get(id).cloned(), scene.people.clone())
    };
    let Some(sign_in) = sign_in else {
        let title = language.say("没有这次登录", "No such sign-in");
        let text = language.say("请回到应用里重新登录。", "Please go back to the application and sign in again.");
        let html = frame.notice(Mark::Wrong, title, text);
        return page::answer(StatusCode::NOT_FOUND, html);
    };
    if let Some(address) = sign_in.redirect_url() {
        return see_other(address);
    }
    let (status, mark, title, text) = match sign_in.status(now) {
        Status::Waiting => {
            // Whom the request hints at stands first, and is chosen.
            let hint = sign_in.ask.request.filled("login_hint").unwrap_or_default();
            people.sort_by_key(|person| !person.is_called(hint));
            let people = phone::choices_of(&people, language);
            let people = phone::choices(language.say("用哪个账号登录", "Sign in as"), &people);
            return page::answer(StatusCode::OK, question::<P>(&sign_in, &people, language));
        }
        Status::Confirmed => (
            StatusCode::OK,
            Mark::Done,
            language.say("已同意登录", "Signed in"),
            language.say("请回到发起登录的设备上继续。", "Go on where you started to sign in."),
        ),
        Status::Refused => (
            StatusCode::OK,
            Mark::Stopped,
            language.say("已拒绝登录", "Refused"),
            language.say("对方不会收到你的任何信息。", "The application learns nothing about you."),
        ),
        Status::Expired => (
            StatusCode::GONE,
            Mark::Wrong,
            language.say("登录已过期", "This sign-in has expired"),
            language.say("请回到应用里重新登录。", "Please go back to the application and sign in again."),
        ),
    };
    page::answer(status, frame.notice(mark, title, text))
}

/// The page that asks.
fn question<P: Provider>(sign_in: &SignIn, people: &str, language: Language) -> String {
    let asks = match language {
        Language::Chinese => format!("申请使用你的{}账号登录", P::TITLE.within_chinese()),
        Language::English => format!("asks to sign you in with {}", P::TITLE.english),
    };
    let scope = match (sign_in.ask.scope.as_str(), language) {
        ("", _) => String::new(),
        (scope, Language::Chinese) => {
            format!("<p class=\"quiet scope\">申请的权限：<code>{}</code></p>\n", escape(scope))
        }
        (scope, Language::English) => format!("<p class=\"quiet scope\">Scope: <code>{}</code></p>\n", escape(scope)),
    };
    let body = format!(
        "{app}\n{scope}<form method=\"post\" action=\"/_simulate/page/{id}\" id=\"sign_in\" data-id=\"{id}\">\n\
         <input type=\"hidden\" name=\"lang\" value=\"{lang}\">\n{people}\n\
         <div class=\"decision\">\n\
         <button class=\"primary\" name=\"decision\" value=\"agree\">{agree}</button>\n\
         <button name=\"decision\" value=\"refuse\">{refuse}</button>\n</div>\n</form>\n\
         <script src=\"/_simulate/assets/sign_in.js\"></script>",
        app = phone::app(&sign_in.ask.app_name, &asks),
        id = escape(&sign_in.id),
        lang = language.parameter(),
        agree = language.say("同意", "Agree"),
        refuse = language.say("拒绝", "Refuse"),
    );
    Frame::browser(P::TITLE, language).page(language.say("登录确认", "Confirm sign-in"), &body)
}

/// 302, as authorize endpoints redirect.
pub(crate) fn found(address: &str) -> Response {
    redirect(StatusCode::FOUND, address)
}

/// 303, so that a browser never sends the form on.
fn see_other(address: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, address)
}

fn redirect(status: StatusCode, address: &str) -> Response {
    // Bytes beyond ASCII may stand in a header as they are; line ends may not.
    match HeaderValue::from_bytes(address.as_bytes()) {
        Ok(location) => (status, [(header::LOCATION, location)]).into_response(),
        Err(error) => {
            tracing::error!(%error, "an address cannot stand in a header");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
