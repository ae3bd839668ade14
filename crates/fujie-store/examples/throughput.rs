//! How fast the store is here: `cargo run --release -p fujie-store --example throughput [FOLDER]`.
//!
//! 64 verbs are in flight at a time, over 20,000 live grants. The folder decides which disk is flushed; without one,
//! it is the system's for temporary files. On Linux the writer thread's own processor time is printed as well.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program that measures reads the clock, and may fail aloud"
)]

use std::time::Instant;

use fujie_core::{
    grant::{ClientAuth, Grant},
    id::Id,
    request::scope::Scope,
    secret::Digest,
    time::{Lifetime, Timestamp},
};
use fujie_store::{
    BeginGrant, Consent, Delivery, GrantBegun, Integration, IntegrationKind, NewAccount, NewEvent, NewSession,
    NewTopic, Options, Receipt, Redemption, Refresh, Store, Use, UsedKind,
};

const IN_FLIGHT: u32 = 64;
const PER_TASK: u32 = 2_000;
const GRANTS: u32 = 20_000;
const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DAY: Lifetime = Lifetime::from_days(1);
const TOPIC: &str = "team";
const INTEGRATION: &str = "0123456789abcdef0123456789abcdef";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let place = match std::env::args().nth(1) {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let store = Store::open(&place.path().join("fujie.db"), Options::default()).unwrap();
    say(&format!("SQLite {}, {IN_FLIGHT} in flight", rusqlite::version()));
    say(&format!("resident memory, idle: {} KiB", resident()));
    let account = id(u32::MAX);
    let new = NewAccount {
        id: account,
        username: None,
        name: "somebody".into(),
        picture: None,
        password_hash: None,
        is_administrator: false,
    };
    store.create_account(new, T0).await.unwrap();
    for task in 0..IN_FLIGHT {
        let session = NewSession {
            id: session(task),
            auth_time: T0,
            amr: "pwd".into(),
            fresh_for: None,
            expires_at: T0 + DAY,
            replaces: None,
        };
        store.begin_session(account, session, T0).await.unwrap();
    }
    measure(&store, "grants born and redeemed (2 verbs)", IN_FLIGHT, GRANTS / IN_FLIGHT, born_and_redeemed).await;
    for _ in 0..2 {
        measure(&store, "rotate", IN_FLIGHT, PER_TASK, rotated).await;
    }
    measure(&store, "use_once", IN_FLIGHT, PER_TASK, used).await;
    measure(&store, "rotate, each alone", 1, 500, rotated).await;
    measure(&store, "grant (point read)", IN_FLIGHT, 10 * PER_TASK, read).await;
    measure(&store, "grant and revoked (point read)", IN_FLIGHT, 10 * PER_TASK, read_with_revoked).await;
    measure(&store, "session (point read)", IN_FLIGHT, 10 * PER_TASK, session_read).await;
    channel(&store, account).await;
    say(&format!("resident memory, after all: {} KiB", resident()));
    store.close().await;
}

/// A topic with one integration: deliveries of 2 KiB, each for the first time and again.
async fn channel(store: &Store, owner: Id) {
    let new = NewTopic { name: TOPIC.into(), title: "team".into(), owner };
    store.create_topic(new, T0).await.unwrap();
    let new = Integration {
        id: INTEGRATION.into(),
        topic: TOPIC.into(),
        kind: IntegrationKind::Github,
        label: "code".into(),
        header: "X-Hub-Signature-256".into(),
        prefix: "sha256=".into(),
        id_header: None,
        event_header: None,
        sealed_secret: vec![7; 64],
        created_by: Some(owner),
        hook: None,
        created_at: T0,
    };
    store.add_integration(new).await.unwrap();
    measure(store, "receive", IN_FLIGHT, PER_TASK, received).await;
    measure(store, "receive, again", IN_FLIGHT, PER_TASK, received_again).await;
    measure(store, "receive, 1,024 in flight", 1024, PER_TASK / 16, received_by_many).await;
    measure(store, "integration (point read)", IN_FLIGHT, 10 * PER_TASK, integration_read).await;
    measure(store, "events_after, 100 a page", IN_FLIGHT, PER_TASK / 20, events_read).await;
    measure(store, "due_targets, none due", IN_FLIGHT, 10 * PER_TASK, due_read).await;
}

/// Runs `verb` for each round of each task and prints what it took.
async fn measure<F>(store: &Store, name: &str, tasks: u32, rounds: u32, verb: fn(Store, u32, u32) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (start, busy) = (Instant::now(), writer_nanoseconds());
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..rounds {
                    verb(store.clone(), task, round).await;
                }
            })
        })
        .collect();
    for task in running {
        task.await.unwrap();
    }
    let verbs = f64::from(tasks * rounds);
    let per_second = verbs / start.elapsed().as_secs_f64();
    let writer = (writer_nanoseconds() - busy) / 1000.0 / verbs;
    say(&format!("{name:36} {per_second:>9.0}/s   writer {writer:.2} µs each"));
}

