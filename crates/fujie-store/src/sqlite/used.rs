//! What may happen once: a row per kind and id, whose primary key decides every race.

use fujie_core::{id::Id, time::Timestamp};
use rusqlite::{Connection, params};

use super::{Store, audit::record, row, writer::Effect};
use crate::{
    error::StoreError,
    outcome::Use,
    record::{Event, EventKind, UsedKind},
};

impl Store {
    /// Uses `id` of `kind`: the first time it is asked and never again before `until`.
    pub async fn use_once(&self, kind: UsedKind, id: &[u8], until: Timestamp) -> Result<Use, StoreError> {
        let id = id.to_vec();
        self.write(move |connection| use_once(connection, kind, &id, until)).await
    }

    /// Revokes one access token (RFC 7009 §2.1) until it would expire by itself; its grant lives on. The first time,
    /// that is told with the client it was issued to, and the account it was for if it was for one.
    pub async fn revoke_token(
        &self,
        token_id: [u8; 16],
        until: Timestamp,
        (account, client): (Option<Id>, String),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_whole(move |connection| {
            if use_once(connection, UsedKind::Revoked, &token_id, until)? == Use::First {
                let kind = EventKind::TokenRevoked;
                record(connection, &Event { at: now, kind, account, client: Some(client), detail: None })?;
            }
            Ok(Effect::Keep(()))
        })
        .await
    }

    /// Was this access token revoked?
    pub async fn is_revoked(&self, token_id: [u8; 16]) -> Result<bool, StoreError> {
        self.is_used(UsedKind::Revoked, &token_id).await
    }

    /// Was `id` of `kind` used?
    pub async fn is_used(&self, kind: UsedKind, id: &[u8]) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM used WHERE kind = ?1 AND id = ?2";
        let found = self.read(|connection| row::first(connection, sql, params![kind.as_str(), id], |_| Ok(())))?;
        Ok(found.is_some())
    }
}

pub(super) fn use_once(
    connection: &Connection,
    kind: UsedKind,
    id: &[u8],
    until: Timestamp,
) -> Result<Use, StoreError> {
    let sql = "INSERT INTO used (kind, id, until) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let inserted = row::change(connection, sql, params![kind.as_str(), id, until.millis()])?;
    Ok(if inserted == 1 { Use::First } else { Use::Again })
}
