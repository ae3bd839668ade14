//! Registered clients and the digests of their secrets.

use std::collections::BTreeMap;

use fujie_core::{
    client::{Api, Client, GrantType, PkcePolicy, TokenForm},
    grant::EndedWhy,
    jose::jws::Algorithm,
    request::redirect_uri::RegisteredUri,
    secret::Digest,
    time::{Lifetime, Timestamp},
};
use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::{
    Store,
    audit::record,
    grant::{Whose, end_all},
    instance::raise_revision,
    row,
    writer::Effect,
};
use crate::{
    error::StoreError,
    outcome::{ClientAdded, ClientChanged},
    record::{Event, EventKind},
};

impl Store {
    /// All clients, enabled or not, with their secrets' digests, in the order of their ids.
    pub async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT id, name, epoch, disabled_at, is_public, redirect_uris, post_logout_redirect_uris, \
                       grant_types, scope, pkce, rotates, refresh_window_seconds, access_token_lifetime_seconds, \
                       id_token_alg, api_resource, api_scope, api_scope_words, api_token FROM client ORDER BY id";
            let mut clients = row::all(connection, sql, [], client)?;
            let sql = "SELECT client, digest FROM client_secret ORDER BY client, created_at";
            let secrets: Vec<(String, Digest)> =
                row::all(connection, sql, [], |row| Ok((row.get(0)?, row::digest(row, 1)?)))?;
            for (owner, digest) in secrets {
                // A client added between the two statements is seen whole the next time.
                if let Ok(at) = clients.binary_search_by(|client| client.id.cmp(&owner))
                    && let Some(client) = clients.get_mut(at)
                {
                    client.secrets.push(digest);
                }
            }
            Ok(clients)
        })
    }

    /// Registers a client. Raises the revision.
    pub async fn add_client(&self, client: &Client, now: Timestamp) -> Result<ClientAdded, StoreError> {
        let client = client.clone();
        self.write_whole(move |connection| {
            if !insert(connection, &client, now)? {
                return Ok(Effect::Undo(ClientAdded::Taken));
            }
            let sql = "INSERT INTO client_secret (client, digest, created_at) VALUES (?1, ?2, ?3)";
            for secret in &client.secrets {
                row::change(connection, sql, params![client.id, secret.as_bytes(), now.millis()])?;
            }
            raise_revision(connection)?;
            record(connection, &event(EventKind::ClientAdded, &client.id, now))?;
            Ok(Effect::Keep(ClientAdded::Added))
        })
        .await
    }

    /// Disables a client and raises its epoch, so that nothing it holds is good any more; then ends its grants.
    pub async fn disable_client(&self, id: &str, now: Timestamp) -> Result<ClientChanged, StoreError> {
        let disable = move |connection: &Connection, id: &str| {
            let sql = "UPDATE client SET disabled_at = ?2, epoch = epoch + 1 WHERE id = ?1 AND disabled_at IS NULL";
            row::change(connection, sql, params![id, now.millis()])
        };
        self.end_client(disable, EventKind::ClientDisabled, id, now).await
    }

    /// Raises a client's epoch and ends its grants; the client itself goes on.
    pub async fn end_all_of_client(&self, id: &str, now: Timestamp) -> Result<ClientChanged, StoreError> {
        let raise = |connection: &Connection, id: &str| {
            row::change(connection, "UPDATE client SET epoch = epoch + 1 WHERE id = ?1", [id])
        };
        self.end_client(raise, EventKind::ClientEnded, id, now).await
    }

    /// Enables a disabled client. What was ended stays ended.
    pub async fn enable_client(&self, id: &str, now: Timestamp) -> Result<ClientChanged, StoreError> {
        let id = id.to_owned();
        self.write_whole(move |connection| {
            let sql = "UPDATE client SET disabled_at = NULL WHERE id = ?1 AND disabled_at IS NOT NULL";
            if row::change(connection, sql, [&id])? == 0 {
                return Ok(Effect::Undo(ClientChanged::Unchanged));
            }
            raise_revision(connection)?;
            record(connection, &event(EventKind::ClientEnabled, &id, now))?;
            Ok(Effect::Keep(ClientChanged::Changed))
        })
        .await
    }

    async fn end_client(
        &self,
        change: impl FnOnce(&Connection, &str) -> Result<usize, StoreError> + Send + 'static,
        kind: EventKind,
        id: &str,
        now: Timestamp,
    ) -> Result<ClientChanged, StoreError> {
        let id = id.to_owned();
        self.write_whole(move |connection| {
            if change(connection, &id)? == 0 {
                return Ok(Effect::Undo(ClientChanged::Unchanged));
            }
            end_all(connection, Whose::Client(&id), EndedWhy::ClientChanged, now)?;
            raise_revision(connection)?;
            record(connection, &event(kind, &id, now))?;
            Ok(Effect::Keep(ClientChanged::Changed))
        })
        .await
    }
}

