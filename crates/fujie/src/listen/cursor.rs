//! `--resume`: the last event that was handled, kept in the state folder for each server and topic.
//!
//! Written after an event was handled, so that one that was not comes again. Two listeners do not share a cursor: the
//! second is told so.

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
        Ok(Self { half: folder.join(format!("{name}.new")), path, _lock: lock, saved })
    }

    /// The last event that was handled, if one ever was.
    pub const fn saved(&self) -> Option<i64> {
        self.saved
    }

    /// Keeps `id`, whole or not at all.
    pub fn save(&mut self, id: i64) -> Result<(), Failure> {
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
        cursor.save(17).unwrap();
        cursor.save(18).unwrap();
        assert!(open("https://id.example", "team").is_err(), "two at once");
        assert_eq!(open("https://id.example", "other").unwrap().saved(), None);
        assert_eq!(open("https://id.example:8443", "team").unwrap().saved(), None);
        drop(cursor);
        assert_eq!(open("https://id.example", "team").unwrap().saved(), Some(18));
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
