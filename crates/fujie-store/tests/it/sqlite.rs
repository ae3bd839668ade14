//! What is SQLite's own: the file, group commit, a full disk, another process, and a kill in the midst.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use fujie_core::{id::Id, time::Lifetime};
use fujie_store::{
    Appended, ClientAdded, CreatedAndBound, GrantBegun, Instance, NewEvent, NewTopic, OWN_TOPIC, Options, Receipt,
    Redemption, Refresh, Retention, Store, StoreError, TOPIC_WEIGHT_MAX, Use, UsedKind,
};
use tempfile::TempDir;

use crate::given::{self, T0, at, race};

/// A store in a folder of its own.
pub fn fresh() -> (Store, TempDir) {
    let place = TempDir::new().unwrap();
    (open(place.path()), place)
}

fn open(place: &Path) -> Store {
    Store::open(&place.join("fujie.db"), Options::default()).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = TempDir::new().unwrap();
    let path = place.path().join("fujie.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = open(place.path());
    given::account(&store).await;
    for file in ["fujie.db", "fujie.db-wal", "fujie.db-shm"] {
        let mode = place.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn what_was_closed_is_there_again() {
    let (store, place) = fresh();
    let account = given::account(&store).await;
    store.close().await;
    assert!(matches!(store.account(account.id).await, Err(StoreError::Closed)));
    assert!(matches!(store.disable_account(account.id, T0).await, Err(StoreError::Closed)));
    assert!(!place.path().join("fujie.db-wal").exists(), "the log is folded in");
    assert_eq!(open(place.path()).account(account.id).await.unwrap(), Some(account));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_without_a_close() {
    let (store, place) = fresh();
    let identity = given::identity(Some(given::union()));
    let ticket = given::ticket(&store, &identity).await;
    let outcome = store.create_and_bind(ticket, given::new_account(None), given::new_session(), T0).await.unwrap();
    let CreatedAndBound::Bound(session) = outcome else { panic!("it is new") };
    drop(store);
    let again = open(place.path());
    assert_eq!(again.session(session.id, T0).await.unwrap(), Some(session.clone()));
    assert_eq!(again.bound(&identity).await.unwrap().union, Some(session.account.id));
    assert!(again.pending(ticket, T0).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_verb_leaves_the_others_of_its_group() {
    let (store, _place) = fresh();
    let account = given::account(&store).await;
    let session = given::session(&store, &account).await;
    // Every other one breaks a rule of the rows: a session with that digest is there.
    let outcomes = race(|number| {
        let (store, account) = (store.clone(), account.id);
        let mut new = given::new_session();
        if number % 2 == 0 {
            new.id = session.id;
        }
        async move { store.begin_session(account, new, T0).await }
    })
    .await;
    let failed = |outcome: &Result<_, StoreError>| matches!(outcome, Err(StoreError::Constraint(_)));
    assert_eq!(given::count(&outcomes, failed), 32);
    assert_eq!(given::count(&outcomes, |outcome| outcome.is_ok()), 32);
    assert_eq!(store.sessions_of(account.id, T0).await.unwrap().len(), 33);
    assert_eq!(store.events(500).await.unwrap().len(), 1 + 33, "the audit rows of those that failed are gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_changes_nothing_and_passes() {
    let place = TempDir::new().unwrap();
    let options = Options { pages_max: Some(80), ..Options::default() };
    let store = Store::open(&place.path().join("fujie.db"), options).unwrap();
    let session = given::signed_in(&store).await;
    let mut used = 0_u32;
    let full = loop {
        let id = [&used.to_be_bytes()[..], &[0; 60]].concat();
        match store.use_once(UsedKind::Flow, &id, T0).await {
            Ok(outcome) => assert_eq!(outcome, Use::First),
            Err(error) => break error,
        }
        used += 1;
    };
    assert!(matches!(full, StoreError::Full), "{full:?}");
    let outcomes = race(|number| {
        let (store, account) = (store.clone(), session.account.id);
        async move {
            let mut new = given::new_session();
            // Ten pages: more than what a refused split may have left free.
            new.amr = "x".repeat(40_000 + number);
            store.begin_session(account, new, T0).await
        }
    })
    .await;
    let refused = |outcome: &Result<_, StoreError>| matches!(outcome, Err(StoreError::Full));
    assert_eq!(given::count(&outcomes, refused), 64);
    assert!(matches!(store.is_writable().await, Ok(()) | Err(StoreError::Full)));
    assert_eq!(store.sessions_of(session.account.id, T0).await.unwrap(), std::slice::from_ref(&session));
    // Room is made, and it goes on.
    while store.sweep(at(86_400), Retention::default(), 500).await.unwrap() == 500 {}
    store.is_writable().await.unwrap();
    let more = given::session(&store, &session.account).await;
    store.close().await;
    let again = open(place.path());
    assert_eq!(again.sessions_of(session.account.id, T0).await.unwrap().len(), 2);
    assert_eq!(again.session(more.id, T0).await.unwrap(), Some(more));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let (store, place) = fresh();
    store.close().await;
    let path = place.path().join("fujie.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
               VALUES (9, 'later', '2030-01-01T00:00:00Z', '1')";
    connection.execute(sql, []).unwrap();
    drop(connection);
    let refused = Store::open(&path, Options::default()).unwrap_err();
    assert!(matches!(refused, StoreError::SchemaNewer { found: 9, .. }), "{refused}");
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("fujie.db");
    let first = include_str!("../../migrations/V1__first.sql");
    let first = refinery::Migration::unapplied("V1__first", first).unwrap();
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    refinery::Runner::new(&[first]).run(&mut connection).unwrap();
    let sql = "INSERT INTO account (id, name, is_administrator, version, created_at) VALUES (?1, '小明', 0, 0, 0)";
    let id = given::id();
    connection.execute(sql, [id.as_bytes()]).unwrap();
    drop(connection);
    let store = open(place.path());
    let topic = given::channel::topic_of(&store, given::channel::new_topic(id)).await;
    assert_eq!(store.members(&topic.name).await.unwrap()[0].name, "小明");
    store.close().await;
    assert_eq!(open(place.path()).topic(&topic.name).await.unwrap(), Some(topic));
}

#[tokio::test]
async fn what_another_process_appended_is_told_when_asked() {
    let (store, place) = fresh();
    let other = open(place.path());
    let topic = given::channel::topic(&other).await;
    let id = given::channel::appended(&other, given::channel::notice(&topic.name, T0)).await;
    let mut head = store.channel_head();
    assert_eq!(*head.borrow_and_update(), 0);
    store.renew_channel_head().await.unwrap();
    assert!(head.has_changed().unwrap());
    assert_eq!(*head.borrow_and_update(), id);
    store.renew_channel_head().await.unwrap();
    assert!(!head.has_changed().unwrap());
    assert_eq!(*open(place.path()).channel_head().borrow(), id, "it is known from the start");
}

#[tokio::test]
async fn another_file_is_refused_and_left_as_it_is() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("fujie.db");
    let text = "not a database, though it is long enough to be taken for one. ".repeat(40);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(Store::open(&path, Options::default()), Err(StoreError::Unavailable(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_file() {
    let place = TempDir::new().unwrap();
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let place = place.path().to_owned();
            std::thread::spawn(move || open(&place))
        })
        .collect();
    let stores: Vec<_> = opening.into_iter().map(|thread| thread.join().unwrap()).collect();
    let before = stores[0].revision().await.unwrap();
    assert_eq!(stores[1].add_client(&given::new_client(), T0).await.unwrap(), ClientAdded::Added);
    assert_eq!(stores[0].revision().await.unwrap(), before + 1);
    assert_eq!(stores[0].clients().await.unwrap().len(), 1);
    let outcomes = race(|number| {
        let store = stores[number % 4].clone();
        async move { store.use_once(UsedKind::Par, b"one", T0).await.unwrap() }
    })
    .await;
    assert_eq!(given::count(&outcomes, |outcome| *outcome == Use::First), 1);
}

/// This test runs itself a second time as the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    if let Some(place) = std::env::var_os(VICTIM) {
        return be_killed(Path::new(&place)).await;
    }
    let place = TempDir::new().unwrap();
    let own = std::env::current_exe().unwrap();
    let mut victim = Command::new(own)
        .args(["--exact", "sqlite::what_was_acknowledged_survives_a_kill", "--nocapture", "--test-threads=1"])
        .env(VICTIM, place.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(victim.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        if let Some(fact) = line.strip_prefix(FACT) {
            acknowledged.push(fact.to_owned());
        }
        if acknowledged.len() == 600 {
            // What it still says until it dies is read as well.
            victim.kill().unwrap();
        }
    }
    victim.wait().unwrap();
    assert!(acknowledged.len() >= 600);
    let store = open(place.path());
    for fact in &acknowledged {
        let (act, id) = fact.split_once(' ').unwrap();
        let grant = store.grant(Id::parse(id).unwrap()).await.unwrap().expect("it was born");
        assert!(grant.ended.is_none());
        match act {
            "born" => {}
            "redeemed" => assert!(grant.redeemed_at.is_some()),
            _ => assert!(grant.generation >= act.parse().unwrap(), "{fact}"),
        }
    }
}

const VICTIM: &str = "FUJIE_STORE_TEST_VICTIM";
const FACT: &str = "acknowledged ";

/// Eight grants at a time are born, redeemed and refreshed, and each answer is said aloud, until the kill.
async fn be_killed(place: &Path) {
    let store = open(place);
    let say = |fact: String| println!("\n{FACT}{fact}");
    let session = given::signed_in(&store).await;
    let workers: [_; 8] = std::array::from_fn(|_| {
        let (store, session) = (store.clone(), session.clone());
        tokio::spawn(async move {
            loop {
                let begin = given::new_grant(&session, "client");
                let id = begin.grant.id;
                assert!(matches!(store.begin_grant(begin, T0).await.unwrap(), GrantBegun::Born(_)));
                say(format!("born {id}"));
                assert!(matches!(store.redeem_code(id, at(900), T0).await.unwrap(), Redemption::Redeemed(_)));
                say(format!("redeemed {id}"));
                for generation in 0..3 {
                    let refreshed = store.rotate(id, generation, at(900), T0).await.unwrap();
                    assert!(matches!(refreshed, Refresh::Refreshed(_)));
                    say(format!("{} {id}", generation + 1));
                }
            }
        })
    });
    let [worker, ..] = workers;
    worker.await.unwrap();
}

#[tokio::test]
async fn secrets_do_not_show() {
    let (store, _place) = fresh();
    store
        .create_instance(Instance { id: given::id(), issuer: "https://id.example".to_owned(), epoch: 1 })
        .await
        .unwrap();
    let new = given::new_account(Some("ming"));
    assert!(!format!("{new:?}").contains("argon2id"));
    let twice = given::new_session();
    let account = given::account(&store).await;
    store.begin_session(account.id, twice.clone(), T0).await.unwrap();
    let error = store.begin_session(account.id, twice, T0).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("7, 7"), "{error:?}");
}

#[tokio::test]
async fn a_full_topic_takes_events_again_once_it_was_swept() {
    let (store, place) = fresh();
    let topic = given::channel::topic(&store).await;
    let integration = given::channel::integration(&store, &topic).await;
    let mut large = given::channel::notice(&topic.name, T0);
    large.body = Some(vec![0; 1024 * 1024]);
    let id = given::channel::appended(&store, large.clone()).await;
    // As if the others, of which there are too many for a test, were there.
    let others = TOPIC_WEIGHT_MAX - 3 * 1024 * 1024 / 2;
    let connection = rusqlite::Connection::open(place.path().join("fujie.db")).unwrap();
    connection.execute("UPDATE topic SET weight = weight + ?1", [others]).unwrap();
    let delivery = |body: &Option<Vec<u8>>| {
        let mut delivery = given::channel::delivery(&integration, "one");
        delivery.append.body.clone_from(body);
        delivery
    };
    assert_eq!(store.receive(delivery(&large.body)).await.unwrap(), Receipt::Full);
    assert_eq!(*store.channel_head().borrow(), id, "nothing was written");
    assert!(matches!(store.receive(delivery(&None)).await.unwrap(), Receipt::Received { .. }), "a small one fits");
    let retention = Retention { events: Lifetime::from_seconds(0) };
    assert_eq!(store.sweep(T0, retention, 500).await.unwrap(), 16 + 1, "a MiB counts as 16 rows");
    let weight: i64 = connection.query_row("SELECT weight FROM topic", [], |row| row.get(0)).unwrap();
    assert_eq!(weight, others, "what was swept weighs nothing");
    assert_eq!(
        store.append_event(large.clone()).await.unwrap(),
        Appended::Full,
        "who posts leaves room for deliveries"
    );
    connection.execute("UPDATE topic SET weight = ?1", [TOPIC_WEIGHT_MAX / 2 - 3 * 1024 * 1024 / 2]).unwrap();
    assert!(matches!(store.append_event(large.clone()).await.unwrap(), Appended::Appended { .. }));
    assert_eq!(store.append_event(large).await.unwrap(), Appended::Full);
}

#[tokio::test]
async fn a_name_weighs_something_and_a_repeat_needs_no_room() {
    let (store, place) = fresh();
    let topic = given::channel::topic(&store).await;
    let (unnamed, mut named) = (given::channel::post(&topic, "one"), given::channel::post(&topic, "two"));
    named.append.delivery = Some("x".repeat(100));
    for post in [&unnamed, &named] {
        assert!(matches!(store.append_event_once(post.clone()).await.unwrap(), Appended::Appended { .. }));
    }
    let connection = rusqlite::Connection::open(place.path().join("fujie.db")).unwrap();
    let sql = "SELECT max(weight) - min(weight) FROM channel_event";
    assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 100);
    connection.execute("UPDATE topic SET weight = ?1", [TOPIC_WEIGHT_MAX / 2]).unwrap();
    let another = given::channel::post(&topic, "three");
    assert_eq!(store.append_event_once(another).await.unwrap(), Appended::Full);
    assert_eq!(store.append_event_once(named).await.unwrap(), Appended::Duplicate { event_id: 2 });
}

#[tokio::test]
async fn all_topics_together_keep_as_much_as_the_operator_lets_them() {
    let place = TempDir::new().unwrap();
    let options = Options { storage_max: 5 * 1024 * 1024 / 2, ..Options::default() };
    let store = Store::open(&place.path().join("fujie.db"), options).unwrap();
    let owner = given::account(&store).await;
    let own = NewTopic { name: OWN_TOPIC.to_owned(), ..given::channel::new_topic(owner.id) };
    given::channel::topic_of(&store, own).await;
    let (one, two) = (given::channel::topic(&store).await, given::channel::topic(&store).await);
    let integration = given::channel::integration(&store, &two).await;
    let mut large = given::channel::notice(&one.name, T0);
    large.body = Some(vec![0; 1024 * 1024]);
    let other = NewEvent { topic: two.name.clone(), ..large.clone() };
    for new in [&large, &other] {
        given::channel::appended(&store, new.clone()).await;
    }
    let told = *store.channel_head().borrow();
    for new in [&large, &other] {
        assert_eq!(store.append_event(new.clone()).await.unwrap(), Appended::Full);
    }
    let mut delivery = given::channel::delivery(&integration, "one");
    delivery.append.body.clone_from(&large.body);
    assert_eq!(store.receive(delivery.clone()).await.unwrap(), Receipt::Full);
    assert_eq!(*store.channel_head().borrow(), told, "nothing was written");
    given::session(&store, &owner).await;
    assert_eq!(*store.channel_head().borrow(), told + 1, "what the server itself does is always told");
    // Room is made by whoever has it, and known by the process that comes next.
    store.delete_topic(&one.name, None, T0).await.unwrap();
    store.close().await;
    let store = Store::open(&place.path().join("fujie.db"), options).unwrap();
    assert!(matches!(store.receive(delivery).await.unwrap(), Receipt::Received { .. }));
    assert_eq!(store.append_event(other).await.unwrap(), Appended::Full);
}
