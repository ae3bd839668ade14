//! `fujie serve` with a topic, an integration and a client that may read: started, killed and started again over the
//! same data folder and the same ports.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::ledger::{Effect, Ledger};
use crate::durable::{
    house::{at_home, fujie, lasting_port, run},
    load::Random,
    wire::{PASSWORD, Wire},
};

/// What deliveries are signed with.
pub const SECRET: &str = "Its_a_Secret_to_Everybody";
/// The topic.
pub const TOPIC: &str = "team";

/// A house; its process ends with it.
pub struct House {
    folder: tempfile::TempDir,
    wire: Wire,
    /// Where the line protocol is spoken.
    pub line: String,
    client: Value,
    integration: String,
    process: Option<Process>,
}

struct Process {
    child: Child,
    death: Death,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// `kill -9`, whenever that is.
    Kill,
    /// By itself, in the middle of a transaction: at the nth system call that syncs the write-ahead log. All of it is
    /// written, and nobody was answered.
    AtSync(u64),
    /// The same at the nth that writes to a file of the database: some of it is written.
    AtWrite(u64),
}

/// A start, or a death, that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

impl Death {
    /// The deaths of a house, one after the other.
    pub fn of(life: u64, random: &mut Random) -> Self {
        match life % 5 {
            3 => Self::AtSync(8 + random.below(40)),
            4 => Self::AtWrite(40 + random.below(800)),
            _ => Self::Kill,
        }
    }
}

impl House {
    /// A house with all that is needed, not started yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [wire, line] = [(); 2].map(|()| format!("127.0.0.1:{}", lasting_port()));
        let config = format!("listen = \"{wire}\"\n[channel]\nlisten = \"{line}\"\n");
        std::fs::write(folder.path().join("fujie.toml"), config).unwrap();
        std::fs::write(folder.path().join("secret"), SECRET).unwrap();
        let run = |arguments: &[&str], input: &str| run(folder.path(), arguments, input);
        let json = |arguments: &[&str]| -> Value { serde_json::from_str(&run(arguments, "")).unwrap() };
        run(&["user", "add", "alice", "--password-stdin"], PASSWORD);
        run(&["topic", "add", TOPIC, "--owner", "alice"], "");
        let listener = ["client", "add", "Listener", "--grant", "client_credentials", "--scope", "channel:read"];
        let client = json(&[&listener[..], &["--output", "json"]].concat());
        run(&["topic", "member", "add", TOPIC, "--client", client["client_id"].as_str().unwrap()], "");
        let added = json(&["integration", "add", TOPIC, "--secret-file", "secret", "--output", "json"]);
        let integration = added["integration"].as_str().unwrap().to_owned();
        Self { folder, wire: Wire { address: wire }, line, client, integration, process: None }
    }

    /// Where webhooks are told.
    pub fn hook_url(&self) -> String {
        format!("http://{}/hooks/{}", self.wire.address, self.integration)
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.wire.address)
    }

    /// Host and port of the HTTP server.
    pub fn address(&self) -> &str {
        &self.wire.address
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the process, which is to end so, and waits until it is ready.
    pub async fn start(&mut self, death: Death) {
        let mut command = match death {
            Death::Kill => fujie(self.folder.path()),
            Death::AtSync(nth) => self.doomed("fdatasync", nth),
            Death::AtWrite(nth) => self.doomed("pwrite64", nth),
        };
        let mut child =
            command.arg("serve").stdout(Stdio::piped()).spawn().expect("strace is missing; ./test installs it");
        let mut issuer = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        self.process = Some(Process { child, death });
        assert_eq!(issuer.trim(), self.issuer(), "{death:?}: {}", self.log());
        let is_ready = async || self.wire.ask("GET /readyz", &[], "").await.is_some_and(|page| page.status == 200);
        self.wait("ready", async || is_ready().await || self.is_doomed(death)).await;
    }

    /// A process that is to die by itself may be dead before anybody saw it ready.
    fn is_doomed(&self, death: Death) -> bool {
        death != Death::Kill && std::net::TcpStream::connect(&self.wire.address).is_err()
    }

    /// The server under strace, which has it killed at the nth `call` of a thread.
    fn doomed(&self, call: &str, nth: u64) -> Command {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={call}:signal=KILL:when={nth}"), "--"]);
        command.arg(PathBuf::from(env!("CARGO_BIN_EXE_fujie")));
        at_home(self.folder.path(), &mut command);
        command
    }

    /// How the process is to end.
    pub fn death(&self) -> Death {
        self.process.as_ref().map(|process| process.death).expect("it was started")
    }

    /// Ends the process at once, as `kill -9` does.
    pub fn kill(&mut self) {
        let Some(Process { mut child, death }) = self.process.take() else { return };
        if death != Death::Kill {
            // Whoever traces it does not take it along.
            let below = format!("/proc/{0}/task/{0}/children", child.id());
            for pid in std::fs::read_to_string(below).unwrap_or_default().split_whitespace() {
                drop(Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status());
            }
        }
        drop(child.kill());
        drop(child.wait());
    }

    /// Has the process ended as it was to?
    pub fn is_dead(&mut self) -> bool {
        let is_dead = self.process.as_mut().is_none_or(|process| process.child.try_wait().unwrap().is_some());
        if is_dead {
            self.process = None;
        }
        is_dead
    }

    /// Ends the process as an operator does.
    pub fn end(&mut self) {
        let Some(Process { mut child, .. }) = self.process.take() else { return };
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{}", self.log());
    }

    /// Waits until so many events are there.
    pub async fn has_events(&self, count: usize) {
        self.wait("the events", async || self.ledger().effects().len() >= count).await;
    }

    /// What lies on the disk.
    pub fn ledger(&self) -> Ledger {
        Ledger::open(&self.folder.path().join("fujie-data/fujie.db"))
    }

    /// What the server logged, over all its lives.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A token to read the topic with.
    pub async fn token(&self) -> String {
        let text = |key: &str| self.client[key].as_str().unwrap();
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", "channel:read"),
            ("client_id", text("client_id")),
            ("client_secret", text("client_secret")),
        ];
        let page = self.wire.post("/token", &fields).await.expect("an answer");
        assert_eq!(page.status, 200, "{}", page.body);
        page.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A page of events after the event `after`.
    pub async fn events(&self, token: &str, after: i64) -> Vec<Effect> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("accept", "application/json")];
        let page = self.wire.ask(&format!("GET /topics/{TOPIC}/events?after={after}"), &headers, "").await;
        let page = page.expect("an answer");
        assert_eq!(page.status, 200, "{}", page.body);
        let events: serde_json::Map<String, Value> = serde_json::from_str(&page.body).unwrap();
        events["events"].as_array().unwrap().iter().map(|event| Effect::of_line(&event.to_string())).collect()
    }

    async fn wait(&self, what: &str, is_there: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !is_there().await {
            assert!(begun.elapsed() < PATIENCE, "{what}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}
