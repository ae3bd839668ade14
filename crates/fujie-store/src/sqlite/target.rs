//! Targets: where a topic's events go for people who are not connected. Each has its own cursor: the log is the
//! outbox.
//!
//! A target that has got everything sleeps (`next_at` is null) and is woken by the append of the next event, in that
//! transaction; so finding who is due looks at nobody who is not.

use fujie_core::{
    id::Id,
    time::{Lifetime, Timestamp},
};
use rusqlite::{Connection, Row, params};

use super::{Store, audit::record, channel_event::head, row, topic, writer::Effect};
use crate::{
    error::StoreError,
    outcome::{Ended, TargetAdded, TargetChanged},
    record::{Event, EventKind, Member, NewTarget, PUSHES_PER_MEMBER_MAX, ROBOTS_PER_TOPIC_MAX, Target, TargetKind},
};

macro_rules! select_targets {
    ($rest:literal) => {
        concat!(
            "SELECT id, topic, kind, account, label, address, sealed, cursor, failures, next_at, last_error, \
             disabled_at, created_at FROM channel_target ",
            $rest
        )
    };
}

impl Store {
    /// Adds a target, which gets what is appended from now on. An address that the topic has already is renewed
    /// instead, also when it was disabled, and keeps its place in the log.
    pub async fn add_target(&self, new: NewTarget, now: Timestamp) -> Result<TargetAdded, StoreError> {
        self.write_whole(move |connection| {
            if !may_have(connection, &new)? {
                return Ok(Effect::Undo(TargetAdded::NotMember));
            }
            if let Some(standing) = renew(connection, &new, now)? {
                return Ok(Effect::Keep(TargetAdded::Renewed(standing)));
            }
            if is_full(connection, &new)? {
                return Ok(Effect::Undo(TargetAdded::TooMany));
            }
            insert(connection, &new, now)?;
            record(connection, &event(EventKind::TargetAdded, (&new.topic, new.id), new.account, None, now))?;
            Ok(Effect::Keep(TargetAdded::Added))
        })
        .await
    }

    /// The targets of a topic, oldest first.
    pub async fn targets(&self, topic: &str) -> Result<Vec<Target>, StoreError> {
        let sql = select_targets!("WHERE topic = ?1 ORDER BY created_at, id");
        self.read(|connection| row::all(connection, sql, [topic], target))
    }

    /// A target.
    pub async fn target(&self, id: Id) -> Result<Option<Target>, StoreError> {
        let sql = select_targets!("WHERE id = ?1");
        self.read(|connection| row::first(connection, sql, [id.as_bytes()], target))
    }

    /// Removes a target. `by` is who did it; `None`: the operator, or the target's own word that it is gone.
    pub async fn remove_target(&self, id: Id, by: Option<Id>, now: Timestamp) -> Result<Ended, StoreError> {
        self.write_whole(move |connection| {
            let sql = "DELETE FROM channel_target WHERE id = ?1 RETURNING topic";
            let removed: Option<String> = row::first(connection, sql, [id.as_bytes()], |row| Ok(row.get(0)?))?;
            let Some(topic) = removed else { return Ok(Effect::Undo(Ended::Absent)) };
            record(connection, &event(EventKind::TargetRemoved, (&topic, id), by, None, now))?;
            Ok(Effect::Keep(Ended::Ended))
        })
        .await
    }

    /// Targets with something to get, whose time has come; the longest due first; `limit` is cut to 1,000. One that
    /// is being served is given again until it was advanced, postponed or disabled; one that finds nothing, since its
    /// events were swept, is advanced to its own cursor. A time that is farther ahead than any pause is long was set
    /// under a clock that ran ahead, and has come as well.
    pub async fn due_targets(&self, now: Timestamp, limit: u32) -> Result<Vec<Target>, StoreError> {
        let limit = limit.min(1000);
        let due = select_targets!(
            "WHERE next_at IS NOT NULL AND next_at <= ?1 AND disabled_at IS NULL ORDER BY next_at LIMIT ?2"
        );
        let ahead = select_targets!(
            "WHERE next_at IS NOT NULL AND next_at > ?1 AND disabled_at IS NULL ORDER BY next_at LIMIT ?2"
        );
        self.read(|connection| {
            let mut targets = row::all(connection, due, params![now.millis(), limit], target)?;
            let rest = limit.saturating_sub(u32::try_from(targets.len()).unwrap_or(limit));
            targets.extend(row::all(connection, ahead, params![(now + PAUSE_MAX).millis(), rest], target)?);
            Ok(targets)
        })
    }

