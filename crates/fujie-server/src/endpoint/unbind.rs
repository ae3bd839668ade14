//! The page of one identity: what goes when it is removed from the account, and the act (design: account binding, step
//! 6). Both need a sign-in that was made for this very act a moment ago.

use fujie_core::{
    account::Session,
    binding::identity::Identity,
    id::Id,
    secret::{hex, sha256},
    token::record::Writer,
};
use fujie_store::{BoundIdentity, IdentityKey, StoreError, Unbinding, WaysIn};
use http::StatusCode;

use super::{
    account::shown,
    sign_in::{fresh_for, is_fresh},
};
use crate::{
    broker::{Connection, connect},
    form::{Visit, identity_reference},
    http::{Request, Response, see_other},
    page::{ErrorKind, Unbind},
    server::Server,
};

/// GET: what would go; before that, the way to a fresh sign-in.
pub async fn get(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let shown = async {
        let Some(session) = visit.session().await? else { return Ok(sign_in_again(&visit)) };
        let Some(going) = Going::load(&visit, session).await? else { return Ok(visit.error(ErrorKind::NotFound)) };
        let (account, key) = (going.session.account.id, IdentityKey::of(&going.identity.identity));
        let is_last = server.store.is_last_way_in(account, &key, &offered(server), visit.now).await?;
        // Nobody signs in again only to be told that it was in vain.
        let is_shown = is_last || is_fresh(&going.session, demand(&visit), visit.now);
        Ok(if is_shown { going.page(&visit, StatusCode::OK, is_last) } else { sign_in_again(&visit) })
    };
    shown.await.unwrap_or_else(|error: StoreError| visit.unavailable(&error))
}

/// POST: the act. A form sent twice finds nothing to do and ends where the first ended.
pub async fn post(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    if let Err(response) = visit.form(&server.snapshot(), &request.path, "") {
        return *response;
    }
    let done = async {
        let Some(session) = visit.session().await? else { return Ok(see_other("/account")) };
        let Some(going) = Going::load(&visit, session).await? else { return Ok(see_other("/account")) };
        if !is_fresh(&going.session, demand(&visit), visit.now) {
            return Ok(sign_in_again(&visit));
        }
        Ok(match server.store.unbind(going.unbind(&visit), visit.now).await? {
            Unbinding::Unbound(tokens) => {
                connect::end_there(server, &tokens, visit.now).await;
                see_other("/account")
            }
            Unbinding::Absent => see_other("/account"),
            Unbinding::LastWayIn => going.page(&visit, StatusCode::CONFLICT, true),
            Unbinding::FreshnessGone => sign_in_again(&visit),
        })
    };
    done.await.unwrap_or_else(|error: StoreError| visit.unavailable(&error))
}

/// What names an identity in addresses. The account is part of it: who knows a person at a provider alone does not find
/// them in the log of a proxy.
pub(super) fn reference(account: Id, identity: &Identity) -> String {
    let Identity { provider, app, subject, .. } = identity;
    let record = Writer::default().text("fujie identity reference").fixed(account.as_bytes());
    hex(&sha256(&record.text(provider).text(app).text(subject).finish()))
}

fn demand(visit: &Visit<'_>) -> [u8; 32] {
    fresh_for(&visit.request.path, None)
}

/// To the sign-in page, and from there back. The path is one that needs no escape.
fn sign_in_again(visit: &Visit<'_>) -> Response {
    visit.remember(see_other(&format!("/sign-in?resume={}", visit.request.path)))
}

/// An identity that is to go, and what hangs on it.
struct Going {
    session: Session,
    identity: BoundIdentity,
    joined: Vec<BoundIdentity>,
    /// The account let us have a token at this provider.
    has_leave: bool,
}

impl Going {
    /// The identity of this session's account that the path names.
    async fn load(visit: &Visit<'_>, session: Session) -> Result<Option<Self>, StoreError> {
        let (server, account) = (visit.server, session.account.id);
        let named = identity_reference(&visit.request.path);
        let mut bound = server.store.identities_of(account).await?;
        let is_named = |bound: &BoundIdentity| named == Some(reference(account, &bound.identity).as_str());
        let Some(at) = bound.iter().position(is_named) else { return Ok(None) };
        let identity = bound.remove(at);
        let Identity { provider, union, .. } = &identity.identity;
        bound.retain(|other| union.is_some() && (&other.identity.provider, &other.identity.union) == (provider, union));
        let has_leave = connect::has_token_at(server, account, provider).await?;
        Ok(Some(Self { session, identity, joined: bound, has_leave }))
    }

    fn unbind(&self, visit: &Visit<'_>) -> fujie_store::Unbind {
        fujie_store::Unbind {
            account: self.session.account.id,
            key: IdentityKey::of(&self.identity.identity),
            session: self.session.id,
            consume_fresh: demand(visit),
            offered: offered(visit.server),
        }
    }

    fn page(&self, visit: &Visit<'_>, code: StatusCode, is_last_way_in: bool) -> Response {
        let account = &self.session.account;
        let shown = |bound| shown(visit.server, account.id, bound);
        let mut going = std::iter::once(&self.identity).chain(&self.joined);
        let is_by_it = |connection: &Connection| going.any(|bound| connection.signs_in(&bound.identity));
        let page = Unbind {
            identity: shown(&self.identity),
            joined: self.joined.iter().map(shown).collect(),
            account_name: account.username.clone().unwrap_or_else(|| account.name.clone()),
            is_last_way_in,
            ends_this_session: visit.server.connection(&self.session.amr).is_some_and(is_by_it),
            has_leave: self.has_leave,
            csrf: visit.csrf(&visit.server.snapshot(), &visit.request.path, ""),
        };
        visit.page(code, &page, &[])
    }
}

/// The ways in that the sign-in page shows.
fn offered(server: &Server) -> WaysIn {
    WaysIn {
        password: server.settings.password_enabled,
        connections: server.settings.connections.iter().map(Connection::way_in).collect(),
    }
}
