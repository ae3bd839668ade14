//! Tokens kept fresh: once for all who ask, in this process and in others.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use fujie_client::session::{Renew, Renewing, TokenError, TokenSource};
use fujie_client::token_store::{FileStore, Locked, MemoryStore, StoreError, StoredTokens, TokenStore};
use fujie_client::{Client, Endpoint, Evidence, ProviderError, ReqwestTransport, Secret, Timestamp, Tokens, provider};
use fujie_simulator::{Wechat, WechatConfig, wechat};
use serde_json::json;

use super::builder;
use super::hostile::{Hostile, answer, ok, soon};
use crate::world::NOW;

const NAME: &str = "weibo/1234/5678";

fn seconds(from_now: i64) -> Option<Timestamp> {
    Some(Timestamp::from_millis(NOW.millis() + from_now * 1000))
}

fn tokens(access_token: &str, expires_at: Option<Timestamp>) -> Tokens {
    let mut tokens = Tokens::bare(Secret::new(access_token));
    tokens.refresh_token = Some(Secret::new(format!("refresh-{access_token}")));
    tokens.expires_at = expires_at;
    tokens.scope = vec!["email".into()];
    tokens.subject = Some("5678".into());
    tokens
}

fn store_with(tokens: &Tokens) -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    store.save(NAME, &StoredTokens::new(tokens)).unwrap();
    Arc::new(store)
}

fn stored(store: &dyn TokenStore) -> Tokens {
    store.load(NAME).unwrap().unwrap().into_tokens()
}

/// What a story lets a provider answer: a number for each refresh, from 1.
struct Provider<F> {
    asked: AtomicUsize,
    answer: F,
}

impl<F: Fn(usize) -> Result<Tokens, ProviderError> + Send + Sync> Provider<F> {
    fn new(answer: F) -> Arc<Self> {
        Arc::new(Self { asked: AtomicUsize::new(0), answer })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl<F: Fn(usize) -> Result<Tokens, ProviderError> + Send + Sync> Renew for Provider<F> {
    fn refresh<'a>(&'a self, _: &'a Tokens) -> Renewing<'a> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            // Whoever asks meanwhile must find the refresh under way.
            tokio::time::sleep(Duration::from_millis(100)).await;
            (self.answer)(number)
        })
    }
}

fn fresh(number: usize) -> Result<Tokens, ProviderError> {
    Ok(tokens(&format!("fresh-{number}"), seconds(7200)))
}

fn evidence() -> Box<Evidence> {
    let mut evidence = Evidence::bare(Endpoint::Refresh, 400);
    evidence.errcode = Some("invalid_grant".into());
    Box::new(evidence)
}

fn source(store: &Arc<MemoryStore>, provider: &Arc<impl Renew + 'static>) -> TokenSource {
    TokenSource::new(Arc::clone(store) as Arc<dyn TokenStore>, NAME, Arc::clone(provider) as Arc<dyn Renew>, || NOW)
}

