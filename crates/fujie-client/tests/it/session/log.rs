//! What a log at its most talkative may hold: neither token nor query nor password, from none of
//! the libraries below.

use std::io::{self, Write};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

use fujie_client::Secret;
use fujie_client::session::{Proxies, TokenPlacement};

use super::hostile::{Hostile, answer, ok, redirect};
use super::{UNKNOWN, builder, session};
use crate::ear;

/// All that is told to `tracing` in this process.
static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn logged() -> MutexGuard<'static, Vec<u8>> {
    LOGGED.lock().unwrap()
}

struct Ear;

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        logged().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What hears every thread belongs to a process, so this story needs one of its own: its neighbours have canaries too.
#[tokio::test]
async fn a_log_at_trace_level_shows_no_secret() {
    if std::env::var_os("FUJIE_STORY_LOG").is_none() {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "session::log::a_log_at_trace_level_shows_no_secret"])
            .env("FUJIE_STORY_LOG", "1")
            .output()
            .unwrap();
        return assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    }
    // The runtime of this story is this thread.
    ear::listen(log::LevelFilter::Trace);
    tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE).with_writer(|| Ear).init();

    let server = Hostile::new(|received| match received.path() {
        "/cookie" => answer("200 OK", &[("Set-Cookie", "sid=canary")], "canary"),
        "/away" => redirect("302 Found", "/end?t=canary"),
        "/digest" => answer("401 No", &[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"canary\"")], ""),
        _ => ok("canary"),
    })
    .await;
    let proxies = Proxies::all(&server.base.replace("http://", "http://u:canary@")).unwrap();
    for placement in [TokenPlacement::Bearer, TokenPlacement::Query { name: "t".into() }] {
        let session = builder(&server.base).access_token(Secret::new("canary")).placement(placement);
        let session = session.header("X-Key", "canary").build().unwrap();
        for path in ["cookie", "away", "digest"] {
            session.post(path).query("q", "canary").form(&[("f", "canary")]).send().await.unwrap();
        }
    }
    let digest = builder(&server.base).digest("u", Secret::new("canary")).build().unwrap();
    digest.get("digest").query("q", "canary").send().await.unwrap();
    let proxied = builder("http://service.example").proxies(proxies).build().unwrap();
    proxied.get("end").query("q", "canary").send().await.unwrap();
    drop(session(&format!("http://{UNKNOWN}")).get("a").query("q", "canary").send().await.unwrap_err());

    let logged = String::from_utf8_lossy(&logged()).into_owned() + &ear::heard();
    assert!(logged.contains("127.0.0.1"), "the libraries were heard: {logged}");
    let at = logged.find("canary").map(|at| logged[at.saturating_sub(300)..].chars().take(600).collect::<String>());
    assert_eq!(at, None);
}
