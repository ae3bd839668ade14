//! The client's stories: links, callbacks, answers, and a provider that means harm.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod answer;
mod blocking;
mod callback;
mod cookie;
mod ear;
mod environment;
#[cfg(feature = "reqwest")]
mod example;
mod fitting;
mod grant;
mod id_token;
mod link;
#[cfg(feature = "reqwest")]
mod modest;
mod network;
#[cfg(feature = "reqwest")]
mod provider;
mod provider_record;
mod secrecy;
mod server;
#[cfg(feature = "session")]
mod session;
mod token_store;
#[cfg(target_os = "linux")]
mod trust;
mod world;
