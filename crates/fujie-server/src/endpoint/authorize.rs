//! The authorization endpoint (RFC 6749 §3.1), the hub of every sign-in: core alone says what comes next.

use fujie_core::{
    account::Session,
    grant::authorize as birth,
    logout,
    random::SystemRandom,
    request::{
        authorize::{self, Answer, AuthorizeError, AuthorizeRequest, Facts, Next, PageCause, Refusal},
        parameters::{ParameterError, Parameters, encode},
        response_mode::AuthorizationResponse,
    },
    secret::sha256,
};
use fujie_store::{BeginGrant, Consent, GrantBegun, StoreError};
use http::{Method, StatusCode};

use super::consent;
use crate::{
    form::{Visit, hub, open_resume, seal_resume},
    http::{Request, Response, see_other},
    page::{Difference, ErrorKind, FormPost, RequestFault, UriPart},
    server::Server,
    snapshot::Snapshot,
};

/// GET, and POST with the same parameters in its body (OpenID Connect Core 1.0 §3.1.2.1).
pub async fn answer(server: &Server, request: &Request) -> Response {
    let mut visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let arrived = match read(&mut visit, &snapshot) {
        Ok(arrived) => arrived,
        Err(response) => return *response,
    };
    go_on(&visit, &snapshot, arrived, Answer::None).await
}

/// An authorization request, arrived afresh or by `resume`.
pub(crate) struct Arrived {
    pub request: AuthorizeRequest,
    /// Its query, as it came.
    pub query: String,
    /// The `resume` that it came back by.
    pub resume: Option<String>,
}

impl Arrived {
    /// The request as sealed; only made when a page needs it.
    pub fn resume(&self, visit: &Visit<'_>, snapshot: &Snapshot) -> String {
        match &self.resume {
            Some(resume) => resume.clone(),
            None => seal_resume(visit.server, snapshot, &self.query, visit.now).unwrap_or_default(),
        }
    }

    /// Digest of the `resume` that it came back by.
    fn resumed(&self) -> Option<[u8; 32]> {
        self.resume.as_ref().map(|resume| sha256(resume.as_bytes()))
    }
}

fn read(visit: &mut Visit<'_>, snapshot: &Snapshot) -> Result<Arrived, Box<Response>> {
    let request = visit.request;
    if request.method == Method::GET {
        let parameters = request.query().unwrap_or_default();
        if let Some(resume) = parameters.text("resume") {
            return resume_of(visit, snapshot, resume);
        }
    }
    let raw = if request.method == Method::POST { request.body.as_ref() } else { request.query.as_bytes() };
    let parsed = authorize::parse(raw, &snapshot.registry, visit.server.issuer());
    let parsed = parsed.map_err(|refusal| Box::new(refuse(visit, refusal)))?;
    let query = std::str::from_utf8(raw).unwrap_or_default();
    if request.method == Method::POST {
        // From another site no cookie of ours came along: the browser comes again by GET, as itself.
        let resume = seal_resume(visit.server, snapshot, query, visit.now);
        return Err(Box::new(match resume {
            Some(resume) => see_other(&hub(&resume)),
            None => visit.error(ErrorKind::Unavailable),
        }));
    }
    visit.speak("", parsed.ui_locales.as_deref());
    Ok(Arrived { request: parsed, query: query.to_owned(), resume: None })
}

/// Judges a `resume` as if its request had just arrived.
pub(crate) fn resume_of(visit: &mut Visit<'_>, snapshot: &Snapshot, resume: &str) -> Result<Arrived, Box<Response>> {
    let query = open_resume(snapshot, resume, visit.now).ok_or_else(|| Box::new(visit.error(ErrorKind::Expired)))?;
    let parsed = authorize::parse(query.as_bytes(), &snapshot.registry, visit.server.issuer());
    let request = parsed.map_err(|refusal| Box::new(refuse(visit, refusal)))?;
    visit.speak(resume, request.ui_locales.as_deref());
    Ok(Arrived { request, query, resume: Some(resume.to_owned()) })
}

