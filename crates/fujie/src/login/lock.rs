//! The locks that this process holds on kept tokens.
//!
//! Owns that the process does not end between a refresh and its save: a refresh token that works once would be lost.
//! When to refresh is the token source's; where the tokens lie is the file store's.

use fujie_client::token_store::{FileStore, Locked, StoreError, StoredTokens, TokenStore};
use tokio::sync::RwLock;

/// Read by whoever holds a lock of a name; written by whoever wants the process to end.
static HELD: RwLock<()> = RwLock::const_new(());

/// Waits until this process holds no lock, and lets it take none meanwhile.
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
        let Ok(held) = HELD.try_read() else { return Ok(None) };
        Ok(self.0.try_lock(name)?.map(|locked| Locked::holding((locked, held))))
    }

    fn description(&self) -> String {
        self.0.description()
    }
}
