//! `--resume`: how far all events were handled, kept in the state folder for each server and topic.
//!
//! Written after an event was handled, and never beyond the first one that was not: it comes again, with all that
//! follow it, when the next listener begins. Where this one goes on after its connection broke is not owned here. Two
//! listeners do not share a cursor: the second is told so.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::login::{Failure, of_file};

/// A cursor that this process alone writes.
pub struct Cursor {
    path: PathBuf,
    /// What is to take its place.
    half: PathBuf,
    /// Held as long as this lives.
    _lock: File,
    saved: Option<i64>,
    /// The first event since it was opened that was not handled; `saved` stays before it.
    unhandled: Option<i64>,
}

impl Cursor {
    /// The cursor of `topic` at `server` (its issuer, or the address of its line protocol).
    pub fn open(server: &str, topic: &str) -> Result<Self, Failure> {
        Self::open_in(&folder()?, server, topic)
    }

    fn open_in(folder: &Path, server: &str, topic: &str) -> Result<Self, Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| of_file(folder, &error))?;
        let name = format!("{}@{topic}", plain(server));
        let path = folder.join(&name);
        let lock_path = folder.join(format!("{name}.lock"));
        let opened = private().create(true).truncate(false).open(&lock_path);
        let lock = opened.map_err(|error| of_file(&lock_path, &error))?;
        if lock.try_lock().is_err() {
            return Err(Failure::new(
                format!("Another fujie listen --resume has the topic {topic}; each event goes to one of them."),
                format!("另一个 fujie listen --resume 正在接收话题 {topic}，同一事件只应由其中一个处理。"),
            ));
        }
        let saved = read(&path)?;
        Ok(Self { half: folder.join(format!("{name}.new")), path, _lock: lock, saved, unhandled: None })
    }

    /// What is kept: every event up to it was handled, or lost. `None` if there was never any.
    pub const fn saved(&self) -> Option<i64> {
        self.saved
    }

    /// The first event that was not handled: the next listener begins with it.
    pub const fn unhandled(&self) -> Option<i64> {
        self.unhandled
    }

    /// Events with ids greater than `from` follow. Kept, so that who is stopped before the first of them goes on from
    /// here, and not from another now.
    pub fn begin(&mut self, from: i64) -> Result<(), Failure> {
        // A log that a backup restored may end before what was not handled, and then does not have it any more.
        self.unhandled = self.unhandled.filter(|unhandled| *unhandled <= from);
        if self.saved.is_none_or(|saved| saved > from) { self.write(from) } else { Ok(()) }
    }

    /// The event `id` was handled, or all up to it are lost. Keeps it, unless one before was not handled.
    pub fn pass(&mut self, id: i64) -> Result<(), Failure> {
        if self.unhandled.is_none() { self.write(id) } else { Ok(()) }
    }

    /// The event `id` was not handled. Whether it is the first such.
    pub fn hold(&mut self, id: i64) -> Result<bool, Failure> {
        if self.unhandled.is_some() {
            return Ok(false);
        }
        // Where a server says no beginning, nothing may be kept yet.
        if self.saved.is_none_or(|saved| saved >= id) {
            self.write(id.saturating_sub(1).max(0))?;
        }
        self.unhandled = Some(id);
        Ok(true)
    }

    /// Writes `id`, whole or not at all.
    fn write(&mut self, id: i64) -> Result<(), Failure> {
        if self.saved == Some(id) {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            private().create(true).truncate(true).open(&self.half)?.write_all(format!("{id}\n").as_bytes())?;
            fs::rename(&self.half, &self.path)
        };
        write().map_err(|error| of_file(&self.path, &error))?;
        self.saved = Some(id);
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<i64>, Failure> {
    let mut text = String::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.and_then(|file| file.take(LENGTH_MAX).read_to_string(&mut text)),
    }
    .map_err(|error| of_file(path, &error))?;
    let id = text.trim_end().parse().ok().filter(|id| *id >= 0);
    id.map(Some).ok_or_else(|| {
        let path = path.display();
        Failure::new(
            format!("{path} is not a cursor; remove it, and say with --from where to begin."),
            format!("{path} 不是有效的进度文件，请删除，并用 --from 指定从哪里开始。"),
        )
    })
}

