//! The client's stories: links, callbacks, answers, and a provider that means harm.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod answer;
mod callback;
mod id_token;
mod example;
mod link;
#[cfg(feature = "reqwest")]
mod network;
mod provider_record;
mod secrecy;
#[cfg(feature = "reqwest")]
mod server;
#[cfg(feature = "session")]
mod session;
mod token_store;
mod world;
