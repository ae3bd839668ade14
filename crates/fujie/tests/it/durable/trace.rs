//! What strace saw of a server: for each request, which files were on disk between its arrival and its answer.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A program under strace.
pub struct Traced {
    strace: Child,
    file: PathBuf,
    /// What the program said on the line that was waited for, from there on; empty when it ended before.
    pub said: String,
}

const FILE: &str = "trace";
const CALLS: &str = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fdatasync";

/// The command that runs `program` under strace, all its threads, into one file in `folder`.
pub fn strace(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-qq", "-s", "48", "-e", CALLS, "-e", "signal=none", "-o"]);
    command.arg(folder.join(FILE)).arg("--").arg(program);
    command
}

impl Traced {
    /// Starts `command` and waits until the program says `word` on its standard output.
    pub fn start(mut command: Command, folder: &Path, word: &str) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut strace = command.spawn().expect("strace is missing; ./test installs it");
        let lines = BufReader::new(strace.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).find_map(|line| line.find(word).map(|start| line[start..].to_owned()));
        let said = said.unwrap_or_default();
        Self { strace, file: folder.join(FILE), said }
    }

    /// Kills the program, waits until strace has written all, and gives it.
    pub fn finish(mut self) -> String {
        self.kill();
        std::fs::read_to_string(&self.file).unwrap()
    }

    /// Waits until the program ends by itself, and gives what strace saw.
    pub fn end(mut self) -> String {
        self.strace.wait().unwrap();
        std::fs::read_to_string(&self.file).unwrap()
    }

    fn kill(&mut self) {
        // Strace ends when the last process that it watches does. The first line is of the program itself.
        let trace = std::fs::read_to_string(&self.file).unwrap_or_default();
        match trace.split_whitespace().next() {
            Some(pid) => drop(Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status()),
            None => drop(self.strace.kill()),
        }
        drop(self.strace.wait());
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if let Ok(None) = self.strace.try_wait() {
            self.kill();
        }
    }
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Method and path.
    pub asked: String,
    pub status: u16,
    /// The files whose fdatasync began after the request was read and succeeded before the answer was written.
    pub synced: Vec<String>,
}

/// Was every 200 to `asked` given after a sync of the database's log? Else: what was not.
pub fn commits_before_it_answers(trace: &str, asked: &str) -> Result<usize, String> {
    let exchanges: Vec<_> = exchanges(trace).into_iter().filter(|exchange| exchange.asked == asked).collect();
    let is_synced = |exchange: &Exchange| exchange.synced.iter().any(|file| file.ends_with("-wal"));
    if let Some(early) = exchanges.iter().find(|exchange| exchange.status == 200 && !is_synced(exchange)) {
        return Err(format!("answered before it was on disk: {early:?}"));
    }
    Ok(exchanges.iter().filter(|exchange| exchange.status == 200).count())
}

/// The exchanges of a trace. A request is what is read on a descriptor in one piece and begins with a method; its
/// answer is the next that is written there and begins with a status line.
pub fn exchanges(trace: &str) -> Vec<Exchange> {
    let calls = calls(trace);
    let mut exchanges = Vec::new();
    for read in calls.iter().filter(|call| ["read", "readv", "recvfrom", "recvmsg"].contains(&call.name.as_str())) {
        let Some(asked) = ["GET /", "POST /"].iter().find_map(|method| sent(&read.text, method)) else { continue };
        let is_answer = |call: &&Call| {
            ["write", "writev", "sendto", "sendmsg"].contains(&call.name.as_str())
                && call.descriptor == read.descriptor
                && call.began > read.ended
        };
        let Some(write) = calls.iter().filter(is_answer).min_by_key(|call| call.began) else { continue };
        let Some(status) = sent(&write.text, "HTTP/1.1 ") else { continue };
        let is_between = |call: &&Call| {
            call.name == "fdatasync" && call.result == "0" && call.began > read.ended && call.ended < write.began
        };
        exchanges.push(Exchange {
            asked: asked.split(" HTTP/").next().unwrap_or_default().to_owned(),
            status: status["HTTP/1.1 ".len()..].split(' ').next().unwrap_or_default().parse().unwrap_or_default(),
            synced: calls.iter().filter(is_between).map(Call::file).collect(),
        });
    }
    exchanges
}

/// The bytes of a call from `start` on, when a buffer of it begins so.
fn sent<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.find(&format!("\"{start}")).map(|at| &text[at + 1..])
}

/// A system call. `began` and `ended` are lines of the trace: strace holds a thread at the entry and at the exit of
/// each call, so what a thread did before it woke another stands above what the other did then.
#[derive(Debug)]
struct Call {
    name: String,
    descriptor: String,
    text: String,
    result: String,
    began: usize,
    ended: usize,
}

