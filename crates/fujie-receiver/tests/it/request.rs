//! Requests that are not the callback, and the callback in unusual clothes.

use std::{io::Write, net::Shutdown};

use fujie_receiver::{
    callback::Refusal,
    loopback::{Loopback, Options},
    page::{Language, Page},
    Error,
};

use crate::browser::{connect, options, read_all, wait, wait_with, CALLBACK};

#[test]
fn the_callback_gets_its_page_and_the_caller_its_code() {
    let waiting = wait();
    let answer = waiting.ask("GET", "/getcode?code=c%2B0+1&state=sesame&iss=https%3A%2F%2Fissuer.example");
    assert_eq!(answer.status(), 200);
    for header in [
        "Cache-Control: no-store\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "Content-Security-Policy: default-src 'none';",
        "Connection: close\r\n",
    ] {
        assert!(answer.text.contains(header), "{}", answer.text);
    }
    assert!(answer.body().contains("可以关闭此窗口了") && answer.body().contains("You can close this window"));
    assert!(!answer.text.contains("sesame") && !answer.text.contains("c+0"), "{}", answer.text);
    let callback = waiting.end().unwrap();
    assert_eq!((callback.code(), callback.value("iss")), (Ok("c+0 1"), Some("https://issuer.example")));
}

#[test]
fn favicon_first() {
    let waiting = wait();
    let answer = waiting.ask("GET", "/favicon.ico");
    assert_eq!((answer.status(), answer.body()), (204, ""));
    waiting.still_completes();
}

#[test]
fn another_path_first() {
    let waiting = wait();
    assert_eq!(waiting.ask("GET", "/?code=c0de&state=sesame").status(), 404);
    assert_eq!(waiting.ask("GET", "/getcode/?code=c0de&state=sesame").status(), 404);
    waiting.still_completes();
}

#[test]
fn wrong_state_first() {
    let waiting = wait();
    let answer = waiting.ask("GET", "/getcode?code=c0de&state=open");
    assert_eq!(answer.status(), 400);
    assert!(answer.body().contains("This belongs to another sign-in"));
    waiting.still_completes();
}

#[test]
fn missing_state_first() {
    let waiting = wait();
    assert_eq!(waiting.ask("GET", "/getcode?code=c0de").status(), 400);
    assert_eq!(waiting.ask("GET", "/getcode").status(), 400);
    waiting.still_completes();
}

#[test]
fn an_error_with_another_state_ends_nothing() {
    let waiting = wait();
    assert_eq!(waiting.ask("GET", "/getcode?error=access_denied&state=open").status(), 400);
    assert_eq!(waiting.ask("GET", "/getcode?error=access_denied").status(), 400);
    waiting.still_completes();
}

#[test]
fn an_error_with_the_right_state_ends_the_wait() {
    let waiting = wait();
    let answer = waiting.ask("GET", "/getcode?error=access_denied&error_description=No&state=sesame");
    assert_eq!(answer.status(), 200);
    assert!(answer.body().contains("未获得授权") && answer.body().contains("Access was not granted"));
    let callback = waiting.end().unwrap();
    assert_eq!((callback.code(), callback.value("error_description")), (Err("access_denied"), Some("No")));
}

#[test]
fn a_host_that_rebinds_its_name_gets_421() {
    let waiting = wait();
    for host in ["evil.example", "evil.example:80", "127.0.0.1", "localhost"] {
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, host);
        assert_eq!(waiting.send(&request).status(), 421, "{}", host);
    }
    assert_eq!(waiting.send(&format!("GET {} HTTP/1.1\r\n\r\n", CALLBACK)).status(), 400);
    waiting.still_completes();
}

#[test]
fn head_never_consumes() {
    let waiting = wait();
    let answer = waiting.ask("HEAD", CALLBACK);
    assert_eq!((answer.status(), answer.body()), (200, ""));
    let answer = waiting.ask("HEAD", "/getcode?code=c0de&state=open");
    assert_eq!((answer.status(), answer.body()), (400, ""));
    waiting.still_completes();
}

