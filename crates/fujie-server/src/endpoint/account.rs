//! A person's own account: how they sign in, which applications have access, where they are signed in.

use fujie_core::{
    binding::identity::Identity,
    grant::{EndedWhy, Grant},
    id::Id,
};
use fujie_store::{BoundIdentity as Bound, StoreError};
use http::StatusCode;

use super::{consent::scope_words, unbind::reference};
use crate::{
    broker::Connection,
    form::Visit,
    http::{Request, Response, see_other},
    page::{self, Application, BoundIdentity, Provider, ProviderKind, SignInMethod, SignedInSession},
    server::Server,
    snapshot::Snapshot,
};

/// Applications shown at most; those with access come first.
const APPLICATIONS_MAX: usize = 50;

/// GET: the page, or the way to sign in.
pub async fn get(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let session = match visit.session().await {
        Ok(Some(session)) => session,
        Ok(None) => return visit.remember(see_other("/sign-in")),
        Err(error) => return visit.unavailable(&error),
    };
    match load(&visit, &snapshot, &session).await {
        Ok(page) => visit.page(StatusCode::OK, &page, &[]),
        Err(error) => visit.unavailable(&error),
    }
}

/// POST: takes an application's access back.
pub async fn revoke(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "account", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let done = async {
        if let (Some(session), Some(client)) = (visit.session().await?, fields.text("client_id")) {
            server.store.withdraw_consent(session.account.id, client, visit.now).await?;
        }
        Ok::<_, StoreError>(())
    };
    match done.await {
        Ok(()) => see_other("/account"),
        Err(error) => visit.unavailable(&error),
    }
}

async fn load(
    visit: &Visit<'_>,
    snapshot: &Snapshot,
    session: &fujie_core::account::Session,
) -> Result<page::Account, StoreError> {
    let (store, account) = (&visit.server.store, &session.account);
    let identities = store.identities_of(account.id).await?;
    let grants = store.grants_of(account.id).await?;
    let sessions = store.sessions_of(account.id, visit.now).await?;
    Ok(page::Account {
        account_name: account.username.clone().unwrap_or_else(|| account.name.clone()),
        nickname: Some(account.name.clone()).filter(|_| account.username.as_ref() != Some(&account.name)),
        identities: identities.iter().map(|bound| shown(visit.server, account.id, bound)).collect(),
        applications: applications(grants, snapshot, visit),
        sessions: sessions
            .into_iter()
            .map(|other| SignedInSession {
                signed_in_at_milliseconds: other.auth_time.millis(),
                methods: other.amr.split(' ').filter(|word| !word.is_empty()).map(|word| method(visit, word)).collect(),
                current: other.id == session.id,
            })
            .collect(),
        csrf: visit.csrf(snapshot, "account", ""),
        is_administrator: account.is_administrator,
    })
}

/// How an identity of an account is shown.
pub(super) fn shown(server: &Server, account: Id, bound: &Bound) -> BoundIdentity {
    BoundIdentity {
        reference: reference(account, &bound.identity),
        provider: bound_at(server, &bound.identity),
        nickname: bound.identity.nickname.clone().unwrap_or_default(),
        bound_at_milliseconds: bound.bound_at.millis(),
    }
}

/// How an identity's provider is shown: as its connection, while there is one.
fn bound_at(server: &Server, identity: &Identity) -> Provider {
    let leads_there = |connection: &&Connection| connection.provider_key() == identity.provider;
    let id = identity.provider.split('@').next().unwrap_or_default();
    let gone = || Provider { id: id.to_owned(), kind: ProviderKind::of(id), label: None };
    server.settings.connections.iter().find(leads_there).map_or_else(gone, Connection::shown)
}

/// A word of a session's `amr`: `pwd`, or the id of a connection.
fn method(visit: &Visit<'_>, word: &str) -> SignInMethod {
    match visit.server.connection(word) {
        _ if word == "pwd" => SignInMethod::Password,
        Some(connection) => SignInMethod::Provider { provider: connection.shown() },
        None => SignInMethod::Other { reference: word.to_owned() },
    }
}

/// One line per application: its live grant if it has one, else its latest.
fn applications(mut grants: Vec<Grant>, snapshot: &Snapshot, visit: &Visit<'_>) -> Vec<Application> {
    grants.retain(|grant| grant.redeemed_at.is_some());
    grants.sort_by_key(|grant| (!grant.is_live(visit.now), std::cmp::Reverse(grant.created_at)));
    let mut shown: Vec<Application> = Vec::new();
    for grant in grants {
        if shown.len() == APPLICATIONS_MAX || shown.iter().any(|own| own.client_id == grant.client) {
            continue;
        }
        let client = snapshot.registry.client(&grant.client);
        let ended_why = match grant.ended {
            _ if grant.is_live(visit.now) => None,
            Some((_, why)) => Some(words(why)),
            None => Some(page::EndedWhy::Expired),
        };
        shown.push(Application {
            client_name: client.map_or_else(|| grant.client.clone(), |client| client.name.clone()),
            client_id: grant.client,
            scopes: scope_words(visit, snapshot, &grant.scope),
            since_milliseconds: grant.created_at.millis(),
            ended_why,
        });
    }
    shown
}

const fn words(why: EndedWhy) -> page::EndedWhy {
    match why {
        EndedWhy::CodeReplayed => page::EndedWhy::CodeReplayed,
        EndedWhy::RefreshReused => page::EndedWhy::RefreshReused,
        EndedWhy::Revoked => page::EndedWhy::RevokedByClient,
        EndedWhy::SignedOut => page::EndedWhy::SignedOut,
        EndedWhy::ConsentWithdrawn => page::EndedWhy::Revoked,
        EndedWhy::ClientChanged => page::EndedWhy::Administrator,
        EndedWhy::CodeMisused | EndedWhy::AccountChanged => page::EndedWhy::Other,
    }
}
