//! A private-use URI scheme (RFC 8252 §7.1): claimed for one user of a desktop without an administrator, and given back.
//!
//! What would be written is a pure function on every system ([`Registration::render`]); writing it is apart. The URI
//! that the desktop then brings is handed to the waiting process by [`handover`]. A scheme guards nothing: any program
//! may claim the same. What protects the sign-in is `state` and PKCE, in the process that started it.

mod disk;
pub mod handover;
mod linux;
mod macos;
mod mime_apps;
mod name;
mod opening;
mod place;
mod secret;
mod windows;

use std::{env, error, fmt, io, path::Path};

pub use name::{NameRefusal, SchemeName, NAME_LENGTH_MAX};
pub use opening::{Opening, OpeningRefusal, OPEN, URI_LENGTH_MAX};
pub use place::Place;

/// A desktop's way to register a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// A `.desktop` file and `mimeapps.list`; the BSDs too.
    Linux,
    /// An applet in `~/Applications`.
    MacOs,
    /// `HKEY_CURRENT_USER\Software\Classes`.
    Windows,
}

impl System {
    /// The system that this program runs on.
    pub fn of_this_program() -> System {
        if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::MacOs
        } else {
            System::Linux
        }
    }
}

/// A scheme and the command that opens its URIs: program, arguments, and the URI as one more argument at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    name: SchemeName,
    program: String,
    arguments: Vec<String>,
}

impl Registration {
    /// This program, called as `PROGRAM scheme-open NAME URI` ([`Opening::from_arguments`] takes it from there).
    pub fn of_this_program(name: SchemeName) -> Result<Registration, Error> {
        let program = env::current_exe().map_err(|error| Error::Io { at: "this program".into(), error })?;
        Registration::with_program(name, &program)
    }

    /// Another program that understands `scheme-open NAME URI`.
    pub fn with_program(name: SchemeName, program: &Path) -> Result<Registration, Error> {
        let arguments = [OPEN.to_owned(), name.as_str().to_owned()];
        Registration::with_command(name, program, arguments)
    }

    /// Any program with any arguments before the URI, for example an interpreter and its script.
    pub fn with_command(
        name: SchemeName,
        program: &Path,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<Registration, Error> {
        let program = program.to_str().ok_or(Error::Unfit(Unfit::NotUtf8))?.to_owned();
        let arguments: Vec<_> = arguments.into_iter().collect();
        if program.is_empty() || arguments.iter().chain([&program]).any(|word| word.chars().any(char::is_control)) {
            return Err(Error::Unfit(Unfit::Control));
        }
        Ok(Registration { name, program, arguments })
    }

    /// The scheme's name.
    pub fn name(&self) -> &SchemeName {
        &self.name
    }

    /// What [`register`] would write on a system: the text of a `.desktop`, a `.reg` or an `Info.plist`, with what else
    /// belongs to it in comments.
    pub fn render(&self, system: System) -> Result<String, Error> {
        match system {
            System::Linux => linux::render(self),
            System::MacOs => macos::render(self),
            System::Windows => windows::render(self),
        }
    }

    /// Program and arguments, without the URI.
    fn words(&self) -> impl Iterator<Item = &str> {
        [&self.program].into_iter().chain(&self.arguments).map(String::as_str)
    }
}

/// Who has a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody.
    Absent,
    /// We registered it: the command as it stands there.
    Ours {
        /// In the system's own spelling.
        command: String,
    },
    /// Somebody else, who keeps it.
    Foreign {
        /// A file or key that says so.
        by: String,
    },
}

/// Registers a scheme for this user, or renews what we registered. Somebody else's registration is left alone.
pub fn register(registration: &Registration, place: &Place) -> Result<(), Error> {
    if !Path::new(&registration.program).is_absolute() || !Path::new(&registration.program).is_file() {
        return Err(Error::Unfit(Unfit::NoFile));
    }
    if let Status::Foreign { by } = status(&registration.name, place)? {
        return Err(Error::Foreign { by });
    }
    match System::of_this_program() {
        System::Linux => linux::register(registration, place),
        System::MacOs => macos::register(registration, place),
        System::Windows => windows::register(registration, place),
    }
}

/// Removes what [`register`] wrote, and nothing else. Returns whether anything was there.
pub fn unregister(name: &SchemeName, place: &Place) -> Result<bool, Error> {
    match System::of_this_program() {
        System::Linux => linux::unregister(name, place),
        System::MacOs => macos::unregister(name, place),
        System::Windows => windows::unregister(name, place),
    }
}

/// Who has a scheme now.
pub fn status(name: &SchemeName, place: &Place) -> Result<Status, Error> {
    match System::of_this_program() {
        System::Linux => linux::status(name, place),
        System::MacOs => macos::status(name, place),
        System::Windows => windows::status(name, place),
    }
}

/// Why a scheme was not registered or unregistered.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else has the scheme; the file or key that says so.
    Foreign {
        /// A file or key.
        by: String,
    },
    /// The command cannot be written down safely on this system.
    Unfit(Unfit),
    /// The environment does not say where this user's files are.
    Homeless(&'static str),
    /// A tool of the system failed.
    Tool {
        /// Its name.
        name: &'static str,
        /// What it said.
        said: String,
    },
    /// A file could not be read or written.
    Io {
        /// Its path.
        at: String,
        /// Why.
        error: io::Error,
    },
}

impl Error {
    fn io(path: &Path, error: io::Error) -> Error {
        Error::Io { at: path.to_string_lossy().into_owned(), error }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Foreign { by } => write!(f, "another program has this scheme and keeps it: {by}"),
            Error::Unfit(why) => why.fmt(f),
            Error::Homeless(variable) => write!(f, "{variable} is not set, so this user's files cannot be found"),
            Error::Tool { name, said } => write!(f, "{name} failed: {said}"),
            Error::Io { at, error } => write!(f, "{at}: {error}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Io { error, .. } => Some(error),
            Error::Foreign { .. } | Error::Unfit(_) | Error::Homeless(_) | Error::Tool { .. } => None,
        }
    }
}

/// Why a command cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfit {
    /// The program's path is not UTF-8.
    NotUtf8,
    /// The program is empty, or the command has a control character in it.
    Control,
    /// The program is not the full path of a file.
    NoFile,
    /// The program's path has `%` or `=` in it, which Linux desktops do not start.
    Desktop,
    /// The command has `"` or `%` in it or `\` at the end of a word, which cannot be written down on Windows.
    Windows,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unfit::NotUtf8 => "the program's path is not UTF-8",
            Unfit::Control => "the command is empty or has a control character in it",
            Unfit::NoFile => "the program is not the full path of a file",
            Unfit::Desktop => "a desktop cannot start a program with '%' or '=' in its path",
            Unfit::Windows => "Windows cannot start a command with '\"' or '%' in it, or '\\' at the end of a word",
        })
    }
}
