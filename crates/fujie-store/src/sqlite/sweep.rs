//! The sweep: rows whose time is over are deleted, some at a time, by expiry index. The caller says when: while the
//! writer is idle, never at the start, and not after its clock jumped.

use fujie_core::time::{Lifetime, Timestamp};
use rusqlite::{Connection, Params, params};

use super::{
    Store, channel_event,
    grant::{KEPT, KEPT_UNREDEEMED},
    row,
    writer::Effect,
};
use crate::{error::StoreError, record::Retention};

impl Store {
    /// Deletes expired sessions and tickets, what was used and cannot come again, and grants that ended or expired
    /// a week ago or whose code was never redeemed; then the channel's events of deleted topics, and those that are
    /// older than they are kept, with their bodies, and deliveries after 30 days. Touches about `limit` rows at most
    /// (cut to 500) and gives their number, where a large event counts as a row for every 64 KiB; fewer than `limit`
    /// means nothing is left to do.
    pub async fn sweep(&self, now: Timestamp, retention: Retention, limit: u32) -> Result<u32, StoreError> {
        let limit = limit.min(LIMIT_MAX);
        self.write_whole(move |connection| {
            let mut swept = 0;
            for sweep in [sessions, tickets, used, grants] {
                swept += sweep(connection, now, limit.saturating_sub(swept))?;
            }
            swept += deleted_topics(connection, limit.saturating_sub(swept))?;
            swept += events(connection, now, retention.events, limit.saturating_sub(swept))?;
            swept += deliveries(connection, now, limit.saturating_sub(swept))?;
            Ok(Effect::Keep(swept))
        })
        .await
    }
}

fn sessions(connection: &Connection, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
    let sql = "DELETE FROM browser_session WHERE id IN ( \
               SELECT id FROM browser_session WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
    count(connection, sql, params![now.millis(), limit])
}

fn tickets(connection: &Connection, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
    let sql = "DELETE FROM pending_identity WHERE ticket IN ( \
               SELECT ticket FROM pending_identity WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
    count(connection, sql, params![now.millis(), limit])
}

fn used(connection: &Connection, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
    let sql = "DELETE FROM used WHERE (kind, id) IN ( \
               SELECT kind, id FROM used WHERE until <= ?1 ORDER BY until LIMIT ?2)";
    count(connection, sql, params![(now - USED_KEPT).millis(), limit])
}

/// `sweep_after` is when to look, not when to delete: a grant that was refreshed since is put off first, and what is
/// still due after that is deleted by its own facts.
fn grants(connection: &Connection, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
    macro_rules! with_end {
        ($before:literal, $after:literal) => {
            concat!(
                $before,
                "CASE WHEN redeemed_at IS NULL THEN expires_at + ?3 \
                 ELSE min(expires_at, coalesce(ended_at, expires_at)) + ?2 END",
                $after
            )
        };
    }
    let put_off = concat!(
        with_end!("UPDATE \"grant\" SET sweep_after = ", " "),
        with_end!(
            "WHERE id IN (SELECT id FROM \"grant\" WHERE sweep_after <= ?1 ORDER BY sweep_after LIMIT ?4) AND ",
            " > ?1"
        )
    );
    let delete = with_end!(
        "DELETE FROM \"grant\" WHERE id IN ( \
         SELECT id FROM \"grant\" WHERE sweep_after <= ?1 ORDER BY sweep_after LIMIT ?4) AND ",
        " <= ?1"
    );
    let (at, kept, kept_unredeemed) = (now.millis(), KEPT.millis(), KEPT_UNREDEEMED.millis());
    let put_off = count(connection, put_off, params![at, kept, kept_unredeemed, limit])?;
    let rest = limit.saturating_sub(put_off);
    Ok(put_off + count(connection, delete, params![at, kept, kept_unredeemed, rest])?)
}