#[test]
fn options_allows_nothing() {
    let waiting = wait();
    let answer = waiting.send(&format!(
        "OPTIONS {} HTTP/1.1\r\nHost: {}\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n\
         Access-Control-Request-Private-Network: true\r\n\r\n",
        CALLBACK, waiting.authority
    ));
    assert_eq!(answer.status(), 405);
    assert!(!answer.text.contains("Access-Control"), "{}", answer.text);
    waiting.still_completes();
}

fn form(authority: &str, body: &str) -> String {
    format!(
        "POST /getcode HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{}",
        authority,
        body.len(),
        body
    )
}

#[test]
fn post_completes_nothing_unless_asked_for() {
    let waiting = wait();
    let answer = waiting.send(&form(&waiting.authority, "code=c0de&state=sesame"));
    assert!(answer.status() == 405 && answer.text.contains("\r\nAllow: GET, HEAD\r\n"), "{}", answer.text);
    waiting.still_completes();
}

#[test]
fn a_form_post_is_taken_when_asked_for() {
    let mut options = options();
    options.is_form_post = true;
    let waiting = wait_with(&options);
    assert_eq!(waiting.send(&form(&waiting.authority, "code=c0de&state=open")).status(), 400);
    let answer = waiting.ask("PUT", CALLBACK);
    assert!(answer.status() == 405 && answer.text.contains("\r\nAllow: GET, HEAD, POST\r\n"), "{}", answer.text);
    let chunked = format!(
        "POST /getcode HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        waiting.authority
    );
    assert_eq!(waiting.send(&chunked).status(), 400);
    // Content that comes later than its head.
    let (text, mut stream) = (form(&waiting.authority, "code=c0de&state=sesame"), waiting.connect());
    stream.write_all(&text.as_bytes()[..text.len() - 10]).unwrap();
    assert_eq!(waiting.ask("GET", "/favicon.ico").status(), 204);
    stream.write_all(&text.as_bytes()[text.len() - 10..]).unwrap();
    assert_eq!(read_all(&mut stream).status(), 200);
    assert_eq!(waiting.code(), "c0de");
}

#[test]
fn only_the_first_of_pipelined_requests_is_read() {
    let waiting = wait();
    let callback = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, waiting.authority);
    let favicon = format!("GET /favicon.ico HTTP/1.1\r\nHost: {}\r\n\r\n", waiting.authority);
    let answer = waiting.send(&format!("{}{}", favicon, callback));
    assert_eq!((answer.status(), answer.text.matches("HTTP/1.1").count()), (204, 1));
    // The callback first: its page arrives whole, although more was sent than was read.
    let answer = waiting.send(&format!("{}{}", callback, favicon.repeat(100)));
    assert_eq!((answer.status(), answer.text.matches("HTTP/1.1").count()), (200, 1));
    assert!(answer.text.ends_with("</html>\n"), "{}", answer.text);
    assert_eq!(waiting.code(), "c0de");
}

#[test]
fn http_1_0_is_spoken() {
    let waiting = wait();
    assert_eq!(waiting.send("GET /favicon.ico HTTP/1.0\r\n\r\n").status(), 204);
    let answer = waiting.send(&format!("GET {} HTTP/1.0\r\nHost: {}\r\n\r\n", CALLBACK, waiting.authority));
    assert_eq!(answer.status(), 200);
    assert_eq!(waiting.code(), "c0de");
}

#[test]
fn a_callback_split_over_two_segments_is_one() {
    let waiting = wait();
    let (request, mut stream) =
        (format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, waiting.authority), waiting.connect());
    // Between two bytes of an end of line; the second connection is served in between.
    let middle = request.find('\n').unwrap();
    stream.write_all(&request.as_bytes()[..middle]).unwrap();
    assert_eq!(waiting.ask("GET", "/favicon.ico").status(), 204);
    stream.write_all(&request.as_bytes()[middle..]).unwrap();
    assert_eq!(read_all(&mut stream).status(), 200);
    assert_eq!(waiting.code(), "c0de");
}

