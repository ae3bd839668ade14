//! # fujie-core: the law
//!
//! The words of the standards and every decision of the authorization server, without I/O: no socket, no file, no
//! clock, no async, no SQL. A decision takes a request, the facts that were loaded, the time and randomness, and gives
//! a draft or an error. A draft cannot be sent before the store has committed what it asks for ([`grant::Proof`]).

pub mod account;
pub mod binding;
pub mod channel;
pub mod client;
pub mod discovery;
pub mod error;
pub mod grant;
pub mod id;
pub mod jose;
pub mod key;
pub mod line;
pub mod logout;
pub mod policy;
pub mod random;
pub mod request;
pub mod secret;
pub mod time;
pub mod token;
pub mod userinfo;
