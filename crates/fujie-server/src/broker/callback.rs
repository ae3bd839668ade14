//! The callback of a provider: only the browser that began the flow can end it, for the connection that it began.

use fujie_client::ProviderError;
use fujie_core::{
    binding::identity::{Identity, Pending, Union},
    random::SystemRandom,
    request::parameters::{Parameters, encode},
    secret::{Digest, Kind, Secret, sha256},
    time::Timestamp,
};
use fujie_store::{PendingStored, SignIn, StoreError, UsedKind};
use http::{HeaderName, StatusCode};

use super::{Connection, EXCHANGES_MAX, Embedding, Flow, back, connect, form_post};
use crate::{
    cookie::Name,
    endpoint::sign_in::{arrive, fresh_for},
    form::{ContentPolicy, Visit, hub},
    http::{Request, Response, see_other},
    page::{ErrorKind, ToTop},
    server::Server,
    snapshot::Snapshot,
};

/// GET.
pub async fn get(server: &Server, request: &Request, connection: &Connection) -> Response {
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    if leaves_frame(connection, request) {
        return to_top(&visit, connection);
    }
    let Some(came) = came(connection, &snapshot, request, visit.now) else {
        return lost(&visit, None).await;
    };
    let parameters = Parameters::parse(came.as_bytes()).unwrap_or_default();
    let state = parameters.text("state").unwrap_or_default();
    let sealed = server.cookies.read(request, &Name::Flow(state));
    let flow = sealed.and_then(|sealed| Flow::open(server, &snapshot, &sealed, visit.now));
    let Some(flow) = flow.filter(|flow| flow.connection == connection.id) else {
        return lost(&visit, None).await;
    };
    // A session that came since means that somebody else may sit there.
    if flow.session != visit.session_token.as_deref().map(|token| sha256(token.as_bytes())) {
        return lost(&visit, Some(&flow)).await;
    }
    if let Some(purpose) = &flow.connect {
        return connect::finish(&visit, connection, &flow, purpose, &came).await;
    }
    match finish(&visit, connection, &flow, &came).await {
        // The flow is used up in the store; its cookie stays for the second call of an in-app browser.
        Ok(response) => response,
        // Whatever came of it, this flow is spent in this browser.
        Err(response) => server.cookies.clear(request, *response, &Name::Flow(&flow.attempt.state)),
    }
}

/// What the provider said, as a query. One that answers by POST is heard through [`form_post`] alone.
fn came(connection: &Connection, snapshot: &Snapshot, request: &Request, now: Timestamp) -> Option<String> {
    if !connection.upstream.answers_by_post() {
        return Some(request.query.clone());
    }
    form_post::open(connection, snapshot, request.query().ok()?.text("answer")?, now)
}

/// Is this the frame of an embedded page? It brings no cookies along, because the provider's page sent it here.
fn leaves_frame(connection: &Connection, request: &Request) -> bool {
    let is_out = request.query().is_ok_and(|query| query.text(OUT).is_some());
    let is_window = request.header(HeaderName::from_static("sec-fetch-dest")) == Some("document");
    connection.embedding == Some(Embedding::Frame) && !is_out && !is_window
}

/// The same callback once more, in the whole window. Whoever comes there without the flow's cookie is lost as ever.
fn to_top(visit: &Visit<'_>, connection: &Connection) -> Response {
    let query = &visit.request.query;
    let page = ToTop { url: format!("/broker/{}/callback?{query}&{OUT}=1", connection.id) };
    visit.page_under(StatusCode::OK, &page, &ContentPolicy { is_framed: true, ..ContentPolicy::default() })
}

/// Marks the callback that comes in the whole window.
const OUT: &str = "top";

/// Not this browser's flow, or not any more. When its first call signed in here, the second goes where that one went.
async fn lost(visit: &Visit<'_>, flow: Option<&Flow>) -> Response {
    let session = match visit.session().await {
        Ok(session) => session,
        Err(error) => return visit.unavailable(&error),
    };
    let to = match (session, flow) {
        (None, _) => "/sign-in?error=lost".to_owned(),
        (Some(session), Some(flow)) if session.fresh_for == Some(fresh_for(&flow.resume, flow.attach.as_deref())) => {
            hub(&flow.resume)
        }
        (Some(_), _) => "/account".to_owned(),
    };
    visit.remember(see_other(&to))
}

