//! The stories of the store: what every engine must hold (`conformance`), and what is SQLite's own (`sqlite`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests say what they expect"
)]

mod conformance;
mod given;
mod sqlite;

conformance::suite!(on_sqlite, crate::sqlite::fresh);
