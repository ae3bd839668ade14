//! Connecting: the person who is signed in lets us act for them at a provider, here to manage webhooks at GitHub. It is
//! asked for when it is needed, and for no more than that.
//!
//! A flow as any sign-in, bound to this browser, its session and its account, but with another purpose: it begins no
//! session and changes no account. Who comes back must be an identity of this very account. The token is sealed in its
//! row, or used for one act and ended.

use fujie_client::{Ask, HookFault, ProviderError, SignedIn};
use fujie_core::{
    account::Session,
    id::Id,
    request::parameters::encode,
    secret::{Secret, sha256},
    time::Timestamp,
    token::at_rest::AtRest,
};
use fujie_store::{AccountChanged, IdentityKey, StoreError, UpstreamToken};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Connection, EXCHANGES_MAX, Flow, callback::identity, redirect_uri};
use crate::{
    cookie::Name,
    endpoint::{hook_at_github::Acting, integration},
    form::{Stopped, Visit},
    http::{Request, Response, see_other},
    page::{ConnectRefused, ErrorKind, GithubFault},
    server::Server,
};

/// What a flow is for that is no sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Connect {
    /// The account that asked.
    account: String,
    /// The topic that it is for.
    topic: String,
    /// The integration that it is for, if it is for one.
    integration: Option<String>,
    /// It removes the integration's hook, which needs more than to make it; its token is not kept.
    removes: bool,
}

impl Connect {
    /// To make hooks and to read of them (GitHub's scopes of OAuth apps).
    const WRITE: [&str; 1] = ["write:repo_hook"];
    /// To remove them.
    const REMOVE: [&str; 1] = ["admin:repo_hook"];

    const fn scope(&self) -> &'static [&'static str] {
        if self.removes { &Self::REMOVE } else { &Self::WRITE }
    }

    /// The page that it began at.
    fn page(&self, connection: &Connection, fault: Option<GithubFault>) -> Response {
        let base = format!("/topics/{}/integrations", self.topic);
        let fault = fault.map(|fault| format!("fault={}", fault.as_str()));
        let address = match (&self.integration, fault) {
            (Some(id), Some(fault)) => format!("{base}/{id}?{fault}"),
            (Some(id), None) => format!("{base}/{id}"),
            (None, fault) => new_page(&self.topic, connection, fault.as_deref()),
        };
        see_other(&address)
    }
}

/// The page where a repository is chosen.
fn new_page(topic: &str, connection: &Connection, more: Option<&str>) -> String {
    let id = encode(&connection.id);
    let more = more.map(|more| format!("&{more}")).unwrap_or_default();
    format!("/topics/{topic}/integrations/new?connection={id}{more}")
}

/// POST `/broker/{connection}/connect`: to the provider.
pub async fn post(server: &Server, request: &Request, connection: &Connection) -> Response {
    begin(server, request, connection).await.unwrap_or_else(|response| *response)
}

async fn begin(server: &Server, request: &Request, connection: &Connection) -> Result<Response, Stopped> {
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = visit.form(&snapshot, "topic", "")?;
    let session = present(&visit).await?;
    let topic = fields.text("topic").filter(|topic| fujie_channel::event::is_topic(topic));
    let integration = fields.text("integration").and_then(Id::parse).map(|id| id.to_string());
    let removes = fields.text("scope") == Some("admin") && integration.is_some();
    let connect = Connect {
        account: session.account.id.to_string(),
        topic: topic.ok_or_else(|| Box::new(visit.error(ErrorKind::Expired)))?.to_owned(),
        integration,
        removes,
    };
    let failed = |error: ProviderError| Box::new(connect.page(connection, Some(told(connection, &error))));
    let client = connection.upstream.client(visit.now).await.map_err(failed)?;
    let ask = Ask { language: Some(visit.lang.code()), scope: Some(connect.scope()), ..Ask::default() };
    let begun = client.begin_unsealed(&redirect_uri(server, &connection.id), &ask, visit.now).await.map_err(failed)?;
    let state = begun.attempt.state.clone();
    let flow = Flow {
        connection: connection.id.clone(),
        attempt: begun.attempt,
        resume: String::new(),
        attach: None,
        session: visit.session_token.as_deref().map(|token| sha256(token.as_bytes())),
        connect: Some(connect),
    };
    let sealed = flow.seal(&snapshot, visit.now).ok_or_else(|| Box::new(visit.error(ErrorKind::Unavailable)))?;
    let response = server.cookies.shed_flows(request, see_other(&begun.url));
    Ok(visit.remember(server.cookies.set(response, &Name::Flow(&state), &sealed, server.settings.policy.flow)))
}

