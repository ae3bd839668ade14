//! Why a verb could not be done. A lost race is not here: it is an outcome.

use std::{path::PathBuf, sync::Arc};

use rusqlite::ErrorCode;

/// Why a verb could not be done. Whatever the cause, nothing was acknowledged.
///
/// `Clone`, because one failed commit answers every verb of its group.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No room is left: on the disk, or up to [`crate::Options::pages_max`]. Nothing was changed.
    #[error("no room is left in the database or on its disk")]
    Full,
    /// The database cannot be read or written now: an I/O failure, damage, or a lock held by another process for
    /// longer than five seconds. Nothing was changed as far as this process can know.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Arc<rusqlite::Error>),
    /// [`crate::Store::close`] was called, or the writer is gone.
    #[error("the database was closed")]
    Closed,
    /// A row names something that is not there, or is there twice. The caller broke a rule of the rows; nothing
    /// was changed.
    #[error("a rule of the rows was broken: {0}")]
    Constraint(#[source] Arc<rusqlite::Error>),
    /// A row holds what no version of this program writes there.
    #[error("column {column} of {table} holds an unknown value")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database was written by a newer version of this program.
    #[error("{path} has schema version {found}, which is newer than this program; install the newer version")]
    SchemaNewer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The database could not be brought to this program's schema.
    #[error("the schema of {path} cannot be prepared: {source}")]
    Migration {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: Arc<refinery::Error>,
    },
    /// The data file could not be made or protected.
    #[error("{path}: {source}")]
    File {
        /// The data file.
        path: PathBuf,
        /// The cause.
        source: Arc<std::io::Error>,
    },
    /// SQLite before 3.51.3 can lose what it acknowledged when a checkpoint races with a reset of the log.
    #[error("SQLite {0} is too old, 3.51.3 is needed")]
    SqliteTooOld(&'static str),
}

impl StoreError {
    /// Must a whole group fail with it? True for what is not a verb's own fault.
    pub(crate) fn is_of_the_database(&self) -> bool {
        matches!(self, Self::Full | Self::Unavailable(_))
    }

    /// Is it damage after which nothing may be written before somebody has looked?
    pub(crate) fn is_damage(&self) -> bool {
        let Self::Unavailable(source) = self else { return false };
        matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(Arc::new(error)),
            _ => Self::Unavailable(Arc::new(error)),
        }
    }
}
