//! Programs that print events as lines of JSON: `fujie listen`, and the example in Python.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// One of them; its process ends with it.
pub struct Listener {
    child: Child,
    printed: PathBuf,
    told: PathBuf,
}

impl Listener {
    /// Starts `command`; what it says is kept in `folder` under `name`.
    pub fn start(command: &mut Command, folder: &Path, name: &str) -> Self {
        let [printed, told] = ["out", "err"].map(|ending| folder.join(format!("{name}.{ending}")));
        command.stdin(Stdio::null()).stdout(File::create(&printed).unwrap()).stderr(File::create(&told).unwrap());
        Self { child: command.spawn().unwrap(), printed, told }
    }

    /// The events that it has printed whole.
    pub fn events(&self) -> Vec<Value> {
        // It may be read in the middle of a character.
        let text = String::from_utf8_lossy(&std::fs::read(&self.printed).unwrap()).into_owned();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// What it says to people.
    pub fn told(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.told).unwrap()).into_owned()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The Python that has http_ece.
pub fn python() -> OsString {
    let python = std::env::var_os("FUJIE_TEST_PYTHON");
    python.unwrap_or_else(|| panic!("FUJIE_TEST_PYTHON is not set: run ./test, which installs http_ece"))
}

/// The example, which has its token from the environment.
pub fn example((host, port): &(String, String), topic: &str, token: &str) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/channel/listen.py");
    let mut command = Command::new(python());
    command.arg(script).args([host, port, topic]).env("FUJIE_TOKEN", token).env("PYTHONUNBUFFERED", "1");
    command
}
