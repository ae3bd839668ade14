//! We, as somebody's client: sign in with another party's account, standard or not.
//!
//! A provider is a record of data ([`Provider`]); what differs between WeChat and the text of
//! RFC 6749 is a field of that record, never a branch in the flow. The protocol itself does no
//! I/O: requests are values, answers are values, time and randomness are arguments. Only a
//! [`Transport`] touches the network.
//!
//! ```no_run
//! use fujie_client::{Client, Secret, provider};
//!
//! # async fn sign_in(callback_url: &str, cookie_header: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(provider::wechat(), "wx0123456789abcdef", Secret::new("the AppSecret"))?;
//! let begun = client.begin("https://app.example/callback")?;
//! // Set begun.cookie.set_cookie(), send the browser to begun.url. When it comes back:
//! let signed_in = client.finish(callback_url, cookie_header).await?;
//! println!("{} is {:?}", signed_in.identity.subject, signed_in.identity.nickname);
//! # Ok(())
//! # }
//! ```
//!
//! [`Client`] is the door; [`Registration`] is everything of it that needs no network, for those
//! who keep attempts and send requests by themselves. A program without an async runtime uses
//! [`blocking::Client`].
//!
//! | build | what it brings | crates |
//! |---|---|--:|
//! | as it is: `reqwest`, `toml` | [`Client`] on tokio, records from TOML | 91 |
//! | `ureq` alone | [`blocking::Client`], no runtime | 60 |
//! | `session` besides | calls in a person's name, as python-requests makes them | 140 |
//!
//! Crates are all that is compiled on Linux, this one, proc macros and what build scripts need
//! included, with the versions of this repository's `Cargo.lock`. There `idna_adapter` stays at 1.1
//! (`cargo update -p idna_adapter --precise 1.1.0`); with 1.2 it is 16 more.
//!
//! Not here: accounts, sessions of one's own site, pages. This crate knows nothing of the server.

mod advice;
mod answer;
pub mod blocking;
mod client;
mod cookie;
mod embedded;
mod environment;
mod error;
mod excerpt;
mod flow;
mod github;
mod identity;
pub mod openid;
pub mod provider;
mod registration;
mod request;
mod secret;
#[cfg(feature = "session")]
pub mod session;
mod token;
pub mod token_store;
pub mod transport;

pub use fujie_core::random::{Random, SystemRandom};
pub use fujie_core::time::{Lifetime, Timestamp};

pub use client::{Begun, Client, Clock, Device, Polled};
pub use cookie::{Cookie, CookieKey};
pub use embedded::Embedded;
pub use environment::SetupError;
pub use error::{Endpoint, Evidence, ProviderError};
pub use flow::{Ask, Attempt, Begin, Callback, SignedIn};
pub use github::{Github, Hook, HookDelivery, HookFault, Part, Repository};
pub use identity::Identity;
pub use provider::{Provider, RecordError};
pub use registration::{Credential, Registration, Rsa2Key};
pub use request::{Method, Request};
pub use secret::Secret;
#[cfg(feature = "session")]
pub use session::Session;
pub use token::Tokens;
#[cfg(feature = "admitted")]
pub use transport::AdmittedTransport;
#[cfg(feature = "reqwest")]
pub use transport::ReqwestTransport;
#[cfg(feature = "ureq")]
pub use transport::UreqTransport;
pub use transport::{Limits, Response, Transport, TransportError};
