//! Accounts, their passwords, and the first administrator's set-up link.

use fujie_core::{
    account::Account,
    grant::EndedWhy,
    id::Id,
    secret::{Digest, Secret},
    time::Timestamp,
};
use rusqlite::{Connection, params};

use super::{
    Store,
    audit::record,
    grant::{Whose, end_all},
    row::{self, account_columns},
    topic::leave_all,
    writer::Effect,
};
use crate::{
    error::StoreError,
    outcome::{AccountChanged, AccountCreated, SetupLinkPut, SetupLinkSpent},
    record::{Event, EventKind, NewAccount},
};

impl Store {
    /// Makes an account. The first administrator made in whatever way closes the set-up link for good.
    pub async fn create_account(&self, new: NewAccount, now: Timestamp) -> Result<AccountCreated, StoreError> {
        self.write_whole(move |connection| {
            if !insert(connection, &new, now)? {
                return Ok(Effect::Undo(AccountCreated::UsernameTaken));
            }
            if new.is_administrator {
                let sql = "UPDATE instance SET administrator_made_at = ?1, setup_digest = NULL \
                           WHERE administrator_made_at IS NULL";
                row::change(connection, sql, [now.millis()])?;
            }
            record(connection, &event(EventKind::AccountMade, new.id, now))?;
            Ok(Effect::Keep(AccountCreated::Created(made(connection, new.id)?)))
        })
        .await
    }

    /// An account, disabled or not.
    pub async fn account(&self, id: Id) -> Result<Option<Account>, StoreError> {
        self.read(|connection| account(connection, id))
    }

    /// The account with this folded username, disabled or not.
    pub async fn account_named(&self, username_folded: &str) -> Result<Option<Account>, StoreError> {
        let sql = concat!("SELECT ", account_columns!(), " FROM account a WHERE a.username_folded = ?1");
        self.read(|connection| row::first(connection, sql, [username_folded], |row| row::account(row, 0)))
    }

    /// The account with this folded username, and its password's PHC string if it has one. Disabled accounts are
    /// given too: the caller verifies the password before it says anything.
    pub async fn password_of(&self, username_folded: &str) -> Result<Option<(Account, Secret)>, StoreError> {
        let sql = concat!(
            "SELECT ",
            account_columns!(),
            ", a.password_hash FROM account a WHERE a.username_folded = ?1 AND a.password_hash IS NOT NULL"
        );
        self.read(|connection| {
            row::first(connection, sql, [username_folded], |row| Ok((row::account(row, 0)?, Secret::new(row.get(8)?))))
        })
    }

    /// Sets an account's password (a PHC string), then ends all of its sessions and grants.
    pub async fn set_password(
        &self,
        account: Id,
        password_hash: Secret,
        now: Timestamp,
    ) -> Result<AccountChanged, StoreError> {
        self.write_whole(move |connection| {
            let sql = "UPDATE account SET password_hash = ?2, version = version + 1 \
                       WHERE id = ?1 AND disabled_at IS NULL";
            let changed = row::change(connection, sql, params![account.as_bytes(), password_hash.expose()])?;
            end_what_hangs_on(connection, account, changed, EventKind::PasswordSet, now)
        })
        .await
    }

    /// Disables an account, then ends all of its sessions and grants. It leaves its topics, with the targets it added
    /// there, and its tokens at providers are forgotten.
    pub async fn disable_account(&self, id: Id, now: Timestamp) -> Result<AccountChanged, StoreError> {
        self.write_whole(move |connection| {
            let sql = "UPDATE account SET disabled_at = ?2, version = version + 1 \
                       WHERE id = ?1 AND disabled_at IS NULL";
            let changed = row::change(connection, sql, params![id.as_bytes(), now.millis()])?;
            leave_all(connection, id)?;
            end_what_hangs_on(connection, id, changed, EventKind::AccountDisabled, now)
        })
        .await
    }