/// The callback of such a flow. Whatever comes of it, the flow is spent in this browser.
pub(super) async fn finish(
    visit: &Visit<'_>,
    connection: &Connection,
    flow: &Flow,
    connect: &Connect,
    came: &str,
) -> Response {
    let response = end(visit, connection, flow, connect, came).await.unwrap_or_else(|response| *response);
    visit.server.cookies.clear(visit.request, response, &Name::Flow(&flow.attempt.state))
}

async fn end(
    visit: &Visit<'_>,
    connection: &Connection,
    flow: &Flow,
    connect: &Connect,
    came: &str,
) -> Result<Response, Stopped> {
    // The caller has compared the session's cookie; this is the account behind it.
    let session = present(visit).await?;
    if session.account.id.to_string() != connect.account {
        return Err(Box::new(visit.error(ErrorKind::Forbidden)));
    }
    let failed = |error: ProviderError| Box::new(connect.page(connection, Some(told(connection, &error))));
    let client = connection.upstream.client(visit.now).await.map_err(failed)?;
    let callback = client.registration().read_callback(&flow.attempt, came, visit.now).map_err(failed)?;
    if visit.server.limit.count(&("exchange", flow.id()), visit.now) > EXCHANGES_MAX {
        return Err(Box::new(visit.error(ErrorKind::TooManyRequests)));
    }
    let signed_in = match client.redeem(callback).await {
        Ok(signed_in) => signed_in,
        // The other call of the same callback won.
        Err(ProviderError::CodeUsed(_)) => return Ok(connect.page(connection, None)),
        Err(error) => return Err(failed(error)),
    };
    let SignedIn { identity: vouched, tokens, .. } = signed_in;
    let nickname = vouched.nickname.clone();
    let identity = identity(connection, client.provider(), vouched);
    let of = IdentityKey::of(&identity);
    if connect.removes {
        let bound = visit.server.store.identities_of(session.account.id).await;
        let bound = bound.map_err(|error| Box::new(visit.unavailable(&error)))?;
        if bound.iter().any(|bound| IdentityKey::of(&bound.identity) == of) {
            let id = connect.integration.as_deref().unwrap_or_default();
            let acting = Acting { connection, client, tokens };
            let response = integration::remove_with(visit, &connect.topic, id, &acting).await;
            drop(acting.client.revoke(&acting.tokens).await);
            return Ok(response);
        }
    } else if keep(visit, &session, connection, &tokens, of).await? == AccountChanged::Changed {
        return Ok(connect.page(connection, None));
    }
    // It is somebody's, and not to be used here: what can be ended is ended.
    drop(client.revoke(&tokens).await);
    let page = ConnectRefused {
        provider: connection.shown(),
        nickname: nickname.unwrap_or_default(),
        account_name: session.account.username.clone().unwrap_or(session.account.name),
        topic: connect.topic.clone(),
    };
    Err(Box::new(visit.page(StatusCode::CONFLICT, &page, &[])))
}

/// Keeps the token, sealed in its row. A refresh token is not kept: to connect again is one click.
async fn keep(
    visit: &Visit<'_>,
    session: &Session,
    connection: &Connection,
    tokens: &fujie_client::Tokens,
    of: IdentityKey,
) -> Result<AccountChanged, Stopped> {
    let account = session.account.id;
    let token = Secret::new(tokens.access_token.expose().to_owned());
    let sealed = visit.server.seal_secret(AtRest::UpstreamToken, &row(account, &connection.id), &token);
    let Ok(sealed) = sealed else { return Err(Box::new(visit.error(ErrorKind::Unavailable))) };
    let row = UpstreamToken {
        account,
        connection: connection.id.clone(),
        provider: connection.provider_key(),
        scope: tokens.scope.join(" "),
        sealed,
        obtained_at: visit.now,
    };
    visit.server.store.put_upstream_token(row, of).await.map_err(|error| Box::new(visit.unavailable(&error)))
}

/// The token that an account let us have by a connection. One that does not open any more is as good as none, and so is
/// one from before the connection led elsewhere: it goes to the place that issued it and to no other.
pub(crate) async fn token(
    server: &Server,
    account: Id,
    connection: &Connection,
) -> Result<Option<fujie_client::Tokens>, StoreError> {
    let kept = server.store.upstream_token(account, &connection.id).await?;
    Ok(kept.and_then(|kept| open(server, connection, &kept)))
}

