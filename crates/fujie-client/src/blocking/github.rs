//! GitHub's API without async: the same calls, and the calling thread waits.

use super::wait;
use crate::error::ProviderError;
use crate::github::{self, Hook, HookDelivery, Part, Repository};
use crate::secret::Secret;

/// [`crate::Github`] without async.
#[derive(Clone, Copy, Debug)]
pub struct Github<'a>(pub(super) github::Github<'a>);

impl Github<'_> {
    /// As [`crate::Github::repositories`].
    ///
    /// # Errors
    /// The same.
    pub fn repositories(&self, page: u32) -> Result<Part<Repository>, ProviderError> {
        wait(self.0.repositories(page))
    }

    /// As [`crate::Github::create_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn create_hook(&self, repository: &str, hook: &Hook<'_>) -> Result<u64, ProviderError> {
        wait(self.0.create_hook(repository, hook))
    }

    /// As [`crate::Github::find_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn find_hook(&self, repository: &str, url: &str) -> Result<Option<u64>, ProviderError> {
        wait(self.0.find_hook(repository, url))
    }

    /// As [`crate::Github::change_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn change_hook(&self, repository: &str, id: u64, hook: &Hook<'_>) -> Result<(), ProviderError> {
        wait(self.0.change_hook(repository, id, hook))
    }

    /// As [`crate::Github::change_hook_secret`].
    ///
    /// # Errors
    /// The same.
    pub fn change_hook_secret(&self, repository: &str, id: u64, secret: &Secret) -> Result<(), ProviderError> {
        wait(self.0.change_hook_secret(repository, id, secret))
    }

    /// As [`crate::Github::disable_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn disable_hook(&self, repository: &str, id: u64) -> Result<(), ProviderError> {
        wait(self.0.disable_hook(repository, id))
    }

    /// As [`crate::Github::remove_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn remove_hook(&self, repository: &str, id: u64) -> Result<(), ProviderError> {
        wait(self.0.remove_hook(repository, id))
    }

    /// As [`crate::Github::has_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn has_hook(&self, repository: &str, id: u64) -> Result<bool, ProviderError> {
        wait(self.0.has_hook(repository, id))
    }

    /// As [`crate::Github::ping_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn ping_hook(&self, repository: &str, id: u64) -> Result<(), ProviderError> {
        wait(self.0.ping_hook(repository, id))
    }

    /// As [`crate::Github::hook_deliveries`].
    ///
    /// # Errors
    /// The same.
    pub fn hook_deliveries(
        &self,
        repository: &str,
        id: u64,
        cursor: Option<&str>,
    ) -> Result<Part<HookDelivery>, ProviderError> {
        wait(self.0.hook_deliveries(repository, id, cursor))
    }

    /// As [`crate::Github::deliver_again`].
    ///
    /// # Errors
    /// The same.
    pub fn deliver_again(&self, repository: &str, hook: u64, delivery: u64) -> Result<(), ProviderError> {
        wait(self.0.deliver_again(repository, hook, delivery))
    }
}
