//! A browser that fails, a terminal that is another job's, a wish that is misspelt: what the person is told.

use std::{
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use super::desk::{Desk, PATIENCE, Run, github};

/// A program that stands in for a browser.
fn program(desk: &Desk, name: &str, script: &str) -> PathBuf {
    let path = desk.store().with_file_name(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_fails_is_followed_by_the_next_and_at_last_by_the_address() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let failing = program(&desk, "failing", "exit 3");
    let noted = desk.store().with_file_name("noted");
    let noting =
        program(&desk, "noting", &format!("echo \"$*\" > {0}.half; env >> {0}.half; mv {0}.half {0}", noted.display()));
    let words = ["login", "github", "--quiet"];
    let mut command = desk.command(&words);
    command.env("BROWSER", format!("/nowhere:{}:{} --url=%s x", failing.display(), noting.display()));
    let run = Run::of(command);
    let begun = Instant::now();
    while !noted.exists() {
        assert!(begun.elapsed() < PATIENCE, "no browser was started");
        std::thread::sleep(Duration::from_millis(10));
    }
    run.interrupt();
    let told = run.end();
    assert_eq!((told.code, told.err.as_str()), (Some(2), "fujie: Cancelled.\n"));
    let noted = std::fs::read_to_string(noted).unwrap();
    assert!(noted.starts_with(&format!("--url={}/login/oauth/authorize?", github.base_url())), "{noted}");
    assert!(noted.lines().next().unwrap().ends_with(" x"), "{noted}");
    assert!(noted.contains("GITHUB_CLIENT_ID=") && !noted.contains("GITHUB_CLIENT_SECRET"), "{noted}");

    let mut command = desk.command(&words);
    command.env("BROWSER", format!("/nowhere:{}", failing.display()));
    let mut run = Run::of(command);
    run.line_with("The browser did not open. Open this address yourself:");
    run.line_with("/login/oauth/authorize?");
    run.interrupt();
    assert_eq!(run.end().code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn off_a_terminal_the_wait_is_told_once_and_to_the_second() {
    let github = github(None).await;
    let desk = Desk::with_github(&github);
    let told = desk.run(&["login", "github", "--timeout", "2"]);
    let waiting: Vec<_> = told.err.lines().filter(|line| line.contains("Ctrl-C")).collect();
    assert_eq!(waiting, ["Waiting for at most 2 s. Ctrl-C cancels."], "{}", told.err);
    let told = desk.run(&["login", "github", "--timeout", "1", "--paste", "--lang", "zh"]);
    assert!(told.err.contains("\n最多等待 1 秒，按 Ctrl-C 取消。\n"), "{}", told.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forwarding_line_is_for_the_host_that_is_listened_at() {
    let github = github(None).await;
    let desk = Desk::with_github(&github).over_ssh();
    let told = desk.run(&["login", "github", "--no-browser", "--host", "::1", "--timeout", "1"]);
    if let Err(missing) = TcpListener::bind("[::1]:0") {
        // As in many a container. Then that is said, and nothing else is listened at.
        let said = format!("fujie: Cannot listen on port 0 of [::1]: {missing}\n");
        assert_eq!((told.code, told.err), (Some(1), said));
        return;
    }
    let line =
        told.err.lines().find(|line| line.contains("ssh -p 2222 -L [::1]:")).unwrap_or_else(|| panic!("{}", told.err));
    let port = line.split(':').nth(3).unwrap();
    assert_eq!(line.trim(), format!("ssh -p 2222 -L [::1]:{port}:[::1]:{port} ann@192.0.2.1"));
}

/// `script` gives the program a terminal, the shell puts it behind, and `SIGTTIN` would stop it there.
#[tokio::test(flavor = "multi_thread")]
async fn a_background_job_is_not_stopped_by_its_terminal() {
    let github = github(None).await;
    let desk = Desk::with_github(&github).over_ssh();
    let fujie = env!("CARGO_BIN_EXE_fujie");
    let job = format!("set -m; {fujie} login github --paste --timeout 2 & wait $!; echo ended with $?");
    let like = desk.command(&[]);
    let mut script = Command::new("script");
    script.args(["-qec", &format!("sh -c '{job}'"), "/dev/null"]).env_clear();
    script.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.current_dir(like.get_current_dir().unwrap()).stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || Command::output(&mut script).unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("paste that whole address here") && said.contains("ended with 3"), "{said}");
}

#[test]
fn who_reads_chinese_is_told_in_chinese_what_is_wrong() {
    let desk = Desk::new();
    for (words, part) in [
        (["--lang", "zh", "nonsense"].as_slice(), "没有这个命令：nonsense。"),
        (&["--lang=zh", "login"], "缺少参数：<PROVIDER|ISSUER>。"),
        (&["login", "github", "--lang", "zh", "--nonsense"], "没有这个参数：--nonsense。"),
        (&["login", "github", "--timeout", "0", "--lang", "zh"], "--timeout <SECONDS> 的值“0”无效。"),
        (&["login", "github", "--lang=zh", "--timeout"], "--timeout <SECONDS> 后面缺少值。"),
        (
            &["login", "github", "--lang=zh", "--output", "xml"],
            "--output <OUTPUT> 的值“xml”无效，可选：text, json, env, token。",
        ),
        (&["--lang", "zh", "login", "github", "--device", "--paste"], "--device 不能与 --paste 同时使用。"),
        (&["--lang", "zh", "token", "--account", "a", "--account", "b"], "--account <NAME> 只能给出一次。"),
        (&["--lang", "zh", "receive", "--nonsense"], "fujie receive --help"),
    ] {
        let told = desk.run(words);
        assert!(told.code == Some(64) && told.err.contains(part), "{words:?} {}", told.err);
        assert!(told.err.contains("用法"), "{}", told.err);
    }
    assert_eq!(desk.run(&["--lang", "zh", "login", "nowhere", "--client-id", "x"]).code, Some(64));
    for words in [["--lang", "zh", "--help"], ["--help", "--lang", "zh"]] {
        let help = desk.run(&words);
        assert!(help.code == Some(0) && help.out.starts_with("为你的应用提供登录"), "{help:?}");
    }
    assert!(desk.run(&["--lang", "zh", "receive", "--help"]).out.contains("只在本机监听"));
    let english = desk.run(&["--help"]).out;
    assert!(english.contains("--lang <en|zh>"), "{english}");
}
