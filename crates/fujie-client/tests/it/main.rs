//! The client's stories: links, callbacks, answers, and a provider that means harm.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod answer;
mod blocking;
mod callback;
mod example;
mod id_token;
mod link;
mod network;
mod provider_record;
mod secrecy;
mod server;
#[cfg(feature = "session")]
mod session;
mod token_store;
mod world;
