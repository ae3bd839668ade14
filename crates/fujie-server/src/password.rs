//! Passwords: Argon2id on a bounded number of threads, so that sign-ins never starve token requests.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use fujie_core::secret::Secret;
use tokio::sync::Semaphore;

/// Shortest password taken for a new account, in characters.
pub const PASSWORD_LENGTH_MIN: usize = 10;
/// Longest password that is looked at, in bytes.
pub const PASSWORD_LENGTH_MAX: usize = 1024;
/// Hashes that run at once; each takes 64 MiB while it runs.
const PARALLEL: usize = 2;
/// Hashes that run or wait.
const QUEUE: usize = 64;

/// Hashes and verifies passwords.
#[derive(Debug)]
pub struct Passwords {
    places: Semaphore,
    running: Semaphore,
    /// Verified against when there is no such account, so that it takes as long.
    dummy: tokio::sync::OnceCell<String>,
}

/// Why a password could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many sign-ins wait already.
    #[error("too many passwords wait to be checked")]
    Busy,
    /// The hash failed.
    #[error("a password could not be hashed")]
    Failed,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Semaphore::new(QUEUE), running: Semaphore::new(PARALLEL), dummy: tokio::sync::OnceCell::new() }
    }
}

impl Passwords {
    /// The PHC string of `password` (Argon2id, 64 MiB, 3 passes, 1 lane).
    pub async fn hash(&self, password: &str) -> Result<Secret, PasswordError> {
        let password = Secret::new(password.to_owned());
        self.run(move || {
            let hash = argon2()?.hash_password(password.expose().as_bytes()).ok()?;
            Some(Secret::new(hash.to_string()))
        })
        .await?
        .ok_or(PasswordError::Failed)
    }

    /// Does `password` fit `phc`? Without a `phc` the answer is no, and takes as long.
    pub async fn verify(&self, password: &str, phc: Option<&Secret>) -> Result<bool, PasswordError> {
        if password.len() > PASSWORD_LENGTH_MAX {
            return Ok(false);
        }
        let is_real = phc.is_some();
        let phc = match phc {
            Some(phc) => Secret::new(phc.expose().to_owned()),
            None => Secret::new(self.dummy().await?),
        };
        let password = Secret::new(password.to_owned());
        let fits = self
            .run(move || Some(argon2()?.verify_password(password.expose().as_bytes(), phc.expose()).is_ok()))
            .await?
            .ok_or(PasswordError::Failed)?;
        Ok(fits && is_real)
    }

    async fn dummy(&self) -> Result<String, PasswordError> {
        let hash = || async { self.hash("nobody's").await.map(|phc| phc.expose().to_owned()) };
        self.dummy.get_or_try_init(hash).await.cloned()
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let _place = self.places.try_acquire().or(Err(PasswordError::Busy))?;
        let _running = self.running.acquire().await.or(Err(PasswordError::Failed))?;
        tokio::task::spawn_blocking(work).await.or(Err(PasswordError::Failed))
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(64 * 1024, 3, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}
