//! The program `fujie-receive`, as a script calls it.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use crate::browser::{answer_to, connect, quiet_port, Answer};

/// A program that was started and has said where it waits.
pub struct Program {
    child: Child,
    stderr: BufReader<ChildStderr>,
    authority: String,
}

impl Program {
    pub fn start(arguments: &[&str]) -> Self {
        Program::started(command(arguments))
    }

    fn started(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stderr, mut said) = (BufReader::new(child.stderr.take().unwrap()), String::new());
        // "Waiting at http://127.0.0.1:8000/getcode for …"
        while !said.contains("http://") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "{}", said);
        }
        let authority = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Program { child, stderr, authority }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn authority(&self) -> String {
        self.authority.clone()
    }

    fn ask(&self, target: &str) -> Answer {
        answer_to(connect(&self.authority), &format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, self.authority))
    }

    /// Its exit code and what it printed.
    pub fn finish(&mut self) -> (Option<i32>, String) {
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        (self.child.wait().unwrap().code(), printed)
    }

    fn complaint(&mut self) -> String {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        said
    }
}

fn command(arguments: &[&str]) -> Command {
    command_of(Command::new(env!("CARGO_BIN_EXE_fujie-receive")), arguments)
}

fn command_of(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments).env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", "C.UTF-8").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Resident memory in kB and the number of threads, where the system tells.
pub fn memory_and_threads(id: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{}/status", id)).ok()?;
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some((value("VmRSS:")?, value("Threads:")?))
}

#[test]
fn the_code_alone_is_printed() {
    let mut program = Program::start(&["--path", "/getcode", "--no-state"]);
    assert_eq!(program.ask("/getcode?code=something").status(), 200);
    assert_eq!(program.finish(), (Some(0), "something\n".to_owned()));
}

#[test]
fn a_shell_variable_takes_the_code_and_the_port_is_free() {
    // The shell of the person who had the problem: one line for all of it.
    let port = quiet_port();
    let script = format!(
        "code=$('{}' --port {} --path /getcode --state sesame --quiet) && echo \"got $code\"",
        env!("CARGO_BIN_EXE_fujie-receive"),
        port
    );
    let shell = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let authority = format!("127.0.0.1:{}", port);
    let stream = loop {
        match std::net::TcpStream::connect(&authority) {
            Ok(stream) => break stream,
            Err(_) => std::thread::yield_now(),
        }
    };
    let request = format!("GET /getcode?code=c0de&state=sesame HTTP/1.1\r\nHost: {}\r\n\r\n", authority);
    assert_eq!(answer_to(stream, &request).status(), 200);
    assert_eq!(text(&shell.wait_with_output().unwrap().stdout), "got c0de\n");
    TcpListener::bind(&authority).unwrap();
}

#[test]
fn json_and_env_carry_all_parameters() {
    let arguments = |output| ["--path", "/getcode", "--state", "sesame", "--output", output];
    let mut program = Program::start(&arguments("json"));
    program.ask("/getcode?code=c0de&state=sesame&iss=%E5%8F%91");
    let json = "{\"code\":\"c0de\",\"state\":\"sesame\",\"iss\":\"\\u53d1\"}\n";
    assert_eq!(program.finish(), (Some(0), json.to_owned()));
    let mut program = Program::start(&arguments("env"));
    program.ask("/getcode?code=c0'de&state=sesame");
    assert_eq!(program.finish(), (Some(0), "OAUTH_CODE='c0'\\''de'\nOAUTH_STATE='sesame'\n".to_owned()));
}

#[test]
fn a_denial_has_an_exit_code_of_its_own() {
    let mut program = Program::start(&["--path", "/getcode", "--state", "sesame"]);
    program.ask("/getcode?error=access_denied&error_description=No%1b%5b2J%20thanks&state=sesame");
    assert_eq!(program.finish(), (Some(5), String::new()));
    assert_eq!(program.complaint(), "fujie-receive: Not granted: access_denied: No[2J thanks\n");
}

#[test]
fn a_denial_cannot_turn_its_line_around() {
    let mut program = Program::start(&["--path", "/getcode", "--state", "sesame"]);
    let steering = "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";
    let encoded: String = steering.bytes().map(|byte| format!("%{:02x}", byte)).collect();
    program.ask(&format!("/getcode?error=access_denied&error_description=%E4%B8%8D{}!&state=sesame", encoded));
    assert_eq!(program.finish(), (Some(5), String::new()));
    assert_eq!(program.complaint(), "fujie-receive: Not granted: access_denied: 不!\n");
}

#[test]
fn a_timeout_has_an_exit_code_of_its_own() {
    let mut program = Program::start(&["--path", "/getcode", "--state", "sesame", "--timeout", "5", "--lang", "zh"]);
    assert_eq!(program.ask("/getcode?code=c&state=open").status(), 400);
    assert_eq!(program.finish(), (Some(3), String::new()));
    assert_eq!(program.complaint(), "fujie-receive: 等待超时。收到过请求，但其中的 state 缺失或不符。\n");
}

