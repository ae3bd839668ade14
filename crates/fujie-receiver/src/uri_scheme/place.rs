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
    data_home: PathBuf,
    data_folders: OsString,
    config_home: PathBuf,
    config_folders: OsString,
    desktops: String,
    runtime: Option<PathBuf>,
    system_root: PathBuf,
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
        let folders = |name: &str, default: &str| {
            variable(name).filter(|folders| !folders.is_empty()).unwrap_or_else(|| default.into())
        };
        Ok(Place {
            data_home: folder("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")),
            config_home: folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            data_folders: folders("XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
            config_folders: folders("XDG_CONFIG_DIRS", "/etc/xdg"),
            desktops: folders("XDG_CURRENT_DESKTOP", "").to_string_lossy().to_ascii_lowercase(),
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

    /// The list that is this user's to change.
    pub(super) fn mime_apps(&self) -> PathBuf {
        self.config_home.join(MIME_APPS)
    }

    /// Every list that may say which program opens what by default, the strongest first (freedesktop.org, association
    /// between MIME types and applications, "File name and location").
    pub(super) fn mime_lists(&self) -> Vec<PathBuf> {
        let mut folders = absolute(&self.config_home, &self.config_folders);
        folders.extend(self.data_folders().iter().map(|folder| folder.join("applications")));
        let mut lists = Vec::new();
        for folder in folders {
            for desktop in self.desktops.split(':').filter(|name| !name.is_empty() && !name.contains('/')) {
                lists.push(folder.join([desktop, "-", MIME_APPS].concat()));
            }
            lists.push(folder.join(MIME_APPS));
        }
        lists
    }

    /// The user's folder of data and those of the machine.
    pub(super) fn data_folders(&self) -> Vec<PathBuf> {
        absolute(&self.data_home, &self.data_folders)
    }

    /// A program of Windows itself, by its full path: the folder of the calling program is searched before the system's.
    pub(super) fn system_program(&self, name: &str) -> PathBuf {
        Path::new(&self.system_root).join("System32").join(name)
    }
}

/// A folder, and those of a variable behind it; the specification says to ignore a relative path.
fn absolute(first: &Path, variable: &OsString) -> Vec<PathBuf> {
    let mut folders = vec![first.to_owned()];
    folders.extend(env::split_paths(variable).filter(|folder| folder.is_absolute()));
    folders
}

const MIME_APPS: &str = "mimeapps.list";

/// Who runs this program. The standard library has no call for it, but on Linux a process owns its folder in /proc;
/// elsewhere whoever owns the home is believed to be in it.
#[cfg(unix)]
fn user(home: &Path) -> Option<u32> {
    let metadata = fs::metadata("/proc/self").or_else(|_| fs::metadata(home)).ok()?;
    Some(std::os::unix::fs::MetadataExt::uid(&metadata))
}
