//! `fujie channel serve --echo` beside an asyncio server of the same behaviour: what they answer, and what they print,
//! is the same.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use crate::durable::house::lasting_port;

/// Longer than anything takes on a slow machine, and than a peer may be silent.
const PATIENCE: Duration = Duration::from_secs(90);

/// A program whose lines on stdout are read as they come.
struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().try_for_each(|line| sender.send(line.unwrap())));
        Self { child, lines }
    }

    fn asyncio() -> Self {
        let mut python = Command::new("python3");
        let channel = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("fujie-channel");
        python.arg("-X").arg("utf8").arg(channel.join("tests/foreign/asyncio_server.py"));
        Self::start(python)
    }

    fn ours(more: &[&str]) -> Self {
        let mut fujie = Command::new(env!("CARGO_BIN_EXE_fujie"));
        fujie.args(["channel", "serve", "--echo", "--listen", "127.0.0.1:0"]).args(more);
        Self::start(fujie)
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("another line")
    }

    /// The port, of the first line: `Serving on ('127.0.0.1', 8885)`.
    fn port(&self) -> u16 {
        let line = self.line();
        let port = line.strip_prefix("Serving on ('127.0.0.1', ").and_then(|rest| rest.strip_suffix(')'));
        port.unwrap_or_else(|| panic!("{line}")).parse().unwrap()
    }

    fn interrupt(&self) {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A peer that says what it is told to, and reads to the end.
struct Peer(BufReader<TcpStream>);

impl Peer {
    fn of(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn own_port(&self) -> u16 {
        self.0.get_ref().local_addr().unwrap().port()
    }

    fn say(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}

/// What a server answered and printed.
#[derive(Debug, PartialEq, Eq)]
struct Transcript {
    answered: Vec<String>,
    printed: Vec<String>,
}

/// One line at a time, each answered before the next.
const SAID: [&str; 9] = [
    "Hello World!\n",
    "ping\n",
    "  ping \r\n",
    "你好，世界 🌏\n",
    "\n",
    "it's \"quoted\" \\ and\ttabbed\n",
    "nothing\0seen\u{1b}[2J\u{a0}\u{3000}\u{200b}\n",
    "\u{1c}ping\u{1f}\n",
    "pings\n",
];

/// Talks to a server: a conversation, a line without an end, and a peer that only keeps silent.
fn talk(server: &Program) -> Transcript {
    let port = server.port();
    let (mut answered, mut printed) = (Vec::new(), Vec::new());
    let mut peer = Peer::of(port);
    let own = peer.own_port().to_string();
    for said in SAID {
        peer.say(said.as_bytes());
        answered.push(peer.line());
        printed.push(server.line().replace(&own, "PORT"));
    }
    // Several at once, then one without its end.
    peer.say(b"one\nping\ntwo\nthree");
    peer.0.get_ref().shutdown(Shutdown::Write).unwrap();
    answered.push(peer.rest());
    printed.extend((0..6).map(|_| server.line().replace(&own, "PORT")));
    // A peer that says half a line and then nothing.
    let mut silent = Peer::of(port);
    silent.say(b"pi");
    answered.push(silent.rest());
    printed.extend((0..2).map(|_| server.line()));
    Transcript { answered, printed }
}

#[test]
fn an_echo_server_answers_and_prints_what_an_asyncio_server_does() {
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| talk(&Program::ours(&[])));
        let theirs = scope.spawn(|| talk(&Program::asyncio()));
        (ours.join().unwrap(), theirs.join().unwrap())
    });
    assert_eq!(ours, theirs);
    assert_eq!(ours.answered[0], "from server: Hello World!\n");
    assert_eq!(ours.printed[0], r"Received 'Hello World!\n' from ('127.0.0.1', PORT)");
    assert_eq!(ours.answered[10], "超时断开连接\n");
    assert_eq!(
        ours.printed[ours.printed.len() - 4..],
        ["断开连接", "Close the connection", "超时断连", "Close the connection"]
    );
}

#[test]
fn ctrl_c_says_bye_and_ends_well() {
    let mut server = Program::ours(&[]);
    let mut peer = Peer::of(server.port());
    peer.say(b"ping\n");
    assert_eq!(peer.line(), "pong\n");
    server.interrupt();
    assert_eq!(peer.rest(), "bye\n");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_quiet_server_prints_nothing() {
    let port = lasting_port();
    let mut fujie = Command::new(env!("CARGO_BIN_EXE_fujie"));
    fujie.args(["channel", "serve", "--echo", "--quiet", "--listen", &format!("127.0.0.1:{port}")]);
    let mut server = Program::start(fujie);
    // Nobody says when it is there.
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert_eq!(server.child.try_wait().unwrap(), None, "it does not serve");
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut peer = Peer::of(port);
    peer.say(b"hello\n");
    assert_eq!(peer.line(), "from server: hello\n");
    server.interrupt();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert_eq!(server.lines.recv().ok(), None);
}

#[test]
fn without_the_echo_mode_it_says_who_serves_topics() {
    let told = |lang: &str| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_fujie")).args(["--lang", lang, "channel", "serve"]).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(told("en").contains("Topics are served by fujie serve: set channel.listen"), "{}", told("en"));
    assert!(told("zh").contains("话题由 fujie serve 提供"), "{}", told("zh"));
}

#[test]
fn a_port_that_is_taken_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let mut fujie = Command::new(env!("CARGO_BIN_EXE_fujie"));
    let output = fujie.args(["--lang", "en", "channel", "serve", "--echo", "--listen", &taken]).output().unwrap();
    drop(listener);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("cannot listen on {taken}; is another program there?")), "{said}");
}