fn open(server: &Server, connection: &Connection, kept: &UpstreamToken) -> Option<fujie_client::Tokens> {
    if kept.provider != connection.provider_key() {
        return None;
    }
    match server.open_secret(AtRest::UpstreamToken, &row(kept.account, &connection.id), &kept.sealed) {
        Ok(token) => Some(fujie_client::Tokens::bare(fujie_client::Secret::new(token.expose()))),
        Err(error) => {
            tracing::warn!(%error, connection = connection.id, "a provider's token does not open");
            None
        }
    }
}

/// POST `/broker/{connection}/disconnect`: forgets the token, and ends it at the provider if that can be done.
pub async fn disconnect(server: &Server, request: &Request, connection: &Connection) -> Response {
    let visit = Visit::new(server, request);
    let ended = async {
        let fields = visit.form(&server.snapshot(), "topic", "")?;
        let session = present(&visit).await?;
        let kept = server.store.remove_upstream_token(session.account.id, &connection.id).await;
        let kept = kept.map_err(|error| Box::new(visit.unavailable(&error)))?;
        end_there(server, kept.as_slice(), visit.now).await;
        let topic = fields.text("topic").filter(|topic| fujie_channel::event::is_topic(topic));
        Ok(see_other(&topic.map_or_else(|| "/topics".to_owned(), |topic| new_page(topic, connection, None))))
    };
    ended.await.unwrap_or_else(|response: Stopped| *response)
}

/// Did an account let us have a token at a provider?
pub(crate) async fn has_token_at(server: &Server, account: Id, provider: &str) -> Result<bool, StoreError> {
    for connection in server.settings.connections.iter().filter(|own| own.provider_key() == provider) {
        if token(server, account, connection).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends at the provider, if that can be done, tokens that are forgotten here; also when whoever asked for it goes away
/// meanwhile, since nobody else knows them any more.
pub(crate) async fn end_there(server: &Server, kept: &[UpstreamToken], now: Timestamp) {
    let mut ending = tokio::task::JoinSet::new();
    for kept in kept {
        let Some(connection) = server.connection(&kept.connection) else { continue };
        let Some(tokens) = open(server, connection, kept) else { continue };
        let Ok(client) = connection.upstream.client(now).await else { continue };
        let id = connection.id.clone();
        ending.spawn(async move {
            if let Err(error) = client.revoke(&tokens).await {
                tracing::info!(connection = id, cause = error.name(), "a provider's token could not be ended");
            }
        });
    }
    drop(tokio::spawn(ending.join_all()).await);
}

async fn present(visit: &Visit<'_>) -> Result<Session, Stopped> {
    match visit.session().await {
        Ok(Some(session)) => Ok(session),
        Ok(None) => Err(Box::new(visit.remember(see_other("/sign-in")))),
        Err(error) => Err(Box::new(visit.unavailable(&error))),
    }
}

/// What a person is told of an error, and the log beside it.
pub(crate) fn told(connection: &Connection, error: &ProviderError) -> GithubFault {
    let fault = match error {
        ProviderError::Denied => GithubFault::Denied,
        ProviderError::Expired
        | ProviderError::CodeRefused(_)
        | ProviderError::StateMissing
        | ProviderError::StateMismatch
        | ProviderError::OtherClient => GithubFault::Lost,
        error => match HookFault::of(error) {
            HookFault::TokenOver => GithubFault::TokenOver,
            HookFault::Hidden => GithubFault::Hidden,
            HookFault::Exists => GithubFault::Exists,
            HookFault::AddressRefused => GithubFault::AddressRefused,
            HookFault::TooMany => GithubFault::TooMany,
            HookFault::RateLimited => GithubFault::RateLimited,
            HookFault::Silent => GithubFault::Silent,
            HookFault::Other => GithubFault::Other,
        },
    };
    if fault.is_final() {
        tracing::info!(connection = connection.id, cause = error.name(), "a call in a person's name was refused");
    } else {
        tracing::warn!(connection = connection.id, report = error.report(), "a call in a person's name failed");
    }
    fault
}

/// What a token's seal is bound to.
fn row(account: Id, connection: &str) -> String {
    format!("{account}/{connection}")
}
