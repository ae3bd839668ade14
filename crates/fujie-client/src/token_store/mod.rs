//! Where tokens are kept between two runs of a program.
//!
//! Owns the trait, its errors, and three stores: memory, a file of one's own, and the keychain of
//! the operating system (feature `keychain`). What a token means, and when it is refreshed, is
//! none of a store's business. A database is one's own implementation of [`TokenStore`].

mod file;
#[cfg(feature = "keychain")]
mod keychain;
mod memory;
mod record;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

pub use file::FileStore;
#[cfg(feature = "keychain")]
pub use keychain::KeychainStore;
pub use memory::MemoryStore;
pub use record::StoredTokens;

/// Keeps tokens under names. Who asks chooses the name: provider, client id and account make one
/// that is unique, such as `github/Iv1.8a61f9b3a7aba766/583231`.
///
/// The methods may block; what calls them on an async runtime does so on a thread for blocking
/// work.
pub trait TokenStore: Send + Sync {
    /// What is kept under this name, if anything is.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or holds something else.
    fn load(&self, name: &str) -> Result<Option<StoredTokens>, StoreError>;

    /// Keeps these tokens under this name in place of those before: whole or not at all, and
    /// lasting when this returns.
    ///
    /// # Errors
    /// [`StoreError`] when nothing was changed.
    fn save(&self, name: &str, tokens: &StoredTokens) -> Result<(), StoreError>;

    /// Forgets what is kept under this name. Nothing there is success too.
    ///
    /// # Errors
    /// [`StoreError`] when it may still be there.
    fn remove(&self, name: &str) -> Result<(), StoreError>;

    /// Takes the lock of this name without waiting; `None` while somebody else holds it, in this
    /// process or another. It must end with the process that holds it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot lock.
    fn try_lock(&self, name: &str) -> Result<Option<Locked>, StoreError>;

    /// Which store this is, in words for a person: where the tokens lie.
    fn description(&self) -> String;
}

/// The lock of one name. Dropping it releases it.
#[must_use = "dropping it releases the lock"]
pub struct Locked {
    _holding: Box<dyn Send>,
}

impl Locked {
    /// A lock that lasts as long as this value lives: an open file, a row, a guard.
    pub fn holding(value: impl Send + 'static) -> Self {
        Self { _holding: Box::new(value) }
    }
}

impl fmt::Debug for Locked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Locked")
    }
}

/// Why a store did not do what it was asked. No variant holds what was to be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: {doing} failed", path.display())]
    Io {
        /// The file or folder concerned.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// Others than its owner may read or change the file or folder.
    #[error("{}: others may read it; set its mode to {mode:o}", path.display())]
    Exposed {
        /// The file or folder concerned.
        path: PathBuf,
        /// The mode it should have.
        mode: u32,
    },
    /// The file or folder belongs to another user.
    #[error("{}: belongs to another user", path.display())]
    Foreign {
        /// The file or folder concerned.
        path: PathBuf,
    },
    /// A symbolic link, a folder or something else where a plain file or folder should be.
    #[error("{}: not a plain {expected}", path.display())]
    Misplaced {
        /// What was found.
        path: PathBuf,
        /// What should have been there.
        expected: &'static str,
    },
    /// What is kept there are not tokens of ours.
    #[error("{place}: not tokens that this program wrote: {what}")]
    Unreadable {
        /// Where it is kept.
        place: String,
        /// What is wrong with it, without any of it.
        what: &'static str,
    },
    /// A later version of this program wrote it.
    #[error("{place}: written in form {version}, this program knows form 1")]
    Newer {
        /// Where it is kept.
        place: String,
        /// The form it has.
        version: u64,
    },
    /// The store is not there, locked, or not reachable from this process.
    #[error("{store} cannot be reached")]
    Unreachable {
        /// Which store.
        store: String,
        /// What it says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A store of one's own failed.
    #[error("the store failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// What to do next, for whoever reads the log.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Io { .. } => "see that the folder exists, is writable and has room",
            Self::Exposed { .. } => "take the rights of others away, and sign in again if somebody may have read it",
            Self::Foreign { .. } => "run as its owner, or keep the tokens in a folder of your own",
            Self::Misplaced { .. } => "see who put it there; remove it and sign in again",
            Self::Unreadable { .. } => "remove it and sign in again",
            Self::Newer { .. } => "use the newer version of the program, or remove it and sign in again",
            Self::Unreachable { .. } => "unlock or start the keychain, or keep the tokens in a file instead",
            Self::Failed(_) => "see what the store says",
        }
    }
}
