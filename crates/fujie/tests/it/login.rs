//! `fujie login` and its family as processes: against the simulated GitHub, and against Fujie's own server, both also
//! in a real browser.

mod browser;
pub mod desk;
mod elsewhere;
mod ending;
mod perplexed;
mod scheme;

use std::{collections::BTreeSet, net::TcpListener};

use fujie_simulator::github::DEFAULT_GITHUB_APP_CLIENT_ID;
use serde_json::Value;
use url::Url;

use desk::{Desk, act, calls, github, visit};

/// Signs in as whoever agrees at once.
async fn signed_in(desk: &Desk, more: &[&str]) -> desk::Told {
    let run = desk.start(&[&["login", "github"], more].concat());
    let (status, page) = visit(&desk.address()).await;
    let told = run.end();
    assert_eq!((status, told.code), (200, Some(0)), "{}{page}", told.err);
    told
}

/// The address that the browser would be sent back to, with the request's own state.
fn callback(address: &str, state: Option<&str>, more: &str) -> String {
    let url = Url::parse(address).unwrap();
    let value = |name: &str| url.query_pairs().find(|(own, _)| own == name).unwrap().1.into_owned();
    let state = state.map_or_else(|| value("state"), str::to_owned);
    format!("{}?state={state}&{more}", value("redirect_uri"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sign_in_serves_all_other_commands() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    let told = signed_in(&desk, &[]).await;
    assert!(told.out.starts_with("Signed in to github as Zoë"), "{}", told.out);
    assert!(told.err.contains(&format!("The tokens are kept in {}\n", desk.store().display())), "{}", told.err);
    let token = desk.run(&["token"]);
    assert!(token.out.starts_with("gho_") && token.out.trim().len() == 40 && token.err.is_empty(), "{token:?}");
    assert_eq!(desk.run(&["token", "github", "--output", "text"]).out, token.out);
    let json: Value = serde_json::from_str(&desk.run(&["token", "--output", "json"]).out).unwrap();
    assert_eq!(json["access_token"].as_str(), Some(token.out.trim()));
    let env = desk.run(&["token", "--output", "env"]).out;
    assert!(env.starts_with(&format!("OAUTH_ACCESS_TOKEN='{}'\n", token.out.trim())), "{env}");

    let whoami: Value = serde_json::from_str(&desk.run(&["whoami", "--output", "json"]).out).unwrap();
    assert_eq!((whoami["provider"].as_str(), whoami["subject"].as_str()), (Some("github"), Some("30436049")));
    assert!(desk.run(&["whoami", "--lang", "zh"]).out.ends_with("(30436049)，登录于 github\n"));
    let status = desk.run(&["status"]);
    assert!(status.out.starts_with("* github @ http://127.0.0.1:") && !status.out.contains("gho_"), "{}", status.out);

    let logout = desk.run(&["logout"]);
    assert!(logout.code == Some(0) && logout.err.contains("Signed out of github"), "{}", logout.err);
    for words in [["token"].as_slice(), &["whoami"], &["call", "user"], &["status"], &["logout"]] {
        let told = desk.run(words);
        assert_eq!((told.code, told.err.contains("fujie login")), (Some(4), true), "{words:?} {}", told.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_like_curl_and_the_token_stays_with_its_provider() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &["--scope", "repo,read:user"]).await;
    let base = github.base_url();
    for target in ["user", "/user", &format!("{base}/user")] {
        let user: Value = serde_json::from_str(&desk.run(&["call", target]).out).unwrap();
        assert_eq!(user["login"], "zoe", "{target}");
    }
    let file = desk.store().join("../answer.json");
    let told = desk.run(&["call", "user", "-o", file.to_str().unwrap()]);
    assert!(told.out.is_empty() && std::fs::read_to_string(&file).unwrap().contains("\"zoe\""));
    let absent = desk.run(&["call", "nowhere"]);
    assert_eq!((absent.code, absent.err.as_str()), (Some(1), "fujie: github answered 404.\n"));
    assert!(absent.out.contains("Not Found"));

    let (origin, heard) = listener();
    let refused = desk.run(&["call", &format!("{origin}/x")]);
    assert_eq!(refused.code, Some(64));
    assert!(refused.err.contains("--any-origin") && heard.try_recv().is_err(), "{}", refused.err);
    let words = ["call", &format!("{origin}/x"), "--any-origin", "-X", "PUT", "-H", "X-A: b", "--json", "{\"c\":1}"];
    assert_eq!(desk.run(&words).out, "heard");
    let request = heard.recv().unwrap();
    for part in
        ["PUT /x HTTP/1.1\r\n", "authorization: Bearer gho_", "x-a: b\r\n", "content-type: application/json\r\n"]
    {
        assert!(request.contains(part), "{part} in {request}");
    }
    assert!(request.ends_with("{\"c\":1}"), "{request}");
}

/// An origin of nobody we know, which tells what it heard.
fn listener() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = String::new();
        while !heard.ends_with('}') {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).unwrap();
            heard.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nheard").unwrap();
        sender.send(heard).unwrap();
    });
    (origin, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_live_side_by_side_and_the_last_is_the_default() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &["--account", "work"]).await;
    let first = desk.run(&["token"]).out;
    signed_in(&desk, &["--account", "home"]).await;
    let second = desk.run(&["token"]).out;
    assert_ne!(first, second);
    assert_eq!(desk.run(&["token", "github", "--account", "work"]).out, first);
    assert_eq!(desk.run(&["token", "--account", "nobody"]).code, Some(4));
    assert_eq!(desk.run(&["status"]).out.lines().count(), 2);
    assert_eq!(desk.run(&["logout", "--all", "--quiet"]).err, "");
    assert_eq!(desk.run(&["status"]).code, Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_ends_the_sign_in_with_5() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let run = desk.start(&["login", "github"]);
    let (status, page) = visit(&callback(&desk.address(), None, "error=access_denied")).await;
    assert!(status == 200 && page.contains("Access was not granted") && page.contains("未获得授权"), "{page}");
    let told = run.end();
    assert_eq!((told.code, told.out.as_str()), (Some(5), ""), "{}", told.err);
    assert!(told.err.ends_with("fujie: The sign-in was refused.\n"), "{}", told.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_another_state_ends_nothing() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    // Time enough for the answer to come first.
    let run = desk.start(&["login", "github", "--timeout", "10", "--lang", "zh"]);
    let (status, _) = visit(&callback(&desk.address(), Some("planted"), "code=stolen")).await;
    let told = run.end();
    assert_eq!((status, told.code), (400, Some(3)), "{}", told.err);
    assert!(told.err.contains("收到过请求，但其中的 state 缺失或与本次登录不符"), "{}", told.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_issuer_ends_with_6() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let run = desk.start(&["login", "github"]);
    visit(&callback(&desk.address(), None, "code=c&iss=https%3A%2F%2Fevil.example")).await;
    assert_eq!(run.end().code, Some(6));
}

/// A free port outside the range from which systems give ports away, so that no other test gets it by chance.
fn quiet_port() -> u16 {
    let first = u16::try_from(std::process::id() % 10_000).unwrap() + 22_000;
    (first..first + 100).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_with_2_and_the_port_is_free() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let port = quiet_port();
    let run = desk.start(&["login", "github", "--port", &port.to_string()]);
    assert!(desk.address().contains(&format!("redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback")));
    assert!(TcpListener::bind(("127.0.0.1", port)).is_err());
    run.interrupt();
    let told = run.end();
    assert_eq!((told.code, told.err.lines().last()), (Some(2), Some("fujie: Cancelled.")), "{}", told.err);
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named() {
    let github = github(None).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let told = Desk::with_github(&github).run(&["login", "github", "--port", &port]);
    assert_eq!((told.code, told.err), (Some(1), format!("fujie: Another program is using port {port}.\n")));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_with_one_expired_token_refresh_it_once() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github);
    signed_in(&desk, &["--client-id", DEFAULT_GITHUB_APP_CLIENT_ID]).await;
    let old = desk.run(&["token"]).out;
    assert!(old.starts_with("ghu_"));
    let before = calls(&github, "/login/oauth/access_token").await;
    desk.let_tokens_end();
    assert!(desk.run(&["status"]).out.contains("renewed at the next use"));
    let (one, two) = (desk.start(&["token"]), desk.start(&["token"]));
    let (one, two) = (one.end(), two.end());
    assert_eq!((one.code, &one.out), (Some(0), &two.out), "{} {}", one.err, two.err);
    assert!(one.out.starts_with("ghu_") && one.out != old);
    assert_eq!(calls(&github, "/login/oauth/access_token").await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_refused_asks_for_a_sign_in() {
    let first = github(Some("zoe")).await;
    let desk = Desk::with_github(&first);
    signed_in(&desk, &["--client-id", DEFAULT_GITHUB_APP_CLIENT_ID]).await;
    let person = format!("{}/_simulate/grants/{DEFAULT_GITHUB_APP_CLIENT_ID}/zoe", first.base_url());
    assert!(desk::http().delete(person).send().await.unwrap().status().is_success());
    let called = desk.run(&["call", "user"]);
    assert_eq!(called.code, Some(4), "{called:?}");
    desk.let_tokens_end();
    let told = desk.run(&["token", "--lang", "zh"]);
    assert_eq!((told.code, told.err.as_str()), (Some(4), "fujie: 登录已失效，请重新登录：fujie login github\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_code_is_typed_elsewhere() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let mut run = desk.start(&["login", "github", "--device", "--quiet"]);
    run.line_with("enter the code");
    let code = run.line_with("-");
    assert_eq!(code.len(), 9, "{code}");
    act(&github, "confirm").await;
    let told = run.end();
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert_eq!(desk.run(&["call", "user"]).code, Some(0));
    let mut run = desk.start(&["login", "github", "--device"]);
    run.line_with("enter the code");
    run.line_with("-");
    act(&github, "refuse").await;
    assert_eq!(run.end().code, Some(5));
}

#[test]
fn wrong_arguments_end_with_64() {
    let desk = Desk::new();
    for words in [
        ["login"].as_slice(),
        &["login", "nowhere"],
        &["login", "github"],
        &["login", "github", "--client-id", "x", "--path", "no-slash"],
        &["login", "github", "--client-id", "x", "--timeout", "0"],
        &["login", "github", "--client-id", "x", "--scheme", "mayx"],
        &["login", "github", "--client-id", "x", "--scheme", "a.b", "--device"],
        &["call"],
        &["receive"],
        &["scheme"],
        &["nonsense"],
    ] {
        let told = desk.run(words);
        assert_eq!((told.code, told.out.as_str()), (Some(64), ""), "{words:?} {}", told.err);
    }
}

#[test]
fn help_fits_a_screen_in_both_languages_and_leaves_no_flag_out() {
    let desk = Desk::new();
    let flags = |help: &str| -> BTreeSet<String> {
        let words = help.split([' ', '\n', '=', ']', '`', ',']).filter(|word| word.starts_with("--"));
        words.map(str::to_owned).filter(|flag| !["--config", "--data-dir"].contains(&flag.as_str())).collect()
    };
    for command in ["login", "token", "call", "whoami", "status", "logout"] {
        let english = desk.run(&[command, "--help", "--lang", "en"]);
        let chinese = desk.run(&[command, "--lang=zh", "--help"]);
        assert_eq!((english.code, chinese.code), (Some(0), Some(0)));
        assert_eq!(flags(&english.out), flags(&chinese.out), "{command}");
        assert!(
            chinese.out.contains("显示本说明") && chinese.out.lines().all(|line| columns(line) <= 80),
            "{}",
            chinese.out
        );
    }
    let login = desk.run(&["login", "--help"]).out;
    assert!(login.lines().count() < 24 && login.lines().all(|line| columns(line) <= 80), "{login}");
}

/// How wide a terminal shows it: Chinese characters take two columns.
fn columns(line: &str) -> usize {
    line.chars().map(|character| if character > '\u{2e80}' { 2 } else { 1 }).sum()
}

#[test]
fn the_receiver_is_there_under_our_name() {
    let desk = Desk::new();
    assert!(desk.run(&["receive", "--help"]).out.contains("--no-state"));
    let told = desk.run(&["scheme", "status", "com.example.fujie-test"]);
    assert_eq!((told.code, told.out.as_str()), (Some(1), "not registered\n"));
    assert!(desk.run(&["scheme", "register", "https"]).err.starts_with("fujie scheme: this name belongs"));
}
