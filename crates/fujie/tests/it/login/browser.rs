//! A real Chromium signs in, at Fujie's own server and at the simulated GitHub.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::desk::{Desk, Told, github, http};
use crate::webdriver::{Driver, Window};

const PASSWORD: &str = "correct horse battery staple";

/// A server that ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status());
        drop(self.0.wait());
    }
}

fn fujie(data: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fujie"));
    command.arg("--data-dir").arg(data).args(words).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Our own server with alice and a public client; its issuer and the client's id.
fn house(data: &Path) -> (Serving, String, String) {
    let mut add = fujie(data, &["user", "add", "alice", "--password-stdin"]).stdin(Stdio::piped()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(add.wait().unwrap().success());
    let redirect_uri = "http://127.0.0.1/callback";
    let add = ["client", "add", "Desk", "--public", "--redirect-uri", redirect_uri, "--output", "json"];
    let client: Value = serde_json::from_slice(&fujie(data, &add).output().unwrap().stdout).unwrap();
    let mut serving = Serving(fujie(data, &["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap());
    let mut issuer = String::new();
    let mut stdout = BufReader::new(serving.0.stdout.take().unwrap());
    stdout.read_line(&mut issuer).unwrap();
    std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
    (serving, issuer.trim().to_owned(), client["client_id"].as_str().unwrap().to_owned())
}

/// All that can be done with a sign-in, and its end.
fn use_up(desk: &Desk, user: &str) {
    let token = desk.run(&["token"]);
    assert!(token.code == Some(0) && token.out.trim().len() > 20, "{token:?}");
    for words in [["whoami"].as_slice(), &["call", user], &["status"], &["logout"]] {
        let told: Told = desk.run(words);
        assert_eq!(told.code, Some(0), "{words:?} {}", told.err);
    }
    assert_eq!(desk.run(&["token"]).code, Some(4));
}

async fn close(window: Window, name: &str, expected: &str) {
    window.wait_text(expected).await;
    window.keep(name).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_signs_in_to_a_terminal_through_our_own_server() {
    let folder = tempfile::tempdir().unwrap();
    let (_serving, issuer, client_id) = house(&folder.path().join("data"));
    let desk = Desk::new();
    let driver = Driver::start();
    let window = driver.window((900, 700), "zh-CN", false).await;
    let run = desk.start(&["login", &issuer, "--client-id", &client_id, "--lang", "zh"]);
    window.open(&desk.address()).await;
    window.write("#username", "alice").await;
    window.write("#password", PASSWORD).await;
    window.click("form[action='/sign-in'] button[type=submit]").await;
    window.click("button[name=decision][value=allow]").await;
    close(window, "login-own", "可以关闭此窗口了").await;
    let told = run.end();
    assert_eq!((told.code, told.out), (Some(0), format!("已登录 {issuer}：{}。\n", person(&desk))), "{}", told.err);

    let token = desk.run(&["token"]).out;
    let userinfo = format!("{issuer}/userinfo");
    let before: Value = serde_json::from_str(&desk.run(&["call", &userinfo]).out).unwrap();
    assert!(before["sub"].is_string(), "{before}");
    // Kept fresh by its refresh token, which the logout ends too.
    desk.let_tokens_end();
    let fresh = desk.run(&["token"]).out;
    assert!(fresh != token && ask(&userinfo, &fresh).await == 200);
    use_up(&desk, &userinfo);
    assert_eq!(ask(&userinfo, &fresh).await, 401);
}

/// The status of an answer to this token.
async fn ask(url: &str, token: &str) -> u16 {
    http().get(url).bearer_auth(token.trim()).send().await.unwrap().status().as_u16()
}

/// The name that whoami gives.
fn person(desk: &Desk) -> String {
    let told = desk.run(&["whoami", "--lang", "en"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    told.out.split(" at ").next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn zoe_signs_in_to_a_terminal_through_the_simulated_github() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let driver = Driver::start();
    let window = driver.window((900, 700), "en", false).await;
    let run = desk.start(&["login", "github"]);
    window.open(&desk.address()).await;
    window.click("button[name=decision][value=agree]").await;
    close(window, "login-github", "You can close this window").await;
    let told = run.end();
    assert_eq!(told.code, Some(0), "{}", told.err);
    use_up(&desk, "user");

    // And says no.
    let window = driver.window((900, 700), "en", false).await;
    let run = desk.start(&["login", "github"]);
    window.open(&desk.address()).await;
    window.click("button[name=decision][value=refuse]").await;
    close(window, "login-refused", "Access was not granted").await;
    assert_eq!(run.end().code, Some(5));
}
