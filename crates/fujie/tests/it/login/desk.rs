//! A person's desk: the program as a process, a folder for its tokens, and a browser that only notes where it was sent.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use fujie_simulator::{
    Github, GithubConfig, Running,
    github::{DEFAULT_CLIENT_ID, DEFAULT_SECRET},
};
use serde_json::Value;

use crate::secret;

/// Longer than anything takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Desk {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

/// A finished run.
#[derive(Debug)]
pub struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A run that is under way.
pub struct Run {
    child: Child,
    err: BufReader<ChildStderr>,
    told: String,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("browser");
        let noted = folder.path().join("address");
        let noted = noted.display();
        std::fs::write(
            &script,
            format!("#!/bin/sh\nprintf %s \"$1\" > '{noted}.half' && mv '{noted}.half' '{noted}'\n"),
        )
        .unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let variables = vec![("BROWSER", script.display().to_string())];
        Self { folder, variables }
    }

    /// A desk with an application at this simulated GitHub.
    pub fn with_github(github: &Running) -> Self {
        let mut desk = Self::new();
        desk.variables.push(("GITHUB_AT", github.base_url().to_owned()));
        desk.variables.push(("GITHUB_CLIENT_ID", DEFAULT_CLIENT_ID.to_owned()));
        desk.variables.push(("GITHUB_CLIENT_SECRET", DEFAULT_SECRET.to_owned()));
        desk
    }

    /// This desk, reached over SSH, without a browser.
    pub fn over_ssh(mut self) -> Self {
        self.variables.retain(|(name, _)| *name != "BROWSER");
        self.variables.push(("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 2222".to_owned()));
        self.variables.push(("USER", "ann".to_owned()));
        self
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("config/fujie/tokens")
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fujie"));
        command.args(words).current_dir(self.folder.path());
        command.env_clear().env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin");
        command.env("XDG_CONFIG_HOME", self.folder.path().join("config"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn start(&self, words: &[&str]) -> Run {
        Run::of(self.command(words))
    }

    /// Runs it to its end. No run may show a secret on stderr.
    pub fn run(&self, words: &[&str]) -> Told {
        self.start(words).end()
    }

    /// Where the browser was sent.
    pub fn address(&self) -> String {
        let noted = self.folder.path().join("address");
        let until = Instant::now() + PATIENCE;
        loop {
            if let Ok(address) = std::fs::read_to_string(&noted) {
                std::fs::remove_file(&noted).unwrap();
                return address;
            }
            assert!(Instant::now() < until, "no browser was started");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lets the tokens of the only sign-in be over.
    pub fn let_tokens_end(&self) {
        for entry in std::fs::read_dir(self.store()).unwrap() {
            let path = entry.unwrap().path();
            let is_tokens = path.extension().is_some_and(|ending| ending == "json") && !path.ends_with("sign-ins.json");
            if is_tokens {
                let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                record["expires_at"] = 1000.into();
                std::fs::write(&path, record.to_string()).unwrap();
            }
        }
    }
}

impl Run {
    pub fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err, told: String::new() }
    }

    /// Reads what it says to people until a line contains `part`; that line.
    pub fn line_with(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.err.read_line(&mut line).unwrap() > 0, "never said {part:?}:\n{}", self.told);
            self.told.push_str(&line);
            if line.contains(part) {
                return line.trim().to_owned();
            }
        }
    }

    pub fn write(&mut self, line: &str) {
        self.write_bytes(format!("{line}\n").as_bytes());
    }

    pub fn write_bytes(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn interrupt(&self) {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
    }

    pub fn end(mut self) -> Told {
        let mut stdout = self.child.stdout.take().unwrap();
        let out = std::thread::spawn(move || {
            let mut out = String::new();
            stdout.read_to_string(&mut out).unwrap();
            out
        });
        self.err.read_to_string(&mut self.told).unwrap();
        let code = self.child.wait().unwrap().code();
        let told = Told { code, out: out.join().unwrap(), err: std::mem::take(&mut self.told) };
        assert!(!told.err.contains(DEFAULT_SECRET), "the client secret in: {}", told.err);
        assert_eq!(secret::found(&told.err), None, "in: {}", told.err);
        told
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A simulated GitHub; with a person, one who agrees to everything at once.
pub async fn github(person: Option<&str>) -> Running {
    let config = GithubConfig { auto_confirm: person.map(str::to_owned), ..GithubConfig::default() };
    Github::start(("127.0.0.1", 0), config).await.unwrap()
}

pub fn http() -> reqwest::Client {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// What a browser ends at: status and page.
pub async fn visit(address: &str) -> (u16, String) {
    let response = http().get(address).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// An act of the simulator's control API on its newest sign-in.
pub async fn act(github: &Running, act: &str) {
    let sign_ins = format!("{}/_simulate/sign-ins", github.base_url());
    let (_, listed) = visit(&sign_ins).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let id = listed[0]["id"].as_str().unwrap();
    let done = http().post(format!("{sign_ins}/{id}/{act}")).body("{}").send().await.unwrap();
    assert!(done.status().is_success(), "{}", done.text().await.unwrap());
}

/// How often a path of the simulator was called.
pub async fn calls(github: &Running, path: &str) -> u64 {
    let (_, calls) = visit(&format!("{}/_simulate/calls", github.base_url())).await;
    let calls: Value = serde_json::from_str(&calls).unwrap();
    calls[path].as_u64().unwrap_or_else(|| panic!("{path}: {calls}"))
}
