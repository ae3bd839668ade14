//! The listeners of `examples/channel`: other people's programs, in Python and in shell, beside a real server that is
//! killed and comes back.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::Command,
};

use serde_json::Value;

use super::house::{House, Listening, TOPIC};

/// Lines of the Python listener, without its docstring, blank ones and comments.
const LINES_MAX: usize = 20;

fn example(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/channel").join(name)
}

/// Follows the listener over a kill of the server: nothing is missing, nothing comes twice.
async fn follow(house: &mut House, mut command: Command) {
    let token = house.token_file().await;
    command.env("FUJIE_TOKEN", std::fs::read_to_string(token).unwrap()).env("NO_PROXY", "127.0.0.1");
    let listening = Listening::start(command);
    // Nobody says when it is there: the first notices may be too early.
    let first = loop {
        house.notice("early").await;
        if let Some(line) = listening.out.soon() {
            break id(&line, "early");
        }
    };
    house.kill();
    house.start();
    house.notice("last").await;
    let mut reached = first;
    loop {
        let line = listening.out.next().unwrap();
        reached += 1;
        assert_eq!(id(&line, ""), reached, "something is missing or comes twice");
        if line.contains("\"title\":\"last\"") {
            return;
        }
    }
}

/// The number of an event with this in its title.
fn id(line: &str, title: &str) -> i64 {
    let event: Value = serde_json::from_str(line).unwrap();
    assert!(event["data"]["title"].as_str().unwrap().contains(title), "{line}");
    event["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_listener_pings_and_resumes() {
    let text = std::fs::read_to_string(example("listen.py")).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with(['#', '"'])).count();
    assert!(lines <= LINES_MAX, "{lines} lines");
    let mut house = House::started();
    let mut python = Command::new("python3");
    let (host, port) = house.line.split_once(':').unwrap();
    python.arg(example("listen.py")).args([host, port, TOPIC]);
    follow(&mut house, python).await;
}

#[test]
fn the_python_listener_comes_again_when_it_is_told_to() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut python = Command::new("python3");
    python.arg(example("listen.py")).args(["127.0.0.1", &server.local_addr().unwrap().port().to_string(), TOPIC]);
    python.env("FUJIE_TOKEN", "token");
    let listening = Listening::start(python);
    for (answer, is_last) in [
        ("error temporarily_unavailable not now\n", false),
        ("ok auth\nok subscribe team 7\nerror too_slow come again and resume\n", false),
        ("ok auth\nok subscribe team 7\nevent {\"id\":\"8\"}\nerror access_denied team\n", true),
    ] {
        let (mut stream, _) = server.accept().unwrap();
        let mut said = BufReader::new(stream.try_clone().unwrap()).lines();
        assert_eq!(said.next().unwrap().unwrap(), "auth token");
        let from = if is_last { "subscribe team 7" } else { "subscribe team " };
        assert_eq!(said.next().unwrap().unwrap(), from);
        stream.write_all(answer.as_bytes()).unwrap();
    }
    assert_eq!(listening.out.next().unwrap(), "{\"id\":\"8\"}");
    assert_eq!(listening.code(), Some(1), "what cannot be mended ends it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_listener_follows_server_sent_events() {
    let mut house = House::started();
    let mut shell = Command::new("sh");
    shell.arg(example("listen.sh")).arg(TOPIC).env("ISSUER", &house.issuer);
    follow(&mut house, shell).await;
}
