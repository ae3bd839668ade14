//! # fujie-receiver: a code received on a desktop
//!
//! A program that signs a person in through the browser must get the authorization code back (RFC 8252). Here is the
//! receiving end, on the standard library alone, without `unsafe`, for Rust 1.63.
//!
//! - [`loopback`]: a listener on 127.0.0.1 that takes exactly one callback, whatever else a browser sends it;
//! - [`callback`]: what came, and why something else was not it;
//! - [`page`]: what the person then sees;
//! - [`request`] and [`query`]: HTTP and the query string as pure functions over bytes, with limits;
//! - [`uri_scheme`]: a private-use URI scheme, claimed, given back, and handed over to the process that waits;
//! - [`command`]: the program `fujie-receive`, for every other language.
//!
//! ```no_run
//! use fujie_receiver::loopback::{Loopback, Options};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), fujie_receiver::Error> {
//! # let state = "unguessable, and new for each sign-in";
//! let loopback = Loopback::bind(&Options::new("/callback", state))?;
//! println!("open the sign-in page with redirect_uri={}", loopback.redirect_uri());
//! match loopback.wait(Duration::from_secs(300))?.code() {
//!     Ok(code) => println!("redeem {code} with the same redirect URI"),
//!     Err(error) => println!("not granted: {error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! It makes no `state`, no PKCE challenge and no token request: those are the caller's (`fujie-client`).

#![forbid(unsafe_code)]

pub mod callback;
pub mod command;
mod deadline;
mod error;
pub mod loopback;
pub mod page;
pub mod query;
pub mod request;
mod thread;
pub mod uri_scheme;

pub use error::Error;