#[test]
fn wrong_arguments_and_a_taken_port_are_told_apart() {
    let usage = run(&["--port", "8000"]);
    assert_eq!((usage.status.code(), text(&usage.stdout)), (Some(64), ""));
    assert!(text(&usage.stderr).contains("--no-state"));
    assert_eq!(run(&["--state", "s", "--path", "getcode"]).status.code(), Some(64));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["--state", "s", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), format!("fujie-receive: Another program is using port {}.\n", port));
    assert_eq!(run(&["--help"]).status.code(), Some(0));
    assert!(text(&run(&["--version"]).stdout).starts_with("fujie-receive "));
}

#[test]
fn ipv6_is_waited_at_or_is_said_to_be_missing() {
    let output = run(&["--state", "sesame", "--host", "::1", "--timeout", "1"]);
    let said = text(&output.stderr);
    match TcpListener::bind("[::1]:0") {
        Ok(_) => assert!(said.starts_with("fujie-receive: Waiting at http://[::1]:"), "{}", said),
        Err(missing) => {
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(said, format!("fujie-receive: Cannot listen on port 0 of [::1]: {}\n", missing));
        }
    }
}

#[test]
fn without_a_state_a_warning_is_given_and_quiet_is_quiet() {
    const WARNING: &str =
        "fujie-receive: Warning: without a state, any web page can hand this program somebody else's code.\n";
    const END: &str = "fujie-receive: The time is up and no request came.\n";
    let output = run(&["--no-state", "--timeout", "1"]);
    let said = text(&output.stderr);
    assert!(said.starts_with(WARNING) && said.contains("Waiting at") && said.ends_with(END), "{}", said);
    // Who wants quiet is warned all the same.
    let output = run(&["--no-state", "--timeout", "1", "--quiet"]);
    assert_eq!(text(&output.stderr), [WARNING, END].concat());
    let output = run(&["--state", "sesame", "--timeout", "1", "--quiet"]);
    assert_eq!(text(&output.stderr), END);
}

#[test]
fn a_state_on_stdin_is_on_no_command_line() {
    let mut command = command(&["--path", "/getcode", "--state", "-"]);
    let input = file("state", b"sesame\r\nopen\n");
    command.stdin(fs::File::open(&input).unwrap());
    let mut program = Program::started(command);
    assert_eq!(program.ask("/getcode?code=c&state=-").status(), 400);
    assert_eq!(program.ask("/getcode?code=c&state=open").status(), 400);
    assert_eq!(program.ask("/getcode?code=c0de&state=sesame").status(), 200);
    assert_eq!(program.finish(), (Some(0), "c0de\n".to_owned()));
    // Nothing there: no state at all must not pass for one.
    let output = run(&["--state", "-"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("stdin"), "{}", text(&output.stderr));
    fs::remove_file(input).unwrap();
}

#[test]
fn the_page_can_be_a_file() {
    let page = file("page.html", "<!doctype html><p>回去吧".as_bytes());
    let arguments = |page: &str| ["--path", "/getcode", "--state", "sesame", "--page", page].map(str::to_owned);
    let start = || Program::start(&arguments(&page).each_ref().map(String::as_str));
    let mut program = start();
    let answer = program.ask("/getcode?code=c0de&state=sesame");
    assert!(answer.text.contains("\r\nContent-Security-Policy: default-src 'none';"), "{}", answer.text);
    assert_eq!(answer.body(), "<!doctype html><p>回去吧");
    assert_eq!(program.finish(), (Some(0), "c0de\n".to_owned()));
    // It says that a code came: a denial keeps the page of its own.
    let mut program = start();
    assert!(program.ask("/getcode?error=access_denied&state=sesame").body().contains("Access was not granted"));
    assert_eq!(program.finish().0, Some(5));
    for (content, complaint) in [(vec![b'x'; 64 * 1024 + 1], "64 KiB"), (vec![0xff], "UTF-8")] {
        fs::write(&page, content).unwrap();
        let output = run(&arguments(&page).each_ref().map(String::as_str));
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(complaint), "{}", text(&output.stderr));
    }
    fs::remove_file(&page).unwrap();
    let output = run(&arguments(&page).each_ref().map(String::as_str));
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains(&page), "{}", text(&output.stderr));
}

/// A file of this process's own.
fn file(name: &str, content: &[u8]) -> String {
    let path = format!("{}/{}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id(), name);
    fs::write(&path, content).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn ctrl_c_closes_the_port() {
    use std::os::unix::process::ExitStatusExt;

    let port = quiet_port().to_string();
    // A shell lets its jobs in the background ignore Ctrl-C, and so would this test's children.
    let mut env = Command::new("env");
    env.args(["--default-signal=INT", env!("CARGO_BIN_EXE_fujie-receive")]);
    let mut program = Program::started(command_of(env, &["--port", &port, "--state", "sesame"]));
    let idle = connect(&program.authority);
    let killed = Command::new("/bin/kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(program.child.wait().unwrap().signal(), Some(2));
    TcpListener::bind(&program.authority).unwrap();
    drop(idle);
}
