//! `fujie serve` as a process that a story starts, kills and starts again over the same data folder.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use super::{
    trace,
    wire::{Application, NAME, PASSWORD, Wire},
};

/// A house; its process ends with it.
pub struct House {
    folder: tempfile::TempDir,
    /// What applications and people know of it.
    pub site: Site,
    process: Option<Process>,
}

/// What applications and people know of a house.
#[derive(Clone, Debug)]
pub struct Site {
    pub wire: Wire,
    /// A confidential application, whose consent is remembered.
    pub confidential: Application,
    /// A public one on a desktop, which asks for consent every time.
    pub public: Application,
}

enum Process {
    Plain(Child),
    Traced(trace::Traced),
}

/// A start that takes longer has failed.
const START_MAX: Duration = Duration::from_secs(60);

impl House {
    /// A house with its applications and its account, not started yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wire = Wire { address: format!("127.0.0.1:{}", lasting_port()) };
        let run = |arguments: &[&str], input: &str| run(folder.path(), arguments, input);
        let add = |name: &str, redirect_uri: &'static str, kind: &[&str]| {
            let add = ["client", "add", name, "--redirect-uri", redirect_uri, "--output", "json"];
            let said: serde_json::Value = serde_json::from_str(&run(&[&add, kind].concat(), "")).unwrap();
            let text = |key: &str| said[key].as_str().map(str::to_owned);
            Application { id: text("client_id").unwrap(), secret: text("client_secret"), redirect_uri }
        };
        let confidential = add("Friends", "https://friends.example/callback", &["--rotate", "true"]);
        let public = add("Desktop", "http://127.0.0.1/callback", &["--public"]);
        assert!(confidential.secret.is_some() && public.secret.is_none());
        run(&["user", "add", NAME, "--password-stdin"], PASSWORD);
        Self { folder, site: Site { wire, confidential, public }, process: None }
    }

    /// Starts the process and waits until it says that it is ready. Gives the time that took.
    pub async fn start(&mut self) -> Duration {
        let begun = Instant::now();
        let mut command = fujie(self.folder.path());
        let mut child = command.args(self.arguments()).stdout(Stdio::piped()).spawn().unwrap();
        let mut issuer = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        self.process = Some(Process::Plain(child));
        assert_eq!(issuer.trim(), format!("http://{}", self.site.wire.address), "{}", self.log());
        self.ready().await;
        begun.elapsed()
    }

    /// The same under strace.
    pub async fn start_traced(&mut self) {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_fujie"));
        let mut command = trace::strace(self.folder.path(), &program);
        at_home(self.folder.path(), &mut command).args(self.arguments());
        let traced = trace::Traced::start(command, self.folder.path(), "http://");
        assert!(!traced.said.is_empty(), "nothing starts under strace: {}", self.log());
        self.process = Some(Process::Traced(traced));
        self.ready().await;
    }

    /// Ends the process at once, as `kill -9` does. Gives what strace saw, if it watched.
    pub fn kill(&mut self) -> String {
        match self.process.take() {
            Some(Process::Plain(mut child)) => {
                child.kill().unwrap();
                child.wait().unwrap();
                String::new()
            }
            Some(Process::Traced(traced)) => traced.finish(),
            None => String::new(),
        }
    }

    /// What the server logged, over all its lives.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The write-ahead log of the database.
    pub fn log_of_the_database(&self) -> File {
        File::options().write(true).open(self.folder.path().join("fujie-data/fujie.db-wal")).unwrap()
    }

    fn arguments(&self) -> [&str; 3] {
        ["serve", "--listen", &self.site.wire.address]
    }

    async fn ready(&self) {
        let begun = Instant::now();
        let is_ready = async || self.site.wire.ask("GET /readyz", &[], "").await.is_some_and(|page| page.status == 200);
        while !is_ready().await {
            assert!(begun.elapsed() < START_MAX, "not ready: {}", self.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program over this folder.
pub fn fujie(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fujie"));
    at_home(folder, &mut command);
    command
}

/// Runs `command` over this folder, with no setting from elsewhere; what it logs is kept.
pub fn at_home<'a>(folder: &Path, command: &'a mut Command) -> &'a mut Command {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    // Strace itself is looked for on the path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.current_dir(folder).env_clear().env("PATH", path).stdin(Stdio::null()).stderr(log)
}

/// Runs the program to its end, which is to be a good one, and gives what it printed.
pub fn run(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = fujie(folder);
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A free port for a server that comes back: below those that the system lends to outgoing connections, so that none
/// of them takes it while the server is away. No two houses of this program get the same.
pub fn lasting_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    let next = || 20_000 + (first + TRIED.fetch_add(1, Ordering::Relaxed) % 10_000) % 10_000;
    let mut ports = std::iter::repeat_with(next).take(10_000);
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}
