//! Stories of the channel, over loopback and in memory.

mod chance;
mod hub;
mod memory;
