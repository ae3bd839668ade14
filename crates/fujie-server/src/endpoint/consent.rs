//! The consent page, and its POST, which issues in its own answer: no "has consented" stands in a URL.

use fujie_core::{
    account::Session,
    request::{authorize::Answer, scope::Scope},
};
use http::StatusCode;

use super::authorize::{Arrived, go_on, resume_of};
use crate::{
    form::Visit,
    http::{Request, Response},
    page::{Consent, Lang, ScopeWords},
    server::Server,
    snapshot::Snapshot,
};

/// The page that asks.
pub(crate) fn page(visit: &Visit<'_>, snapshot: &Snapshot, arrived: &Arrived, session: &Session) -> Response {
    let request = &arrived.request;
    let resume = arrived.resume(visit, snapshot);
    let page = Consent {
        client_name: request.client.name.clone(),
        client_host: request.target.origin(),
        client_is_public: request.client.is_public,
        scopes: scope_words(visit, snapshot, &request.scope),
        account_name: session.account.name.clone(),
        csrf: visit.csrf(snapshot, "consent", &resume),
        resume,
    };
    visit.page(StatusCode::OK, &page, &[request.target.origin()])
}

/// Each token of a scope, with the sentence of the API that it belongs to.
pub(super) fn scope_words(visit: &Visit<'_>, snapshot: &Snapshot, scope: &Scope) -> Vec<ScopeWords> {
    let lang = match visit.lang {
        Lang::En => "en",
        Lang::Zh => "zh",
    };
    let sentence = |token: &str| {
        let api = snapshot.registry.api_of_scope(token);
        api.and_then(|api| api.scope_words.get(token)).and_then(|words| words.get(lang)).cloned()
    };
    scope.tokens().map(|token| ScopeWords { name: token.to_owned(), sentence: sentence(token) }).collect()
}

/// POST: the person's answer.
pub async fn post(server: &Server, request: &Request) -> Response {
    let mut visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "consent", "resume") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let answer = match fields.text("decision") {
        Some("allow") => Answer::Allow,
        Some("deny") => Answer::Deny,
        _ => Answer::None,
    };
    match resume_of(&mut visit, &snapshot, fields.text("resume").unwrap_or_default()) {
        Ok(arrived) => go_on(&visit, &snapshot, arrived, answer).await,
        Err(response) => *response,
    }
}
