//! The session against servers that mean harm: what python-requests offers, one by one; what
//! goes wrong, one by one; and whose secrets go where.

mod authentication;
mod exception;
mod feature;
pub mod hostile;
mod log;
mod origin;
mod token;

use std::time::Duration;

use fujie_client::session::{Builder, Error, Limits, Session};

/// Short enough that a story of silence ends soon; long enough for a slow machine to answer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A name that nobody can have: a label has 63 characters at most, so no lookup leaves this machine and none waits.
pub const UNKNOWN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub fn session(base: &str) -> Session {
    Session::new(base).unwrap()
}

pub fn builder(base: &str) -> Builder {
    Session::builder(base)
}

/// Limits of which one is short.
pub fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits { connect: PATIENCE, read: PATIENCE, total: PATIENCE, ..Limits::default() };
    change(&mut limits);
    limits
}

/// What a log would show of an error: nothing that it must not.
pub fn told(error: &Error) -> String {
    let told = format!("{error:?} {} {}", error.name(), error.report());
    assert!(!told.contains("canary"), "{told}");
    told
}