/// Events that were too many to go together with their topic; its name is free after the last.
fn deleted_topics(connection: &Connection, limit: u32) -> Result<u32, StoreError> {
    let mut swept = 0;
    while swept < limit {
        let sql = "SELECT name FROM topic_deleted LIMIT 1";
        let name: Option<String> = row::first(connection, sql, [], |row| Ok(row.get(0)?))?;
        let Some(name) = name else { break };
        let rest = limit.saturating_sub(swept);
        let deleted = channel_event::delete_of(connection, &name, rest)?;
        if deleted < rest {
            row::change(connection, "DELETE FROM topic_deleted WHERE name = ?1", [&name])?;
        }
        swept += deleted;
    }
    Ok(swept)
}

/// Of the log's oldest events, those that are [`over`]. So what is left has no gap, and a resuming subscriber knows by
/// its oldest event what it missed.
fn events(connection: &Connection, now: Timestamp, kept: Lifetime, limit: u32) -> Result<u32, StoreError> {
    let sql = "SELECT id, at, weight FROM channel_event ORDER BY id LIMIT ?1";
    let oldest = row::all(connection, sql, [limit], |row| {
        Ok(Entry { id: row.get(0)?, at: row::time(row, 1)?, cost: channel_event::cost(row.get(2)?) })
    })?;
    let Some((last, cost)) = over(oldest, now, kept, limit) else { return Ok(0) };
    row::change(connection, "DELETE FROM channel_body WHERE event_id <= ?1", [last])?;
    row::change(connection, "DELETE FROM channel_event WHERE id <= ?1", [last])?;
    Ok(cost)
}

/// As [`events`], since a delivery has its event's id.
fn deliveries(connection: &Connection, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
    let sql = "SELECT event_id, received_at FROM webhook_inbox ORDER BY event_id LIMIT ?1";
    let oldest =
        row::all(connection, sql, [limit], |row| Ok(Entry { id: row.get(0)?, at: row::time(row, 1)?, cost: 1 }))?;
    let Some((last, cost)) = over(oldest, now, DELIVERIES_KEPT, limit) else { return Ok(0) };
    row::change(connection, "DELETE FROM webhook_inbox WHERE event_id <= ?1", [last])?;
    Ok(cost)
}

/// What stands in the order of the log.
struct Entry {
    id: i64,
    at: Timestamp,
    cost: u32,
}

/// The last of the `oldest` that was kept long enough, and what it costs to delete up to it.
///
/// The log is in the order of time, or nearly: before the first that is young, all are over. Only one that a clock
/// stamped which ran ahead says nothing; it is as old as the next that does, or else one among many would keep all
/// that came after it. Where they are as many as go at once, they go.
fn over(oldest: Vec<Entry>, now: Timestamp, kept: Lifetime, limit: u32) -> Option<(i64, u32)> {
    let (until, ahead) = (now - kept, now + AHEAD_MAX);
    let (mut last, mut cost) = (None, 0_u32);
    for entry in oldest {
        let is_over = entry.at <= until;
        if !is_over && entry.at <= ahead {
            break;
        }
        cost = cost.saturating_add(entry.cost);
        let is_enough = cost >= limit;
        if is_over || (is_enough && last.is_none()) {
            last = Some((entry.id, cost));
        }
        if is_enough {
            break;
        }
    }
    last
}

fn count(connection: &Connection, sql: &'static str, params: impl Params) -> Result<u32, StoreError> {
    Ok(u32::try_from(row::change(connection, sql, params)?).unwrap_or(u32::MAX))
}

const LIMIT_MAX: u32 = 500;
/// What was used is remembered so long after it could come again, in case a clock went back.
const USED_KEPT: Lifetime = Lifetime::from_seconds(3600);
/// A delivery that comes again within this time is known.
const DELIVERIES_KEPT: Lifetime = Lifetime::from_days(30);
/// What is stamped later than so long after now was stamped by a clock that ran ahead.
const AHEAD_MAX: Lifetime = Lifetime::from_days(1);
