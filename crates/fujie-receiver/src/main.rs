//! `fujie-receive`: prints the authorization code that a browser brings, and exits.

use std::{env, io, process};

fn main() {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    process::exit(fujie_receiver::command::run(&arguments, &mut io::stdout(), &mut io::stderr()));
}
