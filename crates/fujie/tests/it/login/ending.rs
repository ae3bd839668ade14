//! How commands end: at the provider, at Ctrl-C, beside one another, and with which code.

use std::{process::Command, time::Duration};

use fujie_simulator::{Running, github::DEFAULT_GITHUB_APP_CLIENT_ID};
use serde_json::{Value, json};

use super::{
    desk::{Desk, Run, Told, calls, github, http, visit},
    listener, signed_in,
};

const TOKEN: &str = "/login/oauth/access_token";
const APP: [&str; 2] = ["--client-id", DEFAULT_GITHUB_APP_CLIENT_ID];

/// The tokens of the only sign-in, as they are kept.
fn kept(desk: &Desk) -> Value {
    let entries = std::fs::read_dir(desk.store()).unwrap().map(|entry| entry.unwrap().path());
    let mut files = entries.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let file = files.find(|path| !path.ends_with("sign-ins.json")).unwrap();
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// What GitHub says to this refresh token.
async fn refresh(github: &Running, refresh_token: &Value) -> String {
    let secret = fujie_simulator::github::DEFAULT_SECRET;
    let form = json!({"grant_type": "refresh_token", "refresh_token": refresh_token,
        "client_id": DEFAULT_GITHUB_APP_CLIENT_ID, "client_secret": secret});
    let request = http().post(format!("{}{TOKEN}", github.base_url())).header("content-type", "application/json");
    request.header("accept", "application/json").body(form.to_string()).send().await.unwrap().text().await.unwrap()
}

async fn order(github: &Running, fault: Value) {
    let faults = format!("{}/_simulate/faults", github.base_url());
    let done = http().post(faults).body(fault.to_string()).send().await.unwrap();
    assert!(done.status().is_success(), "{}", done.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_the_refresh_token_too_even_when_the_access_token_is_over() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    for is_over in [false, true] {
        signed_in(&desk, &APP).await;
        let refresh_token = kept(&desk)["refresh_token"].clone();
        assert!(refresh_token.as_str().unwrap().starts_with("ghr_"));
        if is_over {
            desk.let_tokens_end();
        }
        let told = desk.run(&["logout"]);
        assert!(told.code == Some(0) && told.err.contains("The tokens are revoked."), "{}", told.err);
        assert!(refresh(&github, &refresh_token).await.contains("bad_refresh_token"), "over: {is_over}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_of_all_goes_on_after_a_failure() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    for account in ["one", "two", "three"] {
        signed_in(&desk, &["--account", account]).await;
    }
    order(&github, json!({"at": "/applications/*", "kind": "status", "status": 500})).await;
    let told = desk.run(&["logout", "--all"]);
    assert_eq!(told.code, Some(1), "{}", told.err);
    assert_eq!(told.err.matches("The tokens are revoked.").count(), 2, "{}", told.err);
    assert!(told.err.lines().any(|line| line.starts_with("fujie: Signed out here, but github was not told")));
    assert_eq!(desk.run(&["status"]).code, Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_without_the_secret_says_that_it_cannot_revoke() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    let told = without(&desk, "GITHUB_CLIENT_SECRET", &["login", "github", "--device"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    let told = desk.run(&["logout"]);
    assert!(told.code == Some(0) && told.err.contains("fujie cannot revoke at github"), "{}", told.err);
}

/// Without one variable.
fn without(desk: &Desk, variable: &str, words: &[&str]) -> Told {
    let mut command = desk.command(words);
    command.env_remove(variable);
    Run::of(command).end()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_gone_is_named() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &APP).await;
    desk.let_tokens_end();
    for words in [["token"].as_slice(), &["call", "user"]] {
        let told = without(&desk, "GITHUB_CLIENT_SECRET", words);
        let said = "fujie: The variable GITHUB_CLIENT_SECRET is not set; it holds the client secret.\n";
        assert_eq!((told.code, told.err.as_str()), (Some(1), said), "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_waits_for_a_refresh_under_way_and_its_tokens_are_kept() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &APP).await;
    let old = kept(&desk)["refresh_token"].clone();
    desk.let_tokens_end();
    order(&github, json!({"at": TOKEN, "kind": "slow", "seconds": 3})).await;
    let mut run = desk.start(&["token"]);
    wait_for_lock(&desk);
    run.interrupt();
    run.line_with("Saving the refreshed tokens first");
    let told = run.end();
    assert_eq!((told.code, told.out.as_str()), (Some(2), ""), "{}", told.err);
    assert_ne!(kept(&desk)["refresh_token"], old);
    let before = calls(&github, TOKEN).await;
    assert_eq!(desk.run(&["token"]).code, Some(0));
    assert_eq!(calls(&github, TOKEN).await, before);

    desk.let_tokens_end();
    order(&github, json!({"at": TOKEN, "kind": "slow", "seconds": 600})).await;
    let mut run = desk.start(&["token"]);
    wait_for_lock(&desk);
    run.interrupt();
    run.line_with("Saving the refreshed tokens first");
    run.interrupt();
    assert_eq!(run.end().code, Some(2));
}

/// Waits until a process holds the lock of the only sign-in's tokens.
fn wait_for_lock(desk: &Desk) {
    loop {
        let entries = std::fs::read_dir(desk.store()).unwrap().map(|entry| entry.unwrap().path());
        let mut locks = entries.filter(|path| path.extension().is_some_and(|ending| ending == "lock"));
        let is_held = |lock: std::path::PathBuf| std::fs::File::open(lock).unwrap().try_lock().is_err();
        if locks.any(is_held) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_command_that_reads() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &[]).await;
    let pipe = desk.store().join("../pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let data = format!("@{}", pipe.display());
    let secret = pipe.to_str().unwrap();
    for words in [["call", "user", "-d", data.as_str()], ["login", "github", "--client-secret-file", secret]] {
        let run = desk.start(&words);
        // Opens when the command reads at the other end, and says nothing.
        let silent = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        run.interrupt();
        let told = run.end();
        assert_eq!((told.code, told.err.as_str()), (Some(2), "fujie: Cancelled.\n"), "{words:?}");
        drop(silent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_waits_for_a_refresh_under_way() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &APP).await;
    desk.let_tokens_end();
    order(&github, json!({"at": TOKEN, "kind": "slow", "seconds": 3})).await;
    let token = desk.start(&["token"]);
    wait_for_lock(&desk);
    let logout = desk.run(&["logout"]);
    let token = token.end();
    assert_eq!((token.code, logout.code), (Some(0), Some(0)), "{}{}", token.err, logout.err);
    let user = http().get(format!("{}/user", github.base_url())).bearer_auth(token.out.trim());
    assert_eq!(user.header("user-agent", "test").send().await.unwrap().status().as_u16(), 401);
    assert_eq!(desk.run(&["token"]).code, Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variables_of_the_sign_in_count_afterwards() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    let (origin, heard) = listener();
    let mut command = desk.command(&["login", "github"]);
    command.env("GITHUB__BASE_URL", &origin);
    let run = Run::of(command);
    visit(&desk.address()).await;
    assert_eq!(run.end().code, Some(0));
    let mut command = desk.command(&["call", "x", "--json", "{\"c\":1}"]);
    command.env("GITHUB__BASE_URL", "http://127.0.0.1:9");
    let told = Run::of(command).end();
    assert_eq!((told.code, told.out.as_str()), (Some(0), "heard"), "{}", told.err);
    assert!(heard.recv().unwrap().starts_with("POST /x "));
}

#[test]
fn who_only_looks_makes_no_folder() {
    let desk = Desk::new();
    for words in [["status"].as_slice(), &["whoami"], &["token"], &["call", "user"], &["logout"]] {
        assert_eq!(desk.run(words).code, Some(4), "{words:?}");
    }
    assert_eq!(desk.run(&["status", "--output", "json"]).out, "[]\n");
    assert!(!desk.store().parent().unwrap().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_cannot_be_meant_end_with_64() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &[]).await;
    for words in [
        ["login", "https://id.example", "--client-id", "x", "--at", "https://other.example"].as_slice(),
        &["login", "github", "--account", "a\u{1b}[2J"],
        &["call", "user", "-X", "NO METHOD"],
        &["call", "user", "-H", "a b: c"],
    ] {
        let told = desk.run(words);
        assert_eq!((told.code, told.out.as_str()), (Some(64), ""), "{words:?} {}", told.err);
    }
    let told = desk.run(&["call", "user", "-o", "/nowhere/answer"]);
    assert!(told.code == Some(1) && told.err.starts_with("fujie: /nowhere/answer: "), "{}", told.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_out_of_order_ends_with_1() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let run = desk.start(&["login", "github"]);
    visit(&super::callback(&desk.address(), None, "error=server_error")).await;
    assert_eq!(run.end().code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_that_cannot_be_read_is_told_before_anybody_signs_in() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &[]).await;
    std::fs::write(desk.store().join("sign-ins.json"), "not a book").unwrap();
    let told = desk.run(&["login", "github"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("was not written by this version of fujie"), "{}", told.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_cannot_be_read_hide_no_other_sign_in() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &["--account", "damaged"]).await;
    for entry in std::fs::read_dir(desk.store()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "json") && !path.ends_with("sign-ins.json") {
            std::fs::write(path, "{").unwrap();
        }
    }
    signed_in(&desk, &["--account", "whole"]).await;
    let told = desk.run(&["status"]);
    let lines: Vec<_> = told.out.lines().collect();
    assert_eq!((told.code, lines.len()), (Some(1), 2), "{told:?}");
    assert!(lines[0].ends_with("[damaged]  tokens are missing; sign in again"), "{told:?}");
    assert!(lines[1].ends_with("[whole]  no expiry known") && told.err.contains("not tokens"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_a_call_has_read_enough() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &[]).await;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let told = desk.command(&["call", "user"]).stdout(writer).output().unwrap();
    assert_eq!((told.status.code(), String::from_utf8_lossy(&told.stderr).as_ref()), (Some(0), ""));
}
