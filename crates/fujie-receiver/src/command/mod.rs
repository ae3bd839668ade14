//! The program `fujie-receive`: arguments in, exit code out. `fujie receive` is the same function.

mod exit;
mod scheme;

use std::{ffi::OsString, io::Write};

pub use scheme::run_scheme;

/// Runs the program and returns its exit code.
pub fn run(arguments: &[OsString], stdout: &mut dyn Write, stderr: &mut dyn Write) -> i32 {
    if let Some(code) = run_scheme(arguments, stdout, stderr) {
        return code;
    }
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(stderr, "fujie-receive: nothing to receive yet");
    64
}
