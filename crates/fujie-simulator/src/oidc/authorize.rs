//! The authorization endpoint, by GET or POST (OpenID Connect Core §3.1.2).
//!
//! Judged by [`super::ask`]; then a page asks, unless `prompt=none` wants an answer at once.

use super::ask::{self, Asked, Refusal};
use super::form_post;
use super::house::Manners;
use super::pushed;
use super::world::{Landing, Session, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::page::{self, Language};
use crate::phone::{Frame, Mark};
use crate::random::NoRandomness;
use crate::sign_in;
use crate::simulation::Simulation;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// How long the page can be answered.
const PAGE_LIFETIME: Duration = Duration::from_secs(600);

pub(crate) async fn authorize<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let tenant = M::PATHS.tenant_in(call.path());
    let (fields, way) = match pushed::take(&mut simulation.world(), &call.fields, simulation.now()) {
        Some(pushed) => (pushed, "pushed"),
        None => (call.fields.clone(), "web"),
    };
    let request = request_of(&fields, way, tenant);
    let language = Language::of(request.sent("ui_locales").or(request.sent("lang")), &call.head.headers);
    match decide(&simulation, tenant, &request) {
        Decision::Page { chinese, english } => {
            let title = language.say("无法登录", "Cannot sign in");
            let html = Frame::browser(M::TITLE, language).notice(Mark::Wrong, title, language.say(chinese, english));
            page::answer(StatusCode::BAD_REQUEST, html)
        }
        Decision::Land(Landing::Redirect(address)) => sign_in::found(&address),
        Decision::Land(Landing::Post(post)) => form_post::page(&post, language),
        Decision::Ask(ask) => match sign_in::authorize(&simulation, *ask, language) {
            Ok(response) => response,
            Err(no_randomness) => no_randomness.into_response(),
        },
        Decision::NoRandomness => NoRandomness.into_response(),
    }
}

enum Decision {
    Page { chinese: &'static str, english: &'static str },
    Land(Landing),
    Ask(Box<sign_in::Ask>),
    NoRandomness,
}

/// The request's fields behind our own notes of its way and the tenant, which come first and so win.
fn request_of(fields: &Fields, way: &str, tenant: &str) -> Fields {
    let notes = [("flow", way), ("tenant", tenant)].into_iter();
    notes.chain(fields.iter()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn decide<M: Manners>(simulation: &Simulation<World<M>>, tenant: &str, request: &Fields) -> Decision {
    let now = simulation.now();
    let mut guard = simulation.world();
    let world = &mut *guard;
    let asked = match ask::judge(request, &world.clients, &world.switches, M::RULES) {
        Ok(asked) => asked,
        Err(Refusal::Page { chinese, english }) => return Decision::Page { chinese, english },
        Err(Refusal::Back { back, error, description }) => {
            let parameters = vec![("error", error.to_owned()), ("error_description", description.to_owned())];
            return Decision::Land(world.landing(&back, parameters, tenant));
        }
    };
    if world.switches.pushed_requests_required && request.sent("flow") != Some("pushed") {
        let parameters = vec![("error", "invalid_request".to_owned()), ("error_description", "push it".to_owned())];
        return Decision::Land(world.landing(&asked.back, parameters, tenant));
    }
    let is_silent = asked.prompt.iter().any(|word| word == "none");
    if is_silent && world.scene.auto_confirm.is_none() {
        let (client_id, back) = (asked.client.client_id.clone(), asked.back.clone());
        return match standing_session(world, &asked, now) {
            Ok(session) => match world.issue(&client_id, &back, request, &session, now) {
                Ok(landing) => Decision::Land(landing),
                Err(NoRandomness) => Decision::NoRandomness,
            },
            Err(error) => {
                let parameters = vec![("error", error.to_owned()), ("error_description", "prompt=none".to_owned())];
                Decision::Land(world.landing(&back, parameters, tenant))
            }
        };
    }
    Decision::Ask(Box::new(sign_in::Ask {
        client_id: asked.client.client_id.clone(),
        app_name: asked.client.shown_name().to_owned(),
        redirect_uri: asked.back.redirect_uri.clone(),
        state: asked.back.state.clone().unwrap_or_default(),
        scope: asked.scope.clone(),
        request: request.clone(),
        lifetime: PAGE_LIFETIME,
    }))
}

/// Whether `prompt=none` can be answered with a code (OpenID Connect Core §3.1.2.6).
fn standing_session<M: Manners>(world: &World<M>, asked: &Asked<'_>, now: Timestamp) -> Result<Session, &'static str> {
    let session = world.session.clone().ok_or("login_required")?;
    let age_seconds = session.authenticated_at.until(now).as_secs();
    let consent = format!("{} {}", asked.client.client_id, session.person);
    if asked.max_age_seconds.is_some_and(|max_age_seconds| age_seconds > max_age_seconds) {
        Err("login_required")
    } else if world.consents.get(&consent).is_none() {
        Err("consent_required")
    } else {
        Ok(session)
    }
}
