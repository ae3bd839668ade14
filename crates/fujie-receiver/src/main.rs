//! `fujie-receive`: prints the authorization code that a browser brings, and exits.

use std::{env, process};

use fujie_receiver::command::{run, Program};

#[cfg(all(without_tables, not(panic = "abort")))]
compile_error!(
    "a profile with opt-level \"z\" must have panic = \"abort\": build.rs leaves the tables for unwinding out"
);

fn main() {
    let arguments: Vec<_> = env::args_os().collect();
    let program = Program { name: "fujie-receive", scheme: "fujie-receive scheme", render: None };
    process::exit(run(program, arguments.get(1..).unwrap_or_default()));
}
