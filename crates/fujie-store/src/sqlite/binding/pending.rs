//! Identities that wait for the person: stored once per flow, spent once by their ticket.

use fujie_core::{
    binding::identity::{Bound, Identity, Pending},
    secret::Digest,
    time::Timestamp,
};
use rusqlite::{Connection, params};

use super::{
    super::{Store, row, used::use_once, writer::Effect},
    bound, identity, parts,
};
use crate::{
    error::StoreError,
    outcome::{Ended, PendingStored, Use},
    record::{Flow, UsedKind},
};

impl Store {
    /// Stores an identity that leads nowhere yet, as vouched for in `flow`, which is used up.
    pub async fn store_pending(&self, flow: Flow, pending: Pending) -> Result<PendingStored, StoreError> {
        self.write_whole(move |connection| {
            if use_once(connection, UsedKind::Flow, &flow.id, flow.until)? == Use::Again {
                return Ok(Effect::Undo(PendingStored::FlowUsed));
            }
            let (found, _) = bound(connection, &pending.identity)?;
            if found != Bound::default() {
                return Ok(Effect::Undo(PendingStored::AlreadyBound(found)));
            }
            insert(connection, &pending)?;
            Ok(Effect::Keep(PendingStored::Stored))
        })
        .await
    }

    /// The identity that waits behind this ticket, unless it expired.
    pub async fn pending(&self, ticket: Digest, now: Timestamp) -> Result<Option<Pending>, StoreError> {
        let sql = "SELECT provider, app, subject, union_group, unionid, nickname, picture, connection, expires_at \
                   FROM pending_identity WHERE ticket = ?1 AND expires_at > ?2";
        self.read(|connection| {
            row::first(connection, sql, params![ticket.as_bytes(), now.millis()], |row| {
                let (connection, expires_at) = (row.get(7)?, row::time(row, 8)?);
                Ok(Pending { identity: identity(row, 0)?, connection, ticket, expires_at })
            })
        })
    }

    /// Forgets the identity behind this ticket: the person cancelled, signed out or signed in otherwise.
    pub async fn discard_pending(&self, ticket: Digest) -> Result<Ended, StoreError> {
        let sql = "DELETE FROM pending_identity WHERE ticket = ?1";
        let deleted = self.write(move |connection| row::change(connection, sql, [ticket.as_bytes()])).await?;
        Ok(if deleted == 1 { Ended::Ended } else { Ended::Absent })
    }
}

/// Uses the ticket up and gives the identity behind it, unless it was used or expired.
pub(super) fn spend(connection: &Connection, ticket: Digest, now: Timestamp) -> Result<Option<Identity>, StoreError> {
    let sql = "DELETE FROM pending_identity WHERE ticket = ?1 AND expires_at > ?2 \
               RETURNING provider, app, subject, union_group, unionid, nickname, picture";
    row::first(connection, sql, params![ticket.as_bytes(), now.millis()], |row| identity(row, 0))
}

fn insert(connection: &Connection, pending: &Pending) -> Result<(), StoreError> {
    let sql = "INSERT INTO pending_identity (ticket, connection, provider, app, subject, union_group, unionid, \
               nickname, picture, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let Identity { provider, app, subject, union, nickname, picture } = &pending.identity;
    let (group, unionid) = parts(union.as_ref());
    let values = params![
        pending.ticket.as_bytes(),
        pending.connection,
        provider,
        app,
        subject,
        group,
        unionid,
        nickname,
        picture,
        pending.expires_at.millis(),
    ];
    row::change(connection, sql, values)?;
    Ok(())
}
