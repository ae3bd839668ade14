//! What the process must not leave half done at its end.
//!
//! Owns that it does not end between a refresh and its save, where a refresh token that works once would be lost, nor
//! before the file of a scheme's waiter is removed. When to refresh is the token source's; where the tokens lie is the
//! file store's.

use fujie_client::token_store::{FileStore, Locked, StoreError, StoredTokens, TokenStore};
use tokio::sync::{RwLock, RwLockReadGuard};

/// Read by whoever holds a lock of a name or waits for a scheme; written by whoever wants the process to end.
static HELD: RwLock<()> = RwLock::const_new(());

/// Lets the process not end before this is dropped; `None` when it is about to.
pub fn hold() -> Option<RwLockReadGuard<'static, ()>> {
    HELD.try_read().ok()
}

/// Waits until this process holds nothing, and lets it take nothing meanwhile.
pub async fn all_released() {
    drop(HELD.write().await);
}

/// Files, with every lock of theirs noted.
pub struct NotingStore(pub FileStore);

impl TokenStore for NotingStore {
    fn load(&self, name: &str) -> Result<Option<StoredTokens>, StoreError> {
        self.0.load(name)
    }

    fn save(&self, name: &str, tokens: &StoredTokens) -> Result<(), StoreError> {
        self.0.save(name, tokens)
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.0.remove(name)
    }

    fn try_lock(&self, name: &str) -> Result<Option<Locked>, StoreError> {
        let Some(held) = hold() else { return Ok(None) };
        Ok(self.0.try_lock(name)?.map(|locked| Locked::holding((locked, held))))
    }

    fn description(&self) -> String {
        self.0.description()
    }
}
