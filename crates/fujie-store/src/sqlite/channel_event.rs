//! The log of the channel: appended to by whoever acts, in that act's transaction; read from a cursor on.
//!
//! An event's id is its place in the log over all topics, ascending in the order of commits. The newest one is told
//! to whoever watches, after every commit that appended.

use rusqlite::{Connection, Params, Row, params};
use tokio::sync::watch;

use super::{Store, row, target, topic, writer::Effect};
use crate::{
    error::StoreError,
    outcome::Appended,
    record::{ChannelEvent, Event, NewEvent, OWN_TOPIC, TOPIC_WEIGHT_MAX},
};

macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.topic, e.at, e.type, e.source, e.subject, e.delivery, e.is_kept, e.data \
             FROM channel_event e ",
            $rest
        )
    };
}

impl Store {
    /// Appends an event to the log.
    pub async fn append_event(&self, new: NewEvent) -> Result<Appended, StoreError> {
        let most = self.most_of_posts();
        self.write_whole(move |connection| {
            Ok(match append(connection, &new, most)? {
                appended @ Appended::Appended { .. } => Effect::Keep(appended),
                refused => Effect::Undo(refused),
            })
        })
        .await
    }

    /// Whoever posts leaves room for deliveries, which nobody may send again.
    pub(super) fn most_of_posts(&self) -> Most {
        Most { of_topic: TOPIC_WEIGHT_MAX / 2, of_all: self.engine.storage_max }
    }

