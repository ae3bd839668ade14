//! The program `fujie-receive`: arguments in, exit code out. `fujie receive` is the same function.

use std::{ffi::OsString, io::Write};

/// Runs the program and returns its exit code.
pub fn run(_arguments: &[OsString], _stdout: &mut dyn Write, stderr: &mut dyn Write) -> i32 {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(stderr, "fujie-receive: nothing to receive yet");
    64
}
