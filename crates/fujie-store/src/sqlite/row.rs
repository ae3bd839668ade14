//! Between rows and core's types: what a column holds, and what it must not.

use fujie_core::{
    account::{Account, Session},
    id::Id,
    request::scope::Scope,
    secret::Digest,
    time::Timestamp,
};
use rusqlite::{Connection, Params, Row};

use crate::error::StoreError;

/// The first row of a cached statement, read by `read`.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// All rows of a cached statement, read by `read`.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &'static str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(read(row)?);
    }
    Ok(out)
}

/// Runs a cached statement and gives the number of rows it changed.
pub(super) fn change(connection: &Connection, sql: &'static str, params: impl Params) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// The number that a cached statement gives in its one row; 0 without one.
pub(super) fn count(connection: &Connection, sql: &'static str, params: impl Params) -> Result<u32, StoreError> {
    Ok(first(connection, sql, params, |row| Ok(row.get(0)?))?.unwrap_or_default())
}

pub(super) fn id(row: &Row<'_>, column: usize) -> Result<Id, StoreError> {
    Ok(Id::from_bytes(row.get(column)?))
}

pub(super) fn id_if_any(row: &Row<'_>, column: usize) -> Result<Option<Id>, StoreError> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(Id::from_bytes))
}

pub(super) fn digest(row: &Row<'_>, column: usize) -> Result<Digest, StoreError> {
    Ok(Digest::from_bytes(row.get(column)?))
}

pub(super) fn digest_if_any(row: &Row<'_>, column: usize) -> Result<Option<Digest>, StoreError> {
    Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(Digest::from_bytes))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.get(column)?))
}

pub(super) fn time_if_any(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

pub(super) fn scope(row: &Row<'_>, column: usize, table: &'static str) -> Result<Scope, StoreError> {
    word(row, column, |text| Scope::parse(text).ok(), (table, "scope"))
}

/// A text column whose words are known to `parse`.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
    (table, name): (&'static str, &'static str),
) -> Result<T, StoreError> {
    let text = row.get_ref(column)?.as_str().ok();
    text.and_then(parse).ok_or(StoreError::Damaged { table, column: name })
}

/// The columns of an account, in the order that [`account`] reads.
macro_rules! account_columns {
    () => {
        "a.id, a.username, a.name, a.picture, a.is_administrator, a.version, a.created_at, a.disabled_at"
    };
}
pub(super) use account_columns;

/// An account from `account_columns!`, the first of them at `at`.
pub(super) fn account(row: &Row<'_>, at: usize) -> Result<Account, StoreError> {
    Ok(Account {
        id: id(row, at)?,
        username: row.get(at + 1)?,
        name: row.get(at + 2)?,
        picture: row.get(at + 3)?,
        is_administrator: row.get(at + 4)?,
        version: row.get(at + 5)?,
        created_at: time(row, at + 6)?,
        disabled_at: time_if_any(row, at + 7)?,
    })
}

/// The columns of a session with its account, in the order that [`session`] reads.
macro_rules! session_columns {
    () => {
        concat!("s.id, s.auth_time, s.amr, s.fresh_for, s.expires_at, ", account_columns!())
    };
}
pub(super) use session_columns;

/// A session from `session_columns!`.
pub(super) fn session(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: digest(row, 0)?,
        auth_time: time(row, 1)?,
        amr: row.get(2)?,
        fresh_for: row.get(3)?,
        expires_at: time(row, 4)?,
        account: account(row, 5)?,
    })
}
