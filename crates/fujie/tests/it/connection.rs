//! Sign-in with every provider, by configuration alone: `fujie serve` with a file, simulators behind it, an application
//! in front of it.

mod apple;
#[path = "../../../fujie-server/tests/it/browser.rs"]
#[expect(dead_code, reason = "the words of another crate's stories, of which these need some")]
mod browser;
mod embedded;
mod every;
mod house;
mod openid;
mod person;
mod topic;
