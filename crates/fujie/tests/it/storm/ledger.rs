//! What lies in the database, read past the program that wrote it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, config::DbConfig};
use serde::Deserialize;

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub id: i64,
    /// The first 32 digits of the commit that a push told: its delivery's GUID. Empty when it told none.
    pub commit: String,
}

/// The digits of a GUID.
const DIGITS: usize = 32;

#[derive(Deserialize)]
struct Line<'a> {
    id: &'a str,
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    after: Option<&'a str>,
}

impl Effect {
    /// As it came over the wire.
    pub fn of_line(line: &str) -> Self {
        let Line { id, data } = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let commit = data.after.map_or("", |after| &after[..DIGITS]);
        Self { id: id.parse().unwrap(), commit: commit.to_owned() }
    }
}

/// The database of a server, dead or alive.
pub struct Ledger(Connection);

impl Ledger {
    /// Leaves the write-ahead log as it is, for the server to recover from.
    pub fn open(file: &Path) -> Self {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        Self(connection)
    }

    /// What was received: the event it became, and the GUID.
    pub fn inbox(&self) -> Vec<(i64, String)> {
        self.all("SELECT event_id, delivery FROM webhook_inbox ORDER BY event_id", |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The log.
    pub fn effects(&self) -> Vec<Effect> {
        let sql = "SELECT id, substr(coalesce(data ->> '$.after', ''), 1, ?1) FROM channel_event ORDER BY id";
        let sql = sql.replace("?1", &DIGITS.to_string());
        self.all(&sql, |row| Ok(Effect { id: row.get(0)?, commit: row.get(1)? }))
    }

    /// SQLite finds nothing wrong.
    pub fn is_whole(&self) {
        let said = self.all("PRAGMA integrity_check", |row| row.get::<_, String>(0));
        assert_eq!(said, ["ok"]);
        let broken = self.all("PRAGMA foreign_key_check", |row| row.get::<_, String>(0));
        assert_eq!(broken, Vec::<String>::new());
    }

    fn all<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.0.prepare(sql).unwrap();
        statement.query_map((), read).unwrap().collect::<Result<_, _>>().unwrap()
    }
}
