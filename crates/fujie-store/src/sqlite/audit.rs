//! The audit log: rows written in the transaction of the verb that acts, and read by an administrator.
//!
//! Each is told on the server's own topic too, in the same transaction. No row holds a token, a code, a secret or a
//! provider's subject.

use rusqlite::{Connection, params};

use super::{Store, channel_event::tell, row};
use crate::{
    error::StoreError,
    record::{Event, EventKind},
};

impl Store {
    /// Writes an audit row for what was no verb's act. The caller bounds how often (design: nothing per request
    /// before authentication).
    pub async fn record_event(&self, event: Event) -> Result<(), StoreError> {
        self.write(move |connection| record(connection, &event)).await
    }

    /// The newest audit rows, newest first; `limit` is cut to 500.
    pub async fn events(&self, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT at, kind, account, client, detail FROM audit_event ORDER BY id DESC LIMIT ?1";
            row::all(connection, sql, [limit.min(500)], |row| {
                Ok(Event {
                    at: row::time(row, 0)?,
                    kind: row::word(row, 1, EventKind::parse, ("audit_event", "kind"))?,
                    account: row::id_if_any(row, 2)?,
                    client: row.get(3)?,
                    detail: row.get(4)?,
                })
            })
        })
    }
}

/// Writes an audit row inside the acting verb's transaction, and tells it on the server's own topic.
pub(super) fn record(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit_event (at, kind, account, client, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
    let account = event.account.as_ref().map(|account| account.as_bytes());
    let (at, kind) = (event.at.millis(), event.kind.as_str());
    row::change(connection, sql, params![at, kind, account, event.client, event.detail])?;
    tell(connection, event)
}
