//! The handover: the program that the desktop starts with a URI gives it to the process that waits for it, of whatever
//! language, over a way that only the same user can use: a loopback port and two one-time secrets in a file that this
//! user alone may read. Nothing is ever stored: without a waiting process the URI is dropped.
//!
//! # The file
//!
//! A process that waits for `mayx` listens on a free port of 127.0.0.1 and makes the file `mayx` in `$XDG_RUNTIME_DIR/fujie`
//! if the variable names a folder of this user, else in `~/.local/state/fujie` (macOS: `~/Library/Application
//! Support/Fujie`, Windows: `%LOCALAPPDATA%\Fujie`). The folder has mode 0700 and the file 0600; the file is made
//! exclusively (`O_EXCL`) and removed at the end. It has four lines, each ended by a line feed:
//!
//! ```text
//! fujie-handover 1
//! 49152
//! <secret of the opener, 64 hexadecimal digits in lower case>
//! <secret of the waiting process, likewise>
//! ```
//!
//! # The wire
//!
//! Four lines on one connection, each ended by a line feed. The opener speaks first:
//!
//! ```text
//! opener   <secret of the opener>
//! waiting  <secret of the waiting process>
//! opener   mayx://get?code=something
//! waiting  ok
//! ```
//!
//! `no` in the last line says that the URI was not the one: waiting goes on. The second line proves to the opener that it
//! does not speak to a stranger who took the port of a process that died; only then it shows the URI. A first line that
//! is wrong is answered by closing. A connection that ends after the second line only asked whether anybody waits.
//! A file is left over when nobody listens at its port or when the second line is another, and whoever finds it removes
//! it. Silence or a closed connection is no such proof: any user of the machine can keep a port busy.

mod fallback;
mod file;
#[cfg(test)]
mod tests;
mod waiting;

