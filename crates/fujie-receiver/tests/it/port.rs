//! Addresses and ports.

use std::{io::ErrorKind, net::TcpListener};

use fujie_receiver::loopback::{Host, Loopback, Options};

use crate::browser::{answer_to, connect, options, quiet_port, wait_with, CALLBACK};

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = options();
    options.ports = vec![taken.local_addr().unwrap().port()];
    assert_eq!(Loopback::bind(&options).unwrap_err().kind(), ErrorKind::AddrInUse);
    // Also when somebody has it on all addresses.
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    options.ports = vec![taken.local_addr().unwrap().port()];
    if cfg!(target_os = "linux") {
        assert_eq!(Loopback::bind(&options).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}

#[test]
fn the_next_port_of_a_list_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (first, second) = (taken.local_addr().unwrap().port(), quiet_port());
    let mut options = options();
    options.ports = vec![first, second];
    let loopback = Loopback::bind(&options).unwrap();
    assert_eq!(loopback.redirect_uri(), format!("http://127.0.0.1:{}/getcode", second));
    options.ports = Vec::new();
    assert_eq!(Loopback::bind(&options).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn two_listeners_never_share_a_port() {
    let mut options = options();
    options.ports = vec![quiet_port()];
    let first = Loopback::bind(&options).unwrap();
    assert_eq!(Loopback::bind(&options).unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(first);
    Loopback::bind(&options).unwrap();
}

/// The loopback addresses that `localhost` is on this machine: many a container has no `::1`.
fn addresses() -> Vec<&'static str> {
    let is_here = |address: &&str| TcpListener::bind(format!("{}:0", address)).is_ok();
    ["[::1]", "127.0.0.1"].iter().copied().filter(is_here).collect()
}

#[test]
fn ipv6_only() {
    let mut options = options();
    options.host = Host::Ipv6;
    if let Err(missing) = TcpListener::bind("[::1]:0") {
        // Nothing else is listened at in its place.
        assert_eq!(Loopback::bind(&options).unwrap_err().to_string(), missing.to_string());
        return;
    }
    let waiting = wait_with(&options);
    assert!(waiting.authority.starts_with("[::1]:"), "{}", waiting.authority);
    waiting.still_completes();
}

#[test]
fn localhost_is_answered_on_every_address_that_it_is() {
    let mut options = options();
    options.host = Host::Localhost;
    let waiting = wait_with(&options);
    let port = waiting.authority.strip_prefix("localhost:").unwrap().to_owned();
    let addresses: Vec<_> = addresses().iter().map(|address| format!("{}:{}", address, port)).collect();
    let request = |target: &str| format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, waiting.authority);
    for address in &addresses {
        assert_eq!(answer_to(connect(address), &request("/favicon.ico")).status(), 204, "{}", address);
    }
    assert_eq!(answer_to(connect(&addresses[0]), &request(CALLBACK)).status(), 200);
    assert_eq!(waiting.code(), "c0de");
    for address in &addresses {
        TcpListener::bind(address).unwrap();
    }
}

#[test]
fn localhost_is_bound_whole_or_not_at_all() {
    let mut options = options();
    options.host = Host::Localhost;
    for address in addresses() {
        let taken = TcpListener::bind(format!("{}:0", address)).unwrap();
        options.ports = vec![taken.local_addr().unwrap().port()];
        assert_eq!(Loopback::bind(&options).unwrap_err().kind(), ErrorKind::AddrInUse, "{}", address);
    }
}

#[test]
fn a_path_or_a_state_that_could_not_come_back_is_refused() {
    for path in ["", "getcode", "/a?b", "/a#b", "/a b", "/码", "http://127.0.0.1/"] {
        let refused = Loopback::bind(&Options::new(path, "sesame")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{}", path);
    }
    assert_eq!(Loopback::bind(&Options::new("/getcode", "")).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn debug_shows_no_state() {
    let loopback = Loopback::bind(&options()).unwrap();
    let text = format!("{:?} {:?} {:?}", options(), loopback, loopback.handle());
    assert!(!text.contains("sesame"), "{}", text);
}
