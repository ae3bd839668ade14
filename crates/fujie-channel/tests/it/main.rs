//! Stories of the channel, over loopback and in memory.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod abuse;
mod asleep;
mod chance;
mod channel;
mod client;
mod echo;
mod foreign;
mod house;
mod hub;
mod memory;
mod session;
mod storm;
mod tls;
