//! The bind page: what to do with an identity that nobody knows yet (design: account binding, step 5).

use fujie_core::{
    account::Session,
    binding::identity::Pending,
    id::Id,
    random::SystemRandom,
    request::parameters::encode,
    secret::{Digest, Secret},
};
use fujie_store::{Attached, CreatedAndBound, NewAccount, NewSession, SignIn, StoreError};
use http::StatusCode;

use super::sign_in::{arrive, fresh_for, is_fresh};
use crate::{
    broker::shown,
    cookie::Name,
    form::{Visit, hub, resumed},
    http::{Request, Response, see_other},
    page::{Bind, BindConfirm, ErrorKind},
    server::Server,
};

/// GET: three choices, or after the fresh sign-in the question whether to attach.
pub async fn get(server: &Server, request: &Request) -> Response {
    let mut visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let query = request.query().unwrap_or_default();
    let resume = query.text("resume").unwrap_or_default();
    let waiting = match load(&visit).await {
        Ok(waiting) => waiting,
        Err(error) => return visit.unavailable(&error),
    };
    let Some((ticket, pending, session)) = waiting else {
        return server.cookies.clear(request, see_other(&hub(resume)), &Name::BindTicket);
    };
    let authorize = resumed(server, &snapshot, resume, visit.now);
    visit.speak(resume, authorize.as_ref().and_then(|request| request.ui_locales.as_deref()));
    let mut targets: Vec<_> = authorize.iter().map(|request| request.target.origin()).collect();
    targets.extend(server.settings.connections.iter().map(|connection| connection.upstream.origin()));
    let provider = shown(server, &pending.connection);
    let nickname = pending.identity.nickname.clone().unwrap_or_default();
    let ticket_digest = ticket.hex();
    let csrf = visit.csrf(&snapshot, "bind", "");
    let resume = resume.to_owned();
    let act = fresh_for("", Some(&ticket_digest));
    match session.filter(|session| is_fresh(session, act, visit.now)) {
        Some(session) => {
            let account_name = session.account.username.unwrap_or(session.account.name);
            let page = BindConfirm { provider, nickname, account_name, csrf, ticket_digest, resume };
            visit.page(StatusCode::OK, &page, &targets)
        }
        None => {
            let client_name = authorize.map(|request| request.client.name.clone());
            let page = Bind { provider, nickname, csrf, ticket_digest, resume, client_name };
            visit.page(StatusCode::OK, &page, &targets)
        }
    }
}

/// POST: the choice.
pub async fn post(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "bind", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let waiting = match load(&visit).await {
        Ok(waiting) => waiting,
        Err(error) => return visit.unavailable(&error),
    };
    // The form names the ticket it was shown for: another one has come since, or it was spent.
    let waiting = waiting.filter(|(ticket, ..)| fields.text("ticket_digest") == Some(&ticket.hex()));
    let Some((ticket, pending, session)) = waiting else {
        return visit.error(ErrorKind::Expired);
    };
    let resume = fields.text("resume").unwrap_or_default();
    let done = match fields.text("action") {
        Some("create") => create(&visit, ticket, &pending, resume).await,
        Some("attach") => Ok(sign_in(resume)),
        Some("confirm") => confirm(&visit, ticket, &pending, session, resume).await,
        Some("cancel") => cancel(&visit, ticket, resume).await,
        _ => Ok(visit.error(ErrorKind::Expired)),
    };
    done.unwrap_or_else(|error| visit.unavailable(&error))
}

type Waiting = (Digest, Pending, Option<Session>);

async fn load(visit: &Visit<'_>) -> Result<Option<Waiting>, StoreError> {
    let Some(ticket) = visit.ticket() else { return Ok(None) };
    let Some(pending) = visit.server.store.pending(ticket, visit.now).await? else { return Ok(None) };
    // A provider that was switched off binds nobody any more.
    if visit.server.connection(&pending.connection).is_none() {
        return Ok(None);
    }
    Ok(Some((ticket, pending, visit.session().await?)))
}

