//! The browser is on another computer: the program says what to do, and takes the address that the person pastes.

use std::process::Stdio;

use fujie_simulator::{Github, GithubConfig, github::App};

use super::desk::{Desk, Run, act, github, visit};

/// What a browser that cannot reach us shows in its address bar.
async fn last_address(address: &str) -> String {
    let answer = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = answer.get(address).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_ssh_the_last_address_may_be_pasted_while_the_port_waits_too() {
    let github = github(Some("zoe")).await;
    let desk = Desk::with_github(&github).over_ssh();
    let mut command = desk.command(&["login", "github", "--paste"]);
    command.stdin(Stdio::piped());
    let mut run = Run::of(command);
    let line = run.line_with("ssh ");
    let port = line.strip_prefix("ssh -p 2222 -L ").unwrap().split(':').next().unwrap().to_owned();
    assert_eq!(line, format!("ssh -p 2222 -L {port}:127.0.0.1:{port} ann@192.0.2.1"));
    let address = run.line_with("/login/oauth/authorize?");
    run.line_with("Waiting");
    run.write(&format!("http://127.0.0.1:{port}/callback?code=planted&state=of-somebody-else"));
    run.line_with("not the address of this sign-in: its state is missing");
    run.write_bytes(b"\xb5\xc7\xc2\xbc\n");
    run.line_with(&format!("it must begin with http://127.0.0.1:{port}/callback"));
    run.write(&format!("\x1b[200~\"{}\"\x1b[201~", last_address(&address).await));
    let told = run.end();
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert_eq!(desk.run(&["whoami"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_ssh_a_provider_with_device_codes_gives_one_unasked() {
    let github = github(None).await;
    let desk = Desk::with_github(&github).over_ssh();
    let mut run = desk.start(&["login", "github", "--lang", "zh"]);
    run.line_with("并输入验证码");
    run.line_with("-");
    act(&github, "confirm").await;
    let told = run.end();
    assert!(told.code == Some(0) && told.out.starts_with("已登录 github："), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_device_codes_the_forwarded_port_is_the_way() {
    let app = App { device_flow: false, ..App::demo() };
    let config = GithubConfig { apps: vec![app], auto_confirm: Some("zoe".into()), ..GithubConfig::default() };
    let github = Github::start(("127.0.0.1", 0), config).await.unwrap();
    let desk = Desk::with_github(&github).over_ssh();
    let mut run = desk.start(&["login", "github"]);
    run.line_with("ssh -p 2222 -L ");
    let (status, page) = visit(&run.line_with("/login/oauth/authorize?")).await;
    assert!(status == 200 && page.contains("You can close this window"), "{page}");
    assert_eq!(run.end().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_display_nothing_hangs() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let mut command = desk.command(&["login", "github", "--no-browser", "--timeout", "1"]);
    command.env_remove("BROWSER");
    let told = Run::of(command).end();
    assert_eq!(told.code, Some(3), "{}", told.err);
    for part in ["There is no browser here", "ssh -L ", "--paste", "/login/oauth/authorize?"] {
        assert!(told.err.contains(part), "{part} in {}", told.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manual_shows_over_ssh_what_the_program_says() {
    let app = App { device_flow: false, ..App::demo() };
    let github =
        Github::start(("127.0.0.1", 0), GithubConfig { apps: vec![app], ..GithubConfig::default() }).await.unwrap();
    let desk = Desk::with_github(&github).over_ssh();
    for (lang, manual) in [
        ("en", include_str!("../../../../../docs/en/desktop.md")),
        ("zh", include_str!("../../../../../docs/zh/desktop.md")),
    ] {
        let mut command = desk.command(&["login", "github", "--paste", "--timeout", "1", "--lang", lang]);
        command.env("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.2 22").env("USER", "wang");
        let told = Run::of(command).end().err;
        let port = told.split_once("-L ").unwrap().1.split_once(':').unwrap().0.to_owned();
        let authority = github.base_url().strip_prefix("http://").unwrap().to_owned();
        let mut said = String::new();
        for line in told.lines().take_while(|line| !line.contains("Ctrl-C")) {
            let line = line.replace(github.base_url(), "https://github.com").replace(&authority, "github.com");
            let line = line.replace(&format!(":{port}"), ":8000").replace(&format!("-L {port}"), "-L 8000");
            said += &format!("{}\n", line.split_inclusive('?').next().unwrap().replace('?', "?…"));
        }
        assert!(manual.contains(&format!("```text\n{said}```\n")), "{said}");
    }
}
