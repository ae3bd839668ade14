//! Browser sessions: a digest of the cookie, and who is behind it.

use fujie_core::{
    account::Session, binding::identity::Identity, grant::EndedWhy, id::Id, secret::Digest, time::Timestamp,
};
use rusqlite::{Connection, params};

use super::{
    Store,
    account::event,
    audit::record,
    grant::{Whose, end_all},
    row::{self, account_columns, session_columns},
    writer::Effect,
};
use crate::{
    error::StoreError,
    outcome::{Ended, SessionBegun},
    record::{EventKind, NewSession},
};

impl Store {
    /// Begins a session of `account`, which is read as alive in the same transaction. For sign-in by password; an
    /// identity at a provider has its own verbs.
    pub async fn begin_session(
        &self,
        account: Id,
        new: NewSession,
        now: Timestamp,
    ) -> Result<SessionBegun, StoreError> {
        self.write_whole(move |connection| {
            Ok(match begin(connection, account, &new, None, now)? {
                Some(session) => Effect::Keep(SessionBegun::Begun(session)),
                None => Effect::Undo(SessionBegun::AccountGone),
            })
        })
        .await
    }

    /// The live session of this cookie, with its account, in one statement. `None` if it ended, expired, or its
    /// account is disabled.
    pub async fn session(&self, id: Digest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.read(|connection| session(connection, id, now))
    }

    /// Ends a session, then its grants that do not outlive it.
    pub async fn end_session(&self, id: Digest, now: Timestamp) -> Result<Ended, StoreError> {
        self.write_whole(move |connection| {
            let sql = "UPDATE browser_session SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
            if row::change(connection, sql, params![id.as_bytes(), now.millis()])? == 0 {
                return Ok(Effect::Undo(Ended::Absent));
            }
            end_all(connection, Whose::Session(id), EndedWhy::SignedOut, now)?;
            Ok(Effect::Keep(Ended::Ended))
        })
        .await
    }

    /// The live sessions of an account, newest first; at most 100.
    pub async fn sessions_of(&self, account: Id, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let sql = concat!(
            "SELECT ",
            session_columns!(),
            " FROM browser_session s JOIN account a ON a.id = s.account WHERE s.account = ?1 \
             AND s.ended_at IS NULL AND s.expires_at > ?2 AND a.disabled_at IS NULL \
             ORDER BY s.created_at DESC LIMIT 100"
        );
        self.read(|connection| row::all(connection, sql, params![account.as_bytes(), now.millis()], row::session))
    }
}

/// Inserts the session's row and reads it back with its account; `None` when the account is not alive.
pub(super) fn begin(
    connection: &Connection,
    account: Id,
    new: &NewSession,
    via: Option<&Identity>,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let sql = "INSERT INTO browser_session (id, account, auth_time, amr, fresh_for, via_provider, via_app, \
               via_subject, created_at, expires_at) SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM account \
               WHERE id = ?2 AND disabled_at IS NULL";
    let values = params![
        new.id.as_bytes(),
        account.as_bytes(),
        new.auth_time.millis(),
        new.amr,
        new.fresh_for,
        via.map(|identity| &identity.provider),
        via.map(|identity| &identity.app),
        via.map(|identity| &identity.subject),
        now.millis(),
        new.expires_at.millis(),
    ];
    if row::change(connection, sql, values)? == 0 {
        return Ok(None);
    }
    if let Some(old) = new.replaces {
        replace(connection, old, (new.id, account), now)?;
    }
    let detail = via.map(|identity| serde_json::json!({ "provider": identity.provider }).to_string());
    record(connection, &crate::record::Event { detail, ..event(EventKind::SignedIn, account, now) })?;
    session(connection, new.id, now)
}

/// Ends the session `old` in favour of a new one; the same account's grants move over.
fn replace(
    connection: &Connection,
    old: Digest,
    (new, account): (Digest, Id),
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE \"grant\" SET session = ?2 WHERE session = ?1 AND ended_at IS NULL \
               AND EXISTS (SELECT 1 FROM browser_session WHERE id = ?1 AND account = ?3 AND ended_at IS NULL)";
    row::change(connection, sql, params![old.as_bytes(), new.as_bytes(), account.as_bytes()])?;
    let sql = "UPDATE browser_session SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
    if row::change(connection, sql, params![old.as_bytes(), now.millis()])? == 1 {
        end_all(connection, Whose::Session(old), EndedWhy::SignedOut, now)?;
    }
    Ok(())
}

pub(super) fn session(connection: &Connection, id: Digest, now: Timestamp) -> Result<Option<Session>, StoreError> {
    let sql = concat!(
        "SELECT ",
        session_columns!(),
        " FROM browser_session s JOIN account a ON a.id = s.account \
         WHERE s.id = ?1 AND s.ended_at IS NULL AND s.expires_at > ?2 AND a.disabled_at IS NULL"
    );
    row::first(connection, sql, params![id.as_bytes(), now.millis()], row::session)
}
