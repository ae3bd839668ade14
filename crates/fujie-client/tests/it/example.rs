//! The examples, run as a newcomer runs them, against simulators. `wechat_embedded` needs a real browser: it is tested
//! where one is driven.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use fujie_simulator::{Github, GithubConfig, Running, Wechat, WechatConfig, Weibo, WeiboConfig};
use fujie_simulator::{github, wechat, weibo};

/// A running example, ended with the value.
struct Example {
    child: Child,
    address: String,
}

impl Example {
    fn start(name: &str, simulator: &Running, id: &str, secret: &str, arguments: &[&str]) -> Self {
        let preset = name.split('_').next().unwrap().to_uppercase();
        let mut child = Command::new(binary(name))
            .args(arguments)
            .env(format!("{preset}_AT"), simulator.base_url())
            .env(format!("{preset}_CLIENT_ID"), id)
            .env(format!("{preset}_CLIENT_SECRET"), secret)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("open ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, address }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Beside this test's own program.
fn binary(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    deps.parent().unwrap().parent().unwrap().join("examples").join(name)
}

/// A browser that follows redirects and keeps cookies; what it sees last.
async fn browse(http: &reqwest::Client, address: &str) -> String {
    let mut address = address.to_owned();
    let mut cookies: Vec<String> = Vec::new();
    for _ in 0..10 {
        let answer = http.get(&address).header("cookie", cookies.join("; ")).send().await.unwrap();
        let set = answer.headers().get_all("set-cookie").iter();
        cookies.extend(set.map(|value| value.to_str().unwrap().split(';').next().unwrap().to_owned()));
        let Some(location) = answer.headers().get("location") else {
            return answer.text().await.unwrap();
        };
        address = url::Url::parse(&address).unwrap().join(location.to_str().unwrap()).unwrap().into();
    }
    panic!("redirects without end");
}

fn browser() -> reqwest::Client {
    drop(fujie_client::ReqwestTransport::new().unwrap());
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn xiaoming() -> Option<String> {
    Some("xiaoming".to_owned())
}

#[tokio::test]
async fn github_login_signs_in() {
    let config = GithubConfig { auto_confirm: xiaoming(), ..GithubConfig::default() };
    let simulator = Github::start("127.0.0.1:0", config).await.unwrap();
    let example = Example::start("github_login", &simulator, github::DEFAULT_CLIENT_ID, github::DEFAULT_SECRET, &[]);
    let seen = browse(&browser(), &example.address).await;
    assert!(seen.contains("小明") && seen.contains("GitHub's number"), "{seen}");
}

#[tokio::test]
async fn wechat_qr_signs_in() {
    let config = WechatConfig { auto_confirm: xiaoming(), ..WechatConfig::default() };
    let simulator = Wechat::start("127.0.0.1:0", config).await.unwrap();
    let example = Example::start("wechat_qr", &simulator, wechat::DEFAULT_APPID, wechat::DEFAULT_SECRET, &[]);
    let seen = browse(&browser(), &example.address).await;
    assert!(seen.contains("小明🌟"), "{seen}");
}

#[tokio::test]
async fn weibo_split_frontend_signs_in() {
    let config = WeiboConfig { auto_confirm: xiaoming(), ..WeiboConfig::default() };
    let simulator = Weibo::start("127.0.0.1:0", config).await.unwrap();
    let example =
        Example::start("weibo_split_frontend", &simulator, weibo::DEFAULT_CLIENT_ID, weibo::DEFAULT_SECRET, &[]);
    let http = browser();
    // What the front end's script does.
    let begun = http.post(format!("{}api/address", example.address)).send().await.unwrap();
    let cookie = begun.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let begun: serde_json::Value = serde_json::from_slice(&begun.bytes().await.unwrap()).unwrap();
    let confirmed = http.get(begun["url"].as_str().unwrap()).send().await.unwrap();
    let back = url::Url::parse(confirmed.headers()["location"].to_str().unwrap()).unwrap();
    let bring = |cookie: &str| {
        let request = http.post(format!("{}api/sign-in", example.address)).header("cookie", cookie);
        request.body(back.query().unwrap().to_owned()).send()
    };
    // Another browser's page cannot use what this one came back with.
    let stranger = bring("").await.unwrap().text().await.unwrap();
    assert!(stranger.contains("cookie of the attempt"), "{stranger}");
    let person = bring(&cookie).await.unwrap().text().await.unwrap();
    assert!(person.contains("小明"), "{person}");
}

#[tokio::test]
async fn github_webhook_creates_the_hook() {
    let config = GithubConfig { auto_confirm: xiaoming(), ..GithubConfig::default() };
    let simulator = Github::start("127.0.0.1:0", config).await.unwrap();
    let (id, secret) = (github::DEFAULT_CLIENT_ID, github::DEFAULT_SECRET);
    let arguments = ["xiaoming/demo", "http://127.0.0.1:9/hook"];
    let example = Example::start("github_webhook", &simulator, id, secret, &arguments);
    let seen = browse(&browser(), &example.address).await;
    assert!(seen.starts_with("hook ") && seen.contains("xiaoming/demo"), "{seen}");
    // A second one like it is refused, and the reason is told.
    let again = browse(&browser(), &example.address).await;
    assert!(again.contains("Hook already exists on this repository") && !again.contains(secret), "{again}");
}

#[test]
fn a_sign_in_takes_at_most_fifteen_lines_of_ones_own() {
    for name in ["github_login", "wechat_qr", "wechat_embedded", "weibo_split_frontend", "github_webhook"] {
        let path = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let (_, sign_in) = text.split_once("\n// The sign-in").unwrap();
        // Up to the next part: a comment at the margin, or the program around it.
        let lines = sign_in.lines().skip(1).take_while(|line| !line.starts_with("//") && !line.starts_with("#["));
        let count = lines.filter(|line| !line.trim().is_empty()).count();
        assert!((5..=15).contains(&count), "{name}: {count} lines");
    }
}
