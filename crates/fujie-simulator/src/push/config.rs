//! What the simulated push service is made of. Does not act.

use crate::base_url;
use crate::people::{self, Person};
use serde::{Deserialize, Serialize};

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushConfig {
    /// The subscriptions. Their ids differ.
    pub apps: Vec<App>,
    /// Whose browsers they are; nobody asks.
    #[serde(skip)]
    pub people: Vec<Person>,
    /// Nobody signs in here.
    #[serde(skip)]
    pub auto_confirm: Option<String>,
    /// The push service's address, when it is not the listener's.
    #[serde(deserialize_with = "base_url::read")]
    pub base_url: Option<String>,
    /// Can be changed while running.
    pub switches: Switches,
}

impl Default for PushConfig {
    fn default() -> Self {
        let demo = App { id: "demo".to_owned(), application_server_key: None, ended: false };
        Self {
            apps: vec![demo],
            people: people::default_people(),
            auto_confirm: None,
            base_url: None,
            switches: Switches::default(),
        }
    }
}

/// A subscription of some browser: its endpoint is `/push/` and the id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The end of the endpoint.
    pub id: String,
    /// The public key that the subscription was made for, in base64url: no other sender is taken (RFC 8292 §4).
    #[serde(default)]
    pub application_server_key: Option<String>,
    /// The browser ended it.
    #[serde(default)]
    pub ended: bool,
}

/// What can be changed while running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Senders must say who they are (RFC 8292), as browsers' push services demand. Off: they may.
    pub authorization_needed: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { authorization_needed: true }
    }
}
