//! The page of ours with a provider's sign-in page inside it, by that provider's own script.
//!
//! Shown for a sign-in that this browser has begun, and shown again as often as it is asked for.

use fujie_core::request::{parameters::encode, redirect_uri::origin_of};
use http::StatusCode;

use super::{Connection, Embedding, Flow, back};
use crate::{
    cookie::Name,
    form::{ContentPolicy, Visit, resumed},
    http::{Request, Response, see_other},
    page::{Embedded, ErrorKind, FrameOptions},
    server::Server,
};

/// The element that the script fills.
pub(super) const FRAME: &str = "frame";

/// Where the page for this sign-in is.
pub(super) fn address(connection: &Connection, state: &str) -> String {
    format!("/broker/{}/embedded?state={}", connection.id, encode(state))
}

/// GET.
pub async fn get(server: &Server, request: &Request, connection: &Connection) -> Response {
    let mut visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let query = request.query().unwrap_or_default();
    let sealed = server.cookies.read(request, &Name::Flow(query.text("state").unwrap_or_default()));
    let flow = sealed.and_then(|sealed| Flow::open(server, &snapshot, &sealed, visit.now));
    let Some(flow) = flow.filter(|flow| flow.connection == connection.id) else {
        return visit.remember(see_other("/sign-in?error=lost"));
    };
    let resume = &flow.resume;
    let authorize = resumed(server, &snapshot, resume, visit.now);
    visit.speak(resume, authorize.as_ref().and_then(|request| request.ui_locales.as_deref()));
    let client = match connection.upstream.client(visit.now).await {
        Ok(client) => client,
        Err(error) => return visit.remember(back(connection, resume, flow.attach.as_deref(), &error)),
    };
    let Some(script) = client.provider().embedded_script() else {
        return visit.error(ErrorKind::NotFound);
    };
    let returns_in_frame = connection.embedding == Some(Embedding::Frame);
    let told = client.registration().embedded(&flow.attempt, FRAME, returns_in_frame);
    let origin = origin_of(&client.provider().authorization_endpoint);
    let page = Embedded {
        provider: connection.shown(),
        script: script.clone(),
        options: FrameOptions {
            appid: told.appid,
            scope: told.scope,
            redirect_uri: told.redirect_uri,
            state: told.state,
            self_redirect: returns_in_frame,
        },
        csrf: visit.csrf(&snapshot, "sign-in", resume),
        resume: flow.resume,
        ticket_digest: flow.attach,
    };
    let frames: &[&str] = if returns_in_frame { &[&origin, "'self'"] } else { &[&origin] };
    let targets = [origin.clone()];
    let policy = ContentPolicy { targets: &targets, script: Some(&script), frames, ..ContentPolicy::default() };
    visit.page_under(StatusCode::OK, &page, &policy)
}
