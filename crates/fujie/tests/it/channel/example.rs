//! The listeners of `examples/channel`: other people's programs, in Python and in shell, beside a real server that is
//! killed and comes back.

use std::{path::Path, process::Command};

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

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_listener_follows_server_sent_events() {
    let mut house = House::started();
    let mut shell = Command::new("sh");
    shell.arg(example("listen.sh")).arg(TOPIC).env("ISSUER", &house.issuer);
    follow(&mut house, shell).await;
}