    /// Events of all topics after the event `after`, oldest first: at most `limit` (cut to 10,000), and no more after
    /// their texts have come to `bytes_max` together. Empty only when there is none.
    pub async fn events_after(
        &self,
        after: i64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<ChannelEvent>, StoreError> {
        let sql = select_events!("WHERE e.id > ?1 ORDER BY e.id LIMIT ?2");
        self.read(|connection| page(connection, sql, params![after, limit.min(EVENTS_MAX)], bytes_max))
    }

    /// Events of one topic, as [`Self::events_after`].
    pub async fn events_in(
        &self,
        topic: &str,
        after: i64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<ChannelEvent>, StoreError> {
        let sql = select_events!("WHERE e.topic = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3");
        self.read(|connection| page(connection, sql, params![topic, after, limit.min(EVENTS_MAX)], bytes_max))
    }

    /// Events of one topic before the event `before` (or at all), newest first; `limit` is cut to 200.
    pub async fn events_before(
        &self,
        topic: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ChannelEvent>, StoreError> {
        let sql = select_events!("WHERE e.topic = ?1 AND e.id < ?2 ORDER BY e.id DESC LIMIT ?3");
        let values = params![topic, before.unwrap_or(i64::MAX), limit.min(200)];
        self.read(|connection| row::all(connection, sql, values, event))
    }

    /// One event of a topic, with what was kept aside for it. Of another topic's nothing is read.
    pub async fn channel_event(
        &self,
        topic: &str,
        id: i64,
    ) -> Result<Option<(ChannelEvent, Option<Vec<u8>>)>, StoreError> {
        let sql = "SELECT e.id, e.topic, e.at, e.type, e.source, e.subject, e.delivery, e.is_kept, e.data, \
                   b.body \
                   FROM channel_event e LEFT JOIN channel_body b ON b.event_id = e.id \
                   WHERE e.id = ?1 AND e.topic = ?2";
        self.read(|connection| row::first(connection, sql, params![id, topic], |row| Ok((event(row)?, row.get(9)?))))
    }

    /// The oldest event that may still be read: whoever resumes after an earlier one may have missed something. One
    /// more than the newest when there is none.
    pub async fn oldest_event_id(&self) -> Result<i64, StoreError> {
        self.read(|connection| {
            let oldest: Option<i64> =
                row::first(connection, "SELECT min(id) FROM channel_event", [], |row| Ok(row.get(0)?))?.flatten();
            match oldest {
                Some(oldest) => Ok(oldest),
                None => Ok(head(connection)? + 1),
            }
        })
    }

    /// The newest event; 0 before the first. It changes after every commit here that appended, before the verbs of
    /// that commit are answered, and ends with the store. What it is now counts as seen.
    pub fn channel_head(&self) -> watch::Receiver<i64> {
        let mut head = self.engine.head.clone();
        head.mark_unchanged();
        head
    }

    /// Has [`Self::channel_head`] tell of what another process appended to the same database; the log's head. A point read
    /// when there is nothing: call it from time to time.
    pub async fn renew_channel_head(&self) -> Result<i64, StoreError> {
        let head = self.read(head)?;
        if head > *self.engine.head.borrow() {
            // Every commit looks at the log.
            self.write(|_| Ok(())).await?;
        }
        Ok(head)
    }
}

/// What events may weigh together, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub of_topic: i64,
    /// Of all topics.
    pub of_all: i64,
}

/// What this server itself does is always told.
const UNBOUNDED: Most = Most { of_topic: i64::MAX, of_all: i64::MAX };

/// Appends inside the acting verb's transaction, and wakes the targets of the topic. When it is refused, nothing was
/// written.
pub(super) fn append(connection: &Connection, new: &NewEvent, most: Most) -> Result<Appended, StoreError> {
    let NewEvent { topic, at, event_type, source, subject, delivery, data, body } = new;
    let weight = weight(new);
    let sql = "SELECT t.weight, s.weight FROM topic t JOIN channel_storage s ON s.id = 1 WHERE t.name = ?1";
    let kept: Option<(i64, i64)> = row::first(connection, sql, [topic], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((of_topic, of_all)) = kept else { return Ok(Appended::UnknownTopic) };
    if of_topic > most.of_topic - weight || of_all > most.of_all - weight {
        return Ok(Appended::Full);
    }
    // It is weighed by a trigger.
    let sql = "INSERT INTO channel_event (topic, at, type, source, subject, delivery, is_kept, weight, data) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![topic, at.millis(), event_type, source, subject, delivery, body.is_some(), weight, data];
    row::change(connection, sql, values)?;
    let id = connection.last_insert_rowid();
    if let Some(body) = body {
        row::change(connection, "INSERT INTO channel_body (event_id, body) VALUES (?1, ?2)", params![id, body])?;
    }
    target::wake(connection, topic, *at)?;
    Ok(Appended::Appended { event_id: id })
}

/// Deletes the oldest events of a topic with their bodies, until they cost `limit`, and gives what they cost: less than
/// `limit` means there are no more.
pub(super) fn delete_of(connection: &Connection, topic: &str, limit: u32) -> Result<u32, StoreError> {
    let sql = "SELECT id, weight FROM channel_event WHERE topic = ?1 ORDER BY id LIMIT ?2";
    let oldest = row::all(connection, sql, params![topic, limit], |row| Ok((row.get(0)?, cost(row.get(1)?))))?;
    let (mut last, mut spent) = (0_i64, 0_u32);
    for (id, cost) in oldest {
        if spent >= limit {
            break;
        }
        (last, spent) = (id, spent.saturating_add(cost));
    }
    let bodies = "DELETE FROM channel_body WHERE event_id IN ( \
                  SELECT id FROM channel_event WHERE topic = ?1 AND id <= ?2)";
    row::change(connection, bodies, params![topic, last])?;
    row::change(connection, "DELETE FROM channel_event WHERE topic = ?1 AND id <= ?2", params![topic, last])?;
    Ok(spent)
}

/// What deleting an event of this weight costs, in rows: the bytes that one transaction takes on are bounded too.
pub(super) fn cost(weight: i64) -> u32 {
    u32::try_from(weight / COST_WEIGHT).unwrap_or(u32::MAX).max(1)
}

/// What an event takes on disk, in bytes, about: its row with its indexes and its delivery, its texts, its body.
fn weight(new: &NewEvent) -> i64 {
    let NewEvent { topic, at: _, event_type, source, subject, delivery, data, body } = new;
    let texts = [Some(topic), Some(event_type), Some(source), subject.as_ref(), delivery.as_ref(), data.as_ref()];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let bytes = ROW_WEIGHT.saturating_add(texts).saturating_add(body.as_ref().map_or(0, Vec::len));
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Tells an audit row on the server's own topic, if that topic was made.
pub(super) fn tell(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    if !topic::exists(connection, OWN_TOPIC)? {
        return Ok(());
    }
    let detail = event.detail.as_deref().and_then(|detail| serde_json::from_str::<serde_json::Value>(detail).ok());
    let data = serde_json::json!({
        "account": event.account.map(|account| account.to_string()),
        "client": event.client,
        "detail": detail,
    });
    let new = NewEvent {
        topic: OWN_TOPIC.to_owned(),
        at: event.at,
        event_type: format!("fujie.{}", event.kind.as_str()),
        source: "/".to_owned(),
        subject: None,
        delivery: None,
        data: Some(data.to_string()),
        body: None,
    };
    append(connection, &new, UNBOUNDED)?;
    Ok(())
}

/// The newest id that was ever given; 0 before the first.
pub(super) fn head(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'channel_event'";
    Ok(row::first(connection, sql, [], |row| Ok(row.get(0)?))?.unwrap_or_default())
}

/// Rows until they are `bytes_max` together; at least one, if there is one.
fn page(
    connection: &Connection,
    sql: &'static str,
    params: impl Params,
    bytes_max: usize,
) -> Result<Vec<ChannelEvent>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let (mut out, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = rows.next()? {
        let event = event(row)?;
        let texts = [Some(&event.topic), Some(&event.event_type), Some(&event.source)];
        let others = [event.subject.as_ref(), event.delivery.as_ref(), event.data.as_ref()];
        bytes = bytes.saturating_add(texts.into_iter().chain(others).flatten().map(String::len).sum());
        out.push(event);
        if bytes >= bytes_max {
            break;
        }
    }
    Ok(out)
}

fn event(row: &Row<'_>) -> Result<ChannelEvent, StoreError> {
    Ok(ChannelEvent {
        id: row.get(0)?,
        topic: row.get(1)?,
        at: row::time(row, 2)?,
        event_type: row.get(3)?,
        source: row.get(4)?,
        subject: row.get(5)?,
        delivery: row.get(6)?,
        is_kept: row.get(7)?,
        data: row.get(8)?,
    })
}

const EVENTS_MAX: u32 = 10_000;
/// What a row weighs besides its texts.
const ROW_WEIGHT: usize = 512;
/// What is deleted as fast as a row, in bytes: 500 of them are about 32 MiB.
const COST_WEIGHT: i64 = 64 * 1024;
