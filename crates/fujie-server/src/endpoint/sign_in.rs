//! The sign-in page: name and password, and the providers. It knows nothing of what the person signs in for; it ends
//! by a redirect back to the hub.

use fujie_core::{
    account::Session,
    request::parameters::encode,
    secret::{Secret, sha256},
    time::{Lifetime, Timestamp},
};
use fujie_store::SessionBegun;
use http::StatusCode;

use crate::{
    broker::shown,
    cookie::Name,
    form::{Visit, hub, identity_reference, resumed},
    http::{Request, Response, see_other},
    page::{AttachTo, SignIn, SignInError},
    server::Server,
    snapshot::Snapshot,
};

/// Failures of one account or one address in a minute before they must wait.
const FAILURES_MAX: u32 = 10;
/// How long a sign-in is good for the act that it was made for: binding an identity, or unbinding one.
const FRESHNESS: Lifetime = Lifetime::from_seconds(5 * 60);

/// GET: the page.
pub async fn get(server: &Server, request: &Request) -> Response {
    let mut visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let query = request.query().unwrap_or_default();
    let resume = query.text("resume").unwrap_or_default().to_owned();
    let provider = query.text("provider").and_then(|id| server.connection(id)).map(|own| own.shown());
    let error = match (query.text("error"), provider) {
        (Some("refused"), Some(provider)) => Some(SignInError::ProviderRefused { provider }),
        (Some("failed"), Some(provider)) => Some(SignInError::ProviderFailed { provider }),
        (Some("provisional"), Some(provider)) => Some(SignInError::ProviderProvisional { provider }),
        (Some("expired"), _) => Some(SignInError::Expired),
        (Some("lost"), _) => Some(SignInError::FlowLost),
        _ => None,
    };
    let wants_attach = query.text("attach").is_some();
    page(&mut visit, &snapshot, &resume, StatusCode::OK, (None, error), wants_attach).await
}

/// The page, with the name that was typed and what went wrong.
async fn page(
    visit: &mut Visit<'_>,
    snapshot: &Snapshot,
    resume: &str,
    code: StatusCode,
    (typed, error): (Option<&str>, Option<SignInError>),
    wants_attach: bool,
) -> Response {
    let server = visit.server;
    let request = resumed(server, snapshot, resume, visit.now);
    visit.speak(resume, request.as_ref().and_then(|request| request.ui_locales.as_deref()));
    let attach = match visit.ticket().filter(|_| wants_attach) {
        None => None,
        Some(ticket) => match server.store.pending(ticket, visit.now).await {
            Err(error) => return visit.unavailable(&error),
            Ok(pending) => pending.map(|pending| AttachTo {
                provider: shown(server, &pending.connection),
                nickname: pending.identity.nickname.unwrap_or_default(),
                ticket_digest: ticket.hex(),
            }),
        },
    };
    let hint = request.as_ref().and_then(|request| request.login_hint.clone());
    let mut targets: Vec<_> = request.iter().map(|request| request.target.origin()).collect();
    targets.extend(server.settings.connections.iter().map(|connection| connection.upstream.origin()));
    let page = SignIn {
        client_name: request.map(|request| request.client.name.clone()),
        resume: resume.to_owned(),
        csrf: visit.csrf(snapshot, "sign-in", resume),
        providers: server.settings.connections.iter().map(|connection| connection.shown()).collect(),
        username: typed.map(str::to_owned).or(hint).unwrap_or_default(),
        error,
        attach,
        unbinds: identity_reference(resume).is_some(),
        password_enabled: server.settings.password_enabled,
    };
    visit.page(code, &page, &targets)
}

/// POST: name and password.
pub async fn post(server: &Server, request: &Request) -> Response {
    let mut visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "sign-in", "resume") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let resume = fields.text("resume").unwrap_or_default();
    let (username, password) =
        (fields.text("username").unwrap_or_default(), fields.text("password").unwrap_or_default());
    let attach = fields.text("ticket_digest");
    let verified = if server.settings.password_enabled {
        verify(server, request, username, password).await
    } else {
        Err(Failure::Wrong)
    };
    let error = match verified {
        Ok(account) => {
            let (token, session) = visit.new_session("pwd", visit.now, fresh_for(resume, attach));
            return match server.store.begin_session(account.id, session, visit.now).await {
                Ok(SessionBegun::Begun(_)) => arrive(&visit, &token, resume, attach).await,
                Ok(SessionBegun::AccountGone) => visit.error(crate::page::ErrorKind::AccountDisabled),
                Err(error) => visit.unavailable(&error),
            };
        }
        Err(Failure::Wrong) => SignInError::BadPassword,
        Err(Failure::TooMany) => SignInError::TooMany,
        Err(Failure::Store(error)) => return visit.unavailable(&error),
    };
    let code = match error {
        SignInError::TooMany => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let typed = username.to_owned();
    page(&mut visit, &snapshot, resume, code, (Some(&typed), Some(error)), attach.is_some()).await
}

