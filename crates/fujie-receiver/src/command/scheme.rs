//! `scheme register|unregister|status NAME`, and `scheme-open NAME URI`, which the desktop calls. The same words in
//! `fujie-receive` and in `fujie`: whichever registers a scheme is the one that is called.

use std::{ffi::OsString, io::Write, path::Path};

use super::exit;
use crate::uri_scheme::{
    handover::{self, HandoverError},
    register, status, unregister, Error, Opening, Place, Registration, SchemeName, Status, System,
};

/// Runs `scheme …` or `scheme-open …` and returns the exit code; `None` when the arguments are for somebody else. Ask
/// before any other parsing: what follows `scheme-open` was written by a stranger.
pub fn run_scheme(arguments: &[OsString], stdout: &mut dyn Write, stderr: &mut dyn Write) -> Option<i32> {
    if let Some(opening) = Opening::from_arguments(arguments) {
        return Some(match opening {
            Ok(opening) => open(&opening, stderr),
            Err(refusal) => fail(stderr, exit::USAGE, &refusal),
        });
    }
    match arguments {
        [scheme, rest @ ..] if scheme == "scheme" => Some(match Order::parse(rest) {
            Ok(order) => order.run(stdout, stderr).unwrap_or_else(|error| fail(stderr, exit::ERROR, &error)),
            Err(fault) => {
                let code = fail(stderr, exit::USAGE, &fault);
                // Nobody is left to tell when stderr is closed; so below.
                let _ = writeln!(stderr, "{USAGE}");
                code
            }
        }),
        _ => None,
    }
}

fn open(opening: &Opening, stderr: &mut dyn Write) -> i32 {
    let handed = match Place::of_user() {
        Ok(place) => handover::hand_over(opening, &place),
        Err(error) => return fail(stderr, exit::ERROR, &error),
    };
    match handed {
        Ok(()) => exit::DONE,
        Err(error @ HandoverError::Refused) => fail(stderr, exit::MISMATCH, &error),
        Err(error) => fail(stderr, exit::ERROR, &error),
    }
}

/// What is asked for.
struct Order {
    act: Act,
    name: SchemeName,
    program: Option<OsString>,
}

enum Act {
    Register,
    Unregister,
    Status,
    Print(System),
}

impl Order {
    fn parse(arguments: &[OsString]) -> Result<Order, String> {
        let (mut words, mut program, mut print, mut system) = (Vec::new(), None, false, None);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.to_str() {
                Some("--print") => print = true,
                Some("--program") => program = Some(rest.next().ok_or("--program needs a path")?.clone()),
                Some("--system") => {
                    system = Some(match rest.next().and_then(|name| name.to_str()) {
                        Some("linux") => System::Linux,
                        Some("macos") => System::MacOs,
                        Some("windows") => System::Windows,
                        _ => return Err("--system is linux, macos or windows".to_owned()),
                    });
                }
                Some(word) if !word.starts_with('-') => words.push(word),
                _ => return Err(format!("{} is not known here", argument.to_string_lossy())),
            }
        }
        let (act, name) = match *words {
            [act, name] => (act, SchemeName::parse(name).map_err(|refusal| format!("{name}: {refusal}"))?),
            _ => return Err("an act and one name, please".to_owned()),
        };
        let act = match (act, print) {
            ("register", true) => Act::Print(system.take().unwrap_or_else(System::of_this_program)),
            ("register", false) => Act::Register,
            ("unregister", false) if program.is_none() => Act::Unregister,
            ("status", false) if program.is_none() => Act::Status,
            _ => return Err(format!("{act} is not known, or not with these options")),
        };
        match system {
            Some(_) => Err("--system goes with --print".to_owned()),
            None => Ok(Order { act, name, program }),
        }
    }

    fn run(self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<i32, Error> {
        let name = self.name.clone();
        match self.act {
            Act::Print(system) => print(stdout, &self.registration()?.render(system)?),
            Act::Register => {
                register(&self.registration()?, &Place::of_user()?)?;
                if !name.is_reverse_domain() {
                    let _ = writeln!(
                        stderr,
                        "{name}: any program may claim so short a name; a domain in reverse, such as \
                         com.example.{name}, is claimed by nobody else (RFC 8252 section 7.1)"
                    );
                }
                let _ = writeln!(stderr, "{name}: registered for this user");
                Ok(exit::DONE)
            }
            Act::Unregister => {
                let was_there = unregister(&name, &Place::of_user()?)?;
                let _ = writeln!(stderr, "{name}: {}", if was_there { "unregistered" } else { "was not registered" });
                Ok(exit::DONE)
            }
            Act::Status => {
                let (line, code) = match status(&name, &Place::of_user()?)? {
                    Status::Ours { command } => (format!("{name}: registered: {command}\n"), exit::DONE),
                    Status::Absent => (format!("{name}: not registered\n"), exit::ERROR),
                    Status::Foreign { by } => (format!("{name}: of another program: {by}\n"), exit::ERROR),
                };
                print(stdout, &line).map(|_| code)
            }
        }
    }

    fn registration(self) -> Result<Registration, Error> {
        match self.program {
            Some(program) => Registration::with_program(self.name, Path::new(&program)),
            None => Registration::of_this_program(self.name),
        }
    }
}

fn print(stdout: &mut dyn Write, text: &str) -> Result<i32, Error> {
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    printed.map(|()| exit::DONE).map_err(|error| Error::Io { at: "stdout".to_owned(), error })
}

fn fail(stderr: &mut dyn Write, code: i32, why: &dyn std::fmt::Display) -> i32 {
    let _ = writeln!(stderr, "fujie: {why}");
    code
}

const USAGE: &str = "\
usage: scheme register NAME [--program PATH] [--print [--system linux|macos|windows]]
       scheme unregister NAME
       scheme status NAME";
