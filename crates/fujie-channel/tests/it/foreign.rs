//! Programs that know nothing of us: an `asyncio` client and server in Python, of the behaviour of the tutorial's.

use std::{path::Path, process::Stdio, time::Duration};

use fujie_channel::{
    client::{Endpoint, Heartbeat, LineStream},
    serve::Limits,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::house::{House, SOON};

/// A Python program and what it prints. Killed with the test.
struct Program {
    _child: Child,
    printed: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn run(script: &str, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(script);
        let mut child = Command::new("python3")
            .arg(script)
            .args(arguments)
            .env("PYTHONIOENCODING", "utf-8")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("this test needs python3");
        let printed = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, printed }
    }

    async fn line(&mut self) -> Option<String> {
        timeout(SOON, self.printed.next_line()).await.expect("it prints nothing").unwrap()
    }

    async fn prints(&mut self, expected: &str) {
        assert_eq!(self.line().await.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn an_asyncio_client_talks_to_our_server() {
    let house = House::echo(Limits { idle: Duration::from_secs(3), ..Limits::default() });
    let port = house.address.port().to_string();
    // Its second ping comes after the server has lost patience.
    let mut client = Program::run("asyncio_client.py", &["127.0.0.1", &port, "Hello World!\n", "0.2", "60"]);
    for line in [
        r"Send: 'Hello World!\n'",
        r"Received: 'from server: Hello World!\n'",
        "ping",
        r"Received: 'pong\n'",
        r"Received: '超时断开连接\n'",
        "断开连接",
    ] {
        client.prints(line).await;
    }
    assert_eq!(client.line().await, None);
}

#[tokio::test]
async fn an_asyncio_client_is_told_when_our_server_stops() {
    let house = House::echo(Limits::default());
    let port = house.address.port().to_string();
    let mut client = Program::run("asyncio_client.py", &["127.0.0.1", &port, "你好\n", "0.1", "0.1"]);
    client.prints(r"Send: '你好\n'").await;
    client.prints(r"Received: 'from server: 你好\n'").await;
    let mut pongs = 0;
    while pongs < 3 {
        match client.line().await.as_deref() {
            // On a slow machine the next one goes out before the last one is answered.
            Some("ping") => {}
            Some(r"Received: 'pong\n'") => pongs += 1,
            other => panic!("{other:?}"),
        }
    }
    house.stop().await;
    let mut rest = Vec::new();
    while let Some(line) = client.line().await {
        rest.push(line);
    }
    assert!(rest.iter().any(|line| line == r"Received: 'bye\n'"), "{rest:?}");
    assert_eq!(rest.last().map(String::as_str), Some("断开连接"));
}

#[tokio::test]
async fn our_client_talks_to_an_asyncio_server() {
    let mut server = Program::run("asyncio_server.py", &["0", "1.5"]);
    let serving = server.line().await.unwrap();
    let port: u16 = serving.rsplit_once(", ").unwrap().1.trim_end_matches(')').parse().unwrap();
    let endpoint = Endpoint::parse(&format!("127.0.0.1:{port}")).unwrap();
    // Two pings, and then silence.
    let beat = Duration::from_millis(200);
    let heartbeat = Heartbeat { first: beat, every: beat, patience: SOON };
    let mut stream = LineStream::connect(&endpoint, heartbeat).await.unwrap();
    stream.send("  Hello World!\t");
    for expected in ["from server: Hello World!", "pong", "pong"] {
        assert_eq!(stream.next().await.unwrap().as_deref(), Some(expected));
    }
    let heartbeat = Heartbeat { first: SOON, ..heartbeat };
    let mut silent = LineStream::connect(&endpoint, heartbeat).await.unwrap();
    assert_eq!(silent.next().await.unwrap().as_deref(), Some("超时断开连接"));
    assert_eq!(silent.next().await.unwrap(), None);
    assert!(server.line().await.unwrap().starts_with(r"Received '  Hello World!\t\n' from ('127.0.0.1', "));
}