/// Loads, decides and does what comes next.
pub(crate) async fn go_on(visit: &Visit<'_>, snapshot: &Snapshot, arrived: Arrived, answer: Answer) -> Response {
    let mut arrived = arrived;
    arrived.request.hinted_subject = hinted_subject(snapshot, &arrived.query);
    let situation = match load(visit, &arrived).await {
        Ok(situation) => situation,
        Err(error) => return visit.unavailable(&error),
    };
    let resumed = arrived.resumed();
    let facts = Facts {
        session: situation.session.as_ref(),
        consented: situation.consented.as_ref(),
        has_pending: situation.has_pending,
        resumed,
        answer,
    };
    let next = match authorize::decide(&arrived.request, facts, visit.now) {
        Ok(next) => next,
        Err(error) => return tell(visit, &arrived.request, &error),
    };
    let to =
        |path: &str| visit.remember(see_other(&format!("{path}?resume={}", encode(&arrived.resume(visit, snapshot)))));
    match (next, situation.session) {
        (Next::Bind, _) => to("/bind"),
        (Next::Consent, Some(session)) => consent::page(visit, snapshot, &arrived, &session),
        (Next::Issue, Some(session)) => issue(visit, snapshot, arrived, &session, answer).await,
        (Next::SignIn, _) | (_, None) => to("/sign-in"),
    }
}

/// The person that the client expects, by an ID token of ours (OpenID Connect Core 1.0 §3.1.2.1 `id_token_hint`).
fn hinted_subject(snapshot: &Snapshot, query: &str) -> Option<String> {
    if !query.contains("id_token_hint=") {
        return None;
    }
    let parameters = Parameters::parse(query.as_bytes()).ok()?;
    logout::hint(parameters.text("id_token_hint")?, &snapshot.ring).map(|hint| hint.sub)
}

struct Situation {
    session: Option<Session>,
    consented: Option<fujie_core::request::scope::Scope>,
    has_pending: bool,
}

async fn load(visit: &Visit<'_>, arrived: &Arrived) -> Result<Situation, StoreError> {
    let session = visit.session().await?;
    let consented = match &session {
        Some(session) => visit.server.store.consent(session.account.id, &arrived.request.client.id).await?,
        None => None,
    };
    let has_pending = match visit.ticket() {
        Some(ticket) => visit.server.store.pending(ticket, visit.now).await?.is_some(),
        None => false,
    };
    Ok(Situation { session, consented, has_pending })
}

async fn issue(
    visit: &Visit<'_>,
    snapshot: &Snapshot,
    arrived: Arrived,
    session: &Session,
    answer: Answer,
) -> Response {
    let server = visit.server;
    if !server.is_current(visit.now) {
        return tell(visit, &arrived.request, &AuthorizeError::Unavailable);
    }
    let consent = match answer {
        _ if arrived.request.client.is_native() => Consent::Once,
        Answer::Allow => Consent::Remember(arrived.request.scope.clone()),
        _ => Consent::Remembered,
    };
    let consume_fresh = arrived.resumed().filter(|digest| session.fresh_for == Some(*digest));
    let (query, resume) = (arrived.query, arrived.resume);
    let client_name = arrived.request.client.name.clone();
    let setting = server.setting(snapshot, visit.now);
    let draft = birth::draft(arrived.request, session, setting, &mut SystemRandom);
    let grant = draft.grant.clone();
    let begin = BeginGrant { offline: grant.is_offline(), grant, consent, consume_fresh };
    match server.store.begin_grant(begin, visit.now).await {
        Ok(GrantBegun::Born(proof)) => match draft.release(proof, &snapshot.ring, &mut SystemRandom) {
            Ok(response) => send(visit, response, &client_name),
            Err(_) => visit.error(ErrorKind::Unavailable),
        },
        // The situation changed between reading and committing: it is judged anew.
        Ok(
            GrantBegun::SessionEnded | GrantBegun::AccountGone | GrantBegun::ConsentGone | GrantBegun::FreshnessGone,
        ) => {
            let resume = resume.or_else(|| seal_resume(server, snapshot, &query, visit.now)).unwrap_or_default();
            visit.remember(see_other(&format!("/authorize?resume={}", encode(&resume))))
        }
        Ok(GrantBegun::TooManyUnredeemed) => {
            send(visit, AuthorizeError::Unavailable.answer(draft.into_target()), &client_name)
        }
        Err(error) => {
            tracing::error!(%error, "a grant could not be stored");
            send(visit, AuthorizeError::Unavailable.answer(draft.into_target()), &client_name)
        }
    }
}

