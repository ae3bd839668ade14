//! Integrations: doors for webhooks, and the hooks we made for them at providers. What comes in is in `inbox`.

use fujie_core::{id::Id, time::Timestamp};
use rusqlite::{Row, params};

use super::{Store, audit::record, row, topic, writer::Effect};
use crate::{
    error::StoreError,
    outcome::{Ended, IntegrationAdded, IntegrationChanged},
    record::{Event, EventKind, Hook, INTEGRATIONS_PER_TOPIC_MAX, Integration, IntegrationKind},
};

macro_rules! integration_columns {
    () => {
        "id, topic, kind, label, header, prefix, id_header, event_header, sealed_secret, created_by, connection, \
         repository, hook_id, created_at"
    };
}

impl Store {
    /// Adds an integration to its topic. An id that is there already breaks a rule of the rows.
    pub async fn add_integration(&self, new: Integration) -> Result<IntegrationAdded, StoreError> {
        self.write_whole(move |connection| {
            if !topic::exists(connection, &new.topic)? {
                return Ok(Effect::Undo(IntegrationAdded::UnknownTopic));
            }
            let sql = "SELECT count(*) FROM integration WHERE topic = ?1";
            if row::count(connection, sql, [&new.topic])? >= INTEGRATIONS_PER_TOPIC_MAX {
                return Ok(Effect::Undo(IntegrationAdded::TooMany));
            }
            let sql = concat!(
                "INSERT INTO integration (",
                integration_columns!(),
                ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            );
            let values = params![
                new.id,
                new.topic,
                new.kind.as_str(),
                new.label,
                new.header,
                new.prefix,
                new.id_header,
                new.event_header,
                new.sealed_secret,
                new.created_by.as_ref().map(Id::as_bytes),
                new.hook.as_ref().map(|hook| &hook.connection),
                new.hook.as_ref().map(|hook| &hook.repository),
                new.hook.as_ref().and_then(hook_id),
                new.created_at.millis(),
            ];
            row::change(connection, sql, values)?;
            let by = (new.created_by, new.created_at);
            record(connection, &event(EventKind::IntegrationAdded, &new.topic, &new.id, by))?;
            Ok(Effect::Keep(IntegrationAdded::Added))
        })
        .await
    }

    /// An integration, with all that judging a delivery needs. A point read.
    pub async fn integration(&self, id: &str) -> Result<Option<Integration>, StoreError> {
        let sql = concat!("SELECT ", integration_columns!(), " FROM integration WHERE id = ?1");
        self.read(|connection| row::first(connection, sql, [id], integration))
    }

    /// The integrations of a topic, oldest first.
    pub async fn integrations(&self, topic: &str) -> Result<Vec<Integration>, StoreError> {
        let sql =
            concat!("SELECT ", integration_columns!(), " FROM integration WHERE topic = ?1 ORDER BY created_at, id");
        self.read(|connection| row::all(connection, sql, [topic], integration))
    }

    /// Remembers the hook that is made for an integration at its provider.
    pub async fn set_hook(&self, id: &str, hook: Hook) -> Result<IntegrationChanged, StoreError> {
        let id = id.to_owned();
        let sql = "UPDATE integration SET connection = ?2, repository = ?3, hook_id = ?4 WHERE id = ?1";
        let changed = self
            .write(move |connection| {
                row::change(connection, sql, params![id, hook.connection, hook.repository, hook_id(&hook)])
            })
            .await?;
        Ok(if changed == 1 { IntegrationChanged::Changed } else { IntegrationChanged::Absent })
    }

    /// Puts another secret in the place of an integration's own.
    pub async fn replace_integration_secret(
        &self,
        id: &str,
        sealed_secret: Vec<u8>,
        by: Option<Id>,
        now: Timestamp,
    ) -> Result<IntegrationChanged, StoreError> {
        let id = id.to_owned();
        self.write_whole(move |connection| {
            let sql = "UPDATE integration SET sealed_secret = ?2 WHERE id = ?1 RETURNING topic";
            let changed: Option<String> =
                row::first(connection, sql, params![id, sealed_secret], |row| Ok(row.get(0)?))?;
            let Some(topic) = changed else { return Ok(Effect::Undo(IntegrationChanged::Absent)) };
            record(connection, &event(EventKind::IntegrationSecretReplaced, &topic, &id, (by, now)))?;
            Ok(Effect::Keep(IntegrationChanged::Changed))
        })
        .await
    }

    /// Removes an integration and the list of its deliveries; their events stay.
    pub async fn remove_integration(&self, id: &str, by: Option<Id>, now: Timestamp) -> Result<Ended, StoreError> {
        let id = id.to_owned();
        self.write_whole(move |connection| {
            let sql = "DELETE FROM integration WHERE id = ?1 RETURNING topic";
            let removed: Option<String> = row::first(connection, sql, [&id], |row| Ok(row.get(0)?))?;
            let Some(topic) = removed else { return Ok(Effect::Undo(Ended::Absent)) };
            // More than these go in their time: nobody can read them, and nobody waits for it.
            let sql = "DELETE FROM webhook_inbox WHERE event_id IN ( \
                       SELECT event_id FROM webhook_inbox WHERE integration = ?1 LIMIT 500)";
            row::change(connection, sql, [&id])?;
            record(connection, &event(EventKind::IntegrationRemoved, &topic, &id, (by, now)))?;
            Ok(Effect::Keep(Ended::Ended))
        })
        .await
    }
}

fn event(kind: EventKind, topic: &str, integration: &str, (by, at): (Option<Id>, Timestamp)) -> Event {
    let detail = serde_json::json!({ "topic": topic, "integration": integration }).to_string();
    Event { at, kind, account: by, client: None, detail: Some(detail) }
}

/// The number's bits: SQLite's integers have a sign.
fn hook_id(hook: &Hook) -> Option<i64> {
    hook.id.map(u64::cast_signed)
}

fn integration(row: &Row<'_>) -> Result<Integration, StoreError> {
    let id = row.get::<_, Option<i64>>(12)?.map(i64::cast_unsigned);
    let hook = match (row.get(10)?, row.get(11)?) {
        (Some(connection), Some(repository)) => Some(Hook { connection, repository, id }),
        _ => None,
    };
    Ok(Integration {
        id: row.get(0)?,
        topic: row.get(1)?,
        kind: row::word(row, 2, IntegrationKind::parse, ("integration", "kind"))?,
        label: row.get(3)?,
        header: row.get(4)?,
        prefix: row.get(5)?,
        id_header: row.get(6)?,
        event_header: row.get(7)?,
        sealed_secret: row.get(8)?,
        created_by: row::id_if_any(row, 9)?,
        hook,
        created_at: row::time(row, 13)?,
    })
}
