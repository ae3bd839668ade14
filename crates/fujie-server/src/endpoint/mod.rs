//! One file per endpoint of the standards and per page that people see.
//!
//! Each is the same six lines: parse, load, decide, commit, release, respond. At most one store verb that writes, and
//! no network call inside it.

pub mod account;
pub mod asset;
pub mod authorize;
pub mod bind;
pub mod consent;
mod delivery;
pub mod discovery;
pub mod health;
pub(crate) mod hook_at_github;
pub mod hooks;
pub mod integration;
pub mod integration_new;
pub mod introspect;
pub mod member;
pub mod revoke;
pub mod setup;
pub mod sign_in;
pub mod sign_out;
pub mod target;
pub mod token;
pub mod topic;
pub mod topic_events;
pub mod topic_settings;
pub mod topic_socket;
mod topic_stream;
pub mod topics;
pub mod unbind;
pub mod userinfo;
