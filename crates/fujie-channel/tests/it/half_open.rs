//! Peers whose network goes away without a word: a real link between two networks of the test's own is taken down, and
//! later up again.
//!
//! Three processes: the test; the server, in a new network; the clients, in another one that a veth pair joins to it.

use std::{
    collections::HashMap,
    io::BufRead as _,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use fujie_channel::{
    client::{Channel, Endpoint, Heartbeat, Incoming, Need},
    hub::Overflow,
    serve::Limits,
};
use fujie_core::secret::Secret;
use tokio::{
    net::TcpStream,
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{
    chance,
    house::{House, Peer},
    memory::Memory,
    process::{self, Other, resident_kib},
};

/// The default is 30 s; here a peer is cut off sooner, so that nobody waits.
const IDLE: Duration = Duration::from_secs(3);
/// The default is 15 s.
const STALL: Duration = Duration::from_secs(2);
/// The default patience is 30 s.
const HEARTBEAT: Heartbeat = Heartbeat {
    first: Duration::from_millis(200),
    every: Duration::from_millis(500),
    patience: Duration::from_secs(2),
};
/// Clients of each topic, far away.
const CLIENTS: usize = 20;
const TOPICS: [&str; 2] = ["busy", "quiet"];
/// Bytes of an event: what waits for a peer is soon more than sockets hold.
const SIZE: usize = 8 * 1024;
const EVENT_INTERVAL: Duration = Duration::from_millis(10);

#[test]
fn peers_whose_link_goes_down_are_cut_off_and_come_back() {
    let test = "half_open::peers_whose_link_goes_down_are_cut_off_and_come_back";
    match process::part().as_deref() {
        None => {
            let can = Command::new("unshare").args(["-rn", "ip", "link", "set", "lo", "up"]).output();
            let can = can.expect("this test needs `unshare` of util-linux");
            let why = String::from_utf8_lossy(&can.stderr);
            assert!(
                can.status.success(),
                "this test needs `ip` of iproute2 and leave to make networks of its own: {why}"
            );
            Other::start(&["unshare", "-rn"], test, "here").ends();
        }
        Some("here") => story(test),
        Some(_) => run(there()),
    }
}

fn run<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(story)
}

/// The server's part, which also moves the link.
fn story(test: &str) {
    ip("link set lo up");
    ip("link add here type veth peer name there");
    ip("address add 10.77.0.1/24 dev here");
    ip("link set here up");
    let far = Other::start(&["unshare", "-n"], test, "there");
    far.hear("ready");
    ip(&format!("link set there netns {}", far.pid()));
    run(here(far));
}

async fn here(mut far: Other) {
    let limits = Limits { idle: IDLE, stall: STALL, ..Limits::default() };
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let house = House::channel_of(Memory::new(), everywhere, limits, Overflow::Cut);
    let port = house.address.port();
    let near = Near::come(port).await;
    let alone = Handle::current().metrics().num_alive_tasks();
    far.say(&format!("10.77.0.1:{port}"));
    until("the far clients are here", || tasks_beyond(alone) == TOPICS.len() * CLIENTS).await;
    house.memory.append("quiet");
    flow(&house.memory, 50).await;
    let mut seen = Seen::default();
    seen.until(&far, &house.memory);

    let before = resident_kib(std::process::id());
    ip("link set here down");
    let since = Instant::now();
    while tasks_beyond(alone) > 0 {
        assert!(since.elapsed() < IDLE + STALL + Duration::from_secs(10), "{} are not cut off", tasks_beyond(alone));
        flow(&house.memory, 1).await;
    }
    let cut = since.elapsed();
    process::tell(&format!("all cut off after {cut:?}; resident {before} KiB before, {} after", resident()));
    // The last heartbeats were half a second before, or two on a slow machine; and a link is no reason by itself.
    assert!(cut > IDLE / 3, "{cut:?} is too soon");
    assert!(resident() < before + 16 * 1024 + house.memory.ids("busy", 0).len() as u64 * SIZE as u64 / 1024);

    ip("link set here up");
    house.memory.append("quiet");
    flow(&house.memory, 10).await;
    seen.until(&far, &house.memory);
    assert_eq!(near.go().await, house.memory.ids("busy", 0), "a peer that was near all the time");
}

fn resident() -> u64 {
    resident_kib(std::process::id())
}

/// Tasks of this process beside those that were there before the far clients came: one for each connection.
fn tasks_beyond(alone: usize) -> usize {
    Handle::current().metrics().num_alive_tasks().saturating_sub(alone)
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// So many events of the busy topic, one after the other.
async fn flow(memory: &Memory, events: usize) {
    for _ in 0..events {
        memory.append_sized("busy", SIZE);
        sleep(EVENT_INTERVAL).await;
    }
}

/// What every far client has been given.
#[derive(Default)]
struct Seen(HashMap<String, Vec<i64>>);

impl Seen {
    /// Waits until all have everything, each event once and in order.
    fn until(&mut self, far: &Other, memory: &Memory) {
        let names =
            TOPICS.iter().flat_map(|topic| (0..CLIENTS).map(move |number| (*topic, format!("{topic}-{number}"))));
        for (topic, name) in names {
            let wanted = memory.ids(topic, 0);
            while self.0.get(&name).map_or(0, Vec::len) < wanted.len() {
                let event = far.hear("given");
                let (client, id) = event.split_once(' ').unwrap();
                self.0.entry(client.to_owned()).or_default().push(id.parse().unwrap());
            }
            assert_eq!(self.0[&name], wanted, "{name}");
        }
    }
}

/// A peer on this machine, which must not feel anything.
struct Near {
    staying: JoinHandle<Vec<i64>>,
    leave: Arc<Mutex<bool>>,
}

impl Near {
    async fn come(port: u16) -> Self {
        let mut peer = Peer::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        peer.says("auth of-alice\n").await;
        peer.hears("ok auth").await;
        peer.says("subscribe busy 0\n").await;
        peer.hears("ok subscribe busy 0").await;
        let leave = Arc::new(Mutex::new(false));
        let is_over = Arc::clone(&leave);
        let staying = tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let is_last = *is_over.lock().unwrap();
                sleep(Duration::from_millis(100)).await;
                peer.says("ping\n").await;
                loop {
                    match peer.line().await.as_str() {
                        "pong" => break,
                        line => ids.push(id(line)),
                    }
                }
                if is_last {
                    return ids;
                }
            }
        });
        Self { staying, leave }
    }

    /// All that it was given.
    async fn go(self) -> Vec<i64> {
        *self.leave.lock().unwrap() = true;
        self.staying.await.unwrap()
    }
}

