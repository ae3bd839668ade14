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
#[cfg(target_os = "linux")]
mod half_open;
mod house;
mod hub;
mod memory;
#[cfg(target_os = "linux")]
mod process;
mod session;
mod storm;
mod terminal;
mod tls;
