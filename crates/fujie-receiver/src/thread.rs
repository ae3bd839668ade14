//! The crate's threads: all small, and all of one kind of closure, because the standard library's part of starting one
//! is compiled once for each kind.

use std::{
    io,
    thread::{Builder, JoinHandle, Scope},
};

/// Enough for what a thread here does, in bytes, and small enough for dozens of them.
const STACK_LENGTH: usize = 256 * 1024;

/// Starts a thread that may outlive its caller.
pub(crate) fn spawn(work: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
    Builder::new().stack_size(STACK_LENGTH).spawn(work)
}

/// Starts a thread that ends before its scope does.
pub(crate) fn spawn_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: Box<dyn FnOnce() + Send + 'scope>,
) -> io::Result<()> {
    Builder::new().stack_size(STACK_LENGTH).spawn_scoped(scope, work).map(drop)
}
