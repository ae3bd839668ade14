//! What one simulated Weibo knows, and who it knows.

use super::config::{App, WeiboConfig};
use super::ledger::Ledger;
use super::limit::Limits;
use crate::people::Person;
use std::time::Duration;

/// What the lock of a simulation protects.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: WeiboConfig,
    pub(crate) ledger: Ledger,
    pub(crate) limits: Limits,
}

impl World {
    pub(crate) fn new(config: WeiboConfig) -> Self {
        Self { config, ledger: Ledger::new(), limits: Limits::new() }
    }

    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.config.apps.iter().find(|app| app.client_id == client_id)
    }

    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.config.people.iter().find(|person| person.name == name)
    }

    /// How long an access token works.
    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.config.switches.access_token_lifetime_seconds)
    }
}
