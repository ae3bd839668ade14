//! The sweep: rows whose time is over are deleted, some at a time, by expiry index. The caller says when: while the
//! writer is idle, never at the start, and not after its clock jumped.

use fujie_core::time::{Lifetime, Timestamp};
use rusqlite::{Connection, Params, params};

use super::{
    Store,
    grant::{KEPT, KEPT_UNREDEEMED},
    row,
    writer::Effect,
};
use crate::error::StoreError;

impl Store {
    /// Deletes expired sessions and tickets, what was used and cannot come again, and grants that ended or expired
    /// a week ago or whose code was never redeemed. Touches about `limit` rows at most (cut to 500) and gives their
    /// number; fewer than `limit` means nothing is left to do.
    pub async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let limit = limit.min(LIMIT_MAX);
        self.write_whole(move |connection| {
            let mut swept = 0;
            for sweep in [sessions, tickets, used, grants] {
                swept += sweep(connection, now, limit.saturating_sub(swept))?;
            }
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

fn count(connection: &Connection, sql: &'static str, params: impl Params) -> Result<u32, StoreError> {
    Ok(u32::try_from(row::change(connection, sql, params)?).unwrap_or(u32::MAX))
}

const LIMIT_MAX: u32 = 500;
/// What was used is remembered so long after it could come again, in case a clock went back.
const USED_KEPT: Lifetime = Lifetime::from_seconds(3600);
