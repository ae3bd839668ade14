//! A house with a topic, a door for GitHub's webhooks and an application that reads and posts: `fujie serve` as a process,
//! and what others do with it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    durable::{
        house::{fujie, lasting_port, run},
        wire::{NAME, PASSWORD},
    },
    login::desk::http,
};

/// Longer than anything takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// What deliveries are signed with.
pub const SECRET: &str = "Its_a_Secret_to_Everybody";
pub const TOPIC: &str = "team";
/// What the application on a person's laptop may ask for.
pub const SCOPE: &str = "openid profile offline_access channel:read channel:write";

pub struct House {
    folder: tempfile::TempDir,
    pub issuer: String,
    /// Host and port of the line protocol, if there is one.
    pub line: String,
    pub client: Value,
    pub hook: String,
    /// The application on a person's laptop.
    pub laptop: String,
    process: Option<Child>,
}

impl House {
    /// With the line protocol in plain text.
    pub fn new() -> Self {
        Self::with(|_, line| format!("listen = \"{line}\""))
    }

    /// With this section `[channel]`, given the folder and the line protocol's address. Not started yet.
    pub fn with(section: impl FnOnce(&Path, &str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [http, line] = [(); 2].map(|()| format!("127.0.0.1:{}", lasting_port()));
        let config = format!("listen = \"{http}\"\n[channel]\n{}\n", section(folder.path(), &line));
        std::fs::write(folder.path().join("fujie.toml"), config).unwrap();
        std::fs::write(folder.path().join("secret"), SECRET).unwrap();
        let issuer = format!("http://{http}");
        let mut house = Self {
            folder,
            issuer,
            line,
            client: Value::Null,
            hook: String::new(),
            laptop: String::new(),
            process: None,
        };
        run(house.folder(), &["user", "add", NAME, "--password-stdin"], PASSWORD);
        house.run(&["topic", "add", TOPIC, "--owner", NAME]);
        house.client = house.application("channel:read channel:write");
        house.run(&["topic", "member", "add", TOPIC, "--client", house.client["client_id"].as_str().unwrap()]);
        let integration = house.json(&["integration", "add", TOPIC, "--secret-file", "secret", "--output", "json"]);
        house.hook = integration["url"].as_str().unwrap().to_owned();
        let add = ["client", "add", "Laptop", "--public", "--redirect-uri", "http://127.0.0.1/callback"];
        let laptop = house.json(&[&add[..], &["--scope", SCOPE, "--output", "json"]].concat());
        house.laptop = laptop["client_id"].as_str().unwrap().to_owned();
        house
    }

    pub fn started() -> Self {
        let mut house = Self::new();
        house.start();
        house
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the program over this house's data; it must end well.
    pub fn run(&self, words: &[&str]) -> String {
        run(self.folder(), words, "")
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.run(words)).unwrap()
    }

    /// An application for itself, with these scopes.
    pub fn application(&self, scope: &str) -> Value {
        self.json(&["client", "add", "Robot", "--grant", "client_credentials", "--scope", scope, "--output", "json"])
    }

    pub fn start(&mut self) {
        let mut child = fujie(self.folder()).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let issuer = Lines::of(child.stdout.take().unwrap()).next();
        self.process = Some(child);
        assert_eq!(issuer.as_deref(), Some(self.issuer.as_str()), "{}", self.log());
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// What the server logged and said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// A token of the application, in a file.
    pub async fn token_file(&self) -> String {
        let token = self.token(&self.client, "channel:read channel:write").await;
        let path = self.folder().join("token");
        std::fs::write(&path, token).unwrap();
        path.display().to_string()
    }

    pub async fn token(&self, client: &Value, scope: &str) -> String {
        let text = |key: &str| client[key].as_str().unwrap();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", "client_credentials"), ("scope", scope)])
            .extend_pairs([("client_id", text("client_id")), ("client_secret", text("client_secret"))])
            .finish();
        let begun = std::time::Instant::now();
        loop {
            let request = http().post(format!("{}/token", self.issuer)).body(form.clone());
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
            if let Some(token) = answer["access_token"].as_str() {
                return token.to_owned();
            }
            // What was registered while the server runs is known within a second.
            assert!(begun.elapsed() < PATIENCE, "{answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Posts a notice.
    pub async fn notice(&self, title: &str) {
        let token = self.token(&self.client, "channel:write").await;
        let request = http().post(format!("{}/topics/{TOPIC}/events", self.issuer)).bearer_auth(token);
        let request = request.header("content-type", "application/json").body(json!({ "title": title }).to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    /// Delivers a webhook as GitHub does.
    pub async fn deliver(&self, event: &str, delivery: &str, body: &str) {
        let request = http().post(&self.hook).header("content-type", "application/json").body(body.to_owned());
        let request = request.header("x-github-event", event).header("x-github-delivery", delivery);
        let request = request.header("x-hub-signature-256", signature(body.as_bytes()));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
    }

    /// `fujie listen` as the application, ready to be started.
    pub fn listen(&self, token_file: &str, more: &[&str]) -> Command {
        let mut command = self.listen_as_nobody(more);
        command.args(["--issuer", &self.issuer, "--token-file", token_file]);
        command
    }

    pub fn listen_as_nobody(&self, more: &[&str]) -> Command {
        let mut command = fujie(self.folder());
        command.args(["listen", TOPIC]).args(more).env("XDG_STATE_HOME", self.folder().join("state"));
        command.env("HOME", self.folder());
        command
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What GitHub writes into `X-Hub-Signature-256`, by openssl.
pub fn signature(body: &[u8]) -> String {
    use std::io::Write as _;
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-hmac", SECRET, "-r"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut openssl = openssl.spawn().unwrap();
    openssl.stdin.take().unwrap().write_all(body).unwrap();
    let printed = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    format!("sha256={}", printed.split(' ').next().unwrap())
}

/// Lines of a program, read as they come.
pub struct Lines(Receiver<String>);

impl Lines {
    pub fn of(out: impl std::io::Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || BufReader::new(out).lines().try_for_each(|line| sender.send(line.unwrap())));
        Self(lines)
    }

    /// The next line; `None` at the end.
    pub fn next(&self) -> Option<String> {
        use std::sync::mpsc::RecvTimeoutError;
        match self.0.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line came"),
        }
    }

    /// A line, if there is one soon.
    pub fn soon(&self) -> Option<String> {
        self.0.recv_timeout(Duration::from_millis(300)).ok()
    }

    /// Reads until a line contains `part`; that line.
    pub fn until(&self, part: &str) -> String {
        let mut read = Vec::new();
        loop {
            match self.next() {
                Some(line) if line.contains(part) => return line,
                Some(line) => read.push(line),
                None => panic!("{part:?} never came: {read:#?}"),
            }
        }
    }
}

/// A program that listens, under way; it ends with this.
pub struct Listening {
    pub child: Child,
    pub out: Lines,
    pub err: Lines,
}

impl Listening {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out: ChildStdout = child.stdout.take().unwrap();
        let err = Lines::of(child.stderr.take().unwrap());
        Self { child, out: Lines::of(out), err }
    }

    /// Starts it and waits until it is there.
    pub fn connected(command: Command) -> Self {
        let own = Self::start(command);
        own.err.until("Listening to team");
        own
    }

    pub fn code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub fn interrupt(&self) {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
    }

    /// As `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
