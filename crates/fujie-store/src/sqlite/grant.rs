//! Grants: born with their codes, redeemed once, refreshed, ended. Everything that is issued points to one.

use fujie_core::{
    grant::{ClientAuth, CodeRedeemed, EndedWhy, Grant, Refreshed},
    id::Id,
    secret::Digest,
    time::{Lifetime, Timestamp},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    Store,
    audit::record,
    row,
    used::use_once,
    writer::{Effect, whole},
};
use crate::{
    error::StoreError,
    outcome::{Ended, Redemption, Refresh, Use},
    record::{Event, EventKind, UsedKind},
};

mod birth;

macro_rules! grant_columns {
    () => {
        "g.id, g.account, g.client, g.client_epoch, g.session, g.auth_time, g.acr, g.amr, g.scope, g.resource, \
         g.key_binding, g.rotates, g.client_auth, g.parent, g.generation, g.rotated_at, g.redeemed_at, \
         g.expires_at, g.created_at, g.ended_at, g.ended_why"
    };
}

impl Store {
    /// A grant, whatever has become of it.
    pub async fn grant(&self, id: Id) -> Result<Option<Grant>, StoreError> {
        let sql = concat!("SELECT ", grant_columns!(), " FROM \"grant\" g WHERE g.id = ?1");
        self.read(|connection| row::first(connection, sql, [id.as_bytes()], grant))
    }

    /// A grant, and whether this access token of it was revoked, in one statement.
    pub async fn grant_and_revoked(&self, id: Id, token_id: [u8; 16]) -> Result<Option<(Grant, bool)>, StoreError> {
        let sql = concat!(
            "SELECT ",
            grant_columns!(),
            ", EXISTS (SELECT 1 FROM used u WHERE u.kind = 'revoked' AND u.id = ?2) FROM \"grant\" g WHERE g.id = ?1"
        );
        self.read(|connection| {
            row::first(connection, sql, params![id.as_bytes(), token_id], |row| Ok((grant(row)?, row.get(21)?)))
        })
    }

    /// The grants of an account, live ones first, then newest first; at most 200.
    pub async fn grants_of(&self, account: Id) -> Result<Vec<Grant>, StoreError> {
        let sql = concat!(
            "SELECT ",
            grant_columns!(),
            " FROM \"grant\" g WHERE g.account = ?1 AND g.redeemed_at IS NOT NULL \
             ORDER BY g.ended_at IS NOT NULL, g.id DESC LIMIT 200"
        );
        self.read(|connection| row::all(connection, sql, [account.as_bytes()], grant))
    }

    /// Redeems the code of a grant, once; its tokens live until `expires_at` at the latest. A code that comes again
    /// ends its grant, for as long as the grant lives (RFC 6749 §4.1.2).
    pub async fn redeem_code(&self, id: Id, expires_at: Timestamp, now: Timestamp) -> Result<Redemption, StoreError> {
        let outcome = self.write(move |connection| redeem(connection, id, expires_at, now)).await?;
        Ok(match outcome {
            Redeemed::Now => Redemption::Redeemed(CodeRedeemed::assertion(id)),
            Redeemed::Before => Redemption::Replayed,
            Redeemed::Never => Redemption::Gone,
        })
    }

