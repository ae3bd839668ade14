//! Where this user's files are, by the environment (XDG Base Directory Specification on Linux), and what is this user's.
//! Reads variables once and opens no file.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::Error;

/// Where this user's files are.
#[derive(Clone, Debug)]
pub struct Place {
    pub(super) home: PathBuf,
    pub(super) data_home: PathBuf,
    pub(super) config_home: PathBuf,
    pub(super) data_folders: OsString,
    pub(super) runtime: Option<PathBuf>,
    pub(super) system_root: PathBuf,
    /// The user's number.
    #[cfg(unix)]
    user: Option<u32>,
}

impl Place {
    /// The place of the user who runs this program.
    pub fn of_user() -> Result<Place, Error> {
        Place::from_variables(|name| env::var_os(name))
    }

    /// The place that some variables describe: `HOME` and the `XDG_…` of Linux, `LOCALAPPDATA` and `SystemRoot` of
    /// Windows.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Place, Error> {
        // The specification says to ignore a relative path.
        let folder = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let name = if cfg!(windows) { "LOCALAPPDATA" } else { "HOME" };
        let home = folder(name).ok_or(Error::Homeless(name))?;
        let data_folders = variable("XDG_DATA_DIRS").filter(|folders| !folders.is_empty());
        Ok(Place {
            data_home: folder("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")),
            config_home: folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            data_folders: data_folders.unwrap_or_else(|| "/usr/local/share:/usr/share".into()),
            runtime: folder("XDG_RUNTIME_DIR"),
            system_root: folder("SystemRoot").unwrap_or_else(|| r"C:\Windows".into()),
            #[cfg(unix)]
            user: user(&home),
            home,
        })
    }

    /// The folder in which a process that waits leaves its file.
    pub(super) fn waiting_folder(&self) -> PathBuf {
        self.waiting_folder_at_runtime().unwrap_or_else(|| self.waiting_folder_at_home())
    }

    /// The folders in which such a file may be, the second often the first again. A browser's environment need not be a
    /// terminal's, so both are looked at.
    pub(super) fn waiting_folders(&self) -> [PathBuf; 2] {
        [self.waiting_folder(), self.waiting_folder_at_home()]
    }

    /// `su` and `sudo` may keep another user's runtime folder in the environment: one that is not ours is none.
    fn waiting_folder_at_runtime(&self) -> Option<PathBuf> {
        let runtime = self.runtime.as_deref().filter(|_| cfg!(unix))?;
        let metadata = fs::metadata(runtime).ok().filter(fs::Metadata::is_dir)?;
        self.owns(&metadata).then(|| runtime.join("fujie"))
    }

    /// Whether something belongs to the user.
    #[cfg(unix)]
    pub(super) fn owns(&self, metadata: &fs::Metadata) -> bool {
        self.user == Some(std::os::unix::fs::MetadataExt::uid(metadata))
    }

    /// On Windows the access list of the user's profile says who may enter, and what is made there inherits it.
    #[cfg(not(unix))]
    pub(super) fn owns(&self, _: &fs::Metadata) -> bool {
        true
    }

    #[cfg(all(test, unix))]
    pub(super) fn of_another_user(mut self) -> Place {
        self.user = self.user.map(|user| user + 1);
        self
    }

    fn waiting_folder_at_home(&self) -> PathBuf {
        self.home.join(if cfg!(windows) {
            "Fujie"
        } else if cfg!(target_os = "macos") {
            "Library/Application Support/Fujie"
        } else {
            ".local/state/fujie"
        })
    }

    pub(super) fn applications(&self) -> PathBuf {
        self.data_home.join("applications")
    }

    pub(super) fn mime_apps(&self) -> PathBuf {
        self.config_home.join("mimeapps.list")
    }

    /// A program of Windows itself, by its full path: the folder of the calling program is searched before the system's.
    pub(super) fn system_program(&self, name: &str) -> PathBuf {
        Path::new(&self.system_root).join("System32").join(name)
    }
}

/// Who runs this program. The standard library has no call for it, but on Linux a process owns its folder in /proc;
/// elsewhere whoever owns the home is believed to be in it.
#[cfg(unix)]
fn user(home: &Path) -> Option<u32> {
    let metadata = fs::metadata("/proc/self").or_else(|_| fs::metadata(home)).ok()?;
    Some(std::os::unix::fs::MetadataExt::uid(&metadata))
}
