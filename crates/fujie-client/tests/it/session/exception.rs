//! What goes wrong in python-requests' words (seed 002, 1.1.6), eight exceptions, each caused by a
//! server that causes it.

use std::time::Duration;

use tokio::net::TcpSocket;

use super::hostile::{Hostile, Reply, answer, head, ok, redirect};
use super::{UNKNOWN, builder, limits, session, told};
use crate::server::nobody;

/// exception requests.RequestException：发送一个模糊的异常。
#[tokio::test]
async fn request_exception() {
    let server = Hostile::new(|_| Reply::Close(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())).await;
    let session = session(&server.base);
    let vague = session.get("a").query("t", "canary").send().await.unwrap_err();
    let unsent = session.get("a").header("X", "a\nb").send().await.unwrap_err();
    let method = session.request("G E T", "a").send().await.unwrap_err();
    for (error, name) in [(vague, "interrupted"), (unsent, "bad_request"), (method, "bad_request")] {
        // Every failure is one type that says what, where, and what to do next.
        let error: &dyn std::error::Error = &error;
        let error = error.downcast_ref::<fujie_client::session::Error>().unwrap();
        assert_eq!(error.name(), name, "{}", told(error));
        assert!(error.report().contains("; next: "));
        assert!(!error.is_timeout() && !error.is_connection() && error.status().is_none());
    }
    assert_eq!(server.requests().len(), 1);
}

/// exception requests.ConnectionError：发生连接错误时的异常。
#[tokio::test]
async fn connection_error() {
    let nobody = nobody();
    let base = format!("http://{}", nobody.local_addr().unwrap());
    let error = session(&base).get("a").query("t", "canary").send().await.unwrap_err();
    assert_eq!(error.name(), "connect");
    assert!(error.is_connection());
    assert!(told(&error).contains(&format!("GET {base}/a: no connection")), "{}", told(&error));

    let error = session(&format!("http://{UNKNOWN}")).get("a").send().await.unwrap_err();
    assert_eq!(error.name(), "connect", "{}", told(&error));

    let server = Hostile::new(|_| Reply::Close(Vec::new())).await;
    let error = session(&server.base).post("a").body("x").send().await.unwrap_err();
    assert_eq!(error.name(), "interrupted", "{}", told(&error));
    assert_eq!(server.requests().len(), 1, "it may have acted: nothing is sent twice");
}