/// POST from the consent page: sign out here, then sign in as somebody else for the same request.
pub async fn other(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "consent", "resume") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    if let Err(error) = super::sign_out::end(&visit).await {
        return visit.unavailable(&error);
    }
    let location = format!("/sign-in?resume={}", encode(fields.text("resume").unwrap_or_default()));
    super::sign_out::forget(&visit, see_other(&location))
}

/// Why a name and a password did not sign in.
pub(crate) enum Failure {
    /// Name and password do not belong together, or the account is disabled.
    Wrong,
    /// Too many failures, or too many at once.
    TooMany,
    /// The store failed.
    Store(fujie_store::StoreError),
}

/// The account that `username` and `password` belong to. Unknown names take as long as known ones.
pub(crate) async fn verify(
    server: &Server,
    request: &Request,
    username: &str,
    password: &str,
) -> Result<fujie_core::account::Account, Failure> {
    let now = server.now();
    let folded = fold(username);
    let mut keys = vec![("account", folded.clone())];
    // Behind a proxy every address is the proxy's: one visitor must not lock out all.
    if !is_of_a_proxy(request.peer) {
        keys.push(("address", request.peer.to_string()));
    }
    // Counted before the hash, so that guesses side by side are counted too; given back on success.
    let reached = keys.iter().map(|key| server.limit.count(key, now)).max().unwrap_or_default();
    if reached > u64::from(FAILURES_MAX) {
        return Err(Failure::TooMany);
    }
    let known = server.store.password_of(&folded).await.map_err(Failure::Store)?;
    let phc = known.as_ref().map(|(_, phc)| phc);
    let fits = server.passwords.verify(password, phc).await.or(Err(Failure::TooMany))?;
    match known {
        Some((account, _)) if fits && account.disabled_at.is_none() => {
            for key in &keys {
                server.limit.give_back(key, now);
            }
            Ok(account)
        }
        _ => Err(Failure::Wrong),
    }
}

/// An address that many visitors may share: loopback, private or link-local.
fn is_of_a_proxy(peer: std::net::IpAddr) -> bool {
    match peer.to_canonical() {
        std::net::IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        std::net::IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The spelling by which names are compared.
pub fn fold(username: &str) -> String {
    username.to_lowercase()
}

/// What a session was freshly made for: this request, or this attachment.
pub(crate) fn fresh_for(resume: &str, attach: Option<&str>) -> [u8; 32] {
    match attach {
        Some(ticket) => sha256(format!("bind:{ticket}").as_bytes()),
        None => sha256(resume.as_bytes()),
    }
}

/// Was this session begun for this very act, and not long ago?
pub(crate) fn is_fresh(session: &Session, act: [u8; 32], now: Timestamp) -> bool {
    session.fresh_for == Some(act) && now < session.auth_time + FRESHNESS
}

/// After a sign-in: sets the cookie and goes to where the sign-in was for. A sign-in that does not attach deletes the
/// bind ticket.
pub(crate) async fn arrive(visit: &Visit<'_>, token: &Secret, resume: &str, attach: Option<&str>) -> Response {
    let server = visit.server;
    let ticket = visit.ticket();
    let attaches = matches!((&ticket, attach), (Some(ticket), Some(named)) if ticket.hex() == named);
    let location = if attaches { format!("/bind?resume={}", encode(resume)) } else { hub(resume) };
    let mut response = see_other(&location);
    if let (Some(ticket), false) = (ticket, attaches) {
        if let Err(error) = server.store.discard_pending(ticket).await {
            return visit.unavailable(&error);
        }
        response = server.cookies.clear(visit.request, response, &Name::BindTicket);
    }
    let life: Lifetime = server.settings.policy.session;
    visit.remember(server.cookies.set(response, &Name::Session, token.expose(), life))
}
