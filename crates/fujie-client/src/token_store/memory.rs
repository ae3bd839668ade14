//! Tokens kept in memory: gone with the process.
//!
//! Owns nothing but that. Clones share what is kept.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Locked, StoreError, StoredTokens, TokenStore};

/// Keeps tokens as long as the process lives.
#[derive(Clone, Default)]
pub struct MemoryStore {
    kept: Arc<Mutex<HashMap<String, StoredTokens>>>,
    locked: Arc<Mutex<HashSet<String>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, StoredTokens>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryStore {
    fn load(&self, name: &str) -> Result<Option<StoredTokens>, StoreError> {
        Ok(self.kept().get(name).map(StoredTokens::duplicate))
    }

    fn save(&self, name: &str, tokens: &StoredTokens) -> Result<(), StoreError> {
        self.kept().insert(name.to_owned(), tokens.duplicate());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.kept().remove(name);
        Ok(())
    }

    fn try_lock(&self, name: &str) -> Result<Option<Locked>, StoreError> {
        let is_free = self.locked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(is_free.then(|| Locked::holding(Lock { locked: Arc::clone(&self.locked), name: name.to_owned() })))
    }

    fn description(&self) -> String {
        "memory, until the process ends".to_owned()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MemoryStore")
    }
}

struct Lock {
    locked: Arc<Mutex<HashSet<String>>>,
    name: String,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
