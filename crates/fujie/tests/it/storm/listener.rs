//! `fujie listen --resume` as a process that is killed and started again.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    process::Child,
};

use super::{
    house::{House, TOPIC},
    ledger::Effect,
};
use crate::durable::house::fujie;

/// A listener; its process ends with it.
pub struct Listener {
    folder: PathBuf,
    line: String,
    /// What it printed, in each of its lives.
    lives: Vec<PathBuf>,
    process: Option<Child>,
}

/// An event is no longer than this.
const LINE_LENGTH_MAX: u64 = 64 * 1024;

impl Listener {
    /// Starts one, from the first event on.
    pub fn new(house: &House, token: &str) -> Self {
        let folder = house.folder().to_owned();
        std::fs::write(folder.join("token"), token).unwrap();
        let mut own = Self { folder, line: house.line.clone(), lives: Vec::new(), process: None };
        own.start();
        own
    }

    fn start(&mut self) {
        let file = self.folder.join(format!("heard-{}", self.lives.len()));
        let mut command = fujie(&self.folder);
        command.args(["listen", TOPIC, "--line", &self.line, "--token-file", "token"]);
        command
            .args(["--resume", "--from", "start", "--output", "json", "--quiet"])
            .env("XDG_STATE_HOME", self.folder.join("state"));
        self.process = Some(command.stdout(File::create(&file).unwrap()).spawn().unwrap());
        self.lives.push(file);
    }

    /// Kills it, at whatever it is, and starts it again.
    pub fn kill(&mut self) {
        self.end();
        self.start();
    }

    fn end(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The last event of this life; 0 before the first.
    pub fn last_id(&mut self) -> i64 {
        let child = self.process.as_mut().unwrap();
        assert!(child.try_wait().unwrap().is_none(), "fujie listen ended by itself");
        let mut file = File::open(self.lives.last().unwrap()).unwrap();
        let length = file.metadata().unwrap().len();
        file.seek(SeekFrom::Start(length.saturating_sub(2 * LINE_LENGTH_MAX))).unwrap();
        let mut end = Vec::new();
        file.read_to_end(&mut end).unwrap();
        let end = String::from_utf8_lossy(&end).into_owned();
        let whole = end.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().next_back().map_or(0, |line| Effect::of_line(line).id)
    }

    /// Was everything printed, in order, and again only what was printed last before a kill? How much of that there was.
    pub fn judge(&mut self, truth: &[Effect]) -> usize {
        self.end();
        let (mut reached, mut repeated) = (0, 0);
        for (life, file) in self.lives.iter().enumerate() {
            // The last line may be cut by the kill: then it was not printed.
            let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let told: Vec<_> = whole.lines().map(Effect::of_line).collect();
            let Some(first) = told.first() else { continue };
            let begins = truth.iter().position(|effect| effect == first).expect("an event that there is");
            assert!(begins <= reached && reached - begins <= 1, "life {life}: {begins} follows on {reached}");
            assert!(truth[begins..].starts_with(&told), "life {life}: something is missing or comes twice");
            repeated += reached - begins;
            reached = begins + told.len();
        }
        assert_eq!(reached, truth.len(), "fujie listen has not everything");
        repeated
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
