//! Exit codes.

/// Done.
pub const DONE: i32 = 0;
/// An error.
pub const ERROR: i32 = 1;
/// The `state` is another.
pub const MISMATCH: i32 = 6;
/// The arguments are not understood.
pub const USAGE: i32 = 64;
