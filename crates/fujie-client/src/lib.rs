//! We, as somebody's client: sign in with another party's account, standard or not.
//!
//! A provider is a record of data ([`Provider`]); what differs between WeChat and the text of
//! RFC 6749 is a field of that record, never a branch in the flow. The protocol itself does no
//! I/O: requests are values, answers are values, time and randomness are arguments. Only a
//! [`Transport`] touches the network.
//!
//! ```
//! use fujie_client::{Client, Secret, Timestamp, provider};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(
//!     provider::wechat(),
//!     "wx0123456789abcdef",
//!     Secret::new("the application's secret"),
//! )?;
//! let mut random = |bytes: &mut [u8]| bytes.fill(7); // The system's generator, in earnest.
//! let now = Timestamp::from_millis(1_790_000_000_000);
//! let begun = client.begin("https://app.example/callback", &mut random, now)?;
//! assert!(begun.url.starts_with("https://open.weixin.qq.com/connect/qrconnect?appid="));
//! # Ok(())
//! # }
//! ```
//!
//! The caller seals `begun.attempt` in a cookie of that browser, sends the person to
//! `begun.url`, gives the query of the callback to [`Client::read_callback`] and the result to
//! [`Client::finish`].
//!
//! Not here: accounts, sessions, cookies, storage, pages. This crate knows nothing of the server.

mod advice;
mod answer;
mod client;
mod error;
mod excerpt;
mod flow;
mod identity;
pub mod provider;
mod random;
mod request;
mod secret;
#[cfg(feature = "session")]
pub mod session;
mod time;
mod token;
pub mod token_store;
pub mod transport;

pub use client::Client;
pub use error::{Endpoint, Evidence, ProviderError};
pub use flow::{Attempt, Begin, Callback, SignedIn};
pub use identity::Identity;
pub use provider::{Provider, RecordError};
pub use random::Random;
pub use request::{Method, Request};
pub use secret::Secret;
#[cfg(feature = "session")]
pub use session::Session;
pub use time::Timestamp;
pub use token::Tokens;
#[cfg(feature = "reqwest")]
pub use transport::ReqwestTransport;
pub use transport::{Limits, Response, Transport, TransportError};