    /// Puts the next generation of refresh token in place of `generation`, and moves the grant's end.
    pub async fn rotate(
        &self,
        id: Id,
        generation: u32,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Refresh, StoreError> {
        let sql = "UPDATE \"grant\" SET generation = generation + 1, rotated_at = ?3, expires_at = ?4 \
                   WHERE id = ?1 AND generation = ?2 AND ended_at IS NULL AND expires_at > ?3";
        let values = (*id.as_bytes(), generation, now.millis(), expires_at.millis());
        let changed = self.write(move |connection| row::change(connection, sql, values)).await?;
        Ok(refreshed(id, changed))
    }

    /// Moves the end of a grant whose refresh token does not rotate.
    pub async fn extend(&self, id: Id, expires_at: Timestamp, now: Timestamp) -> Result<Refresh, StoreError> {
        let sql = "UPDATE \"grant\" SET rotated_at = ?2, expires_at = ?3 \
                   WHERE id = ?1 AND ended_at IS NULL AND expires_at > ?2";
        let values = (*id.as_bytes(), now.millis(), expires_at.millis());
        let changed = self.write(move |connection| row::change(connection, sql, values)).await?;
        Ok(refreshed(id, changed))
    }

    /// Notes that the generation before `generation` came again within its window: one audit row per generation.
    pub async fn note_refresh_repeated(&self, id: Id, generation: u32, now: Timestamp) -> Result<Use, StoreError> {
        self.write_whole(move |connection| {
            let name = [id.as_bytes().as_slice(), &generation.to_be_bytes()].concat();
            let used = use_once(connection, UsedKind::RefreshRepeated, &name, now)?;
            if used == Use::First {
                let sql = "SELECT account, client FROM \"grant\" WHERE id = ?1";
                if let Some(whose) = row::first(connection, sql, [id.as_bytes()], whose)? {
                    record(connection, &event(EventKind::RefreshRepeated, id, whose, None, now))?;
                }
            }
            Ok(Effect::Keep(used))
        })
        .await
    }

    /// Ends a grant, and with it every token of it.
    pub async fn end_grant(&self, id: Id, why: EndedWhy, now: Timestamp) -> Result<Ended, StoreError> {
        let sql = "UPDATE \"grant\" SET ended_at = ?2, ended_why = ?3, sweep_after = min(sweep_after, ?4) \
                   WHERE id = ?1 AND ended_at IS NULL RETURNING account, client";
        self.write_whole(move |connection| end_one(connection, sql, id, why, now)).await
    }

    /// Ends a grant whose code was not redeemed yet, and no other.
    pub async fn end_unredeemed_grant(&self, id: Id, why: EndedWhy, now: Timestamp) -> Result<Ended, StoreError> {
        let sql = "UPDATE \"grant\" SET ended_at = ?2, ended_why = ?3, sweep_after = min(sweep_after, ?4) \
                   WHERE id = ?1 AND ended_at IS NULL AND redeemed_at IS NULL RETURNING account, client";
        self.write_whole(move |connection| end_one(connection, sql, id, why, now)).await
    }
}

/// Which grants to end.
#[derive(Clone, Copy)]
pub(super) enum Whose<'a> {
    Account(Id),
    Client(&'a str),
    AccountAndClient(Id, &'a str),
    /// Those that do not outlive it.
    Session(Digest),
}

/// Ends grants after what they hang on was updated. Gives their number.
pub(super) fn end_all(
    connection: &Connection,
    whose: Whose<'_>,
    why: EndedWhy,
    now: Timestamp,
) -> Result<usize, StoreError> {
    macro_rules! end_where {
        ($condition:literal) => {
            concat!(
                "UPDATE \"grant\" SET ended_at = ?1, ended_why = ?2, sweep_after = min(sweep_after, ?3) \
                 WHERE ended_at IS NULL AND ",
                $condition
            )
        };
    }
    let (at, why, kept) = (now.millis(), why.as_str(), (now + KEPT).millis());
    match whose {
        Whose::Account(account) => {
            let sql = end_where!("account = ?4");
            row::change(connection, sql, params![at, why, kept, account.as_bytes()])
        }
        Whose::Client(client) => row::change(connection, end_where!("client = ?4"), params![at, why, kept, client]),
        Whose::AccountAndClient(account, client) => {
            let sql = end_where!("account = ?4 AND client = ?5");
            row::change(connection, sql, params![at, why, kept, account.as_bytes(), client])
        }
        Whose::Session(session) => {
            let sql = end_where!("session = ?4 AND (offline = 0 OR redeemed_at IS NULL)");
            row::change(connection, sql, params![at, why, kept, session.as_bytes()])
        }
    }
}

enum Redeemed {
    Now,
    Before,
    Never,
}

fn redeem(connection: &Connection, id: Id, expires_at: Timestamp, now: Timestamp) -> Result<Redeemed, StoreError> {
    let sql = "UPDATE \"grant\" SET redeemed_at = ?2, expires_at = ?3, sweep_after = ?4 \
               WHERE id = ?1 AND redeemed_at IS NULL AND ended_at IS NULL AND expires_at > ?2";
    let values = params![id.as_bytes(), now.millis(), expires_at.millis(), (expires_at + KEPT).millis()];
    if row::change(connection, sql, values)? == 1 {
        return Ok(Redeemed::Now);
    }
    let sql = "UPDATE \"grant\" SET ended_at = ?2, ended_why = ?3, sweep_after = min(sweep_after, ?4) \
               WHERE id = ?1 AND redeemed_at IS NOT NULL AND ended_at IS NULL RETURNING account, client";
    let ended = whole(connection, |connection| end_one(connection, sql, id, EndedWhy::CodeReplayed, now))?;
    Ok(if ended == Ended::Ended { Redeemed::Before } else { Redeemed::Never })
}

/// Ends one grant by `sql` and writes the audit row.
fn end_one(
    connection: &Connection,
    sql: &'static str,
    id: Id,
    why: EndedWhy,
    now: Timestamp,
) -> Result<Effect<Ended>, StoreError> {
    let values = params![id.as_bytes(), now.millis(), why.as_str(), (now + KEPT).millis()];
    let mut statement = connection.prepare_cached(sql)?;
    let ended = statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((account, client)) = ended else { return Ok(Effect::Undo(Ended::Absent)) };
    let whose = (Id::from_bytes(account), client);
    record(connection, &event(EventKind::GrantEnded, id, whose, Some(why), now))?;
    Ok(Effect::Keep(Ended::Ended))
}

fn whose(row: &Row<'_>) -> Result<(Id, String), StoreError> {
    Ok((row::id(row, 0)?, row.get(1)?))
}

fn event(kind: EventKind, grant: Id, (account, client): (Id, String), why: Option<EndedWhy>, at: Timestamp) -> Event {
    let detail = match why {
        Some(why) => serde_json::json!({ "grant": grant.to_string(), "why": why.as_str() }),
        None => serde_json::json!({ "grant": grant.to_string() }),
    };
    Event { at, kind, account: Some(account), client: Some(client), detail: Some(detail.to_string()) }
}

fn refreshed(id: Id, changed: usize) -> Refresh {
    if changed == 1 { Refresh::Refreshed(Refreshed::assertion(id)) } else { Refresh::Lost }
}

fn grant(row: &Row<'_>) -> Result<Grant, StoreError> {
    let ended = match row::time_if_any(row, 19)? {
        Some(at) => Some((at, row::word(row, 20, EndedWhy::parse, ("grant", "ended_why"))?)),
        None => None,
    };
    Ok(Grant {
        id: row::id(row, 0)?,
        account: row::id(row, 1)?,
        client: row.get(2)?,
        client_epoch: row.get(3)?,
        session: row::digest_if_any(row, 4)?,
        auth_time: row::time(row, 5)?,
        acr: row.get(6)?,
        amr: row.get(7)?,
        scope: row::scope(row, 8, "grant")?,
        resource: row.get(9)?,
        key_binding: row::digest_if_any(row, 10)?,
        rotates: row.get(11)?,
        client_auth: row::word(row, 12, ClientAuth::parse, ("grant", "client_auth"))?,
        parent: row::id_if_any(row, 13)?,
        generation: row.get(14)?,
        rotated_at: row::time(row, 15)?,
        redeemed_at: row::time_if_any(row, 16)?,
        expires_at: row::time(row, 17)?,
        created_at: row::time(row, 18)?,
        ended,
    })
}

/// A grant that ended or expired is kept so long, for the account page.
pub(super) const KEPT: Lifetime = Lifetime::from_days(7);
/// A code that was never redeemed is kept so long after its expiry.
pub(super) const KEPT_UNREDEEMED: Lifetime = Lifetime::from_seconds(3600);
