//! Processes of a story: this program started again, for example in another network, and what the system tells of any.
//!
//! A test that starts itself again asks [`part`] first which process it is.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

/// Names the part that a process plays.
const PART: &str = "FUJIE_TEST_PART";

/// Which part this process plays in its test; `None` in the test itself.
pub fn part() -> Option<String> {
    env::var(PART).ok()
}

/// Says something to the process that started this one. On stderr, because the test harness writes to stdout.
pub fn tell(words: &str) {
    drop(writeln!(std::io::stderr(), "{words}"));
}

/// A process of the same test that plays another part. Killed when it is dropped.
pub struct Other {
    child: Child,
    lines: Receiver<String>,
}

impl Other {
    /// Starts `test` (its whole name) to play `part`, by `launcher`: a program and what it is told, after which comes the
    /// program to start.
    pub fn start(launcher: &[&str], test: &str, part: &str) -> Self {
        let mut command = Command::new(launcher[0]);
        command.args(&launcher[1..]).arg(env::current_exe().unwrap()).args([test, "--exact", "--nocapture"]);
        command.env(PART, part).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{launcher:?}: {error}"));
        let lines = follow(child.stderr.take().unwrap());
        Self { child, lines }
    }

    /// Its process. A launcher becomes what it starts.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a line.
    pub fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// What it says next after `word` and a space; other lines are shown.
    pub fn hear(&self, word: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => match line.split_once(' ') {
                    Some((first, rest)) if first == word => return rest.to_owned(),
                    _ => tell(&line),
                },
                Err(RecvTimeoutError::Timeout) => panic!("no word of {word:?} for {PATIENCE:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without a word of {word:?}"),
            }
        }
    }

    /// Waits until it has come to its end. Panics when it failed.
    pub fn ends(mut self) {
        self.lines.iter().for_each(|line| tell(&line));
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn follow(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

/// Seconds of processor time that a process has used.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in parentheses may hold anything; `utime` and `stime` are the 12th and 13th field after it.
    let ticks =
        stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().unwrap());
    // Linux tells everybody hundredths of a second, whatever it counts in.
    ticks.sum::<f64>() / 100.0
}

/// Resident memory of a process in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