/// `Ok` when the provider vouched for somebody, `Err` when the flow came to nothing.
async fn finish(
    visit: &Visit<'_>,
    connection: &Connection,
    flow: &Flow,
    came: &str,
) -> Result<Response, Box<Response>> {
    let server = visit.server;
    let failed = |error| Box::new(back(connection, &flow.resume, flow.attach.as_deref(), &error));
    let client = connection.upstream.client(visit.now).await.map_err(failed)?;
    let callback = client.registration().read_callback(&flow.attempt, came, visit.now).map_err(failed)?;
    let calls = server.limit.count(&("exchange", flow.id()), visit.now);
    if calls > EXCHANGES_MAX {
        return Err(Box::new(visit.error(ErrorKind::TooManyRequests)));
    }
    match client.redeem(callback).await {
        Ok(signed_in) => {
            let identity = identity(connection, client.provider(), signed_in.identity);
            Ok(enter(visit, connection, flow, identity).await.unwrap_or_else(|error| visit.unavailable(&error)))
        }
        Err(ProviderError::CodeUsed(_)) => Ok(after_other_call(flow)),
        // Most providers do not say whether the code was used, or never was one. The other call may be under way still,
        // or it came to something in an earlier minute.
        Err(ProviderError::CodeRefused(_)) if calls > 1 => Ok(after_other_call(flow)),
        Err(error @ ProviderError::CodeRefused(_)) => match server.store.is_used(UsedKind::Flow, &flow.id()).await {
            Ok(true) => Ok(after_other_call(flow)),
            Ok(false) => Err(failed(error)),
            Err(error) => Ok(visit.unavailable(&error)),
        },
        Err(error) => Err(failed(error)),
    }
}

/// Where it is seen what the other call of the same callback did: the bind page, which leads on when there is nothing to
/// bind.
fn after_other_call(flow: &Flow) -> Response {
    see_other(&format!("/bind?resume={}", encode(&flow.resume)))
}

/// Signs in, or stores the identity as pending.
async fn enter(
    visit: &Visit<'_>,
    connection: &Connection,
    flow: &Flow,
    identity: Identity,
) -> Result<Response, StoreError> {
    let (server, store) = (visit.server, &visit.server.store);
    let attach = flow.attach.as_deref();
    let once = fujie_store::Flow { id: flow.id().to_vec(), until: visit.now + server.settings.policy.flow };
    // A second round when the identity was bound between the look and the act.
    for _ in 0..2 {
        let (token, session) = visit.new_session(&connection.id, visit.now, fresh_for(&flow.resume, attach));
        match store.sign_in_by_identity(once.clone(), identity.clone(), session, visit.now).await? {
            SignIn::SignedIn(_) => {
                return Ok(arrive(visit, &token, &flow.resume, attach).await);
            }
            SignIn::FlowUsed => return Ok(after_other_call(flow)),
            SignIn::Conflict { .. } => {
                return Ok(visit.error(ErrorKind::BoundElsewhere { provider: connection.shown() }));
            }
            SignIn::AccountDisabled => return Ok(visit.error(ErrorKind::AccountDisabled)),
            SignIn::NotBound => {}
        }
        let ticket = Secret::random(Kind::BindTicket, &mut SystemRandom);
        let pending = Pending {
            identity: identity.clone(),
            connection: connection.id.clone(),
            ticket: Digest::of(Kind::BindTicket, ticket.expose()),
            expires_at: visit.now + server.settings.policy.bind_ticket,
        };
        match store.store_pending(once.clone(), pending).await? {
            PendingStored::Stored => {
                let response = see_other(&format!("/bind?resume={}", encode(&flow.resume)));
                let life = server.settings.policy.bind_ticket;
                return Ok(server.cookies.set(response, &Name::BindTicket, ticket.expose(), life));
            }
            PendingStored::FlowUsed => return Ok(after_other_call(flow)),
            PendingStored::AlreadyBound(_) => {}
        }
    }
    Ok(visit.error(ErrorKind::Unavailable))
}

/// The identity as it is kept: by connection, never by nickname.
pub(super) fn identity(
    connection: &Connection,
    record: &fujie_client::Provider,
    vouched: fujie_client::Identity,
) -> Identity {
    let union = connection.group_key().zip(vouched.union_subject).map(|(group, unionid)| Union { group, unionid });
    Identity {
        provider: connection.provider_key(),
        app: if record.identity.is_per_application { vouched.app } else { String::new() },
        subject: vouched.subject,
        union,
        nickname: vouched.nickname,
        picture: vouched.avatar_url,
    }
}
