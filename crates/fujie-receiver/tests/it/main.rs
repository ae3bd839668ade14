//! The program `fujie-receive` as others meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(target_os = "linux")]
mod scheme_story;