#[test]
fn a_browser_that_closes_its_half_after_asking_is_answered() {
    let waiting = wait();
    let mut stream = waiting.connect();
    write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", CALLBACK, waiting.authority).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut stream).status(), 200);
    assert_eq!(waiting.code(), "c0de");
}

#[test]
fn a_url_of_200_kb_is_refused() {
    let waiting = wait();
    let long = format!("{}&more={}", CALLBACK, "x".repeat(200_000));
    assert_eq!(waiting.ask("GET", &long).status(), 414);
    let header = format!("GET / HTTP/1.1\r\nHost: {}\r\nA: {}\r\n\r\n", waiting.authority, "x".repeat(200_000));
    assert_eq!(waiting.send(&header).status(), 431);
    waiting.still_completes();
}

#[test]
fn duplicate_parameters_are_refused() {
    let waiting = wait();
    for query in
        ["code=c0de&code=other&state=sesame", "code=c0de&state=sesame&state=sesame", "a=&a=&code=c&state=sesame"]
    {
        assert_eq!(waiting.ask("GET", &format!("/getcode?{}", query)).status(), 400, "{}", query);
    }
    waiting.still_completes();
}

#[test]
fn an_empty_code_is_none() {
    let waiting = wait();
    assert_eq!(waiting.ask("GET", "/getcode?code=&state=sesame").status(), 400);
    waiting.still_completes();
}

#[test]
fn what_is_not_http_is_refused_at_once() {
    let waiting = wait();
    for bytes in ["\u{16}\u{3}\u{1}", "\n", "GET /getcode\r\n", "SSH-2.0-x\r\n", "PRI * HTTP/2.0\r\n\r\n"] {
        let mut stream = connect(&waiting.authority);
        stream.write_all(bytes.as_bytes()).unwrap();
        assert_eq!(read_all(&mut stream).status(), 400, "{:?}", bytes);
    }
    waiting.still_completes();
}

#[test]
fn without_a_state_a_bare_code_completes() {
    let waiting = wait_with(&Options::without_state("/getcode"));
    assert_eq!(waiting.ask("GET", "/getcode").status(), 400);
    assert_eq!(waiting.ask("GET", "/getcode?code=something").status(), 200);
    assert_eq!(waiting.code(), "something");
}

#[test]
fn the_page_can_be_another_and_the_language_first() {
    let mut options = options();
    options.language = Language::Chinese;
    options.page = Some(Page { received: "<p>好了</p>".into(), denied: "<p>没成</p>".into() });
    let waiting = wait_with(&options);
    assert!(waiting.ask("GET", "/").body().contains("<html lang=\"zh-CN\">"));
    assert_eq!(waiting.ask("GET", CALLBACK).body(), "<p>好了</p>");
    assert_eq!(waiting.code(), "c0de");
}

#[test]
fn a_timeout_tells_what_came_closest() {
    let wait = |ask: &[&str], seconds: u64| {
        let loopback = Loopback::bind(&options()).unwrap();
        let authority = loopback.redirect_uri().replace("http://", "").replace("/getcode", "");
        // What was sent before the wait began is read in it.
        let mut streams: Vec<_> = ask.iter().map(|_| connect(&authority)).collect();
        for (stream, target) in streams.iter_mut().zip(ask) {
            write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, authority).unwrap();
        }
        match loopback.wait(std::time::Duration::from_secs(seconds)) {
            Err(Error::TimedOut { refusal }) => refusal,
            other => panic!("{:?}", other),
        }
    };
    assert_eq!(wait(&[], 0), None);
    // Time enough to read both.
    assert_eq!(wait(&["/getcode?code=c&state=open", "/elsewhere"], 5), Some(Refusal::State));
}
