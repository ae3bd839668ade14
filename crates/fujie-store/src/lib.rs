//! What the authorization server remembers, as atomic protocol verbs over SQLite.
//!
//! It owns the rows and nothing else: it knows no HTTP, no provider and no wire error, reads no clock, draws no
//! random number and decides no policy. Every verb is one transaction.
//!
//! What holds, whatever happens:
//!
//! - **An answer is on disk.** A verb that writes answers only after the commit was flushed; the proofs of
//!   `fujie_core::grant` are made then and nowhere else. A verb that fails acknowledged nothing.
//! - **All or nothing.** A verb's statements stand or fall together. Verbs that wait at the same time share one
//!   commit: one that breaks a rule is undone alone, one that finds the disk full or failing takes the group with it.
//! - **A lost race is an outcome.** Conditions stand in the statement that changes the row; errors are for what
//!   could not be done.
//! - **What one ended, no one revives.** Accounts, sessions and consents are read as alive in the transaction that
//!   rests on them, and updated before what hangs on them.
//! - **Secrets are not here**: digests, PHC strings and sealed keys are.
//!
//! A verb whose future is dropped may still happen: once handed over, it is carried out.

mod error;
mod outcome;
mod record;
mod sqlite;

pub use error::StoreError;
pub use outcome::*;
pub use record::*;
pub use sqlite::{Options, Store};
