//! # fujie-channel: events that reach people
//!
//! Webhooks come in, one log of events goes out to whoever is connected. [`webhook`] judges a delivery, [`event`] writes
//! an event as one line of CloudEvents JSON, [`hub`] carries the log's events to subscribers, [`mod@line`] is the grammar of
//! the heartbeat connection, [`session`] its conversation, [`serve`] its listener and [`client`] the other side.
//!
//! Who is not connected hears of it by post: [`message`] puts an event into words, [`robot`] and [`web_push`] make them a
//! request of [`mod@post`] and read the answer, [`outbox`] sends them from the same log and tries again.
//!
//! Nothing here knows a store, an HTTP server or a page: what lies in a database is read through [`hub::Log`] and
//! [`outbox::Targets`], who may read is decided by a [`gate::Gate`], and what is posted goes over an
//! [`outbox::Transport`].

pub mod client;
pub mod event;
pub mod gate;
pub mod hub;
pub mod line;
pub mod message;
pub mod outbox;
pub mod post;
pub mod robot;
pub mod serve;
pub mod session;
pub mod web_push;
pub mod webhook;
