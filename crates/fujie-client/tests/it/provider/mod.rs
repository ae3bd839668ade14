//! Whole sign-ins with the providers that the simulator has, by their presets: a person on a page, a code, tokens, who
//! it is; then every quirk by its name, and everything that can go wrong.
//!
//! Tests that stand for a quirk have the words of the simulator's tests of the same quirk.

pub mod browser;
#[cfg(feature = "session")]
mod canary;
pub mod fault;
mod github;
#[cfg(feature = "session")]
mod github_api;
mod github_authorize;
mod github_device;
mod github_hook;
mod github_quirk;
pub mod house;
mod qq;
mod qq_quirk;
pub mod recorder;
pub mod story;
mod wechat;
mod wechat_in_app;
mod wechat_mini_program;
mod wechat_quirk;
mod weibo;
mod weibo_quirk;
