//! Signing out: by the person, or asked for by a client (`end_session_endpoint`, OpenID Connect RP-Initiated Logout
//! 1.0).

use fujie_core::{
    logout::{self, LogoutRequest},
    request::parameters::Parameters,
};
use fujie_store::StoreError;
use http::StatusCode;

use crate::{
    cookie::Name,
    form::{Visit, open_resume, seal_resume},
    http::{Request, Response, see_other},
    page::{SignOutConfirm, SignedOut},
    server::Server,
};

/// GET, or POST by a client: asks, unless the client proves whose session it means.
pub async fn get(server: &Server, request: &Request) -> Response {
    let raw = if request.method == http::Method::POST { request.body.as_ref() } else { request.query.as_bytes() };
    let raw = std::str::from_utf8(raw).unwrap_or_default();
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let parameters = Parameters::parse(raw.as_bytes()).unwrap_or_default();
    let asked = logout::read(&parameters, &snapshot.registry, &snapshot.ring);
    let session = match visit.session().await {
        Ok(session) => session,
        Err(error) => return visit.unavailable(&error),
    };
    let Some(session) = session else {
        return done(&visit, &asked);
    };
    if asked.subject.as_deref() == Some(session.account.id.to_string().as_str()) {
        return match end(&visit).await {
            Ok(()) => done(&visit, &asked),
            Err(error) => visit.unavailable(&error),
        };
    }
    let resume = if raw.is_empty() { None } else { seal_resume(server, &snapshot, raw, visit.now) };
    let targets: Vec<_> = asked.location.iter().map(|uri| fujie_core::request::redirect_uri::origin_of(uri)).collect();
    let page = SignOutConfirm {
        account_name: session.account.name,
        client_name: asked.client_name,
        resume: resume.unwrap_or_default(),
        csrf: visit.csrf(&snapshot, "account", ""),
    };
    visit.page(StatusCode::OK, &page, &targets)
}

/// POST: a form of ours signs out; anything else is a client's request and is asked about.
pub async fn post(server: &Server, request: &Request) -> Response {
    let is_ours = request.form().is_ok_and(|fields| fields.text("csrf").is_some());
    if !is_ours {
        return get(server, request).await;
    }
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "account", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let asked = fields
        .text("resume")
        .and_then(|resume| open_resume(&snapshot, resume, visit.now))
        .and_then(|query| Parameters::parse(query.as_bytes()).ok())
        .map(|parameters| logout::read(&parameters, &snapshot.registry, &snapshot.ring));
    match end(&visit).await {
        Ok(()) => done(&visit, &asked.unwrap_or_default()),
        Err(error) => visit.unavailable(&error),
    }
}

/// Ends this browser's session and discards what waited to be bound.
pub(crate) async fn end(visit: &Visit<'_>) -> Result<(), StoreError> {
    if let Some(ticket) = visit.ticket() {
        visit.server.store.discard_pending(ticket).await?;
    }
    if let Some(id) = visit.session_id() {
        visit.server.store.end_session(id, visit.now).await?;
    }
    Ok(())
}

/// The answer with this browser's cookies deleted.
pub(crate) fn forget(visit: &Visit<'_>, mut response: Response) -> Response {
    for name in [Name::Session, Name::BindTicket, Name::Browser] {
        response = visit.server.cookies.clear(visit.request, response, &name);
    }
    response
}

fn done(visit: &Visit<'_>, asked: &LogoutRequest) -> Response {
    let response = match &asked.location {
        Some(location) => see_other(location),
        None => visit.page(StatusCode::OK, &SignedOut {}, &[]),
    };
    forget(visit, response)
}
