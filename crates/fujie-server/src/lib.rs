//! # fujie-server: the only street door
//!
//! HTTP inward: the endpoints of the standards, the pages that people see, and the broker that signs in with a third
//! party. What is decided is decided in `fujie-core`; what is remembered is remembered by the verbs of `fujie-store`;
//! what a provider is like is known to `fujie-client`.
//!
//! [`route`] is the URL table. A request is read whole within its limits, parsed strictly, judged, and
//! answered; no page needs script.

mod bearer;
pub mod broker;
mod channel;
pub mod clock;
pub mod cookie;
pub mod endpoint;
mod form;
pub mod http;
mod limit;
pub mod listen;
mod notice;
pub mod page;
pub mod password;
mod patient;
mod place;
mod read;
pub mod route;
mod server;
mod share;
pub mod snapshot;

pub use channel::{ChannelSettings, Line, may_belong};
pub use listen::serve;
pub use place::Readers;
pub use server::{Server, Settings, StartError};
