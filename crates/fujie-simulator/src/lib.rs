//! Sign-in providers on loopback, faithful to the wire, with faults to order.
//!
//! Owns: what a provider's servers and a person's phone would do, seen from outside.
//! Deliberately not: anything of a client or a server of ours. This crate shares no code with the
//! other crates, because a parser shared by both sides would agree with its own mistakes.
//!
//! One folder per provider: [`wechat`], [`qq`], [`weibo`], [`github`]; [`oidc`] with four houses of its kind, and
//! [`modest`] with eight small ones. Two have no sign-in: [`robot`], the robots of group chats, and [`push`], a push
//! service. What they share: `simulation` (state, and what a provider must say about itself), `server`, `gate`,
//! `sign_in` (pages that ask), `control`, `fault`, `overview` (the phone); and those of plain OAuth `ledger` (codes and
//! tokens), `redirect_uri`, `jws`. Never expose a simulator beyond a network you trust: everybody who reaches it may say
//! who signs in.

mod base_url;
mod bounded;
mod call;
mod clock;
mod control;
mod fault;
mod fields;
mod gate;
pub mod github;
#[cfg(test)]
#[path = "../tests/it/http.rs"]
mod http;
mod jws;
mod ledger;
pub mod modest;
pub mod oidc;
mod overview;
mod page;
mod people;
mod percent;
mod phone;
mod picture;
#[cfg(test)]
mod probe;
pub mod push;
pub mod qq;
mod random;
mod redirect_uri;
pub mod robot;
mod server;
mod sign_in;
mod simulation;
mod tally;
pub mod wechat;
pub mod weibo;

pub use github::{Github, GithubConfig};
pub use modest::{Modest, ModestConfig};
pub use oidc::{Oidc, OidcConfig};
pub use people::{Avatar, Person, default_people};
pub use push::{Push, PushConfig};
pub use qq::{Qq, QqConfig};
pub use robot::{Robot, RobotConfig};
pub use server::Running;
pub use wechat::{Wechat, WechatConfig};
pub use weibo::{Weibo, WeiboConfig};
