//! The simulator seen from outside, over real HTTP on loopback: every assertion is about bytes
//! that a browser, a phone or a client would see. Nothing here is mocked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod clock;
mod control;
mod fault;
mod http;
mod page;
mod phone;
mod poll;
mod story;
