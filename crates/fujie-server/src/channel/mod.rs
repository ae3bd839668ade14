//! The channel as this server runs it: what it is made of, and the traits of `fujie-channel` over the store and the
//! tokens. The endpoints that people and machines ask are in [`crate::endpoint`].

pub(crate) mod access;
pub(crate) mod log;

use std::{sync::Arc, time::Duration};

use fujie_channel::hub::{Hub, Overflow};
use fujie_core::time::Lifetime;
use fujie_store::Store;

use log::StoredLog;

/// How the channel is run.
pub struct ChannelSettings {
    /// Where the line protocol is spoken, as metadata say it: `tls://host:port` or `tcp://host:port`.
    pub line_endpoint: Option<String>,
    /// How long events are kept: whoever comes back within this time misses nothing.
    pub keep: Lifetime,
    /// What becomes of readers that fall behind.
    pub overflow: Overflow,
    /// How often a stream that has nothing to say gives a sign of life; every second time it is asked whether its
    /// reader may still read.
    pub heartbeat: Duration,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            line_endpoint: None,
            keep: Lifetime::from_days(7),
            overflow: Overflow::Cut,
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// The hub over the store's log.
pub(crate) fn hub(store: &Store, issuer: &str) -> Arc<Hub> {
    Hub::new(Arc::new(StoredLog { store: store.clone(), issuer: issuer.into() }))
}
