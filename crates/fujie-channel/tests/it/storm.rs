//! A server that is killed again and again, and everybody who was connected comes back at once.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use fujie_channel::{
    client::{Channel, Endpoint, Incoming, Need},
    hub::Overflow,
    serve::Limits,
};
use fujie_core::secret::Secret;
use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use crate::{chance, house::House, memory::Memory};

/// A server with a runtime of its own, so that it can be killed: its sockets close without a word.
struct Mortal {
    runtime: Runtime,
    house: House,
}

impl Mortal {
    fn born(memory: &Arc<Memory>, address: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let house = {
            let _guard = runtime.enter();
            House::channel_of(Arc::clone(memory), address, Limits::default(), Overflow::Cut)
        };
        Self { runtime, house }
    }

    /// Waits until its sockets are closed, so that another can have its port.
    async fn killed(self) {
        spawn_blocking(|| self.runtime.shutdown_timeout(Duration::from_secs(30))).await.unwrap();
    }
}

/// As many clients as file descriptors allow, two thousand at most: each needs one here and one in the server. The tests
/// beside this one need up to a thousand of them.
fn clients() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1024_usize);
    (files.saturating_sub(1000) / 2).clamp(50, 2000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_clients_survive_a_server_that_is_killed_and_lose_nothing() {
    let memory = Memory::new();
    // No client is ever given this address as its own, and so none the server's port while that is free.
    let mut server = Mortal::born(&memory, "127.0.0.2:0".parse().unwrap());
    let address = server.house.address;
    let mut clients: JoinSet<Vec<i64>> = (0..clients())
        .map(|number| async move {
            let endpoint = Endpoint::parse(&address.to_string()).unwrap();
            let tokens = |_: Need| async { Ok(Secret::new("of-alice".to_owned())) };
            let mut channel = Channel::connect(endpoint, tokens, chance::random(number as u64));
            channel.subscribe("team", Some(0));
            let mut ids = Vec::new();
            while ids.last() != Some(&EVENTS) {
                match channel.next().await.unwrap() {
                    Incoming::Event(event) => ids.push(event.id),
                    Incoming::Subscribed { .. } | Incoming::Lost { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
            ids
        })
        .collect();
    for event in 1..=EVENTS {
        memory.append("team");
        sleep(Duration::from_millis(2)).await;
        if event % (EVENTS / 4) == 0 && event < EVENTS {
            server.killed().await;
            sleep(Duration::from_millis(100)).await;
            server = Mortal::born(&memory, address);
        }
    }
    let everybody = timeout(Duration::from_secs(300), async {
        while let Some(ids) = clients.join_next().await {
            assert_eq!(ids.unwrap(), (1..=EVENTS).collect::<Vec<_>>());
        }
    });
    everybody.await.expect("somebody did not come back");
    server.killed().await;
}

const EVENTS: i64 = 200;