    /// Was an administrator ever made?
    pub async fn has_administrator(&self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM instance WHERE administrator_made_at IS NOT NULL";
        Ok(self.read(|connection| row::first(connection, sql, [], |_| Ok(())))?.is_some())
    }

    /// Lets the bearer of this link make the first administrator, unless one was ever made.
    pub async fn put_setup_link(&self, link: Digest, expires_at: Timestamp) -> Result<SetupLinkPut, StoreError> {
        self.write(move |connection| {
            let sql = "UPDATE instance SET setup_digest = ?1, setup_expires_at = ?2 \
                       WHERE administrator_made_at IS NULL";
            let changed = row::change(connection, sql, params![link.as_bytes(), expires_at.millis()])?;
            Ok(if changed == 1 { SetupLinkPut::Waiting } else { SetupLinkPut::Refused })
        })
        .await
    }

    /// Makes the first administrator, once. `new` becomes an administrator whatever it says.
    pub async fn spend_setup_link(
        &self,
        link: Digest,
        new: NewAccount,
        now: Timestamp,
    ) -> Result<SetupLinkSpent, StoreError> {
        self.write_whole(move |connection| {
            let sql = "UPDATE instance SET administrator_made_at = ?2, setup_digest = NULL \
                       WHERE setup_digest = ?1 AND setup_expires_at > ?2 AND administrator_made_at IS NULL";
            if row::change(connection, sql, params![link.as_bytes(), now.millis()])? == 0 {
                return Ok(Effect::Undo(SetupLinkSpent::Refused));
            }
            let new = NewAccount { is_administrator: true, ..new };
            if !insert(connection, &new, now)? {
                return Ok(Effect::Undo(SetupLinkSpent::UsernameTaken));
            }
            record(connection, &event(EventKind::AdministratorMade, new.id, now))?;
            Ok(Effect::Keep(SetupLinkSpent::Made(made(connection, new.id)?)))
        })
        .await
    }
}

/// Inserts the account's row; false when the username is taken. The id is the caller's care: a second one with the
/// same id is an error.
pub(super) fn insert(connection: &Connection, new: &NewAccount, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT INTO account (id, username, username_folded, name, picture, password_hash, is_administrator, \
               version, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8) \
               ON CONFLICT (username_folded) DO NOTHING";
    let username = new.username.as_ref();
    let values = params![
        new.id.as_bytes(),
        username.map(|username| &username.shown),
        username.map(|username| &username.folded),
        new.name,
        new.picture,
        new.password_hash.as_ref().map(Secret::expose),
        new.is_administrator,
        now.millis(),
    ];
    Ok(row::change(connection, sql, values)? == 1)
}

pub(super) fn event(kind: EventKind, account: Id, at: Timestamp) -> Event {
    Event { at, kind, account: Some(account), client: None, detail: None }
}

fn account(connection: &Connection, id: Id) -> Result<Option<Account>, StoreError> {
    let sql = concat!("SELECT ", account_columns!(), " FROM account a WHERE a.id = ?1");
    row::first(connection, sql, [id.as_bytes()], |row| row::account(row, 0))
}

fn made(connection: &Connection, id: Id) -> Result<Account, StoreError> {
    account(connection, id)?.ok_or(StoreError::Damaged { table: "account", column: "id" })
}

/// The second half of a change of an account whose row was updated (`changed` rows): its sessions, then its grants.
fn end_what_hangs_on(
    connection: &Connection,
    account: Id,
    changed: usize,
    kind: EventKind,
    now: Timestamp,
) -> Result<Effect<AccountChanged>, StoreError> {
    if changed == 0 {
        return Ok(Effect::Undo(AccountChanged::Gone));
    }
    let sql = "UPDATE browser_session SET ended_at = ?2 WHERE account = ?1 AND ended_at IS NULL";
    row::change(connection, sql, params![account.as_bytes(), now.millis()])?;
    end_all(connection, Whose::Account(account), EndedWhy::AccountChanged, now)?;
    record(connection, &event(kind, account, now))?;
    Ok(Effect::Keep(AccountChanged::Changed))
}
