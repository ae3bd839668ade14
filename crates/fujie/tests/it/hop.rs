//! An application whose callback sends the browser on to another origin, as proxies and many frameworks do: the person
//! must arrive there, whatever our pages' Content Security Policy says of forms.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use crate::webdriver::Driver;

const PASSWORD: &str = "correct horse battery staple";

/// A server that ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status());
        drop(self.0.wait());
    }
}

fn fujie(data: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fujie"));
    command.arg("--data-dir").arg(data).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Answers every request on a free port of `host` with what `answer` makes of its target; gives the port.
fn site(host: &str, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> u16 {
    let answer = Arc::new(answer);
    let listener = TcpListener::bind((host, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (BufReader::new(stream.unwrap()), Arc::clone(&answer));
            // A browser also opens connections that it says nothing on, and nobody is to wait for those.
            std::thread::spawn(move || {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap_or_default();
                let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
                // What is not read when a connection is closed may cost the answer.
                while !["\r\n", ""].contains(&line.as_str()) {
                    line.clear();
                    stream.read_line(&mut line).unwrap_or_default();
                }
                drop(stream.get_mut().write_all(answer(&target).as_bytes()));
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_redirects_on_from_its_callback_is_arrived_at() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut add = fujie(&data, &["user", "add", "alice", "--password-stdin"]).stdin(Stdio::piped()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(add.wait().unwrap().success());

    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>arrived</h1>";
    let there = site("localhost", move |_| page.to_owned());
    let here = site("127.0.0.1", move |_| {
        format!("HTTP/1.1 302 Found\r\nLocation: http://localhost:{there}/home\r\nConnection: close\r\n\r\n")
    });
    let callback = format!("http://127.0.0.1:{here}/callback");
    let add = ["client", "add", "Hopping", "--pkce", "optional", "--output", "json", "--redirect-uri", &callback];
    let client: serde_json::Value = serde_json::from_slice(&fujie(&data, &add).output().unwrap().stdout).unwrap();
    let mut serving = Serving(fujie(&data, &["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap());
    let mut issuer = String::new();
    let mut stdout = BufReader::new(serving.0.stdout.take().unwrap());
    stdout.read_line(&mut issuer).unwrap();
    std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));

    let driver = Driver::start();
    let window = driver.window((1280, 900), "en", false).await;
    let (issuer, id) = (issuer.trim(), client["client_id"].as_str().unwrap());
    window.open(&format!("{issuer}/authorize?response_type=code&client_id={id}&scope=openid&state=s")).await;
    window.write("#username", "alice").await;
    window.write("#password", PASSWORD).await;
    window.click("form[action='/sign-in'] button[type=submit]").await;
    window.click("button[name=decision][value=allow]").await;
    window.wait_text("arrived").await;
    assert!(window.url().await.starts_with(&format!("http://localhost:{there}/home")));

    // Consent is remembered now: signing in leads straight on, through the same two origins.
    window.open(&format!("{issuer}/authorize?response_type=code&client_id={id}&scope=openid&prompt=login")).await;
    window.write("#username", "alice").await;
    window.write("#password", PASSWORD).await;
    window.click("form[action='/sign-in'] button[type=submit]").await;
    window.wait_text("arrived").await;
    window.close().await;
}
