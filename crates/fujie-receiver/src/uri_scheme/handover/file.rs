//! The file by which a waiting process is found: made exclusively, private to the user, removed at the end. Its format is
//! told in the module above.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    super::{disk, secret::Secret, Place},
    HandoverError,
};

const FIRST_LINE: &str = "fujie-handover 1";
/// No longer file is read, in bytes.
const LENGTH_MAX: usize = 256;
/// How long a file may be there without being whole.
const WRITING_MAX: Duration = Duration::from_millis(200);

/// What the file says.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) port: u16,
    pub(super) opener: Secret,
    pub(super) waiting: Secret,
}

impl Note {
    pub(super) fn new(port: u16) -> io::Result<Note> {
        Ok(Note { port, opener: Secret::random()?, waiting: Secret::random()? })
    }

    fn text(&self) -> String {
        [FIRST_LINE, &self.port.to_string(), self.opener.expose(), self.waiting.expose(), ""].join("\n")
    }

    fn parse(text: &str) -> Option<Note> {
        // Python on Windows writes line ends of its own.
        let mut lines = text.strip_suffix('\n')?.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let note = match lines.next()? {
            FIRST_LINE => Note {
                port: lines.next()?.parse().ok()?,
                opener: Secret::parse(lines.next()?)?,
                waiting: Secret::parse(lines.next()?)?,
            },
            _ => return None,
        };
        lines.next().is_none().then_some(note)
    }

    fn is(&self, other: &Note) -> bool {
        self.port == other.port && self.waiting.is(other.waiting.expose().as_bytes())
    }
}

/// A file that is removed when its owner is done.
#[derive(Debug)]
pub(super) struct OwnFile {
    path: PathBuf,
    note: Note,
    place: Place,
}

impl OwnFile {
    /// Makes the file. One that is there and whole means that another process waits.
    pub(super) fn create(name: &str, note: Note, place: &Place) -> Result<OwnFile, HandoverError> {
        let folder = place.waiting_folder();
        disk::make_folder(&folder)?;
        check_folder(&fs::symlink_metadata(&folder)?, &folder, place)?;
        let path = folder.join(name);
        let mut options = fs::OpenOptions::new();
        let options = private(options.write(true).create_new(true));
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Its maker may be in the middle of the line.
                thread::park_timeout(WRITING_MAX);
                if read(&path, place)?.is_some() {
                    return Err(HandoverError::SomebodyWaits);
                }
                fs::remove_file(&path)?;
                options.open(&path)
            }
            other => other,
        }?;
        file.write_all(note.text().as_bytes())?;
        Ok(OwnFile { path, note, place: place.clone() })
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        remove(&self.path, &self.note, &self.place);
    }
}

/// Reads a file, if there is one that is whole. What is not private, or not this user's, is an error: a stranger could
/// have put it there.
pub(super) fn read(path: &Path, place: &Place) -> Result<Option<Note>, HandoverError> {
    let folder = path.parent().unwrap_or(path);
    match seen(folder)? {
        Some(metadata) => check_folder(&metadata, folder, place)?,
        None => return Ok(None),
    }
    let link = match seen(path)? {
        Some(link) => link,
        None => return Ok(None),
    };
    let not_private = || Err(HandoverError::NotPrivate(path.to_owned()));
    if !link.is_file() {
        return not_private();
    }
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    // The same file as a moment ago: no link was put in its place.
    if !is_private(&metadata) || !place.owns(&metadata) || !is_same(&metadata, &link) {
        return not_private();
    }
    let text = disk::read(file, LENGTH_MAX)?;
    Ok(std::str::from_utf8(&text).ok().and_then(Note::parse))
}

/// Removes a file that still says this, and no other.
pub(super) fn remove(path: &Path, note: &Note, place: &Place) {
    if let Ok(Some(there)) = read(path, place) {
        if there.is(note) {
            // What cannot be removed is found to be left over by the next one who looks.
            drop(fs::remove_file(path));
        }
    }
}

/// What is at a path, no link followed.
fn seen(path: &Path) -> Result<Option<fs::Metadata>, HandoverError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        seen => Ok(Some(seen?)),
    }
}

fn check_folder(metadata: &fs::Metadata, folder: &Path, place: &Place) -> Result<(), HandoverError> {
    match metadata.is_dir() && is_private(metadata) && place.owns(metadata) {
        true => Ok(()),
        false => Err(HandoverError::NotPrivate(folder.to_owned())),
    }
}

#[cfg(unix)]
fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 == 0
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

// On Windows the folder is inside the user's profile, whose access list lets in this user, the system and
// administrators; what is made there inherits it.

#[cfg(not(unix))]
fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    options
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_four_lines() {
        let text = format!("fujie-handover 1\n49152\n{}\n{}\n", "a".repeat(64), "b".repeat(64));
        let note = Note::parse(&text).unwrap();
        assert_eq!((note.port, note.text()), (49152, text.clone()));
        assert!(text.len() <= LENGTH_MAX && Note::parse(&text.replace('\n', "\r\n")).is_some());
        for broken in
            [text.trim_end(), "", "fujie-handover 2\n1\n", &format!("{text}more\n"), &text.replace("49152", "70000")]
        {
            assert!(Note::parse(broken).is_none(), "{broken:?}");
        }
    }
}