    /// When the next target falls due that is not due at `now`. A new event may make one due before.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT min(next_at) FROM channel_target \
                   WHERE next_at IS NOT NULL AND next_at > ?1 AND next_at <= ?2 AND disabled_at IS NULL";
        let values = [now.millis(), (now + PAUSE_MAX).millis()];
        let found = self.read(|connection| row::first(connection, sql, values, |row| row::time_if_any(row, 0)))?;
        Ok(found.flatten())
    }

    /// The target got all up to the event `cursor`: it is due again at once if there is more, else it sleeps. A
    /// cursor never goes back.
    pub async fn advance_target(&self, id: Id, cursor: i64, now: Timestamp) -> Result<TargetChanged, StoreError> {
        let sql = "UPDATE channel_target SET cursor = max(cursor, ?2), failures = 0, last_error = NULL, \
                   next_at = CASE WHEN EXISTS (SELECT 1 FROM channel_event e \
                   WHERE e.topic = channel_target.topic AND e.id > max(channel_target.cursor, ?2)) THEN ?3 END \
                   WHERE id = ?1 AND disabled_at IS NULL";
        let changed =
            self.write(move |connection| row::change(connection, sql, params![id.as_bytes(), cursor, now.millis()]));
        Ok(outcome(changed.await?))
    }

    /// An attempt failed: the next is at `next_at`.
    pub async fn postpone_target(&self, id: Id, next_at: Timestamp, error: &str) -> Result<TargetChanged, StoreError> {
        let error = error.to_owned();
        let sql = "UPDATE channel_target SET failures = failures + 1, next_at = ?2, last_error = ?3 \
                   WHERE id = ?1 AND disabled_at IS NULL";
        let changed =
            self.write(move |connection| row::change(connection, sql, params![id.as_bytes(), next_at.millis(), error]));
        Ok(outcome(changed.await?))
    }

    /// Targets that are due and cannot be served yet, through no fault of theirs: each is due at its time.
    pub async fn put_off_targets(&self, waiting: Vec<(Id, Timestamp)>) -> Result<(), StoreError> {
        let sql = "UPDATE channel_target SET next_at = ?2 \
                   WHERE id = ?1 AND next_at IS NOT NULL AND disabled_at IS NULL";
        self.write(move |connection| {
            for (id, next_at) in &waiting {
                row::change(connection, sql, params![id.as_bytes(), next_at.millis()])?;
            }
            Ok(())
        })
        .await
    }

    /// Gives a target up: nothing goes there until its address is added again.
    pub async fn disable_target(&self, id: Id, why: &str, now: Timestamp) -> Result<TargetChanged, StoreError> {
        let why = why.to_owned();
        self.write_whole(move |connection| {
            let sql = "UPDATE channel_target SET disabled_at = ?2, last_error = ?3, next_at = NULL \
                       WHERE id = ?1 AND disabled_at IS NULL RETURNING topic";
            let values = params![id.as_bytes(), now.millis(), why];
            let disabled: Option<String> = row::first(connection, sql, values, |row| Ok(row.get(0)?))?;
            let Some(topic) = disabled else { return Ok(Effect::Undo(TargetChanged::Gone)) };
            record(connection, &event(EventKind::TargetDisabled, (&topic, id), None, Some(&why), now))?;
            Ok(Effect::Keep(TargetChanged::Changed))
        })
        .await
    }
}

/// Wakes the targets of a topic that sleep, inside the transaction that appended; and those that nothing keeps from
/// being served but a time that is still to come.
pub(super) fn wake(connection: &Connection, topic: &str, at: Timestamp) -> Result<(), StoreError> {
    let asleep = "UPDATE channel_target SET next_at = ?2 \
                  WHERE topic = ?1 AND failures = 0 AND disabled_at IS NULL AND next_at IS NULL";
    let waiting = "UPDATE channel_target SET next_at = ?2 \
                   WHERE topic = ?1 AND failures = 0 AND disabled_at IS NULL AND next_at > ?2";
    for sql in [asleep, waiting] {
        row::change(connection, sql, params![topic, at.millis()])?;
    }
    Ok(())
}