async fn born_and_redeemed(store: Store, task: u32, round: u32) {
    let grant = Grant {
        id: grant_id(task, round),
        account: id(u32::MAX),
        client: "0123456789abcdef0123456789abcdef".into(),
        client_epoch: 1,
        session: Some(session(task)),
        auth_time: T0,
        acr: None,
        amr: "pwd".into(),
        scope: Scope::parse("openid profile offline_access").unwrap(),
        resource: String::new(),
        key_binding: None,
        rotates: true,
        client_auth: ClientAuth::None,
        parent: None,
        generation: 0,
        rotated_at: T0,
        redeemed_at: None,
        expires_at: T0 + Lifetime::from_seconds(60),
        created_at: T0,
        ended: None,
    };
    let id = grant.id;
    let begin = BeginGrant { grant, consent: Consent::Once, consume_fresh: None, offline: true };
    assert!(matches!(store.begin_grant(begin, T0).await.unwrap(), GrantBegun::Born(_)));
    assert!(matches!(store.redeem_code(id, T0 + DAY, T0).await.unwrap(), Redemption::Redeemed(_)));
}

/// Each task goes through its own grants in a scattered order, so that a group touches many pages.
async fn rotated(store: Store, task: u32, round: u32) {
    let id = grant_id(task, scattered(task, round));
    let generation = store.grant(id).await.unwrap().unwrap().generation;
    let outcome = store.rotate(id, generation, T0 + DAY, T0).await.unwrap();
    assert!(matches!(outcome, Refresh::Refreshed(_)));
}

async fn used(store: Store, task: u32, round: u32) {
    let id = fujie_core::secret::sha256(&[task.to_be_bytes(), round.to_be_bytes()].concat());
    assert_eq!(store.use_once(UsedKind::DpopJti, &id, T0 + Lifetime::from_seconds(round)).await.unwrap(), Use::First);
}

async fn read(store: Store, task: u32, round: u32) {
    assert!(store.grant(grant_id(task, scattered(task, round))).await.unwrap().is_some());
    breathe(round).await;
}

async fn read_with_revoked(store: Store, task: u32, round: u32) {
    let found = store.grant_and_revoked(grant_id(task, scattered(task, round)), [1; 16]).await.unwrap();
    assert!(found.is_some_and(|(_, revoked)| !revoked));
    breathe(round).await;
}

async fn session_read(store: Store, task: u32, round: u32) {
    assert!(store.session(session(task), T0).await.unwrap().is_some());
    breathe(round).await;
}

fn delivery(task: u32, round: u32) -> Delivery {
    let append = NewEvent {
        topic: TOPIC.into(),
        at: T0,
        event_type: "com.github.push".into(),
        source: format!("/hooks/{INTEGRATION}"),
        subject: None,
        delivery: None,
        data: Some("x".repeat(2048)),
        body: None,
    };
    let name = grant_id(task, round).to_string();
    Delivery { integration: INTEGRATION.into(), delivery: name, earlier: None, event: "push".into(), append }
}

async fn received(store: Store, task: u32, round: u32) {
    assert!(matches!(store.receive(delivery(task, round)).await.unwrap(), Receipt::Received { .. }));
}

async fn received_again(store: Store, task: u32, round: u32) {
    assert!(matches!(store.receive(delivery(task, round)).await.unwrap(), Receipt::Duplicate { .. }));
}

async fn received_by_many(store: Store, task: u32, round: u32) {
    received(store, task + IN_FLIGHT, round).await;
}

async fn integration_read(store: Store, _task: u32, round: u32) {
    assert!(store.integration(INTEGRATION).await.unwrap().is_some());
    breathe(round).await;
}

async fn events_read(store: Store, task: u32, round: u32) {
    let after = i64::from(scattered(task, round)) * 100;
    assert_eq!(store.events_after(after, 100, 1 << 20).await.unwrap().len(), 100);
    breathe(round * 64).await;
}

async fn due_read(store: Store, _task: u32, round: u32) {
    assert!(store.due_targets(T0, 100).await.unwrap().is_empty());
    breathe(round).await;
}

/// Reads never wait, so the others get their turn by courtesy.
async fn breathe(round: u32) {
    if round.is_multiple_of(64) {
        tokio::task::yield_now().await;
    }
}

fn scattered(task: u32, round: u32) -> u32 {
    (round * 7919 + task * 37) % (GRANTS / IN_FLIGHT)
}

/// As ids are: the first bytes grow with time, the rest is scattered.
fn grant_id(task: u32, round: u32) -> Id {
    let mut bytes = fujie_core::secret::sha256(&[task.to_be_bytes(), round.to_be_bytes()].concat());
    bytes[..6].copy_from_slice(&(1_800_000_000_000_u64 + u64::from(round)).to_be_bytes()[2..]);
    Id::from_bytes(std::array::from_fn(|index| bytes[index]))
}

fn id(number: u32) -> Id {
    Id::from_bytes(u128::from(number).to_be_bytes())
}

fn session(task: u32) -> Digest {
    Digest::from_bytes(fujie_core::secret::sha256(&task.to_be_bytes()))
}

fn say(line: &str) {
    println!("{line}");
}

/// Processor time of the writer thread so far; zero where the system does not tell.
fn writer_nanoseconds() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    threads
        .flatten()
        .filter(|thread| std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name == "fujie-writer\n"))
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("?").replace("kB", "").trim().to_owned()
}