/// exception requests.HTTPError：发生 HTTP 错误时的异常。
#[tokio::test]
async fn http_error() {
    let server = Hostile::new(|received| match received.path() {
        "/ok" => ok("fine"),
        path => answer(&format!("{} Odd", &path[1..]), &[], r#"{"message":"canary"}"#),
    })
    .await;
    let session = session(&server.base);
    assert_eq!(session.get("ok").send().await.unwrap().error_for_status().unwrap().text(), "fine");
    for status in [400, 401, 403, 404, 407, 429, 500, 503, 599] {
        let answer = session.get(&status.to_string()).query("t", "canary").send().await.unwrap();
        assert_eq!(answer.status(), status, "a status alone is not an error");
        assert!(answer.text().contains("canary"), "its body can be read");
        let error = answer.error_for_status().unwrap_err();
        assert_eq!((error.name(), error.status()), ("status", Some(status)));
        assert!(told(&error).contains(&format!("/{status}: status {status}")), "{}", told(&error));
    }
}

/// exception requests.URLRequired：URL 错误时的异常。
#[tokio::test]
async fn url_required() {
    for base in ["", "service.example", "ftp://service.example", "http://", "http://u:canary@service.example"] {
        let error = builder(base).build().unwrap_err();
        assert_eq!(error.name(), "bad_url", "{base}: {}", told(&error));
    }
    let server = Hostile::new(|_| ok("")).await;
    let session = session(&server.base);
    for target in ["ftp://service.example/x", "http://", "http://u:canary@service.example/", "https://[::1"] {
        let error = session.get(target).send().await.unwrap_err();
        assert_eq!(error.name(), "bad_url", "{target}: {}", told(&error));
    }
    assert!(server.requests().is_empty());
}

/// exception requests.TooManyRedirects：太多的重定向。
#[tokio::test]
async fn too_many_redirects() {
    let server = Hostile::new(|received| redirect("302 Found", &format!("/{}?t=canary", received.earlier + 1))).await;
    let error = session(&server.base).get("0").send().await.unwrap_err();
    assert_eq!(error.name(), "too_many_redirects", "{}", told(&error));
    assert_eq!(server.requests().len(), 11, "ten are followed");
    assert_eq!(server.connections(), 1);

    let session = builder(&server.base).limits(limits(|limits| limits.redirects_max = 0)).build().unwrap();
    let error = session.get("0").send().await.unwrap_err();
    assert_eq!(error.name(), "too_many_redirects", "{}", told(&error));
    assert_eq!(server.requests().len(), 12);
}

/// exception requests.ConnectTimeout：连接服务器是请求超时。
#[tokio::test]
async fn connect_timeout() {
    // A listener whose queue is full: the system does not answer the next one at all.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    // A connection that is not there after so long will never be.
    while let Ok(stream) = tokio::time::timeout(Duration::from_secs(3), tokio::net::TcpStream::connect(address)).await {
        queue.push(stream.unwrap());
        assert!(queue.len() < 100, "the queue never fills");
    }
    let short = limits(|limits| limits.connect = Duration::from_millis(300));
    let session = builder(&format!("http://{address}")).limits(short).build().unwrap();
    let error = session.get("a").query("t", "canary").send().await.unwrap_err();
    assert_eq!(error.name(), "connect_timeout", "{}", told(&error));
    assert!(error.is_timeout() && error.is_connection());
}

/// exception requests.ReadTimeout：服务器没有在指定的时间内发送数据。
#[tokio::test]
async fn read_timeout() {
    let server = Hostile::new(|received| match received.path() {
        "/mute" => Reply::Silence(Vec::new()),
        "/head" => Reply::Silence(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
        "/body" => Reply::Silence([head("200 OK", &[], Some(99)).as_slice(), b"begun"].concat()),
        _ => Reply::Drip(head("200 OK", &[], Some(10)), Duration::from_millis(100)),
    })
    .await;
    let short = limits(|limits| {
        limits.connect = Duration::from_secs(2);
        limits.read = Duration::from_millis(600);
    });
    let session = builder(&server.base).limits(short).build().unwrap();
    let fails = async |silent: &str| (silent.to_owned(), session.get(silent).query("t", "canary").send().await);
    for (silent, outcome) in <[_; 3]>::from(tokio::join!(fails("mute"), fails("head"), fails("body"))) {
        let error = outcome.unwrap_err();
        assert_eq!(error.name(), "read_timeout", "{silent}: {}", told(&error));
        assert!(error.is_timeout() && !error.is_connection());
    }
    let slow = builder(&server.base).limits(limits(|limits| limits.read = Duration::from_secs(15))).build().unwrap();
    assert_eq!(slow.get("drip").send().await.unwrap().text(), "..........", "slow is not silent");
}

/// exception requests.Timeout：请求超时。
#[tokio::test]
async fn timeout() {
    let server = Hostile::new(|received| match received.target() {
        "/mute" => Reply::Silence(Vec::new()),
        "/drip" => Reply::Drip(head("200 OK", &[], Some(1_000_000)), Duration::from_millis(20)),
        "/drip-head" => Reply::Drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), Duration::from_millis(20)),
        _ => redirect("302 Found", "/drip"),
    })
    .await;
    let session = builder(&server.base).limits(limits(|limits| limits.total = Duration::from_millis(700))).build();
    let session = session.unwrap();
    for path in ["mute", "drip", "drip-head", "around"] {
        let error = session.get(path).send().await.unwrap_err();
        assert_eq!(error.name(), "timeout", "{path}: {}", told(&error));
        assert!(error.is_timeout());
    }
    // Long enough for the head to come.
    let mut download = session.get("drip").timeout(Duration::from_secs(3)).download(u64::MAX).await.unwrap();
    let error = loop {
        match download.chunk().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.name(), "timeout", "{}", told(&error));
    let patient = super::session(&server.base);
    let error = patient.get("mute").timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert_eq!(error.name(), "timeout", "one request may have less time");
}