fn id(line: &str) -> i64 {
    let rest = line.strip_prefix(r#"event {"specversion":"1.0","id":""#).unwrap_or_else(|| panic!("{line:.80}"));
    rest.split_once('"').unwrap().0.parse().unwrap()
}

/// The clients' part: follows both topics with many connections, and says what it is given, until it is killed.
async fn there() {
    process::tell("ready and waiting");
    let address = std::io::stdin().lock().lines().next().unwrap().unwrap();
    ip("address add 10.77.0.2/24 dev there");
    ip("link set there up");
    let endpoint = Endpoint::parse(&address).unwrap().with_insecure_plaintext();
    for number in 0..CLIENTS {
        for topic in TOPICS {
            let tokens = |_: Need| async { Ok(Secret::new("of-alice".to_owned())) };
            let random = chance::random(number as u64);
            let mut channel = Channel::connect_with(endpoint.clone(), tokens, random, HEARTBEAT);
            channel.subscribe(topic, Some(0));
            tokio::spawn(async move {
                loop {
                    match channel.next().await.unwrap() {
                        Incoming::Event(event) => process::tell(&format!("given {topic}-{number} {}", event.id)),
                        Incoming::Subscribed { .. } | Incoming::Lost { .. } => {}
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
    }
    std::future::pending().await
}

/// `ip` does this, in the network of this process.
fn ip(words: &str) {
    let done = Command::new("ip").args(words.split(' ')).output().unwrap();
    assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
}
