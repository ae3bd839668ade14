//! # fujie-receiver: a code received on a desktop
//!
//! On the standard library alone, for Rust 1.63. What a browser sends to the loopback redirect URI is judged here
//! strictly and without I/O ([`callback`]); the listener that feeds it is not written yet.

#![forbid(unsafe_code)]

pub mod callback;
