//! Following a topic (Server-Sent Events): resuming, ending, and who is let in.

use std::time::Duration;

use fujie_store::Member;
use tokio::time::timeout;

use super::listener;
use crate::{
    browser::Browser,
    house::{HEARTBEAT, House},
};

const JSON: &str = "application/json";

/// A stream that is read as a browser reads it.
struct Stream {
    response: reqwest::Response,
    text: String,
}

/// One message, or a sign of life, which has nothing.
#[derive(Debug, Default, PartialEq)]
struct Message {
    id: String,
    event: String,
    data: String,
}

impl Stream {
    /// Opens the stream of `team`.
    async fn open(house: &House, headers: &[(&str, &str)], query: &str) -> Self {
        let mut request = house.http.get(format!("{}/topics/team/events{query}", house.issuer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        Self { response, text: String::new() }
    }

    async fn of(house: &House, token: &str, query: &str) -> Self {
        let stream = Self::open(house, &[("authorization", &format!("Bearer {token}"))], query).await;
        assert_eq!(stream.response.status(), 200);
        stream
    }

    /// The next block that is more than a sign of life; `None` at the end.
    async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let mut message = Message::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("id", id)) => message.id = id.to_owned(),
                        Some(("event", event)) => message.event = event.to_owned(),
                        Some(("data", data)) => message.data = data.to_owned(),
                        _ => assert!(line == ":" || line.starts_with("retry: "), "{line}"),
                    }
                }
                self.text = rest.to_owned();
                if message != Message::default() {
                    return Some(message);
                }
            }
            let chunk = timeout(Duration::from_secs(60), self.response.chunk()).await.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn title(&mut self) -> String {
        let message = self.next().await.unwrap();
        let event: serde_json::Value = serde_json::from_str(&message.data).unwrap();
        assert_eq!((event["id"].as_str().unwrap(), message.event.as_str()), (message.id.as_str(), ""));
        event["data"]["title"].as_str().unwrap().to_owned()
    }

    /// Reads to the end; the last message is a `bye`, whose data is given.
    async fn bye(mut self) -> String {
        let mut last = Message::default();
        while let Some(message) = self.next().await {
            last = message;
        }
        assert_eq!(last.event, "bye");
        last.data
    }
}

