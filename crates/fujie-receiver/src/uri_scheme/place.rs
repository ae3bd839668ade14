//! Where this user's files are, by the environment (XDG Base Directory Specification on Linux). Reads variables once and
//! touches no file.

use std::{
    env,
    ffi::OsString,
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
            home,
        })
    }

    /// The folder in which a process that waits leaves its file.
    pub(super) fn waiting_folder(&self) -> PathBuf {
        match self.runtime.as_deref().filter(|folder| cfg!(unix) && folder.is_dir()) {
            Some(folder) => folder.join("fujie"),
            None => self.waiting_folder_at_home(),
        }
    }

    /// The folders in which such a file may be, the second often the first again. A browser's environment need not be a
    /// terminal's, so both are looked at.
    pub(super) fn waiting_folders(&self) -> [PathBuf; 2] {
        [self.waiting_folder(), self.waiting_folder_at_home()]
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