/// To a sign-in on behalf of the ticket, which makes the session that may attach.
fn sign_in(resume: &str) -> Response {
    see_other(&format!("/sign-in?attach=1&resume={}", encode(resume)))
}

/// One click: account, identity and session in one transaction. When it fails nothing is left and the ticket works.
async fn create(visit: &Visit<'_>, ticket: Digest, pending: &Pending, resume: &str) -> Result<Response, StoreError> {
    let (token, session) = new_session(visit, pending, resume);
    let id = Id::new(visit.now, &mut SystemRandom);
    let name = pending.identity.nickname.clone().filter(|name| !name.is_empty());
    let account = NewAccount {
        id,
        username: None,
        name: name.unwrap_or_else(|| format!("{}-{}", pending.connection, id.to_string().split_at(26).1)),
        picture: pending.identity.picture.clone(),
        password_hash: None,
        is_administrator: false,
    };
    match visit.server.store.create_and_bind(ticket, account, session, visit.now).await? {
        CreatedAndBound::Bound(_) => Ok(arrive(visit, &token, resume, None).await),
        CreatedAndBound::AlreadyBound(_) => {
            // Lost a race: decide again, as an ordinary sign-in.
            let (token, session) = new_session(visit, pending, resume);
            match visit.server.store.sign_in_by_ticket(ticket, session, visit.now).await? {
                SignIn::SignedIn(_) => Ok(arrive(visit, &token, resume, None).await),
                SignIn::AccountDisabled => Ok(visit.error(ErrorKind::AccountDisabled)),
                SignIn::Conflict { .. } => Ok(elsewhere(visit, pending)),
                SignIn::FlowUsed | SignIn::NotBound => Ok(visit.error(ErrorKind::Expired)),
            }
        }
        CreatedAndBound::TicketGone | CreatedAndBound::UsernameTaken => Ok(visit.error(ErrorKind::Expired)),
    }
}

/// Attaches to the account that signed in on this page just now. The session never changes account.
async fn confirm(
    visit: &Visit<'_>,
    ticket: Digest,
    pending: &Pending,
    session: Option<Session>,
    resume: &str,
) -> Result<Response, StoreError> {
    let act = fresh_for("", Some(&ticket.hex()));
    let Some(session) = session.filter(|session| session.fresh_for == Some(act)) else {
        return Ok(visit.error(ErrorKind::Expired));
    };
    if !is_fresh(&session, act, visit.now) {
        return Ok(sign_in(resume));
    }
    match visit.server.store.attach_and_bind(ticket, session.id, visit.now).await? {
        Attached::Bound(_) => {
            let response = see_other(&hub(resume));
            Ok(visit.server.cookies.clear(visit.request, response, &Name::BindTicket))
        }
        Attached::AlreadyBoundElsewhere => Ok(elsewhere(visit, pending)),
        Attached::TicketGone | Attached::SessionEnded => Ok(visit.error(ErrorKind::Expired)),
    }
}

async fn cancel(visit: &Visit<'_>, ticket: Digest, resume: &str) -> Result<Response, StoreError> {
    visit.server.store.discard_pending(ticket).await?;
    let response = see_other(&format!("/sign-in?resume={}", encode(resume)));
    Ok(visit.server.cookies.clear(visit.request, response, &Name::BindTicket))
}

fn new_session(visit: &Visit<'_>, pending: &Pending, resume: &str) -> (Secret, NewSession) {
    // When the provider vouched, however long the person took to choose.
    let auth_time = pending.expires_at - visit.server.settings.policy.bind_ticket;
    visit.new_session(&pending.connection, auth_time, fresh_for(resume, None))
}

fn elsewhere(visit: &Visit<'_>, pending: &Pending) -> Response {
    visit.error(ErrorKind::BoundElsewhere { provider: shown(visit.server, &pending.connection) })
}
