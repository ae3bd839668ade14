//! Stored keys: facts, and material sealed under a master key that is not here.

use fujie_core::key::{KeyFacts, KeyUse, StoredKey};
use rusqlite::{Connection, params};

use super::{Store, audit::record, instance::raise_revision, row, writer::Effect};
use crate::{
    error::StoreError,
    outcome::KeysChanged,
    record::{Event, EventKind},
};

impl Store {
    /// All keys, oldest first.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT id, key_use, created_at, not_before, sealed FROM key ORDER BY not_before, id";
            row::all(connection, sql, [], |row| {
                let key_use = row::word(row, 1, KeyUse::parse, ("key", "key_use"))?;
                let (created_at, not_before) = (row::time(row, 2)?, row::time(row, 3)?);
                let facts = KeyFacts { id: row.get(0)?, key_use, created_at, not_before };
                Ok(StoredKey { facts, sealed: row.get(4)? })
            })
        })
    }

    /// Adds and deletes keys, if the keys are still exactly those the caller planned with (`seen`, by id): so two
    /// processes never both make the next one. Raises the revision. Keys that follow others leave an audit row each;
    /// the first ones do not.
    pub async fn change_keys(
        &self,
        seen: Vec<u32>,
        insert: Vec<StoredKey>,
        delete: Vec<u32>,
    ) -> Result<KeysChanged, StoreError> {
        self.write_whole(move |connection| {
            let follow = !seen.is_empty();
            if !are_still(connection, seen)? {
                return Ok(Effect::Undo(KeysChanged::Lost));
            }
            let sql = "INSERT INTO key (id, key_use, created_at, not_before, sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
            for StoredKey { facts, sealed } in insert {
                let (created_at, not_before) = (facts.created_at.millis(), facts.not_before.millis());
                let values = params![facts.id, facts.key_use.as_str(), created_at, not_before, sealed];
                row::change(connection, sql, values)?;
                if follow {
                    record(connection, &event(facts))?;
                }
            }
            for id in delete {
                row::change(connection, "DELETE FROM key WHERE id = ?1", [id])?;
            }
            raise_revision(connection)?;
            Ok(Effect::Keep(KeysChanged::Changed))
        })
        .await
    }
}

fn event(key: KeyFacts) -> Event {
    let detail = serde_json::json!({ "key": key.id, "use": key.key_use.as_str() }).to_string();
    Event { at: key.created_at, kind: EventKind::KeyRotated, account: None, client: None, detail: Some(detail) }
}

fn are_still(connection: &Connection, mut seen: Vec<u32>) -> Result<bool, StoreError> {
    seen.sort_unstable();
    let found: Vec<u32> = row::all(connection, "SELECT id FROM key ORDER BY id", [], |row| Ok(row.get(0)?))?;
    Ok(found == seen)
}
