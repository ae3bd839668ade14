//! Stories of the channel, over loopback and in memory.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod asleep;
mod chance;
mod hub;
mod memory;
