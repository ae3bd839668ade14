//! Starting a sign-in with a provider: a POST from our page, so that nobody else can start flows in this browser.

use fujie_client::{Ask, Begin, ProviderError};
use fujie_core::{random::SystemRandom, secret::sha256};

use super::{Connection, Flow, back, embedded, redirect_uri};
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
    let attach = fields.text("ticket_digest");
    let is_full = fields.text("full").is_some();
    let begun = match begin(&visit, connection, is_full).await {
        Ok(begun) => begun,
        Err(error) => return visit.remember(back(connection, resume, attach, &error)),
    };
    let state = begun.attempt.state.clone();
    let flow = Flow {
        connection: connection.id.clone(),
        attempt: begun.attempt,
        resume: resume.to_owned(),
        attach: attach.map(str::to_owned),
        session: visit.session_token.as_deref().map(|token| sha256(token.as_bytes())),
        connect: None,
    };
    let Some(sealed) = flow.seal(&snapshot, visit.now) else {
        return visit.error(ErrorKind::Unavailable);
    };
    let response = server.cookies.shed_flows(request, see_other(&begun.url));
    visit.remember(server.cookies.set(response, &Name::Flow(&state), &sealed, server.settings.policy.flow))
}

/// Where the browser goes: to the provider, or to our page that has the provider's in it.
async fn begin(visit: &Visit<'_>, connection: &Connection, is_full: bool) -> Result<Begin, ProviderError> {
    let (server, now) = (visit.server, visit.now);
    let client = connection.upstream.client(now).await?;
    let to = redirect_uri(server, &connection.id);
    if connection.embedding.is_some() && !is_full {
        let begun = client.registration().begin_embedded(&to, embedded::FRAME, false, &mut SystemRandom, now)?;
        let (_, attempt) = begun;
        return Ok(Begin { url: embedded::address(connection, &attempt.state), attempt });
    }
    let ask = Ask { language: Some(visit.lang.code()), ..Ask::default() };
    client.begin_unsealed(&to, &ask, now).await
}
