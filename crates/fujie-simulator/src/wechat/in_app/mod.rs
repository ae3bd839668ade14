//! `GET /connect/oauth2/authorize`: web authorization inside WeChat, for official accounts.
//!
//! `snsapi_base` redirects without a word; `snsapi_userinfo` asks on the shared page. Whoever is
//! asked nothing is the person of `auto_confirm`, else the first one: somebody is always signed in
//! to the WeChat that opens the page. `forcePopup` and `connect_redirect` are accepted and change
//! nothing: the page is shown anyway, and the callback is called once anyway.

mod page_error;
mod request;

use page_error::PageError;
use request::Request;

use super::ledger::{Consent, Way};
use super::sign_in::percent_encode;
use super::simulation::{Simulation, World};
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::page::{self, Language};
use crate::people::Person;
use crate::phone::{Frame, Mark};
use crate::random::NoRandomness;
use crate::sign_in::{self, Ask, SignIn};
use crate::simulation::Provider;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;

/// Where faults strike too.
pub(crate) const PATH: &str = "/connect/oauth2/authorize";
/// How long the page that asks can be answered. No source tells.
const PAGE_LIFETIME: Duration = Duration::from_secs(600);

pub(crate) async fn authorize(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, NoRandomness> {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::of(fields.sent("lang"), &headers);
    let (asked, silent_person) = {
        let world = simulation.world();
        (ask(&world, fields, &headers), world.scene.auto_confirm.clone())
    };
    match asked {
        Ok((ask, Manner::Asking)) => sign_in::authorize(&simulation, ask, language),
        Ok((ask, Manner::Silent)) => sign_in::at_once(&simulation, ask, silent_person.as_deref(), language),
        Err(error) => Ok(error_page(language, error.number, error.text)),
    }
}

/// Whether a person is asked.
enum Manner {
    Asking,
    Silent,
}

fn ask(world: &World, fields: Fields, headers: &HeaderMap) -> Result<(Ask, Manner), PageError> {
    let switches = &world.config.switches;
    if switches.only_in_wechat && !is_wechat(headers) {
        return Err(PageError::OTHER_BROWSER);
    }
    let Request { app, redirect_uri, state, scope, wants_profile } = Request::check(world, &fields)?;
    let is_asked = wants_profile && !switches.silent_userinfo;
    let ask = Ask {
        client_id: app.appid.clone(),
        app_name: app.name.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: state.to_owned(),
        scope: scope.to_owned(),
        lifetime: PAGE_LIFETIME,
        request: fields,
    };
    Ok((ask, if is_asked { Manner::Asking } else { Manner::Silent }))
}

/// WeChat's own browser names itself.
fn is_wechat(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| agent.contains("MicroMessenger"))
}

/// A person agreed, or was not asked: issues a code and says where it goes.
pub(crate) fn agree(
    world: &mut World,
    sign_in: &SignIn,
    person: &Person,
    now: Timestamp,
) -> Result<String, NoRandomness> {
    let ask = &sign_in.ask;
    let consent = Consent {
        appid: ask.client_id.clone(),
        person: person.name.clone(),
        way: Way::InApp { scope: ask.scope.clone() },
        is_snapshot: request::is_snapshot(&ask.request, &world.config.switches),
    };
    let code = world.ledger.issue_code(consent, now)?;
    let answer = format!("code={code}&state={}", percent_encode(&ask.state));
    Ok(request::target(&ask.redirect_uri, &answer, &world.config.switches))
}

/// A person refused: where the browser goes, if anywhere.
pub(crate) fn refuse(world: &World, sign_in: &SignIn) -> Option<String> {
    let switches = &world.config.switches;
    let answer = format!("state={}", percent_encode(&sign_in.ask.state));
    switches.denial_redirects.then(|| request::target(&sign_in.ask.redirect_uri, &answer, switches))
}

/// The text of a numbered page error, for ordered faults.
pub(crate) fn text_of(number: i32) -> Option<&'static str> {
    PageError::of(number).map(|error| error.text)
}

/// What is said when too many came.
pub(crate) fn rate_limit(language: Language) -> Response {
    error_page(language, PageError::TOO_FREQUENT.number, PageError::TOO_FREQUENT.text)
}

/// The status is 200, and nothing is redirected.
pub(crate) fn error_page(language: Language, number: Option<i32>, text: &str) -> Response {
    let by_the_rules = || {
        language.say(
            "模拟器按微信公众平台的规则拒绝了这次请求。",
            "The simulator refused this request by the rules of WeChat's official accounts.",
        )
    };
    let quiet = match number {
        Some(number) => format!("{}{number}", language.say("错误码：", "Error code: ")),
        None => by_the_rules().to_owned(),
    };
    page::answer(StatusCode::OK, Frame::browser(World::TITLE, language).notice(Mark::Wrong, text, &quiet))
}