/// A server's address as part of a file's name: two servers never share one.
fn plain(server: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    server.bytes().map(escaped).collect()
}

/// `fujie/listen` in the state folder (XDG Base Directory Specification).
fn folder() -> Result<PathBuf, Failure> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(folder("HOME")?.join(".local/state")));
    state.map(|state| state.join("fujie").join("listen")).ok_or_else(|| {
        Failure::new(
            "There is no home folder to keep the cursor in; set XDG_STATE_HOME.",
            "找不到用户目录来保存进度，请设置 XDG_STATE_HOME。",
        )
    })
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Bytes of a cursor's file, at most.
const LENGTH_MAX: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_kept_for_each_server_and_topic() {
        let folder = tempfile::tempdir().unwrap();
        let open = |server: &str, topic: &str| Cursor::open_in(folder.path(), server, topic);
        let mut cursor = open("https://id.example", "team").unwrap();
        assert_eq!(cursor.saved(), None);
        cursor.pass(17).unwrap();
        cursor.pass(18).unwrap();
        assert!(open("https://id.example", "team").is_err(), "two at once");
        assert_eq!(open("https://id.example", "other").unwrap().saved(), None);
        assert_eq!(open("https://id.example:8443", "team").unwrap().saved(), None);
        drop(cursor);
        assert_eq!(open("https://id.example", "team").unwrap().saved(), Some(18));
    }

    #[test]
    fn a_cursor_stays_before_the_first_event_that_was_not_handled() {
        let folder = tempfile::tempdir().unwrap();
        let kept = || fs::read_to_string(folder.path().join("s@t")).unwrap();
        let mut cursor = Cursor::open_in(folder.path(), "s", "t").unwrap();
        cursor.begin(30).unwrap();
        assert!(cursor.hold(31).unwrap(), "the first");
        cursor.pass(32).unwrap();
        assert!(!cursor.hold(33).unwrap(), "another");
        // The connection comes back, after a gap.
        cursor.begin(33).unwrap();
        cursor.pass(40).unwrap();
        assert_eq!((cursor.unhandled(), kept().as_str()), (Some(31), "30\n"));
        drop(cursor);
        let mut cursor = Cursor::open_in(folder.path(), "s", "t").unwrap();
        assert_eq!((cursor.saved(), cursor.unhandled()), (Some(30), None));
        cursor.pass(31).unwrap();
        assert!(cursor.hold(32).unwrap());
        assert_eq!((cursor.unhandled(), kept().as_str()), (Some(32), "31\n"));
    }

    #[test]
    fn what_failed_first_of_all_is_kept_where_no_beginning_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut cursor = Cursor::open_in(folder.path(), "s", "t").unwrap();
        assert!(cursor.hold(17).unwrap());
        assert_eq!(cursor.saved(), Some(16));
    }

    #[test]
    fn what_a_restored_log_does_not_have_holds_nothing_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut cursor = Cursor::open_in(folder.path(), "s", "t").unwrap();
        cursor.begin(30).unwrap();
        cursor.hold(31).unwrap();
        cursor.begin(31).unwrap();
        assert_eq!((cursor.unhandled(), cursor.saved()), (Some(31), Some(30)), "it is the last one there");
        cursor.begin(5).unwrap();
        assert_eq!((cursor.unhandled(), cursor.saved()), (None, Some(5)));
        cursor.pass(6).unwrap();
        assert_eq!(cursor.saved(), Some(6));
    }

    #[test]
    fn what_is_no_cursor_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "x", "-1", "99999999999999999999"] {
            fs::write(folder.path().join("s@t"), text).unwrap();
            let Err(failure) = Cursor::open_in(folder.path(), "s", "t") else { panic!("{text:?}") };
            assert!(failure.english.contains("is not a cursor"), "{}", failure.english);
        }
    }
}
