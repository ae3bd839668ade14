//! The instance: whom this database speaks for, its revision, and whether it can be written.

use std::sync::atomic::Ordering;

use fujie_core::id::Id;
use rusqlite::{Connection, params};

use super::{Store, row};
use crate::{error::StoreError, record::Instance};

impl Store {
    /// The instance, if it was made.
    pub async fn instance(&self) -> Result<Option<Instance>, StoreError> {
        self.read(instance)
    }

    /// Makes the instance, once: gives the one that stands, which is an earlier one if there was one.
    pub async fn create_instance(&self, new: Instance) -> Result<Instance, StoreError> {
        self.write(move |connection| {
            let sql = "UPDATE instance SET id = ?1, issuer = ?2, epoch = ?3 WHERE id IS NULL";
            row::change(connection, sql, params![new.id.as_bytes(), new.issuer, new.epoch])?;
            instance(connection)?.ok_or(StoreError::Damaged { table: "instance", column: "id" })
        })
        .await
    }

    /// A number that is raised by every change of keys and clients, in whichever process. A point read: poll it.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let sql = "SELECT revision FROM instance";
        let revision = self.read(|connection| row::first(connection, sql, [], |row| Ok(row.get(0)?)))?;
        Ok(revision.unwrap_or_default())
    }

    /// What `PRAGMA synchronous` says on the connection that commits: 2 is FULL, which "acknowledged is on disk"
    /// rests on.
    pub async fn synchronous(&self) -> Result<i64, StoreError> {
        self.write(|connection| Ok(connection.pragma_query_value(None, "synchronous", |row| row.get(0))?)).await
    }

    /// Can the database be written now? For a readiness probe: it takes the write lock and writes nothing, unless
    /// the last commit failed; then it writes a number, since nothing less can tell.
    pub async fn is_writable(&self) -> Result<(), StoreError> {
        let failing = self.engine.writer.failing();
        self.write(move |connection| {
            if failing.load(Ordering::Relaxed) {
                row::change(connection, "UPDATE instance SET probed = probed + 1", [])?;
            }
            Ok(())
        })
        .await
    }
}

/// Raises the revision. For the verbs that change keys or clients.
pub(super) fn raise_revision(connection: &Connection) -> Result<(), StoreError> {
    row::change(connection, "UPDATE instance SET revision = revision + 1", [])?;
    Ok(())
}

fn instance(connection: &Connection) -> Result<Option<Instance>, StoreError> {
    let sql = "SELECT id, issuer, epoch FROM instance WHERE id IS NOT NULL";
    row::first(connection, sql, [], |row| {
        Ok(Instance { id: Id::from_bytes(row.get(0)?), issuer: row.get(1)?, epoch: row.get(2)? })
    })
}
