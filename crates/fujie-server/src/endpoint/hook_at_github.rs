//! The hook of a source at GitHub: made, given another secret, removed. What pages say of it is not here.
//!
//! What is asked of GitHub is asked in the name of whom looks at the page, with their own token: nobody acts with
//! somebody else's.

use std::sync::Arc;

use fujie_channel::webhook::Secrets;
use fujie_client::{Client, Github, Hook as Wanted, ProviderError, Tokens};
use fujie_core::{random::SystemRandom, secret::Secret, token::at_rest::AtRest};
use fujie_store::{Hook, Integration, IntegrationChanged, StoreError};

use super::{integration::address, topic::Here};
use crate::{
    broker::{Connection, connect},
    form::Visit,
    page::GithubFault,
    server::Server,
};

/// Who acts at GitHub: somebody who let us, by this connection.
pub(crate) struct Acting<'a> {
    pub connection: &'a Connection,
    pub client: Arc<Client>,
    pub tokens: Tokens,
}

impl<'a> Acting<'a> {
    /// The visitor; `None` without a token of theirs.
    pub async fn of(visit: &Visit<'_>, here: &Here, connection: &'a Connection) -> Result<Option<Self>, StoreError> {
        let Some(tokens) = connect::token(visit.server, here.session.account.id, connection).await? else {
            return Ok(None);
        };
        let client = connection.upstream.client(visit.now).await.ok();
        Ok(client.map(|client| Self { connection, client, tokens }))
    }

    /// GitHub's API.
    pub fn api(&self) -> Github<'_> {
        self.client.github(&self.tokens)
    }

    /// What a person is told of an error.
    pub fn told(&self, error: &ProviderError) -> GithubFault {
        connect::told(self.connection, error)
    }
}

/// A hook that is there: its number is known.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    pub repository: &'a str,
    pub id: u64,
}

impl<'a> Made<'a> {
    /// The hook of this row, if it was finished.
    pub fn of(hook: &'a Hook) -> Option<Self> {
        Some(Self { repository: &hook.repository, id: hook.id? })
    }
}

/// The hook that is wanted.
pub(super) struct Wish<'a> {
    pub connection: &'a Connection,
    pub repository: &'a str,
    pub events: &'a [&'a str],
    pub secret: &'a Secret,
}

/// Makes the hook of a source, or finds the one that was made for it before, and remembers it.
pub(super) async fn attach(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    wish: &Wish<'_>,
) -> Result<Result<(), GithubFault>, StoreError> {
    let Some(acting) = Acting::of(visit, here, wish.connection).await? else {
        return Ok(Err(GithubFault::TokenOver));
    };
    let url = address(visit.server, &row.id);
    let secret = fujie_client::Secret::new(wish.secret.expose());
    let wanted = Wanted { url: &url, events: wish.events, secret: Some(&secret) };
    let api = acting.api();
    let made = async {
        if let Some(id) = api.find_hook(wish.repository, &url).await? {
            api.change_hook(wish.repository, id, &wanted).await?;
            return Ok(id);
        }
        api.create_hook(wish.repository, &wanted).await
    };
    let id = match made.await {
        Ok(id) => id,
        Err(error) => return Ok(Err(acting.told(&error))),
    };
    let hook = Hook { connection: wish.connection.id.clone(), repository: wish.repository.to_owned(), id: Some(id) };
    if visit.server.store.set_hook(&row.id, hook).await? == IntegrationChanged::Absent {
        // Somebody removed the source meanwhile: its hook must not go on calling.
        drop(api.disable_hook(wish.repository, id).await);
    }
    Ok(Ok(()))
}

/// What a source's deliveries may be signed with; `None` when it does not open.
pub(super) fn secrets_of(server: &Server, row: &Integration) -> Option<Secrets> {
    let kept = server.open_secret(AtRest::WebhookSecret, &row.id, &row.sealed_secret).ok()?;
    Some(Secrets::read(&kept))
}

/// Keeps these in the place of those; false when there is nothing to keep them in.
pub(super) async fn keep_secrets(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    secrets: &Secrets,
) -> Result<bool, StoreError> {
    let sealed = visit.server.seal_secret(AtRest::WebhookSecret, &row.id, &secrets.text());
    let Ok(sealed) = sealed else { return Ok(false) };
    let by = Some(here.session.account.id);
    let changed = visit.server.store.replace_integration_secret(&row.id, sealed, by, visit.now).await?;
    Ok(changed == IntegrationChanged::Changed)
}

/// How [`replace_secret`] ended.
pub(super) enum Replaced {
    /// It is in use, here and at GitHub.
    Done,
    /// GitHub did not take it, or did not say so.
    Fault(GithubFault),
    /// There is no secret here to be replaced.
    Nothing,
}

/// A new secret here and at GitHub. What was good stays good until GitHub has the new one, so that nothing is lost
/// between.
pub(super) async fn replace_secret(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    acting: &Acting<'_>,
    hook: Made<'_>,
) -> Result<Replaced, StoreError> {
    let Some(standing) = secrets_of(visit.server, row) else { return Ok(Replaced::Nothing) };
    let renewed = standing.renewed(&mut SystemRandom);
    let Some(new) = renewed.newest() else { return Ok(Replaced::Nothing) };
    if !keep_secrets(visit, here, row, &renewed).await? {
        return Ok(Replaced::Nothing);
    }
    let told = fujie_client::Secret::new(new.expose());
    let Err(error) = acting.api().change_hook_secret(hook.repository, hook.id, &told).await else {
        keep_secrets(visit, here, row, &Secrets::only(new)).await?;
        return Ok(Replaced::Done);
    };
    let fault = acting.told(&error);
    // Where it is not known which one GitHub has, all stay good.
    if fault.is_final() {
        keep_secrets(visit, here, row, &standing).await?;
    }
    Ok(Replaced::Fault(fault))
}

/// How [`remove`] ended.
pub(super) enum Removed {
    /// It is gone, at GitHub and here.
    Done,
    /// GitHub shows it to this token and does not let it remove it.
    NotPermitted,
    /// GitHub refused otherwise, or did not say.
    Fault(GithubFault),
}

/// Removes the hook at GitHub, then the row. When GitHub refuses, both stay.
pub(super) async fn remove(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    acting: &Acting<'_>,
    hook: Made<'_>,
) -> Result<Removed, StoreError> {
    let api = acting.api();
    let Err(error) = api.remove_hook(hook.repository, hook.id).await else {
        visit.server.store.remove_integration(&row.id, Some(here.session.account.id), visit.now).await?;
        return Ok(Removed::Done);
    };
    let fault = acting.told(&error);
    // To make a hook is a smaller permission than to remove it, and GitHub says "not found" for both.
    if fault == GithubFault::Hidden && api.has_hook(hook.repository, hook.id).await.unwrap_or_default() {
        return Ok(Removed::NotPermitted);
    }
    Ok(Removed::Fault(fault))
}