fn may_have(connection: &Connection, new: &NewTarget) -> Result<bool, StoreError> {
    match new.account {
        Some(account) => Ok(topic::role_of(connection, &new.topic, &Member::Account(account))?.is_some()),
        None => topic::exists(connection, &new.topic),
    }
}

fn is_full(connection: &Connection, new: &NewTarget) -> Result<bool, StoreError> {
    if new.kind == TargetKind::WebPush {
        let sql = "SELECT count(*) FROM channel_target WHERE topic = ?1 AND kind = 'web_push' AND account IS ?2";
        let account = new.account.as_ref().map(Id::as_bytes);
        return Ok(row::count(connection, sql, params![new.topic, account])? >= PUSHES_PER_MEMBER_MAX);
    }
    let sql = "SELECT count(*) FROM channel_target WHERE topic = ?1 AND kind <> 'web_push'";
    Ok(row::count(connection, sql, [&new.topic])? >= ROBOTS_PER_TOPIC_MAX)
}

/// Renews the topic's target with this address, if there is one, and gives its id. One that was disabled gets what is
/// appended from now on; one that is not goes on where it is.
fn renew(connection: &Connection, new: &NewTarget, now: Timestamp) -> Result<Option<Id>, StoreError> {
    let sql = "UPDATE channel_target SET kind = ?3, account = ?4, label = ?5, sealed = ?6, failures = 0, \
               last_error = NULL, disabled_at = NULL, \
               cursor = CASE WHEN disabled_at IS NULL THEN cursor ELSE ?7 END, \
               next_at = CASE WHEN next_at IS NULL THEN NULL ELSE ?8 END \
               WHERE topic = ?1 AND address = ?2 RETURNING id";
    let account = new.account.as_ref().map(Id::as_bytes);
    let (address, kind) = (new.address.as_bytes(), new.kind.as_str());
    let (head, now) = (head(connection)?, now.millis());
    let values = params![new.topic, address, kind, account, new.label, new.sealed, head, now];
    row::first(connection, sql, values, |row| row::id(row, 0))
}

fn insert(connection: &Connection, new: &NewTarget, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO channel_target (id, topic, kind, account, label, address, sealed, cursor, failures, \
               created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)";
    let values = params![
        new.id.as_bytes(),
        new.topic,
        new.kind.as_str(),
        new.account.as_ref().map(Id::as_bytes),
        new.label,
        new.address.as_bytes(),
        new.sealed,
        head(connection)?,
        now.millis(),
    ];
    row::change(connection, sql, values)?;
    Ok(())
}

fn event(kind: EventKind, (topic, target): (&str, Id), account: Option<Id>, why: Option<&str>, at: Timestamp) -> Event {
    let mut detail = serde_json::json!({ "topic": topic, "target": target.to_string() });
    if let (Some(why), Some(detail)) = (why, detail.as_object_mut()) {
        detail.insert("why".to_owned(), why.into());
    }
    Event { at, kind, account, client: None, detail: Some(detail.to_string()) }
}

fn outcome(changed: usize) -> TargetChanged {
    if changed == 1 { TargetChanged::Changed } else { TargetChanged::Gone }
}

fn target(row: &Row<'_>) -> Result<Target, StoreError> {
    Ok(Target {
        id: row::id(row, 0)?,
        topic: row.get(1)?,
        kind: row::word(row, 2, TargetKind::parse, ("channel_target", "kind"))?,
        account: row::id_if_any(row, 3)?,
        label: row.get(4)?,
        address: row::digest(row, 5)?,
        sealed: row.get(6)?,
        cursor: row.get(7)?,
        failures: row.get(8)?,
        next_at: row::time_if_any(row, 9)?,
        last_error: row.get(10)?,
        disabled_at: row::time_if_any(row, 11)?,
        created_at: row::time(row, 12)?,
    })
}

/// No pause is longer: a service may ask for a day.
const PAUSE_MAX: Lifetime = Lifetime::from_seconds(25 * 3600);
