//! Remembered consent: what a client may be granted without asking again. It is remembered by `begin_grant`.

use fujie_core::{grant::EndedWhy, id::Id, request::scope::Scope, time::Timestamp};
use rusqlite::params;

use super::{
    Store,
    audit::record,
    grant::{Whose, end_all},
    row,
    writer::Effect,
};
use crate::{
    error::StoreError,
    outcome::Ended,
    record::{Consented, Event, EventKind},
};

impl Store {
    /// What `account` lets `client` have without asking again.
    pub async fn consent(&self, account: Id, client: &str) -> Result<Option<Scope>, StoreError> {
        let sql = "SELECT scope FROM consent WHERE account = ?1 AND client = ?2";
        self.read(|connection| {
            row::first(connection, sql, params![account.as_bytes(), client], |row| row::scope(row, 0, "consent"))
        })
    }

    /// All remembered consents of `account`, in the order of client ids.
    pub async fn consents_of(&self, account: Id) -> Result<Vec<Consented>, StoreError> {
        let sql = "SELECT client, scope, given_at FROM consent WHERE account = ?1 ORDER BY client";
        self.read(|connection| {
            row::all(connection, sql, [account.as_bytes()], |row| {
                let (scope, given_at) = (row::scope(row, 1, "consent")?, row::time(row, 2)?);
                Ok(Consented { client: row.get(0)?, scope, given_at })
            })
        })
    }

    /// Forgets the consent of `account` for `client`, then ends every grant between them, remembered or not.
    /// `Absent` when there was neither.
    pub async fn withdraw_consent(&self, account: Id, client: &str, now: Timestamp) -> Result<Ended, StoreError> {
        let client = client.to_owned();
        self.write_whole(move |connection| {
            let sql = "DELETE FROM consent WHERE account = ?1 AND client = ?2";
            let forgotten = row::change(connection, sql, params![account.as_bytes(), client])?;
            let whose = Whose::AccountAndClient(account, &client);
            let ended = end_all(connection, whose, EndedWhy::ConsentWithdrawn, now)?;
            if forgotten + ended == 0 {
                return Ok(Effect::Undo(Ended::Absent));
            }
            let (kind, account) = (EventKind::ConsentWithdrawn, Some(account));
            record(connection, &Event { at: now, kind, account, client: Some(client), detail: None })?;
            Ok(Effect::Keep(Ended::Ended))
        })
        .await
    }
}