use std::{
    error, fmt,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

pub use waiting::{Handle, Waiting};

use self::file::Note;
use super::{Opening, Place, SchemeName};
use crate::deadline::Deadline;

/// The longest that one side waits for the other to say something.
const SILENCE_MAX: Duration = Duration::from_secs(2);
/// The longest that a connection may take. Windows asks a closed port for two seconds before it says so.
const CONNECTING_MAX: Duration = Duration::from_secs(5);
/// How often a process that does not answer is asked.
const TRIES_MAX: usize = 2;

/// Gives a URI to the process that waits for its scheme.
pub fn hand_over(opening: &Opening, place: &Place) -> Result<(), HandoverError> {
    let mut result = Err(HandoverError::NobodyWaits);
    // A terminal and a browser may see different folders, so two may wait: `state` tells whose the URI is.
    for (path, note) in notes(opening.name(), place)? {
        result = match greeted(&note) {
            Greeting::Known(stream) => shown(&stream, opening.uri()),
            Greeting::Unanswered => Err(HandoverError::Unanswered(path)),
            Greeting::LeftOver => {
                file::remove(&path, &note, place);
                continue;
            }
        };
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Shows the URI to a process that has proven to be the one that waits.
fn shown(stream: &TcpStream, uri: &str) -> Result<(), HandoverError> {
    say(stream, uri)?;
    match line(stream, 2)?.as_deref() {
        Some(b"ok") => Ok(()),
        Some(b"no") => Err(HandoverError::Refused),
        _ => Err(HandoverError::Io(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// The files of processes that wait, or waited, for a scheme.
fn notes(name: &SchemeName, place: &Place) -> Result<Vec<(PathBuf, Note)>, HandoverError> {
    let mut found = Vec::new();
    for folder in place.waiting_folders() {
        let path = folder.join(name.as_str());
        if found.iter().any(|(own, _)| *own == path) {
            continue;
        }
        if let Some(note) = file::read(&path, place)? {
            found.push((path, note));
        }
    }
    Ok(found)
}

/// Who is at the port of a note.
enum Greeting {
    /// The process that made it: both sides have shown that they know it.
    Known(TcpStream),
    /// Nobody, or somebody who knows nothing of it.
    LeftOver,
    /// Somebody who may well be that process, but was silent or broke off. Any user of the machine can keep a port busy,
    /// so this proves nothing.
    Unanswered,
}

fn greeted(note: &Note) -> Greeting {
    for _ in 0..TRIES_MAX {
        match answer(note) {
            Ok((stream, Some(secret))) if note.waiting.is(&secret) => return Greeting::Known(stream),
            Ok((_, Some(_))) => return Greeting::LeftOver,
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidData) => {
                return Greeting::LeftOver;
            }
            Ok((_, None)) | Err(_) => {}
        }
    }
    Greeting::Unanswered
}

/// What is answered to the secret of the opener.
fn answer(note: &Note) -> io::Result<(TcpStream, Option<Vec<u8>>)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, note.port));
    let stream = TcpStream::connect_timeout(&address, CONNECTING_MAX)?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    say(&stream, note.opener.expose())?;
    let answer = line(&stream, super::secret::SECRET_LENGTH)?;
    Ok((stream, answer))
}

/// Sends a line.
fn say(mut stream: &TcpStream, line: &str) -> io::Result<()> {
    stream.write_all([line, "\n"].concat().as_bytes())
}

/// Reads a line of at most `length_max` bytes, without its end. `None` when the other side says nothing more, and
/// [`io::ErrorKind::InvalidData`] when it says more than one line.
fn line(mut stream: &TcpStream, length_max: usize) -> io::Result<Option<Vec<u8>>> {
    // For the whole line, so that nobody keeps a connection by sending a byte now and then.
    let deadline = Deadline::after(SILENCE_MAX);
    let mut line = Vec::with_capacity(128);
    loop {
        stream.set_read_timeout(Some(deadline.left().ok_or(io::ErrorKind::TimedOut)?))?;
        let mut piece = [0; 4096];
        let count = match stream.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        line.extend_from_slice(piece.get(..count).unwrap_or_default());
        match line.iter().position(|byte| *byte == b'\n') {
            // The other side speaks one line and waits for the answer, so there is nothing behind it.
            Some(end) if end + 1 == line.len() && end <= length_max => {
                line.truncate(end);
                return Ok(Some(line));
            }
            Some(_) => return Err(io::ErrorKind::InvalidData.into()),
            None if count == 0 => return Ok(None),
            None if line.len() > length_max => return Err(io::ErrorKind::InvalidData.into()),
            None => {}
        }
    }
}

/// Why a URI was not handed over, or why nobody can wait for one.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandoverError {
    /// No process waits for this scheme. The URI was dropped.
    NobodyWaits,
    /// The waiting process expected another URI: another `state`, or parameters that cannot be read.
    Refused,
    /// Another process waits for this scheme already.
    SomebodyWaits,
    /// Somebody is there but does not answer: too busy, or not the one who made the file, which stays.
    Unanswered(PathBuf),
    /// Others could read or change the file or folder.
    NotPrivate(PathBuf),
    /// The operating system.
    Io(io::Error),
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandoverError::NobodyWaits => f.write_str("no program waits for this link; nothing was stored"),
            HandoverError::Refused => f.write_str("the waiting program expected another link"),
            HandoverError::SomebodyWaits => f.write_str("another program waits for this scheme already"),
            HandoverError::Unanswered(path) => {
                write!(f, "the program that waits does not answer; if there is none, remove {}", path.to_string_lossy())
            }
            HandoverError::NotPrivate(path) => write!(f, "others may enter {}", path.to_string_lossy()),
            HandoverError::Io(error) => error.fmt(f),
        }
    }
}

impl error::Error for HandoverError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            HandoverError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for HandoverError {
    fn from(error: io::Error) -> Self {
        HandoverError::Io(error)
    }
}