/// Tells the client an error, at its proven target.
pub(crate) fn tell(visit: &Visit<'_>, request: &AuthorizeRequest, error: &AuthorizeError) -> Response {
    send(visit, error.answer(request.target.clone()), &request.client.name)
}

fn send(visit: &Visit<'_>, response: AuthorizationResponse, client_name: &str) -> Response {
    match response {
        AuthorizationResponse::Redirect { location } => visit.remember(see_other(&location)),
        AuthorizationResponse::FormPost { action, fields } => {
            let target = fujie_core::request::redirect_uri::origin_of(&action);
            let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let page = FormPost { action, fields, client_name: client_name.to_owned() };
            visit.page(StatusCode::OK, &page, &[target])
        }
    }
}

/// A refusal: by redirect when the target is proven, else a page that says what differs.
fn refuse(visit: &Visit<'_>, refusal: Refusal) -> Response {
    let cause = match refusal {
        Refusal::Redirect(target, error) => return send(visit, error.answer(target), ""),
        Refusal::Page(cause) => cause,
    };
    let missing = |parameter: &str| RequestFault::Missing { parameter: parameter.to_owned() };
    visit.error(match cause {
        PageCause::TooLong => ErrorKind::RequestTooLong { limit: authorize::REQUEST_LENGTH_MAX },
        PageCause::ClientUnknown => ErrorKind::UnknownClient { client_id: named_client(visit) },
        PageCause::ClientMissing => ErrorKind::InvalidRequest { fault: missing("client_id") },
        PageCause::RedirectUriMissing => ErrorKind::InvalidRequest { fault: missing("redirect_uri") },
        PageCause::Parameters(ParameterError::Repeated(parameter)) => {
            ErrorKind::InvalidRequest { fault: RequestFault::Duplicate { parameter } }
        }
        PageCause::Parameters(_) => ErrorKind::InvalidRequest { fault: RequestFault::Unreadable },
        PageCause::RedirectUriMismatch { client, requested } => {
            let differs = client.redirect_uris.iter().find_map(|own| requested.difference(own));
            ErrorKind::RedirectUriMismatch {
                requested: requested.as_str().to_owned(),
                registered: client.redirect_uris.iter().map(|own| own.as_str().to_owned()).collect(),
                differs: differs.map(|difference| Difference {
                    part: part(difference.part),
                    requested: difference.requested,
                    registered: difference.registered,
                }),
            }
        }
    })
}

/// What the request called its client, at most 100 characters.
fn named_client(visit: &Visit<'_>) -> String {
    let parameters = match visit.request.method {
        Method::POST => visit.request.form(),
        _ => visit.request.query(),
    };
    parameters.unwrap_or_default().text("client_id").unwrap_or_default().chars().take(100).collect()
}

fn part(word: &str) -> UriPart {
    match word {
        "scheme" => UriPart::Scheme,
        "host" => UriPart::Host,
        "port" => UriPart::Port,
        "query" => UriPart::Query,
        "fragment" => UriPart::Fragment,
        _ => UriPart::Path,
    }
}