impl Call {
    /// The path that strace writes behind the number of the descriptor.
    fn file(&self) -> String {
        let path = self.descriptor.split_once('<').map_or("", |(_, path)| path);
        path.strip_suffix('>').unwrap_or(path).to_owned()
    }
}

/// The calls of a trace: `PID name(descriptor, …) = result`, or in two parts, when another thread came between.
fn calls(trace: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut open: HashMap<&str, (usize, &str)> = HashMap::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((pid, text)) = text.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(begun) = text.strip_suffix("<unfinished ...>") {
            open.insert(pid, (line, begun));
        } else if let Some((_, rest)) = text.strip_prefix("<... ").and_then(|text| text.split_once(" resumed>")) {
            if let Some((began, begun)) = open.remove(pid) {
                calls.extend(call(&format!("{begun}{rest}"), began, line));
            }
        } else {
            calls.extend(call(text, line, line));
        }
    }
    calls
}

fn call(text: &str, began: usize, ended: usize) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let descriptor = arguments.split(',').next().unwrap_or_default().trim();
    Some(Call {
        name: name.to_owned(),
        descriptor: descriptor.to_owned(),
        text: arguments.to_owned(),
        result: result.split(' ').next().unwrap_or_default().to_owned(),
        began,
        ended,
    })
}

const READ: &str = r#"7 recvfrom(11<socket:[5]>, "POST /token HTTP/1.1\r\nhost: 127"..., 8192, 0, NULL, NULL) = 300"#;
const SYNC: &str = "9 fdatasync(8</data/fujie.db-wal>) = 0";
const ANSWER: &str =
    r#"7 sendto(11<socket:[5]>, "HTTP/1.1 200 OK\r\ncontent-type: "..., 900, MSG_NOSIGNAL, NULL, 0) = 900"#;

fn check(lines: &[&str]) -> Result<usize, String> {
    commits_before_it_answers(&lines.join("\n"), "POST /token")
}

#[test]
fn a_sync_counts_between_the_request_and_its_answer_only() {
    assert_eq!(check(&[READ, SYNC, ANSWER]), Ok(1));
    assert!(check(&[READ, ANSWER]).is_err());
    assert!(check(&[SYNC, READ, ANSWER]).is_err(), "of an earlier request");
    assert!(check(&[READ, ANSWER, SYNC]).is_err(), "too late");
    assert!(check(&[READ, SYNC, ANSWER, READ, ANSWER]).is_err(), "one for two");
    assert!(check(&[READ, "9 fdatasync(8</data/fujie.db-wal>) = -1 EIO (Input/output error)", ANSWER]).is_err());
    assert!(check(&[READ, "9 fdatasync(8</data/fujie.db>) = 0", ANSWER]).is_err(), "another file");
    assert!(check(&[READ, "9 write(8</data/fujie.db-wal>, \"\\0\"..., 24) = 24", ANSWER]).is_err(), "not on disk");
    let refused = ANSWER.replace("200 OK", "400 Bad Request");
    assert_eq!(check(&[READ, &refused]), Ok(0), "a refusal promises nothing");
    assert_eq!(check(&[READ]), Ok(0));
    assert_eq!(check(&[READ, &ANSWER.replace("socket:[5]", "socket:[6]")]), Ok(0), "another connection");
}

#[test]
fn a_call_that_others_interrupt_begins_and_ends_where_it_did() {
    let (begins, ends) = ("9 fdatasync(8</data/fujie.db-wal> <unfinished ...>", "9 <... fdatasync resumed>)      = 0");
    assert_eq!(check(&[READ, begins, ends, ANSWER]), Ok(1));
    assert!(check(&[begins, READ, ends, ANSWER]).is_err(), "begun before the request was read");
    assert!(check(&[READ, begins, ANSWER, ends]).is_err(), "not done when it was answered");
    let (name, arguments) = READ[2..].split_once("<socket:[5]>, ").unwrap();
    let (reads, has_read) =
        (format!("7 {name}<socket:[5]>, <unfinished ...>"), format!("7 <... recvfrom resumed>{arguments}"));
    assert_eq!(check(&[&reads, &has_read, begins, ends, ANSWER]), Ok(1));
    assert!(check(&[&reads, begins, ends, &has_read, ANSWER]).is_err(), "synced while the request was awaited");
    assert_eq!(
        exchanges(&[READ, begins, ends, ANSWER].join("\n")),
        [Exchange { asked: "POST /token".to_owned(), status: 200, synced: vec!["/data/fujie.db-wal".to_owned()] }]
    );
}
