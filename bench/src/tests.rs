//! The bench works: every row is driven for a moment against a server in this process, and against the bare answers.

use std::time::Duration;

use fujie_core::{policy::Policy, token::seal::MasterKey};
use fujie_server::{Server, Settings, clock::Clock, serve};
use fujie_store::{Options, Store};
use tokio::net::TcpListener;

use crate::{
    drive::{self, Load, Target},
    report, row, seed, sign_in,
};

#[test]
fn every_row_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = Store::open(&folder.path().join("fujie.db"), Options::default()).unwrap();
    let (address, seeded) = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            issuer: format!("http://{address}"),
            name: "Bench".into(),
            is_demo: false,
            policy: Policy::default(),
            connections: Vec::new(),
            password_enabled: true,
            channel: fujie_server::ChannelSettings::default(),
            master: MasterKey::new(&[7; 32]).unwrap(),
            clock: Clock::default(),
        };
        let server = Server::start(store.clone(), settings).await.unwrap();
        let seeded = seed::fill_store(&store, &MasterKey::new(&[7; 32]).unwrap(), 100).await.unwrap();
        server.renew(false).await.unwrap();
        tokio::spawn(serve(server, listener, std::future::pending()));
        (address, seeded)
    });
    let target = Target { address, pid: std::process::id(), flushes: None };
    let moment = Duration::from_millis(20);
    let mut units = 0.0;
    for row in row::rows(&address.to_string(), &seeded) {
        let recorded = drive::record(address, &row.script).unwrap();
        assert!(!recorded.is_empty(), "{}", row.name);
        let load = Load { connections: 4, warm_up: moment, measured: moment };
        let cell = drive::drive(target, &row.script, load).unwrap();
        assert!(cell.p99 >= cell.p50, "{}: {cell:?}", row.name);
        units += cell.units;
    }
    // On a busy machine a row may not complete a unit within its moment.
    assert!(units > 0.0);
}

#[test]
fn every_sign_in_of_the_client_comes_to_its_end() {
    let sign_ins = sign_in::measure(2).unwrap();
    assert_eq!(sign_ins.len(), 4);
    assert!(report::sign_ins(&sign_ins).contains("| OpenID Connect | RS256 |"));
}
