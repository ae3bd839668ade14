//! The other side of the line protocol.
//!
//! [`Channel`] follows topics for as long as it lives: it says who it is, keeps the connection alive, connects again when
//! it breaks, and goes on after the last event it saw. [`LineStream`] is one connection and nothing more: enough to talk
//! to any server that answers lines and heartbeats.

mod back_off;
mod channel;
mod endpoint;
mod follow;
mod line_stream;
mod token_source;

pub use back_off::BackOff;
pub use channel::{Channel, ChannelError, Incoming};
pub use endpoint::{Endpoint, EndpointError};
pub use line_stream::{Heartbeat, LineStream};
pub use token_source::{Need, TokenError, TokenSource};
