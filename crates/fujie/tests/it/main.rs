//! Stories of the whole house, and the test that keeps it tidy.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod agreed_once;
mod channel;
mod channel_story;
mod connection;
mod demo;
mod desktop_example;
mod durable;
mod example;
mod foreign;
mod hop;
mod login;
mod manual;
mod secret;
mod simulate;
mod storm;
mod tidy;
mod walk;
mod webdriver;
mod wechat_embedded;
mod weight;
