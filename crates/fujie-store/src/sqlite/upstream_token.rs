//! Accounts' tokens at providers, sealed. Unbinding an identity and disabling an account take them along.

use fujie_core::id::Id;
use rusqlite::{Connection, Row, params};

use super::{Store, row};
use crate::{
    error::StoreError,
    outcome::AccountChanged,
    record::{IdentityKey, UpstreamToken},
};

impl Store {
    /// Keeps a token in the place of the one that the account had by this connection, if any. It is the token of an
    /// identity, and gone if that is not the account's.
    pub async fn put_upstream_token(
        &self,
        token: UpstreamToken,
        of: IdentityKey,
    ) -> Result<AccountChanged, StoreError> {
        let sql = "INSERT INTO upstream_token (account, connection, provider, scope, sealed, obtained_at) \
                   SELECT id, ?2, ?3, ?4, ?5, ?6 FROM account WHERE id = ?1 AND disabled_at IS NULL AND EXISTS ( \
                   SELECT 1 FROM identity WHERE account = ?1 AND (provider, app, subject) = (?3, ?7, ?8)) \
                   ON CONFLICT (account, connection) DO UPDATE SET provider = excluded.provider, \
                   scope = excluded.scope, sealed = excluded.sealed, obtained_at = excluded.obtained_at";
        let put = self.write(move |connection| {
            let UpstreamToken { account, connection: by, provider, scope, sealed, obtained_at } = token;
            let (account, at) = (account.as_bytes(), obtained_at.millis());
            row::change(connection, sql, params![account, by, provider, scope, sealed, at, of.app, of.subject])
        });
        Ok(if put.await? == 1 { AccountChanged::Changed } else { AccountChanged::Gone })
    }

    /// The token that an account has by a connection.
    pub async fn upstream_token(&self, account: Id, connection: &str) -> Result<Option<UpstreamToken>, StoreError> {
        let by = connection;
        let sql = "SELECT connection, provider, scope, sealed, obtained_at FROM upstream_token \
                   WHERE account = ?1 AND connection = ?2";
        self.read(|connection| row::first(connection, sql, params![account.as_bytes(), by], |row| token(row, account)))
    }

    /// Forgets the token that an account has by a connection; that token, which nobody else knows any more.
    pub async fn remove_upstream_token(
        &self,
        account: Id,
        connection: &str,
    ) -> Result<Option<UpstreamToken>, StoreError> {
        let by = connection.to_owned();
        let sql = "DELETE FROM upstream_token WHERE account = ?1 AND connection = ?2 \
                   RETURNING connection, provider, scope, sealed, obtained_at";
        self.write(move |connection| {
            row::first(connection, sql, params![account.as_bytes(), by], |row| token(row, account))
        })
        .await
    }
}

/// Forgets an account's tokens at a provider; those that it had.
pub(super) fn take(connection: &Connection, account: Id, provider: &str) -> Result<Vec<UpstreamToken>, StoreError> {
    let sql = "DELETE FROM upstream_token WHERE account = ?1 AND provider = ?2 \
               RETURNING connection, provider, scope, sealed, obtained_at";
    row::all(connection, sql, params![account.as_bytes(), provider], |row| token(row, account))
}

fn token(row: &Row<'_>, account: Id) -> Result<UpstreamToken, StoreError> {
    let (connection, provider, scope) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (sealed, obtained_at) = (row.get(3)?, row::time(row, 4)?);
    Ok(UpstreamToken { account, connection, provider, scope, sealed, obtained_at })
}
