//! The SQLite engine: one writer thread, a few read connections, one file (mode 0600) in WAL mode.
//!
//! This file opens and closes; each family of verbs has a file of its own. Outside `writer`, no code here begins or
//! commits a transaction.

mod account;
mod audit;
mod binding;
mod channel_event;
mod client;
mod consent;
mod grant;
mod inbox;
mod instance;
mod integration;
mod key;
mod reader;
mod row;
mod session;
mod sweep;
mod target;
mod topic;
mod upstream_token;
mod used;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::watch;

use crate::error::StoreError;
use reader::Readers;
use writer::Writer;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// How a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Read connections, 1 to 16. Each may hold 1 MiB of pages.
    pub readers: usize,
    /// The most pages (of 4 KiB) the database may grow to; beyond it verbs fail with [`StoreError::Full`].
    pub pages_max: Option<u32>,
    /// What the channel's events of all topics may weigh together, in bytes, as [`crate::TOPIC_WEIGHT_MAX`] weighs
    /// them. The server's own topic is weighed too, but never refused.
    pub storage_max: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 2, pages_max: None, storage_max: STORAGE_MAX }
    }
}

/// The database: a handle that is cheap to clone. See the crate's documentation for what holds.
///
/// The last handle that is dropped lets the writer finish what it has; [`Store::close`] waits for that.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
}

struct Engine {
    // Dropped in this order: the writer's connection closes last and folds the log into the database.
    readers: Readers,
    writer: Writer,
    /// The newest event of the channel, told by the writer.
    head: watch::Receiver<i64>,
    storage_max: i64,
}

impl Store {
    /// Opens the database at `path`, making it (mode 0600) and bringing its schema up to date if need be.
    ///
    /// Blocks on the file system for some milliseconds. Fails when the database is newer than this program.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(StoreError::SqliteTooOld(rusqlite::version()));
        }
        make_private(path)?;
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -2048;",
        )?;
        migrate(&mut connection, path)?;
        if let Some(pages) = options.pages_max {
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        let readers = (0..options.readers.clamp(1, READERS_MAX))
            .map(|_| {
                let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1024;")?;
                Ok(connection)
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let (newest, head) = watch::channel(channel_event::head(&connection)?);
        let writer = Writer::start(connection, newest).map_err(|source| file_error(path, source))?;
        Ok(Self {
            engine: Arc::new(Engine { readers: Readers::new(readers), writer, head, storage_max: options.storage_max }),
        })
    }

    /// Carries out what was handed over, answers it and closes the file. Every verb afterwards, on every handle,
    /// fails with [`StoreError::Closed`].
    pub async fn close(&self) {
        self.engine.readers.close();
        self.engine.writer.close().await;
    }

    /// Runs `ask` on a free read connection. It sees all that was acknowledged before.
    fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.engine.readers.read(ask)
    }

    /// Has the writer run `act` and waits for the commit. When `act` changes rows with more than one statement, it
    /// wraps them in [`writer::whole`].
    async fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.engine.writer.write(act).await
    }

    /// As [`Self::write`], with all of `act` undone if it fails or says so.
    async fn write_whole<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> Result<writer::Effect<T>, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(move |connection| writer::whole(connection, act)).await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store(sqlite)")
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    // Each connection is used by one thread at a time, so SQLite's own mutexes are left out.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // Plans do not depend on bound values: else a statement with a range is planned anew for every value, which
    // takes ten times as long as running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// Brings the schema up to date, in one transaction with its history. Two processes that open a new database at the
/// same time may both try: the one that comes second finds the tables made, and looks again.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let runner = embedded::migrations::runner().set_grouped(true);
        match runner.run(connection) {
            Ok(_) => return Ok(()),
            Err(error) => {
                if let refinery::error::Kind::MissingVersion(migration) = error.kind() {
                    let found = i64::from(migration.version());
                    return Err(StoreError::SchemaNewer { path: path.to_owned(), found });
                }
                if attempts == MIGRATION_ATTEMPTS_MAX {
                    return Err(StoreError::Migration { path: path.to_owned(), source: Arc::new(error) });
                }
            }
        }
    }
}

/// Makes the data file readable by its owner alone before SQLite sees it; the log and its index take its mode over.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path).map_err(|source| file_error(path, source))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(|source| file_error(path, source))?.permissions().mode();
        if mode & 0o077 != 0 {
            let private = std::fs::Permissions::from_mode(0o600);
            file.set_permissions(private).map_err(|source| file_error(path, source))?;
        }
    }
    drop(file);
    Ok(())
}

fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File { path: PathBuf::from(path), source: Arc::new(source) }
}

/// 3.51.3, where a reset of the log can no longer race with a checkpoint.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// 10 GiB.
const STORAGE_MAX: i64 = 10 * 1024 * 1024 * 1024;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const STATEMENTS_CACHED: usize = 192;
const READERS_MAX: usize = 16;
const MIGRATION_ATTEMPTS_MAX: u32 = 3;
