//! Stories of the channel, over loopback and in memory.

mod abuse;
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
