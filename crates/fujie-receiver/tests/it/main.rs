//! What browsers, strangers and scripts do to a listener on loopback, each named after what it does.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod browser;
mod closing;
mod hazard;
mod port;
mod program;
mod request;
#[cfg(target_os = "linux")]
mod scheme_story;
