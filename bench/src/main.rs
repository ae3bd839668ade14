//! `bench/run`: drives the product beside a bare hyper server that answers the same bytes, and prints what came of it.
//!
//! Roles are processes: the product on the first core, the bare server on the same core in its turn, the driver (this
//! one) on the second. What is driven is the shipped program with a data folder of its own, over loopback. The client
//! is measured without a server: `fujie-bench client` does it alone. `bench/run channel` measures the line protocol.

mod bare;
mod channel;
mod drive;
mod flush;
mod plan;
mod process;
mod report;
mod row;
mod script;
mod seed;
mod sign_in;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};

use crate::plan::{Plan, Report};

fn main() -> ExitCode {
    match start(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("fujie-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Vec<String>) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let plan = match arguments.as_slice() {
        ["bare", file] => return bare::run(Path::new(file)),
        ["serve", words @ ..] => return channel::serve(words),
        ["load", words @ ..] => return channel::load(words),
        ["channel", program, words @ ..] => return channel::run(Path::new(program), channel::Plan::read(words)?),
        ["client"] => {
            say(&report::sign_ins(&sign_in::measure(SIGN_INS)?));
            return Ok(());
        }
        [_, _] => Plan::full(),
        [_, _, "--quick"] => Plan::quick(),
        _ => bail!("usage: fujie-bench PROGRAM FOLDER [--quick]; it is started by bench/run"),
    };
    let [program, place, ..] = arguments.as_slice() else { bail!("PROGRAM and FOLDER are missing") };
    let folder = tempfile::tempdir_in(place).with_context(|| format!("{place} cannot be used"))?;
    let report = Report::make(&PathBuf::from(program), folder.path(), plan)?;
    say(&report::print(&report));
    Ok(())
}

/// Sign-ins of each kind, when they alone are measured.
const SIGN_INS: usize = 20_000;

/// A line on stdout: what was asked for.
fn say(text: &str) {
    // Nothing can be done about a closed stdout.
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// A line on stderr: how far it is.
fn tell(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
