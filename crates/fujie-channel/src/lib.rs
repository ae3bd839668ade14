//! # fujie-channel: events that reach people
//!
//! The rules of two ways, without I/O: [`webhook`] judges what comes in, [`line`] what is said on the heartbeat
//! connection that goes out. Hub, inbox and outbox are not written yet.

pub mod line;
pub mod message;
pub mod outbox;
pub mod post;
pub mod robot;
pub mod web_push;
pub mod webhook;
