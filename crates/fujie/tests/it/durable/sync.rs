//! Acknowledged means on disk: strace shows an fdatasync between a request that changes something and its answer,
//! and the same check finds a server that answers first.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
};

use super::{
    house::House,
    trace::{self, commits_before_it_answers, exchanges},
    wire::{Browser, VERIFIER, Wire},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_fdatasync_stands_between_a_durable_request_and_its_answer() {
    let mut house = House::new();
    house.start_traced().await;
    let site = house.site.clone();
    let code = Browser::new(&site.wire).code(&site.public).await.unwrap();
    let application = site.public.redirect_uri;
    let redemption = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", application),
        ("code_verifier", VERIFIER),
    ];
    let token = refreshed(&house, &redemption).await;
    let token = refreshed(&house, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await;
    assert_eq!(ask(&house, "/revoke", &[("token", &token)]).await.0, 200);
    // To revoke what is over changes nothing, and needs no disk.
    assert_eq!(ask(&house, "/revoke", &[("token", "unknown")]).await.0, 200);
    let trace = house.kill();

    let seen: Vec<_> = exchanges(&trace).into_iter().filter(|seen| seen.asked.starts_with("POST /")).collect();
    let asked: Vec<_> = seen.iter().map(|seen| (seen.asked.as_str(), seen.status)).collect();
    let (sign_in, consent) = (("POST /sign-in", 303), ("POST /consent", 303));
    let (token, revoke) = (("POST /token", 200), ("POST /revoke", 200));
    assert_eq!(asked, [sign_in, consent, token, token, revoke, revoke], "{trace}");
    assert_eq!(commits_before_it_answers(&trace, "POST /token"), Ok(2));
    for durable in &seen[..5] {
        assert!(durable.synced.iter().any(|file| file.ends_with("/fujie.db-wal")), "{durable:?}");
    }
    assert!(seen[5].synced.is_empty(), "{:?}", seen[5]);
    assert!(commits_before_it_answers(&trace, "POST /revoke").is_err(), "the check sees the one that changed nothing");
}

/// Posts to the token endpoint and gives the refresh token that came.
async fn refreshed(house: &House, fields: &[(&str, &str)]) -> String {
    let (status, body) = ask(house, "/token", fields).await;
    assert_eq!(status, 200, "{body}");
    body["refresh_token"].as_str().unwrap().to_owned()
}

async fn ask(house: &House, path: &str, fields: &[(&str, &str)]) -> (u16, serde_json::Value) {
    let mut fields = fields.to_vec();
    house.site.public.names_itself(&mut fields);
    let page = house.site.wire.post(path, &fields).await.unwrap();
    (page.status, page.json())
}

/// Tells this test that it runs as the server that is checked, in which folder, and what it does first.
const CONTROL: &str = "FUJIE_TEST_CONTROL";

#[tokio::test(flavor = "multi_thread")]
async fn a_control_that_answers_before_the_commit_fails_the_same_check() {
    if let Ok(first) = std::env::var(CONTROL) {
        return serve_once(&first);
    }
    assert_eq!(commits_before_it_answers(&control("commit").await, "POST /token"), Ok(1));
    let early = commits_before_it_answers(&control("answer").await, "POST /token").unwrap_err();
    assert!(early.contains("answered before it was on disk"), "{early}");
}

/// Runs this test program as a server that does `first` first, asks it once, and gives what strace saw.
async fn control(first: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut command = trace::strace(folder.path(), &program);
    let name = "durable::sync::a_control_that_answers_before_the_commit_fails_the_same_check";
    command.args(["--exact", name, "--nocapture"]).stderr(Stdio::null());
    command.env(CONTROL, first).current_dir(folder.path());
    let traced = trace::Traced::start(command, folder.path(), "listening on ");
    let address = traced.said.strip_prefix("listening on ").unwrap().to_owned();
    let page = Wire { address }.post("/token", &[("grant_type", "refresh_token")]).await.unwrap();
    assert_eq!(page.status, 200);
    traced.end()
}

/// A server in a few lines: one request, one change in a file, one answer.
fn serve_once(first: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "\nlistening on {}", listener.local_addr().unwrap()).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = [0; 4096];
    assert!(stream.read(&mut request).unwrap() > 0);
    let commit = || {
        let mut file = File::create("control-wal").unwrap();
        file.write_all(b"changed").unwrap();
        file.sync_data().unwrap();
    };
    let answer = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
    };
    match first {
        "answer" => {
            answer(&mut stream);
            commit();
        }
        _ => {
            commit();
            answer(&mut stream);
        }
    }
}