/// 25 callers at once, and what each got. Time that is paused goes on when all of them wait and no thread works for
/// them, however slow the machine is.
async fn crowd(source: &TokenSource) -> Vec<Result<Arc<Tokens>, TokenError>> {
    let callers: Vec<_> = (0..25)
        .map(|_| {
            let source = source.clone();
            tokio::spawn(async move { source.fresh_tokens().await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for caller in callers {
        outcomes.push(soon(caller).await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn a_token_is_refreshed_in_its_last_minute_and_not_before() {
    for (left, expected) in [(-10, 1), (0, 1), (60, 1), (61, 0), (7200, 0)] {
        let store = store_with(&tokens("old", seconds(left)));
        let provider = Provider::new(fresh);
        let got = source(&store, &provider).fresh_tokens().await.unwrap();
        assert_eq!(provider.asked(), expected, "{left} s left");
        assert_eq!(got.access_token.expose() == "fresh-1", expected == 1);
        assert_eq!(stored(&*store).access_token, got.access_token, "what is handed out is kept");
    }
    let store = store_with(&tokens("for ever", None));
    let provider = Provider::new(fresh);
    assert_eq!(source(&store, &provider).fresh_tokens().await.unwrap().access_token.expose(), "for ever");
    assert_eq!(provider.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn twenty_five_callers_cause_one_refresh_and_are_told_of_once() {
    let store = store_with(&tokens("old", seconds(-1)));
    let provider = Provider::new(fresh);
    let told = Arc::new(AtomicUsize::new(0));
    let (telling, kept) = (Arc::clone(&told), Arc::clone(&store));
    let source = TokenSource::with_on_change(
        Arc::clone(&store) as Arc<dyn TokenStore>,
        NAME,
        Arc::clone(&provider) as Arc<dyn Renew>,
        || NOW,
        move |tokens| {
            assert_eq!(stored(&*kept).access_token, tokens.access_token, "they are saved before anyone is told");
            telling.fetch_add(1, Ordering::SeqCst);
        },
    );
    for outcome in crowd(&source).await {
        assert_eq!(outcome.unwrap().access_token.expose(), "fresh-1");
    }
    assert_eq!((provider.asked(), told.load(Ordering::SeqCst)), (1, 1));
    assert!(!format!("{source:?}").contains("old"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_by_those_who_waited_and_tried_again_by_those_who_come_later() {
    let store = store_with(&tokens("old", seconds(-1)));
    let provider =
        Provider::new(|number| if number == 1 { Err(ProviderError::Busy(evidence())) } else { fresh(number) });
    let source = source(&store, &provider);
    for outcome in crowd(&source).await {
        assert!(matches!(outcome, Err(TokenError::NotRefreshed(_))));
    }
    assert_eq!(provider.asked(), 1);
    assert_eq!(source.fresh_tokens().await.unwrap().access_token.expose(), "fresh-2");
}

#[tokio::test]
async fn a_failure_for_now_does_not_matter_while_the_token_lives() {
    let store = store_with(&tokens("old", seconds(30)));
    let provider = Provider::new(|_| Err(ProviderError::Busy(evidence())));
    assert_eq!(source(&store, &provider).fresh_tokens().await.unwrap().access_token.expose(), "old");
    assert_eq!(provider.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_says_sign_in_again_and_removes_nothing() {
    let store = store_with(&tokens("old", seconds(-1)));
    let provider = Provider::new(|_| Err(ProviderError::RefreshTokenRefused(evidence())));
    let source = source(&store, &provider);
    for outcome in crowd(&source).await {
        assert!(matches!(outcome, Err(TokenError::SignInAgain(Some(_)))));
    }
    assert!(matches!(source.fresh_tokens().await, Err(TokenError::SignInAgain(None))));
    assert_eq!(provider.asked(), 1, "a refused refresh token is not sent again");
    assert_eq!(stored(&*store).access_token.expose(), "old");

    store.save(NAME, &StoredTokens::new(&tokens("signed in again", seconds(7200)))).unwrap();
    assert_eq!(source.fresh_tokens().await.unwrap().access_token.expose(), "signed in again");
    store.remove(NAME).unwrap();
    assert!(matches!(source.fresh_tokens().await, Err(TokenError::NotSignedIn)));
}

#[tokio::test]
async fn without_a_refresh_token_the_person_signs_in_again_at_the_end() {
    for (left, is_good) in [(30, true), (0, false)] {
        let mut kept = tokens("old", seconds(left));
        kept.refresh_token = None;
        let provider = Provider::new(fresh);
        let outcome = source(&store_with(&kept), &provider).fresh_tokens().await;
        assert_eq!(outcome.is_ok(), is_good, "{left}");
        assert_eq!(provider.asked(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_loses_nothing() {
    let store = store_with(&tokens("old", seconds(-1)));
    let provider = Provider::new(fresh);
    let source = source(&store, &provider);
    let hasty = tokio::time::timeout(Duration::from_millis(20), source.fresh_tokens()).await;
    assert!(hasty.is_err());
    assert_eq!(source.fresh_tokens().await.unwrap().access_token.expose(), "fresh-1");
    assert_eq!((provider.asked(), stored(&*store).access_token.expose()), (1, "fresh-1"));
}

/// A store whose disk is full.
struct Full(MemoryStore);

impl TokenStore for Full {
    fn load(&self, name: &str) -> Result<Option<StoredTokens>, StoreError> {
        self.0.load(name)
    }

    fn save(&self, _: &str, _: &StoredTokens) -> Result<(), StoreError> {
        Err(StoreError::Failed("no room".into()))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.0.remove(name)
    }

    fn try_lock(&self, name: &str) -> Result<Option<Locked>, StoreError> {
        self.0.try_lock(name)
    }

    fn description(&self) -> String {
        "a full disk".to_owned()
    }
}

#[tokio::test]
async fn tokens_that_cannot_be_saved_are_handed_over() {
    let memory = MemoryStore::new();
    memory.save(NAME, &StoredTokens::new(&tokens("old", seconds(-1)))).unwrap();
    let source = TokenSource::new(Arc::new(Full(memory)), NAME, Provider::new(fresh), || NOW);
    let error = source.fresh_tokens().await.unwrap_err();
    let shown = format!("{error:?}");
    assert!(shown.contains("no room") && !shown.contains("fresh-1"), "{shown}");
    let TokenError::NotSaved { tokens, .. } = error else { panic!("{shown}") };
    assert_eq!(tokens.access_token.expose(), "fresh-1");
}

#[tokio::test]
async fn a_401_leads_to_one_refresh_and_one_more_try() {
    let server = Hostile::new(|received| match received.header("authorization") {
        Some("Bearer fresh-1") => ok(received.text()),
        _ => answer("401 Unauthorized", &[("WWW-Authenticate", "Bearer error=\"invalid_token\"")], ""),
    })
    .await;
    // The token is said to last; the server thinks otherwise.
    let store = store_with(&tokens("old", seconds(7200)));
    let provider = Provider::new(fresh);
    let session = builder(&server.base).tokens(source(&store, &provider)).build().unwrap();
    assert_eq!(session.post("a").body("once").send().await.unwrap().text(), "once");
    assert_eq!((server.requests().len(), provider.asked()), (2, 1));
    assert_eq!(session.get("a").send().await.unwrap().status(), 200);
    assert_eq!((server.requests().len(), provider.asked()), (3, 1));
}

#[tokio::test]
async fn many_calls_with_one_refused_token_refresh_it_once() {
    let server = Hostile::new(|received| match received.header("authorization") {
        Some("Bearer fresh-1") => ok("in"),
        _ => answer("401 Unauthorized", &[], ""),
    })
    .await;
    let provider = Provider::new(fresh);
    let store = store_with(&tokens("old", seconds(7200)));
    let session = builder(&server.base).tokens(source(&store, &provider)).build().unwrap();
    let calls: Vec<_> = (0..25)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.get("a").send().await.unwrap().text() })
        })
        .collect();
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), "in");
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_401_that_stays_is_the_answer() {
    let server = Hostile::new(|_| answer("401 Unauthorized", &[], "no")).await;
    let provider = Provider::new(fresh);
    let store = store_with(&tokens("old", seconds(7200)));
    let session = builder(&server.base).tokens(source(&store, &provider)).build().unwrap();
    assert_eq!(session.get("a").send().await.unwrap().status(), 401);
    assert_eq!((server.requests().len(), provider.asked()), (2, 1), "one refresh, one more try");

    let stream = session.post("a").body_reader(&b"gone"[..]).send().await.unwrap();
    assert_eq!(stream.status(), 401);
    assert_eq!((server.requests().len(), provider.asked()), (3, 1), "a stream cannot be sent again");

    let mut kept = tokens("old", None);
    kept.refresh_token = None;
    let session = builder(&server.base).tokens(source(&store_with(&kept), &provider)).build().unwrap();
    assert_eq!(session.get("a").send().await.unwrap().text(), "no", "nothing to refresh with");

    let provider = Provider::new(|_| Err(ProviderError::RefreshTokenRefused(evidence())));
    let session = builder(&server.base).tokens(source(&store, &provider)).build().unwrap();
    let error = session.get("a").send().await.unwrap_err();
    assert_eq!(error.name(), "token", "{}", super::told(&error));
    assert!(error.report().contains("sign in again"), "{}", error.report());
}

const REFRESH: &str = "/sns/oauth2/refresh_token";

/// Tokens of a person who signs in at the simulator.
async fn signed_in(http: &reqwest::Client, base: &str) -> Tokens {
    let provider = provider::wechat().at_host(base).unwrap();
    let client = Client::new(provider, wechat::DEFAULT_APPID, Secret::new(wechat::DEFAULT_SECRET)).unwrap();
    let begun = client.begin("http://127.0.0.1:8080/back").unwrap();
    let confirmed = http.get(&begun.url).send().await.unwrap();
    let back = confirmed.headers()["location"].to_str().unwrap();
    client.finish(back, &begun.cookie.value).await.unwrap().tokens
}

/// Tells the simulator what is to happen.
async fn order(http: &reqwest::Client, base: &str, what: &str, body: serde_json::Value) {
    let answer = http.post(format!("{base}/_simulate/{what}")).body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{what}");
}

/// The same test is the parent and, when told so, one of its four children. Each child is a process with a client of
/// its own and 25 threads; what they share is a folder. Who counts is WeChat, as it is simulated.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_threads_in_each_of_four_processes_cause_exactly_one_refresh() {
    if let Some(folder) = std::env::var_os("FUJIE_STORY_FOLDER") {
        return tokio::task::spawn_blocking(move || child(Path::new(&folder))).await.unwrap();
    }
    let config = WechatConfig { auto_confirm: Some("xiaoming".into()), ..WechatConfig::default() };
    let simulator = Wechat::start("127.0.0.1:0", config).await.unwrap();
    let base = simulator.base_url().to_owned();
    drop(ReqwestTransport::new().unwrap());
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut kept = signed_in(&http, &base).await;
    let old = kept.access_token.expose().to_owned();
    // Two hours later, for the simulator and for whoever reads the folder.
    order(&http, &base, "clock", json!({"advance_seconds": 7300})).await;
    kept.expires_at = Some(Timestamp::from_millis(0));
    // Time enough for everybody to come and find the token expired.
    order(&http, &base, "faults", json!({"at": REFRESH, "times": "always", "kind": "slow", "seconds": 0.5})).await;

    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("tokens");
    let store = FileStore::new(&folder).unwrap();
    store.save(NAME, &StoredTokens::new(&kept)).unwrap();
    let children = (0..4).map(|_| spawn(&folder, &base)).collect();
    let outcomes = soon(tokio::task::spawn_blocking(|| at_once(children))).await.unwrap();
    assert_eq!(outcomes.len(), 100, "each of 100 threads has a token");

    let calls: serde_json::Value = {
        let told = http.get(format!("{base}/_simulate/calls")).send().await.unwrap();
        serde_json::from_slice(&told.bytes().await.unwrap()).unwrap()
    };
    assert_eq!(calls[REFRESH], 1, "{calls}");
    let fresh = stored(&store).access_token.expose().to_owned();
    assert_ne!(fresh, old);
    assert!(outcomes.iter().all(|got| *got == fresh), "all have the fresh one, which is kept");
}

/// Lets all children start when all are ready, and brings what their threads got.
fn at_once(mut children: Vec<Child>) -> Vec<String> {
    let outputs: Vec<_> = children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap())).collect();
    let outputs: Vec<_> = outputs.into_iter().map(until_ready).collect();
    // Closing their input is the start for all.
    children.iter_mut().for_each(|child| drop(child.stdin.take()));
    let mut outcomes = Vec::new();
    for (child, output) in children.iter_mut().zip(outputs) {
        let lines = output.lines().map(Result::unwrap);
        outcomes.extend(lines.filter_map(|line| Some(line.split_once("GOT ")?.1.to_owned())));
        assert!(child.wait().unwrap().success());
    }
    outcomes
}

fn spawn(folder: &Path, base: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("session::token::twenty_five_threads_in_each_of_four_processes_cause_exactly_one_refresh")
        .env("FUJIE_STORY_FOLDER", folder)
        .envs([("WECHAT_CLIENT_ID", wechat::DEFAULT_APPID), ("WECHAT_CLIENT_SECRET", wechat::DEFAULT_SECRET)])
        .env("WECHAT_AT", base)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn until_ready<R: BufRead>(mut output: R) -> R {
    let mut line = String::new();
    while !line.contains("READY") {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "a child ended before it was ready");
    }
    output
}

/// One process: 25 threads, each with a runtime of its own, one source.
#[expect(clippy::print_stdout, reason = "a child tells its parent on standard output")]
fn child(folder: &Path) {
    let store = Arc::new(FileStore::new(folder).unwrap());
    let client = Arc::new(Client::from_env("wechat").unwrap());
    let clock = Arc::clone(&client);
    let source = TokenSource::new(store, NAME, client, move || clock.now());
    let start = Arc::new(Barrier::new(26));
    let threads: Vec<_> = (0..25)
        .map(|_| {
            let (source, start) = (source.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                start.wait();
                runtime.block_on(source.fresh_tokens()).unwrap().access_token.expose().to_owned()
            })
        })
        .collect();
    println!("\nREADY");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    start.wait();
    for thread in threads {
        println!("\nGOT {}", thread.join().unwrap());
    }
}
