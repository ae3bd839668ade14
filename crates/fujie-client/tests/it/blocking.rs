//! Sign-ins on a plain thread: no runtime, no async, and no logger that listens to secrets.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::{fs, thread};

use fujie_client::blocking::Client;
use fujie_client::{ProviderError, Request, Response, Secret, SignedIn, TransportError, UreqTransport, provider};
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

use crate::server::{Server, ok};
use crate::world::{
    APP, CODE, OPENID, REDIRECT_URI, SECRET, answer, callback, client, client_of, token_answer, tokens, user_answer,
};

/// WeChat, as a server.
fn wechat() -> Server {
    Server::new(|path, _| match path {
        "/sns/userinfo" => ok(user_answer().to_string()),
        _ => ok(token_answer().to_string()),
    })
}

/// WeChat, as a function.
fn exchange(request: &Request) -> Result<Response, TransportError> {
    let (path, _) = request.url().split_once('?').unwrap();
    Ok(answer(match path.rsplit('/').next() {
        Some("userinfo") => user_answer().to_string(),
        Some("auth") => json!({"errcode": 0, "errmsg": "ok"}).to_string(),
        _ => token_answer().to_string(),
    }))
}

/// The browser's part: it comes back with a code, its state and its cookie.
fn sign_in(client: &Client) -> Result<SignedIn, ProviderError> {
    let begun = client.begin(REDIRECT_URI)?;
    let (_, rest) = begun.url.split_once("state=").unwrap();
    let state = rest.split(['&', '#']).next().unwrap();
    client.finish(&format!("{REDIRECT_URI}&code={CODE}&state={state}"), &begun.cookie.value)
}

#[test]
fn a_person_signs_in_without_a_runtime() {
    let server = wechat();
    let client = Client::new(provider::wechat().at_host(&server.base).unwrap(), APP, Secret::new(SECRET)).unwrap();
    let signed_in = sign_in(&client).unwrap();
    assert_eq!(signed_in.identity.subject, OPENID);
    assert_eq!(client.user(&signed_in.tokens).unwrap().subject, OPENID);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn many_threads_share_one_client() {
    let server = wechat();
    let registration = client_of(provider::wechat().at_host(&server.base).unwrap());
    let transport = UreqTransport::new().unwrap();
    let client = Arc::new(Client::over(move |request| transport.exchange(request), registration).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let client = Arc::clone(&client);
            thread::spawn(move || sign_in(&client).map(|signed_in| signed_in.identity.subject))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().unwrap(), OPENID);
    }
    assert_eq!(server.count("/sns/oauth2/access_token"), 4, "each code is redeemed once");
}

#[test]
fn a_plain_function_is_transport_enough() {
    let client = Client::over(exchange, client()).unwrap();
    assert_eq!(sign_in(&client).unwrap().identity.subject, OPENID);
    let kept = tokens(client.registration());
    assert_eq!(client.redeem(callback(client.registration())).unwrap().identity.subject, OPENID);
    assert_eq!(client.user(&kept).unwrap().subject, OPENID);
    assert!(client.refresh(&kept).is_ok());
    assert!(client.check(&kept).is_ok());
    assert!(matches!(client.revoke(&kept), Err(ProviderError::NotOffered(_))));
}

/// Names of the public methods of every `impl Client` in this file.
fn methods(text: &str) -> BTreeSet<String> {
    let blocks = text.split("\nimpl Client {\n").skip(1).filter_map(|rest| rest.split("\n}\n").next());
    let lines = blocks.flat_map(str::lines).map(str::trim);
    let names = lines.filter_map(|line| line.strip_prefix("pub async fn ").or(line.strip_prefix("pub fn ")));
    names.filter_map(|rest| rest.split(['(', '<']).next()).map(str::to_owned).collect()
}

#[test]
fn whatever_the_client_does_can_be_done_without_a_runtime() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let own = methods(&read(&source.join("blocking.rs")));
    let files = fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path());
    let others = files.filter(|path| path.is_file() && !path.ends_with("blocking.rs"));
    let theirs: BTreeSet<String> = others.flat_map(|path| methods(&read(&path))).collect();
    assert!(theirs.contains("finish"), "{theirs:?}");
    assert_eq!(own, theirs);
}

thread_local! {
    static LEVEL: Cell<LevelFilter> = const { Cell::new(LevelFilter::Off) };
    static LINES: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Hears what the thread at hand says, as loud as that thread wants.
struct Logger;

impl Log for Logger {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.level() <= LEVEL.get()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            LINES.with_borrow_mut(|lines| lines.push_str(&format!("{} {}\n", record.target(), record.args())));
        }
    }

    fn flush(&self) {}
}

/// One sign-in at this level: how it ended, what was logged, and how many requests came.
fn logged_at(level: LevelFilter) -> (Result<SignedIn, ProviderError>, String, usize) {
    // Another test may have installed it already, which serves.
    drop(log::set_logger(&Logger).map(|()| log::set_max_level(LevelFilter::Trace)));
    let server = wechat();
    let client = Client::new(provider::wechat().at_host(&server.base).unwrap(), APP, Secret::new(SECRET)).unwrap();
    LEVEL.set(level);
    let outcome = sign_in(&client);
    LEVEL.set(LevelFilter::Off);
    (outcome, LINES.take(), server.requests().len())
}

#[test]
fn a_log_at_level_debug_has_no_secret() {
    let (outcome, lines, _) = logged_at(LevelFilter::Debug);
    assert_eq!(outcome.unwrap().identity.subject, OPENID);
    assert!(lines.contains("ureq"), "nothing was heard: {lines}");
    assert!(!lines.to_lowercase().contains("canary"), "{lines}");
}

#[test]
fn nothing_is_sent_while_a_logger_listens_to_every_byte() {
    let (outcome, lines, requests) = logged_at(LevelFilter::Trace);
    let error = outcome.unwrap_err();
    assert!(error.report().contains("trace messages"), "{}", error.report());
    assert_eq!(requests, 0);
    assert!(!lines.to_lowercase().contains("canary"), "{lines}");
}