fn event(kind: EventKind, client: &str, at: Timestamp) -> Event {
    Event { at, kind, account: None, client: Some(client.to_owned()), detail: None }
}

/// Inserts the client's own row; false when its id or its API's resource is taken.
fn insert(connection: &Connection, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT INTO client (id, name, epoch, is_public, redirect_uris, post_logout_redirect_uris, \
               grant_types, scope, pkce, rotates, refresh_window_seconds, access_token_lifetime_seconds, \
               id_token_alg, api_resource, api_scope, api_scope_words, api_token, created_at, disabled_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
               ON CONFLICT DO NOTHING";
    let api = client.api.as_ref();
    let values = params![
        client.id,
        client.name,
        client.epoch,
        client.is_public,
        json_list(client.redirect_uris.iter().map(RegisteredUri::as_str)),
        json_list(client.post_logout_redirect_uris.iter().map(RegisteredUri::as_str)),
        json_list(client.grant_types.iter().map(|grant_type| grant_type.as_str())),
        client.scope.as_str(),
        client.pkce.as_str(),
        client.rotates,
        seconds(client.refresh_window),
        client.access_token_lifetime.map(seconds),
        client.id_token_alg.as_str(),
        api.map(|api| &api.resource),
        api.map(|api| api.scope.as_str()),
        api.map(|api| serde_json::json!(api.scope_words).to_string()),
        api.map(|api| api.token.as_str()),
        now.millis(),
        client.is_disabled.then_some(now.millis()),
    ];
    Ok(row::change(connection, sql, values)? == 1)
}

fn client(row: &Row<'_>) -> Result<Client, StoreError> {
    Ok(Client {
        id: row.get(0)?,
        name: row.get(1)?,
        epoch: row.get(2)?,
        is_disabled: row::time_if_any(row, 3)?.is_some(),
        is_public: row.get(4)?,
        secrets: Vec::new(),
        redirect_uris: list(row, 5, |text| RegisteredUri::parse(text).ok(), "redirect_uris")?,
        post_logout_redirect_uris: list(row, 6, |text| RegisteredUri::parse(text).ok(), "post_logout_redirect_uris")?,
        grant_types: list(row, 7, GrantType::parse, "grant_types")?,
        scope: row::scope(row, 8, "client")?,
        pkce: row::word(row, 9, PkcePolicy::parse, ("client", "pkce"))?,
        rotates: row.get(10)?,
        refresh_window: Lifetime::from_seconds(row.get(11)?),
        access_token_lifetime: row.get::<_, Option<u32>>(12)?.map(Lifetime::from_seconds),
        id_token_alg: row::word(row, 13, Algorithm::parse, ("client", "id_token_alg"))?,
        api: api(row)?,
    })
}

fn api(row: &Row<'_>) -> Result<Option<Api>, StoreError> {
    let Some(resource) = row.get(14)? else { return Ok(None) };
    let scope = row::scope(row, 15, "client")?;
    let words = |text: &str| words(&serde_json::from_str(text).ok()?);
    let scope_words = row::word(row, 16, words, ("client", "api_scope_words"))?;
    let token = row::word(row, 17, TokenForm::parse, ("client", "api_token"))?;
    Ok(Some(Api { resource, scope, scope_words, token }))
}

/// Scope token to language to sentence.
fn words(value: &Value) -> Option<BTreeMap<String, BTreeMap<String, String>>> {
    entries(value, |languages| entries(languages, |sentence| sentence.as_str().map(str::to_owned)))
}

fn entries<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<BTreeMap<String, T>> {
    value.as_object()?.iter().map(|(name, value)| Some((name.clone(), read(value)?))).collect()
}

fn json_list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    Value::from_iter(words).to_string()
}

/// A JSON list of texts, each known to `parse`.
fn list<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Option<T>,
    name: &'static str,
) -> Result<Vec<T>, StoreError> {
    let read = |text: &str| {
        let value: Value = serde_json::from_str(text).ok()?;
        value.as_array()?.iter().map(|word| parse(word.as_str()?)).collect()
    };
    row::word(row, column, read, ("client", name))
}

/// Spans of clients are whole seconds below 136 years.
fn seconds(span: Lifetime) -> u32 {
    u32::try_from(span.seconds()).unwrap_or(u32::MAX)
}
