//! Sign-in providers on loopback, faithful to the wire, with faults to order.
//!
//! Owns: what a provider's servers and a person's phone would do, seen from outside.
//! Deliberately not: anything of a client or a server of ours. This crate shares no code with the
//! other crates, because a parser shared by both sides would agree with its own mistakes.
//!
//! One folder per provider; [`wechat`] is the first. `phone` draws the simulated phone for all.
//! Never expose a simulator beyond a network you trust: everybody who reaches it may say who
//! signs in.

mod bounded;
mod clock;
mod fields;
mod page;
mod phone;
mod random;
pub mod wechat;

pub use wechat::{Wechat, WechatConfig};
