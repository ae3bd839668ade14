//! The inbox: what came in at an integration, or was posted by a name, and the event it became, in one transaction and
//! once.

use fujie_core::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Store,
    channel_event::{Most, append},
    row,
    writer::Effect,
};
use crate::{
    error::StoreError,
    outcome::{Appended, Receipt},
    record::{Delivered, Delivery, Post, TOPIC_WEIGHT_MAX},
};

impl Store {
    /// Takes a delivery in: its row and its event are on disk together before this answers. The same delivery again
    /// changes nothing, for 30 days.
    pub async fn receive(&self, delivery: Delivery) -> Result<Receipt, StoreError> {
        let most = Most { of_topic: TOPIC_WEIGHT_MAX, of_all: self.engine.storage_max };
        self.write_whole(move |connection| {
            // The writer holds the lock since before this read, so nobody comes in between; the key of the row would
            // refuse it.
            let sql = "SELECT w.event_id FROM integration i \
                       LEFT JOIN webhook_inbox w ON w.integration = i.id AND w.delivery IN (?2, ?4) \
                       WHERE i.id = ?1 AND i.topic = ?3";
            let Delivery { integration, delivery, earlier, event, append: new } = delivery;
            let values = params![integration, delivery, new.topic, earlier];
            match row::first(connection, sql, values, |row| Ok(row.get(0)?))? {
                None => return Ok(Effect::Undo(Receipt::UnknownIntegration)),
                Some(Some(event_id)) => return Ok(Effect::Undo(Receipt::Duplicate { event_id })),
                Some(None) => {}
            }
            let event_id = match append(connection, &new, most)? {
                Appended::Appended { event_id } => event_id,
                Appended::UnknownTopic => return Ok(Effect::Undo(Receipt::UnknownIntegration)),
                Appended::Duplicate { event_id } => return Ok(Effect::Undo(Receipt::Duplicate { event_id })),
                Appended::Full => return Ok(Effect::Undo(Receipt::Full)),
            };
            note(connection, event_id, (&integration, &delivery), &event, new.at)?;
            Ok(Effect::Keep(Receipt::Received { event_id }))
        })
        .await
    }

    /// Appends what a member posts, as [`Self::append_event`] does; but the same name again changes nothing, as long
    /// as the event is kept.
    pub async fn append_event_once(&self, post: Post) -> Result<Appended, StoreError> {
        let most = self.most_of_posts();
        self.write_whole(move |connection| {
            let (integration, name, new) = (of_posts(&post.append.topic), post.name(), &post.append);
            // Of a topic that is gone, events may be left, and their names.
            let sql = "SELECT event_id FROM webhook_inbox WHERE integration = ?1 AND delivery = ?2 \
                       AND EXISTS (SELECT 1 FROM topic WHERE name = ?3)";
            let values = params![integration, name, new.topic];
            if let Some(event_id) = row::first(connection, sql, values, |row| Ok(row.get(0)?))? {
                return Ok(Effect::Undo(Appended::Duplicate { event_id }));
            }
            let appended = append(connection, new, most)?;
            let Appended::Appended { event_id } = appended else { return Ok(Effect::Undo(appended)) };
            note(connection, event_id, (&integration, &name), &new.event_type, new.at)?;
            Ok(Effect::Keep(appended))
        })
        .await
    }

    /// What came in at an integration before the event `before` (or at all), newest first; `limit` is cut to 200.
    pub async fn deliveries(
        &self,
        integration: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Delivered>, StoreError> {
        let sql = "SELECT event_id, delivery, event, received_at FROM webhook_inbox \
                   WHERE integration = ?1 AND event_id < ?2 ORDER BY event_id DESC LIMIT ?3";
        let values = params![integration, before.unwrap_or(i64::MAX), limit.min(200)];
        self.read(|connection| row::all(connection, sql, values, delivered))
    }

    /// Those of the deliveries named so that came in at an integration; others are left out.
    pub async fn received(&self, integration: &str, deliveries: &[String]) -> Result<Vec<Delivered>, StoreError> {
        let sql = "SELECT event_id, delivery, event, received_at FROM webhook_inbox \
                   WHERE integration = ?1 AND delivery = ?2";
        self.read(|connection| {
            let mut found = Vec::new();
            for delivery in deliveries {
                found.extend(row::first(connection, sql, params![integration, delivery], delivered)?);
            }
            Ok(found)
        })
    }
}

/// What stands for an integration where members post by names. No integration's id has a slash. The migration knows it
/// too: these rows go with their events.
fn of_posts(topic: &str) -> String {
    format!("topics/{topic}")
}

fn note(
    connection: &Connection,
    event_id: i64,
    (integration, delivery): (&str, &str),
    event: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO webhook_inbox (event_id, integration, delivery, received_at, event) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    row::change(connection, sql, params![event_id, integration, delivery, at.millis(), event])?;
    Ok(())
}

fn delivered(row: &Row<'_>) -> Result<Delivered, StoreError> {
    let received_at = row::time(row, 3)?;
    Ok(Delivered { event_id: row.get(0)?, delivery: row.get(1)?, event: row.get(2)?, received_at })
}
