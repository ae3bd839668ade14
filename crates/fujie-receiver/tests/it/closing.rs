//! What ends a wait, and what is left afterwards: nothing.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use fujie_receiver::{
    callback::Refusal,
    loopback::{Loopback, Options, DRAIN_TIME_MAX},
    Error,
};

use crate::browser::{options, quiet_port, wait, wait_with, CALLBACK};

#[test]
fn a_client_that_keeps_its_socket_open_keeps_neither_port_nor_caller() {
    let mut options = options();
    options.ports = vec![quiet_port()];
    let waiting = wait_with(&options);
    let (mut stream, asked) = (waiting.connect(), Instant::now());
    write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, waiting.authority).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    let begin = Instant::now();
    let again = loop {
        match TcpListener::bind(&waiting.authority) {
            Ok(again) => break again,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(3), "{}", error),
        }
    };
    eprintln!("the port was free {:?} after the page began to arrive", begin.elapsed());
    assert_eq!(waiting.code(), "c0de");
    eprintln!("the caller had its code {:?} after the page began to arrive", begin.elapsed());
    // It waited for the client to close, since closing first can cost the page, but not longer than it must.
    assert!(asked.elapsed() >= DRAIN_TIME_MAX && begin.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    // The page is whole, although the client took it late.
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("</html>\n"), "{}", rest);
    drop(again);
}

#[test]
fn idle_connections_are_closed_with_the_wait() {
    let waiting = wait();
    let mut idle: Vec<_> = (0..8).map(|_| waiting.connect()).collect();
    let begin = Instant::now();
    waiting.handle.cancel();
    assert!(matches!(waiting.end(), Err(Error::Cancelled)));
    for stream in &mut idle {
        assert!(!matches!(stream.read(&mut [0; 1]), Ok(1)));
    }
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[test]
fn a_wait_that_was_cancelled_before_it_began_does_not_begin() {
    let loopback = Loopback::bind(&options()).unwrap();
    let handle = loopback.handle();
    handle.cancel();
    assert!(matches!(loopback.wait(Duration::from_secs(60)), Err(Error::Cancelled)));
    // Too late, and harmless.
    handle.cancel();
}

#[test]
fn nobody_comes_and_the_time_is_up() {
    let mut options = options();
    options.ports = vec![quiet_port()];
    let loopback = Loopback::bind(&options).unwrap();
    assert!(matches!(loopback.wait(Duration::from_millis(50)), Err(Error::TimedOut { refusal: None })));
    Loopback::bind(&options).unwrap();
}

#[test]
fn a_time_longer_than_clocks_reach_is_no_fault() {
    let loopback = Loopback::bind(&options()).unwrap();
    let handle = loopback.handle();
    let thread = thread::spawn(move || loopback.wait(Duration::MAX));
    handle.cancel();
    assert!(matches!(thread.join().unwrap(), Err(Error::Cancelled)));
}

#[test]
fn a_state_that_was_made_after_the_port_was_known_is_the_one_that_counts() {
    let without_state = Options::without_state("/getcode");
    assert!(Loopback::bind(&without_state).unwrap().with_state("").is_err());
    let loopback = Loopback::bind(&without_state).unwrap();
    let redirect_uri = loopback.redirect_uri();
    let loopback = loopback.with_state("late").unwrap();
    assert_eq!(loopback.redirect_uri(), redirect_uri);
    let handle = loopback.handle();
    let thread = thread::spawn(move || loopback.wait(Duration::from_secs(60)));
    assert_eq!(handle.paste(&format!("{redirect_uri}?code=c0de")), Err(Refusal::State));
    assert_eq!(handle.paste(&format!("{redirect_uri}?code=c0de&state=late")), Ok(()));
    assert_eq!(thread.join().unwrap().unwrap().code(), Ok("c0de"));
}

#[test]
fn a_pasted_url_completes_by_the_same_rules() {
    let waiting = wait();
    let url = |query: &str| format!("http://{}/getcode?{}", waiting.authority, query);
    assert_eq!(waiting.handle.paste(&url("code=p4ste&state=open")), Err(Refusal::State));
    assert_eq!(waiting.handle.paste("code=p4ste&state=sesame"), Err(Refusal::Malformed));
    assert_eq!(waiting.handle.paste(&url("code=p4ste&state=sesame")), Ok(()));
    assert_eq!(waiting.code(), "p4ste");
}

#[test]
fn a_pasted_url_races_the_listener_and_one_of_them_counts() {
    const LEAST: Duration = Duration::from_micros(10);
    let (mut pasted, mut browsed) = (0, 0);
    // The browser's head start: less when it was first, more when it was not, so that they meet on any machine.
    let mut head_start = Duration::ZERO;
    for _ in 0..200 {
        let waiting = wait();
        let (handle, url) = (waiting.handle.clone(), format!("http://{}{}", waiting.authority, CALLBACK));
        // The browser is connected before the race, and may find the listener gone after it.
        let mut stream = waiting.connect();
        let paster = thread::spawn(move || {
            thread::park_timeout(head_start);
            handle.paste(&url.replace("c0de", "p4ste")).unwrap();
        });
        while head_start.is_zero() && !paster.is_finished() {
            thread::yield_now();
        }
        let mut page = String::new();
        let sent = write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, waiting.authority);
        let was_served = sent.and_then(|()| stream.read_to_string(&mut page)).is_ok() && !page.is_empty();
        drop(stream);
        paster.join().unwrap();
        match waiting.code().as_str() {
            "p4ste" => {
                // No page said "received" to a code that was not.
                assert!(!was_served, "{}", page);
                pasted += 1;
                head_start = (head_start * 2).clamp(LEAST, Duration::from_secs(1));
            }
            "c0de" => {
                browsed += 1;
                head_start = Some(head_start / 2).filter(|half| *half >= LEAST).unwrap_or_default();
            }
            other => panic!("{}", other),
        }
    }
    eprintln!("{} pasted, {} browsed", pasted, browsed);
    assert!(pasted > 0 && browsed > 0, "nothing raced: {} pasted, {} browsed", pasted, browsed);
}
