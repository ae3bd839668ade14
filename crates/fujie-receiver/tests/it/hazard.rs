//! Connections that hold on: nobody waits for them.

use std::{
    env,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fujie_receiver::{callback::Refusal, loopback::REQUEST_TIME_MAX};

use crate::{
    browser::{answer_to, options, quiet_port, read_all, wait, wait_with, CALLBACK},
    program::{memory_and_threads, Program},
};

/// Less than a connection that is waited for would take.
const AT_ONCE: Duration = Duration::from_secs(3);

#[test]
fn eight_idle_preconnects_hold_nobody_up() {
    let waiting = wait();
    let idle: Vec<_> = (0..8).map(|_| waiting.connect()).collect();
    let begin = Instant::now();
    waiting.still_completes();
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    drop(idle);
}

#[test]
fn half_a_request_holds_nobody_up_and_is_told_that_it_is_late() {
    let waiting = wait();
    let mut half = waiting.connect();
    write!(half, "GET {} HT", CALLBACK).unwrap();
    let begin = Instant::now();
    assert_eq!(waiting.ask("GET", "/favicon.ico").status(), 204);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    assert_eq!(read_all(&mut half).status(), 408);
    assert!(begin.elapsed() > REQUEST_TIME_MAX / 2, "{:?}", begin.elapsed());
    waiting.still_completes();
}

#[test]
fn a_preconnect_that_stays_idle_is_closed_without_a_word() {
    let waiting = wait();
    let mut idle = waiting.connect();
    assert_eq!(read_all(&mut idle).text, "");
    waiting.still_completes();
}

#[test]
fn one_byte_per_second_ends_by_the_deadline_of_the_whole_request() {
    let waiting = wait();
    let mut slow = waiting.connect();
    slow.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let (begin, mut answer) = (Instant::now(), [0; 12]);
    let request = format!("GET {} HTTP/1.1\r\n", CALLBACK);
    let mut sent = 0;
    for byte in request.as_bytes() {
        slow.write_all(&[*byte]).unwrap();
        sent += 1;
        // The wait for an answer is the second between two bytes.
        match slow.read_exact(&mut answer) {
            Ok(()) => break,
            Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{}", error),
        }
    }
    assert_eq!(std::str::from_utf8(&answer).unwrap(), "HTTP/1.1 408");
    assert!((3..=10).contains(&sent) && begin.elapsed() < REQUEST_TIME_MAX * 3, "{} in {:?}", sent, begin.elapsed());
    waiting.still_completes();
}

#[test]
fn a_browser_that_is_closed_in_the_middle_of_its_request_ends_nothing() {
    let waiting = wait();
    let mut stream = waiting.connect();
    write!(stream, "GET {} HTTP/1.1\r\nHost: ", CALLBACK).unwrap();
    drop(stream);
    waiting.still_completes();
}

#[test]
fn a_browser_that_is_closed_before_its_page_has_brought_the_code() {
    let waiting = wait();
    let mut stream = waiting.connect();
    write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, waiting.authority).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    assert_eq!(waiting.code(), "c0de");
}

#[test]
fn forty_half_requests_leave_room_for_the_callback() {
    let waiting = wait();
    let halves: Vec<_> = (0..40)
        .map(|_| {
            let mut half = waiting.connect();
            half.write_all(b"GET ").unwrap();
            half
        })
        .collect();
    let begin = Instant::now();
    waiting.still_completes();
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    drop(halves);
}

const HOLD: &str = "FUJIE_TEST_HOLD";
/// Longer than anything takes on a slow machine.
const SETTLING_MAX: Duration = Duration::from_secs(30);

#[test]
fn a_thousand_idle_connections_hold_nobody_up() {
    if let Ok(authority) = env::var(HOLD) {
        return hold(&authority, 250);
    }
    let port = quiet_port();
    let mut program = Program::start(&["--port", &port.to_string(), "--path", "/getcode", "--state", "sesame"]);
    let authority = program.authority();
    // Four processes, because one may hold fewer files than a thousand.
    let name = "hazard::a_thousand_idle_connections_hold_nobody_up";
    let mut holders: Vec<_> = (0..4)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env(HOLD, &authority)
                .stdin(Stdio::piped())
                // Its own count of tests is none of ours.
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for holder in &mut holders {
        let lines = BufReader::new(holder.stderr.as_mut().unwrap()).lines();
        assert!(lines.map(Result::unwrap).any(|line| line.ends_with("250 are held")));
    }
    // The program, the one that accepts, one for each of 32 connections, and perhaps some about to end, which may take a
    // moment.
    let begin = Instant::now();
    while let Some((memory, threads)) = memory_and_threads(program.id()) {
        if threads <= 40 && memory < 8_000 {
            break;
        }
        assert!(begin.elapsed() < SETTLING_MAX, "{} threads, {} kB", threads, memory);
        thread::yield_now();
    }
    let begin = Instant::now();
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, authority);
    assert_eq!(answer_to(TcpStream::connect(&authority).unwrap(), &request).status(), 200);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    assert_eq!(program.finish(), (Some(0), "c0de\n".to_owned()));
    for mut holder in holders {
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
    }
}

/// Opens connections, says so, and holds them until its input ends.
fn hold(authority: &str, count: usize) {
    let held: Vec<_> = (0..count).map(|_| TcpStream::connect(authority).unwrap()).collect();
    eprintln!("{} are held", held.len());
    let mut end = String::new();
    std::io::stdin().read_to_string(&mut end).unwrap();
}

#[test]
fn a_thousand_sign_ins_in_a_row_bring_a_thousand_codes() {
    let mut options = options();
    options.ports = vec![quiet_port()];
    let (all, mut took) = (Instant::now(), Vec::new());
    for round in 0..1_000 {
        let begin = Instant::now();
        // The same port each time: the one before has given it back.
        let waiting = wait_with(&options);
        let idle = waiting.connect();
        if round % 4 == 0 {
            assert_eq!(waiting.ask("GET", "/getcode?code=other&state=open").status(), 400);
        }
        let answer = waiting.ask("GET", &format!("/getcode?code=c{}&state=sesame", round));
        assert!(answer.status() == 200 && answer.text.ends_with("</html>\n"), "{}", answer.text);
        assert_eq!(waiting.code(), format!("c{}", round));
        drop(idle);
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    let slowest: Vec<_> = took.iter().rev().take(5).collect();
    eprintln!("1,000 sign-ins took {:?}, the slowest of them {:?}", all.elapsed(), slowest);
    // The machine itself may stand still now and then.
    assert!(slowest.iter().any(|took| **took < Duration::from_secs(1)), "{:?}", slowest);
}

#[test]
fn the_refusals_are_in_the_order_of_how_far_a_request_got() {
    assert!(Refusal::Malformed < Refusal::Host && Refusal::Host < Refusal::Path && Refusal::Path < Refusal::State);
}
