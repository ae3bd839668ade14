//! Tokens kept in files of one's own: one per name, mode 0600, in a folder of mode 0700.
//!
//! Owns writing whole or not at all, and refusing what others could have read or planted. The
//! tokens are not encrypted: whoever may read this account's files may read them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::record::RECORD_LENGTH_MAX;
use super::{Locked, StoreError, StoredTokens, TokenStore};

/// Characters of a name that stand in the name of its file, at most; a digest makes it unique.
const READABLE_LENGTH_MAX: usize = 40;
/// Names that are tried for a temporary file, at most. A crash may have left some behind.
const TEMPORARY_TRIES_MAX: u32 = 100;
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// Keeps each name's tokens as JSON in a file of its own, which several processes may share.
///
/// A save goes to a temporary file, is forced to disk, and is then given its name: a reader sees
/// the old tokens or the new ones, also after a power cut. The lock is an advisory lock of the
/// operating system on a file beside it, which ends with its process; a folder on a network file
/// system may not lock between machines.
///
/// On Unix a folder or file that others own or may read is refused, and no symbolic link is followed.
/// On Windows the folder's own access rules are what protects.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    written: AtomicU64,
    /// The user to whom folder and files must belong.
    #[cfg(unix)]
    owner: Option<u32>,
}

impl FileStore {
    /// A store in this folder, which is made when it is not there. Its parent must exist.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it cannot be made or written to, [`StoreError::Foreign`],
    /// [`StoreError::Exposed`] or [`StoreError::Misplaced`] when it is not a folder of one's own.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        match make_folder(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(&folder, "making the folder")(error));
            }
            _ => {}
        }
        let store = Self {
            folder,
            written: AtomicU64::new(0),
            #[cfg(unix)]
            owner: None,
        };
        store.check_folder()?;
        #[cfg(unix)]
        let store = Self { owner: Some(store.owner_of_new_files()?), ..store };
        store.check_folder()?;
        Ok(store)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file in which this name's tokens are kept.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}.json", stem(name)))
    }

    fn check_folder(&self) -> Result<(), StoreError> {
        let metadata = fs::symlink_metadata(&self.folder).map_err(failed(&self.folder, "looking at the folder"))?;
        if !metadata.is_dir() {
            return Err(StoreError::Misplaced { path: self.folder.clone(), expected: "folder" });
        }
        #[cfg(unix)]
        self.check_own(&self.folder, &metadata, FOLDER_MODE)?;
        Ok(())
    }

    /// The standard library does not tell who we are; a file that we make does.
    #[cfg(unix)]
    fn owner_of_new_files(&self) -> Result<u32, StoreError> {
        use std::os::unix::fs::MetadataExt;
        let (path, file) = self.temporary("owner")?;
        let metadata = file.metadata().map_err(failed(&path, "looking at it"));
        fs::remove_file(&path).map_err(failed(&path, "removing"))?;
        Ok(metadata?.uid())
    }

    /// Root may open what is somebody else's, who then may change it or read along.
    #[cfg(unix)]
    fn check_own(&self, path: &Path, metadata: &fs::Metadata, mode: u32) -> Result<(), StoreError> {
        use std::os::unix::fs::MetadataExt;
        if self.owner.is_some_and(|owner| owner != metadata.uid()) {
            return Err(StoreError::Foreign { path: path.to_owned() });
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(StoreError::Exposed { path: path.to_owned(), mode });
        }
        Ok(())
    }

    /// A new file that nobody else has, never through a link that somebody planted.
    fn temporary(&self, name: &str) -> Result<(PathBuf, File), StoreError> {
        let mut tries = 0;
        loop {
            let number = self.written.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("{}.{}-{number}.tmp", stem(name), std::process::id()));
            match private().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TEMPORARY_TRIES_MAX => tries += 1,
                Err(error) => return Err(failed(&path, "making a temporary file")(error)),
            }
        }
    }

    /// Opens a plain file of one's own. What is looked at and what is opened are compared, so that a
    /// link put there in between is seen.
    fn open_own(&self, path: &Path, options: &OpenOptions) -> Result<Option<File>, StoreError> {
        let before = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            metadata => metadata.map_err(failed(path, "looking at it"))?,
        };
        let misplaced = || StoreError::Misplaced { path: path.to_owned(), expected: "file" };
        if !before.is_file() {
            return Err(misplaced());
        }
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed(path, "opening"))?,
        };
        let opened = file.metadata().map_err(failed(path, "looking at it"))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            // A rename between the two looks is a save of somebody else's: the opened file is whole.
            let is_replaced = (before.dev(), before.ino()) != (opened.dev(), opened.ino());
            let is_linked = is_replaced && fs::symlink_metadata(path).is_ok_and(|now| !now.is_file());
            if is_linked {
                return Err(misplaced());
            }
            self.check_own(path, &opened, FILE_MODE)?;
        }
        if opened.is_file() { Ok(Some(file)) } else { Err(misplaced()) }
    }

    fn replace(&self, name: &str, temporary: &Path, mut file: File, json: &str) -> Result<(), StoreError> {
        file.write_all(json.as_bytes()).map_err(failed(temporary, "writing"))?;
        file.sync_all().map_err(failed(temporary, "forcing to disk"))?;
        let path = self.path(name);
        fs::rename(temporary, &path).map_err(failed(&path, "giving it its name"))?;
        sync_folder(&self.folder).map_err(failed(&self.folder, "forcing to disk"))
    }
}