async fn post(house: &House, token: &str, title: &str) {
    assert_eq!(house.tell(token, JSON, &format!(r#"{{"title":"{title}"}}"#)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_they_happen_and_a_reader_that_comes_back_misses_none() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    post(&house, &token, "before").await;
    let mut stream = Stream::of(&house, &token, "").await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(stream.response.headers()[name], value);
    }
    let opening = stream.next().await.unwrap();
    assert_eq!((opening.event.as_str(), opening.data.as_str()), ("", ""), "only where it stands");
    post(&house, &token, "1").await;
    assert_eq!(stream.title().await, "1");
    drop(stream);
    post(&house, &token, "2").await;
    // By the header, which outranks the address that a browser repeats; or by the address.
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("last-event-id", opening.id.as_str())];
    let mut stream = Stream::open(&house, &headers, "?after=0").await;
    assert_eq!(stream.next().await.unwrap().id, opening.id);
    assert_eq!((stream.title().await, stream.title().await), ("1".to_owned(), "2".to_owned()));
    let mut stream = Stream::of(&house, &token, "?after=0").await;
    stream.next().await.unwrap();
    assert_eq!(stream.title().await, "before");
    let bad = Stream::open(&house, &[("authorization", &bearer), ("last-event-id", "x")], "").await;
    assert_eq!(bad.response.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_sender_gave_comes_along() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let mut stream = Stream::of(&house, &token, "").await;
    stream.next().await.unwrap();
    let named = house.tell(&token, "application/cloudevents+json", super::NAMED).await;
    assert!(named.body.contains(r#""delivery":"run-7""#), "{}", named.body);
    assert_eq!(stream.next().await.unwrap().data, named.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_nothing_to_say_gives_a_sign_of_life() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let mut stream = Stream::of(&house, &token, "").await;
    let mut text = String::new();
    while text.matches(":\n\n").count() < 5 {
        text.push_str(std::str::from_utf8(&stream.response.chunk().await.unwrap().unwrap()).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_token_and_with_membership() {
    let house = House::new().await;
    let (bot, token) = house.team().await;
    let stream = Stream::of(&house, &token, "").await;
    house.post("/revoke", &bot, &[("token", &token)]).await;
    assert_eq!(stream.bye().await, r#"{"error":"invalid_token"}"#);
    let token = house.own_token(&bot, "channel:read").await;
    let stream = Stream::of(&house, &token, "").await;
    let member = Member::Client(bot.id.clone());
    house.server.store().remove_member("team", member.clone(), Some(house.alice), house.clock.now()).await.unwrap();
    assert_eq!(stream.bye().await, r#"{"error":"access_denied"}"#);
    let app = house.add(listener("app")).await;
    let tokens = house.tokens(&app, &[("scope", "channel:read")]).await;
    let stream = Stream::of(&house, tokens["access_token"].as_str().unwrap(), "").await;
    house.later(3601).await;
    assert_eq!(stream.bye().await, r#"{"error":"invalid_token"}"#);
}

/// The cookies of a browser, as a header.
fn cookies(browser: &Browser) -> String {
    browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_ours_reads_by_its_session_until_it_signs_out() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let mut browser = house.alices_browser().await;
    let cookie = cookies(&browser);
    let mut stream = Stream::open(&house, &[("cookie", &cookie), ("sec-fetch-site", "same-origin")], "").await;
    assert_eq!(stream.response.status(), 200);
    assert!(stream.response.headers().get("set-cookie").is_none());
    stream.next().await.unwrap();
    post(&house, &token, "hello").await;
    assert_eq!(stream.title().await, "hello");
    let account = browser.get(&format!("{}/account", house.issuer)).await;
    browser.submit(&account, "/sign-out", &[]).await;
    assert_eq!(stream.bye().await, r#"{"error":"invalid_token"}"#);
    let gone = Stream::open(&house, &[("cookie", &cookie), ("sec-fetch-site", "same-origin")], "").await;
    assert_eq!(gone.response.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_does_not_read_by_the_session_of_its_visitor() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let cookie = cookies(&house.alices_browser().await);
    let cookie = cookie.as_str();
    for headers in [
        &[("cookie", cookie), ("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")],
        &[("cookie", cookie), ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:1")],
        &[("cookie", cookie), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
        &[("cookie", cookie), ("origin", "https://evil.test"), ("accept-language", "en")],
        &[("cookie", cookie), ("origin", "null"), ("accept-language", "en")],
        &[("cookie", cookie), ("sec-fetch-site", "none"), ("accept-language", "en")],
    ] {
        let stream = Stream::open(&house, headers, "").await;
        assert_eq!(stream.response.status(), 403, "{headers:?}");
        assert!(stream.response.headers().get("access-control-allow-origin").is_none());
    }
    // A session posts nothing here, whatever page it comes from; and with a token in the header the cookie is nothing.
    let post = house.http.post(format!("{}/topics/team/events", house.issuer)).header("cookie", cookie);
    let post = post.header("sec-fetch-site", "same-origin").header("content-type", JSON).body(r#"{"title":"x"}"#);
    assert_eq!(post.send().await.unwrap().status(), 401);
    let both = [("cookie", cookie), ("sec-fetch-site", "same-origin"), ("authorization", "Bearer fj_at_junk")];
    assert_eq!(Stream::open(&house, &both, "").await.response.status(), 401);
    assert_eq!(house.events(&token, "").await.json()["events"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_bye_and_does_not_wait_for_readers() {
    let mut house = House::new().await;
    let (_, token) = house.team().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = Stream::of(&house, &token, "").await;
        stream.next().await.unwrap();
        streams.push(stream);
    }
    let ends = streams.into_iter().map(|stream| tokio::spawn(stream.bye())).collect::<Vec<_>>();
    // One that reads nothing at all is not waited for either.
    let stuck = Stream::of(&house, &token, "").await;
    let event = format!(r#"{{"title":"x","text":"{}"}}"#, "x".repeat(9_000));
    for _ in 0..200 {
        assert_eq!(house.tell(&token, JSON, &event).await.status, 201);
    }
    timeout(Duration::from_secs(25), house.halt()).await.expect("it waited for its readers");
    drop(stuck);
    for end in ends {
        assert_eq!(end.await.unwrap(), "{}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_answered_and_other_methods_are_not() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let url = format!("{}/topics/team/events", house.issuer);
    let head = house.http.head(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["content-type"]), (200, &"text/event-stream".parse().unwrap()));
    let put = house.http.put(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!((put.status().as_u16(), &put.headers()["allow"]), (405, &"GET, POST".parse().unwrap()));
    let hook = house.http.get(format!("{}/hooks/x", house.issuer)).send().await.unwrap();
    assert_eq!((hook.status().as_u16(), &hook.headers()["allow"]), (405, &"POST".parse().unwrap()));
}

/// This test runs itself a second time in a process of its own, where no other test takes memory.
#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_cost_no_memory_and_hold_nobody_up() {
    if std::env::var_os(ALONE).is_some() {
        return with_readers_that_do_not_read().await;
    }
    let name = "channel::stream::readers_that_do_not_read_cost_no_memory_and_hold_nobody_up";
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    let run = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&run.stderr));
}

const ALONE: &str = "FUJIE_SERVER_TEST_ALONE";

async fn with_readers_that_do_not_read() {
    use tokio::io::AsyncWriteExt as _;
    let house = House::new().await;
    let (_, token) = house.team().await;
    let mut quick = Stream::of(&house, &token, "").await;
    quick.next().await.unwrap();
    let authority = house.issuer.strip_prefix("http://").unwrap();
    let head =
        format!("GET /topics/team/events HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {token}\r\n\r\n");
    let mut slow = Vec::new();
    for _ in 0..50 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(authority.parse().unwrap()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let event = format!(r#"{{"title":"x","text":"{}"}}"#, "x".repeat(9_000));
    let before = resident();
    for number in 0..2_000 {
        if number % 500 == 0 {
            house.next_minute().await;
        }
        assert_eq!(house.tell(&token, JSON, &event).await.status, 201);
        assert_eq!(quick.title().await, "x");
    }
    let grown = resident().saturating_sub(before);
    // 18 MB went by for each of them, 900 MB in all.
    assert!(grown < 100 * 1024, "{grown} KiB");
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_was_slow_is_judged_before_it_reads_on() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = House::new().await;
    let (_, token) = house.team().await;
    let reader = house.add(listener("reader")).await;
    house.let_in("team", &reader).await;
    let its_token = house.own_token(&reader, "channel:read").await;
    let event = format!(r#"{{"title":"x","text":"{}"}}"#, "x".repeat(9_000));
    for _ in 0..600 {
        assert_eq!(house.tell(&token, JSON, &event).await.status, 201);
    }
    let authority = house.issuer.strip_prefix("http://").unwrap();
    let head = format!(
        "GET /topics/team/events?after=0 HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {its_token}\r\n\r\n"
    );
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(authority.parse().unwrap()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // It has begun, and takes no more for a while.
    stream.read_u8().await.unwrap();
    tokio::time::sleep(HEARTBEAT * 2).await;
    let member = Member::Client(reader.id.clone());
    house.server.store().remove_member("team", member, Some(house.alice), house.clock.now()).await.unwrap();
    tokio::time::sleep(HEARTBEAT * 4).await;
    house.next_minute().await;
    post(&house, &token, "after it left").await;
    let (mut text, mut piece) = (String::new(), vec![0; 64 * 1024]);
    // Whole: the last words may come in two pieces.
    while !text.split("event: bye").nth(1).is_some_and(|rest| rest.contains("\n\n")) {
        let length = timeout(Duration::from_secs(60), stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(length > 0, "it ended without a word");
        text.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    assert!(text.contains("access_denied") && !text.contains("after it left"));
    assert!(text.matches("\nid: ").count() < 500, "what came later was not given");
}

/// KiB of memory that this process has.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
