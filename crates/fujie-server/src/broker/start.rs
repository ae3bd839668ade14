//! Starting a sign-in with a provider: a POST from our page, so that nobody else can start flows in this browser.

use fujie_core::{
    random::{Random as _, SystemRandom},
    secret::sha256,
};

use super::{Connection, Flow, client_time, redirect_uri};
use crate::{
    cookie::Name,
    form::{Visit, resumed},
    http::{Request, Response, see_other},
    page::ErrorKind,
    server::Server,
};

/// POST.
pub async fn post(server: &Server, request: &Request, connection: &Connection) -> Response {
    let mut visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "sign-in", "resume") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let resume = fields.text("resume").unwrap_or_default();
    let asked = resumed(server, &snapshot, resume, visit.now).and_then(|request| request.ui_locales);
    visit.speak(resume, asked.as_deref());
    let mut random = |bytes: &mut [u8]| SystemRandom.fill(bytes);
    let (to, language) = (redirect_uri(server, &connection.id), Some(visit.lang.code()));
    let begun = match connection.client.begin_in(&to, language, &mut random, client_time(visit.now)) {
        Ok(begun) => begun,
        Err(error) => {
            tracing::error!(connection = connection.id, %error, "a sign-in with a provider could not begin");
            return visit.error(ErrorKind::Unavailable);
        }
    };
    let state = begun.attempt.state.clone();
    let flow = Flow {
        connection: connection.id.clone(),
        attempt: begun.attempt,
        resume: resume.to_owned(),
        attach: fields.text("ticket_digest").map(str::to_owned),
        session: visit.session_token.as_deref().map(|token| sha256(token.as_bytes())),
    };
    let Some(sealed) = flow.seal(&snapshot, visit.now) else {
        return visit.error(ErrorKind::Unavailable);
    };
    let response = server.cookies.shed_flows(request, see_other(&begun.url));
    visit.remember(server.cookies.set(response, &Name::Flow(&state), &sealed, server.settings.policy.flow))
}