impl TokenStore for FileStore {
    fn load(&self, name: &str) -> Result<Option<StoredTokens>, StoreError> {
        self.check_folder()?;
        let path = self.path(name);
        let Some(file) = self.open_own(&path, OpenOptions::new().read(true))? else {
            return Ok(None);
        };
        let mut json = Zeroizing::new(Vec::with_capacity(4096));
        let limit = RECORD_LENGTH_MAX as u64 + 1;
        file.take(limit).read_to_end(&mut json).map_err(failed(&path, "reading"))?;
        StoredTokens::from_json(&json, &path.display().to_string()).map(Some)
    }

    fn save(&self, name: &str, tokens: &StoredTokens) -> Result<(), StoreError> {
        self.check_folder()?;
        let json = tokens.to_json(&self.path(name).display().to_string())?;
        let (temporary, file) = self.temporary(name)?;
        let saved = self.replace(name, &temporary, file, &json);
        if saved.is_err() {
            // What is left of it is as private as the file itself; the first error is the one to tell.
            drop(fs::remove_file(&temporary));
        }
        saved
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.check_folder()?;
        let temporaries = format!("{}.", stem(name));
        for entry in fs::read_dir(&self.folder).map_err(failed(&self.folder, "listing"))? {
            let path = entry.map_err(failed(&self.folder, "listing"))?.path();
            let file_name = path.file_name().unwrap_or_default().to_string_lossy();
            // The lock file stays: somebody may hold it, and a second one would lock nothing.
            if file_name.starts_with(&temporaries) && !file_name.ends_with(".lock") {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed(&path, "removing")(error));
                    }
                    _ => {}
                }
            }
        }
        sync_folder(&self.folder).map_err(failed(&self.folder, "forcing to disk"))
    }

    fn try_lock(&self, name: &str) -> Result<Option<Locked>, StoreError> {
        self.check_folder()?;
        let path = self.folder.join(format!("{}.lock", stem(name)));
        let file = match private().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let file = self.open_own(&path, OpenOptions::new().write(true))?;
                file.ok_or_else(|| failed(&path, "opening the lock")(io::ErrorKind::NotFound.into()))?
            }
            opened => opened.map_err(failed(&path, "making the lock"))?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Locked::holding(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&path, "locking")(error)),
        }
    }

    fn description(&self) -> String {
        format!("files in {}", self.folder.display())
    }
}

/// The name of a name's files: its plain characters to recognise it by, and a digest. Letters are
/// made small because some file systems do not tell them apart.
fn stem(name: &str) -> String {
    let plain = |character: char| match character {
        'A'..='Z' => character.to_ascii_lowercase(),
        'a'..='z' | '0'..='9' | '-' => character,
        _ => '_',
    };
    let readable: String = name.chars().take(READABLE_LENGTH_MAX).map(plain).collect();
    let unique: String = digest(&SHA256, name.as_bytes()).as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("{readable}-{unique}")
}

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { path, doing, source }
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(FOLDER_MODE).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(FILE_MODE);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

/// A new name lasts only when its folder is on disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows does not open folders as files, and needs no such thing.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::token::Tokens;

    const NAME: &str = "github/583231";

    fn is_foreign<T>(outcome: Result<T, StoreError>) -> bool {
        matches!(outcome, Err(StoreError::Foreign { .. }))
    }

    #[test]
    fn what_is_somebody_elses_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let mut store = FileStore::new(parent.path().join("tokens")).unwrap();
        let tokens = StoredTokens::new(&Tokens::bare(Secret::new("one")));
        store.save(NAME, &tokens).unwrap();
        assert!(store.open_own(&store.path(NAME), OpenOptions::new().read(true)).is_ok());
        // From here on we are another user, to whom the system refuses nothing.
        store.owner = store.owner.map(|owner| owner + 1);
        assert!(is_foreign(store.open_own(&store.path(NAME), OpenOptions::new().read(true))));
        assert!(is_foreign(store.load(NAME)) && is_foreign(store.save(NAME, &tokens)));
        assert!(is_foreign(store.try_lock(NAME)) && is_foreign(store.remove(NAME)));
    }

    #[test]
    fn a_folder_that_was_given_away_is_no_longer_ones_own() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("tokens");
        let somebody_else = FileStore::new(&folder).unwrap().owner.map(|owner| owner + 1);
        match std::os::unix::fs::chown(&folder, somebody_else, None) {
            Ok(()) => assert!(is_foreign(FileStore::new(&folder))),
            // Only root may give files away, and only root would get into such a folder; and where root is one of a user
            // namespace, to those alone whom the namespace knows.
            Err(error) => {
                let kind = error.kind();
                assert!(matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput), "{error}");
            }
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing stays behind");
    }
}
