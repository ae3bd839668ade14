//! Tokens kept in the keychain of the operating system (feature `keychain`).
//!
//! Owns the choice of keychain: Keychain on macOS, Credential Manager on Windows, Secret Service
//! (GNOME Keyring, KWallet) on Linux. It does not fall back by itself: a server without a desktop
//! has no Secret Service, and where tokens lie should be a decision.

use std::fmt;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use super::{FileStore, Locked, StoreError, StoredTokens, TokenStore};

/// Keeps tokens in the keychain of the person who is logged in.
///
/// Keychains do not lock for others, so locks are files in a [`FileStore`]'s folder. Calls may
/// wait for a person to unlock the keychain. Windows keeps at most 2,560 bytes under one name,
/// which some providers' tokens exceed.
pub struct KeychainStore {
    store: Arc<CredentialStore>,
    service: String,
    locks: FileStore,
}

impl KeychainStore {
    /// The keychain of this operating system. `service` is the program's name as a person sees it
    /// in the keychain; `locks` gives the folder for the locks and keeps nothing else.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when there is no keychain, or none that this process may ask.
    pub fn new(service: impl Into<String>, locks: FileStore) -> Result<Self, StoreError> {
        let store = system_store().map_err(|error| unreachable(SYSTEM, error))?;
        Self::over(store, service.into(), locks)
    }

    /// Asks once for a name that nobody uses: a store that exists may still refuse.
    fn over(store: Arc<CredentialStore>, service: String, locks: FileStore) -> Result<Self, StoreError> {
        let keychain = Self { store, service, locks };
        keychain.load("fujie-client: is the keychain there?")?;
        Ok(keychain)
    }

    fn entry(&self, name: &str) -> Result<Entry, StoreError> {
        self.store.build(&self.service, name, None).map_err(|error| unreachable(SYSTEM, error))
    }
}

impl TokenStore for KeychainStore {
    fn load(&self, name: &str) -> Result<Option<StoredTokens>, StoreError> {
        match self.entry(name)?.get_secret().map(Zeroizing::new) {
            Ok(json) => StoredTokens::from_json(&json, SYSTEM).map(Some),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(unreachable(SYSTEM, error)),
        }
    }

    fn save(&self, name: &str, tokens: &StoredTokens) -> Result<(), StoreError> {
        let json = tokens.to_json(SYSTEM)?;
        self.entry(name)?.set_secret(json.as_bytes()).map_err(|error| unreachable(SYSTEM, error))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(unreachable(SYSTEM, error)),
        }
    }

    fn try_lock(&self, name: &str) -> Result<Option<Locked>, StoreError> {
        self.locks.try_lock(name)
    }

    fn description(&self) -> String {
        format!("{SYSTEM}, under {}", self.service)
    }
}

impl fmt::Debug for KeychainStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("KeychainStore").field("service", &self.service).finish_non_exhaustive()
    }
}

/// What the keychain says, in words alone: some of its errors carry the stored bytes.
fn unreachable(store: &str, error: Error) -> StoreError {
    let source = match error {
        Error::PlatformFailure(source) | Error::NoStorageAccess(source) => source,
        Error::TooLong(_, limit) => format!("it keeps at most {limit} bytes under one name").into(),
        Error::Ambiguous(_) => "it has several entries of this name".into(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what it holds is not text".into(),
        error => error.to_string().into(),
    };
    StoreError::Unreachable { store: store.to_owned(), source }
}

#[cfg(target_os = "linux")]
const SYSTEM: &str = "the Secret Service (over D-Bus)";
#[cfg(target_os = "macos")]
const SYSTEM: &str = "the macOS login keychain";
#[cfg(windows)]
const SYSTEM: &str = "the Windows Credential Manager";
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
const SYSTEM: &str = "a keychain";

#[cfg(target_os = "linux")]
fn system_store() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(target_os = "macos")]
fn system_store() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

#[cfg(windows)]
fn system_store() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn system_store() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NotSupportedByStore("this operating system has none that is known here".to_owned()))
}

#[cfg(test)]
mod tests {
    use keyring_core::mock;

    use super::*;
    use crate::secret::Secret;
    use crate::token::Tokens;

    fn keychain(folder: &std::path::Path) -> KeychainStore {
        let store: Arc<CredentialStore> = mock::Store::new().unwrap();
        KeychainStore::over(store, "a program".to_owned(), FileStore::new(folder.join("locks")).unwrap()).unwrap()
    }

    fn tokens(access_token: &str) -> StoredTokens {
        StoredTokens::new(&Tokens::bare(Secret::new(access_token)))
    }

    #[test]
    fn a_keychain_keeps_and_forgets() {
        let folder = tempfile::tempdir().unwrap();
        let keychain = keychain(folder.path());
        assert!(keychain.load("a").unwrap().is_none());
        keychain.save("a", &tokens("one")).unwrap();
        keychain.save("b", &tokens("two")).unwrap();
        assert_eq!(keychain.load("a").unwrap().unwrap().into_tokens().access_token, Secret::new("one"));
        keychain.remove("a").unwrap();
        keychain.remove("a").unwrap();
        assert!(keychain.load("a").unwrap().is_none() && keychain.load("b").unwrap().is_some());
        let held = keychain.try_lock("a").unwrap();
        assert!(held.is_some() && keychain.try_lock("a").unwrap().is_none());
        assert!(keychain.description().contains("a program"));
    }

    #[test]
    fn a_keychain_that_refuses_says_so_without_what_it_holds() {
        let bytes = b"canary".to_vec();
        let error = unreachable(SYSTEM, Error::BadDataFormat(bytes, "odd".into()));
        let told = format!("{error} {error:?}");
        assert!(told.contains(SYSTEM) && !told.contains("canary") && !told.contains("99, 97"), "{told}");
        assert!(error.next_step().contains("file"));
    }
}
