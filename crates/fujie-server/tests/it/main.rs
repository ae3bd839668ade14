//! The server as its callers see it: over a real socket, with a real database and a simulated provider.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bad_input;
mod binding;
mod browser;
mod channel;
mod house;
mod log;
mod races;
mod session;
mod standards;
mod topic;
mod upstream;
mod walk;
