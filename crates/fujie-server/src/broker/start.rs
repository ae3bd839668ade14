//! Starting a sign-in with a provider: a POST from our page, so that nobody else can start flows in this browser.

use fujie_client::Ask;
use fujie_core::{random::SystemRandom, secret::sha256};

use super::{Connection, Flow, redirect_uri};
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
    let to = redirect_uri(server, &connection.id);
    let ask = Ask { language: Some(visit.lang.code()), ..Ask::default() };
    let begun = match connection.client.registration().begin(&to, &ask, &mut SystemRandom, visit.now) {
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
