//! The line protocol over WebSocket, by a client that somebody else wrote.

use std::time::Duration;

use fujie_store::Member;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, empty, sink},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        protocol::{Role, frame::coding::CloseCode},
    },
};

use crate::house::{House, READERS};

struct Socket<S = MaybeTlsStream<TcpStream>>(WebSocketStream<S>);

/// What the server answers to a handshake with these headers: the socket, or the status.
async fn connect(house: &House, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let url = format!("ws{}/channel", house.issuer.strip_prefix("http").unwrap());
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(Socket(socket)),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    async fn say(&mut self, line: &str) {
        self.0.send(Message::text(line)).await.unwrap();
    }

    async fn message(&mut self) -> Message {
        timeout(Duration::from_secs(60), self.0.next()).await.unwrap().unwrap().unwrap()
    }

    /// The next line.
    async fn hear(&mut self) -> String {
        loop {
            match self.message().await {
                Message::Text(text) => return text.to_string(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn ask(&mut self, line: &str) -> String {
        self.say(line).await;
        self.hear().await
    }

    /// All lines up to the end, and the code it is closed with.
    async fn end(mut self) -> (Vec<String>, CloseCode) {
        let mut lines = Vec::new();
        loop {
            match self.message().await {
                Message::Text(text) => lines.push(text.to_string()),
                Message::Close(frame) => return (lines, frame.unwrap().code),
                _ => {}
            }
        }
    }
}

/// What comes over this socket to the end, as lines and a code. Not one ping is answered.
async fn end_of_silent(Socket(socket): Socket) -> (Vec<String>, CloseCode) {
    let mut stream = socket.into_inner();
    let mut bytes = Vec::new();
    timeout(Duration::from_secs(90), stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let replayed = tokio::io::join(empty(), sink());
    Socket(WebSocketStream::from_partially_read(replayed, bytes, Role::Client, None).await).end().await
}

async fn post(house: &House, token: &str, title: &str) {
    let body = format!(r#"{{"title":"{title}"}}"#);
    assert_eq!(house.tell(token, "application/json", &body).await.status, 201);
}

fn title(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line.strip_prefix("event ").unwrap()).unwrap();
    event["data"]["title"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_says_who_it_is_subscribes_and_resumes() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    post(&house, &token, "1").await;
    let mut socket = connect(&house, &[]).await.ok().unwrap();
    assert_eq!(socket.ask("ping").await, "pong");
    assert_eq!(socket.ask(&format!("auth {token}")).await, "ok auth");
    assert_eq!(socket.ask("subscribe team 0").await, "ok subscribe team 0");
    assert_eq!(title(&socket.hear().await), "1");
    post(&house, &token, "2").await;
    assert_eq!(title(&socket.hear().await), "2");
    // Several lines in one message are several lines.
    socket.say("unsubscribe team\nping\n").await;
    assert_eq!((socket.hear().await, socket.hear().await), ("ok unsubscribe team".into(), "pong".into()));
    socket.say("bye").await;
    assert_eq!(socket.end().await, (vec!["bye".to_owned()], CloseCode::Normal));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_token_in_the_header_does_too() {
    let house = House::new().await;
    let (bot, token) = house.team().await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("origin", "https://elsewhere.example")];
    let mut socket = connect(&house, &headers).await.ok().unwrap();
    assert_eq!(socket.hear().await, "ok auth");
    assert!(socket.ask("subscribe team").await.starts_with("ok subscribe team "));
    let named = house.tell(&token, "application/cloudevents+json", super::NAMED).await;
    assert!(named.body.contains(r#""delivery":"run-7""#), "{}", named.body);
    assert_eq!(socket.hear().await, format!("event {}", named.body));
    assert_eq!(connect(&house, &[("authorization", "Bearer fj_at_junk")]).await.err(), Some(401));
    assert_eq!(connect(&house, &[("authorization", "Basic x")]).await.err(), Some(401));
    let writes = format!("Bearer {}", house.own_token(&bot, "channel:write").await);
    assert_eq!(connect(&house, &[("authorization", &writes)]).await.err(), Some(403));
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_mean_nothing_and_foreign_pages_are_turned_away() {
    let house = House::new().await;
    house.team().await;
    let browser = house.alices_browser().await;
    let cookies = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    for origin in ["https://evil.test", "null", "http://127.0.0.1:1"] {
        assert_eq!(connect(&house, &[("cookie", &cookies), ("origin", origin)]).await.err(), Some(403), "{origin}");
    }
    let issuer = house.issuer.clone();
    let mut socket = connect(&house, &[("cookie", &cookies), ("origin", &issuer)]).await.ok().unwrap();
    assert!(socket.ask("subscribe team").await.starts_with("error invalid_token "));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_told_how() {
    let house = House::new().await;
    let authority = house.issuer.strip_prefix("http://").unwrap();
    let good = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let ask = |changed: (&'static str, &'static str)| {
        let mut head = format!("GET /channel HTTP/1.1\r\nhost: {authority}\r\n");
        for (name, value) in good {
            let value = if name == changed.0 { changed.1 } else { value };
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let house = &house;
        async move {
            let mut stream = TcpStream::connect(authority).await.unwrap();
            stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
            let mut answer = vec![0; 4096];
            let length = stream.read(&mut answer).await.unwrap();
            let _ = house;
            String::from_utf8_lossy(&answer[..length]).to_lowercase()
        }
    };
    let answer = ask(("", "")).await;
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    // The example of RFC 6455 section 1.3.
    assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
    for changed in [
        ("connection", "keep-alive"),
        ("upgrade", "h2c"),
        ("sec-websocket-version", "8"),
        ("sec-websocket-key", "dGhlIHNhbXBsZQ=="),
        ("sec-websocket-key", "x"),
    ] {
        let answer = ask(changed).await;
        assert!(answer.starts_with("http/1.1 426 "), "{changed:?}: {answer}");
        assert!(answer.contains("upgrade: websocket") && answer.contains("sec-websocket-version: 13"), "{answer}");
    }
    let post = house.http.post(format!("{}/channel", house.issuer)).send().await.unwrap();
    assert_eq!((post.status().as_u16(), &post.headers()["allow"]), (405, &"GET".parse().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_have_few_places_and_keep_no_reader_out() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let mut strangers = Vec::new();
    let refused = loop {
        match connect(&house, &[]).await {
            Ok(socket) => strangers.push(socket),
            Err(status) => break status,
        }
    };
    assert_eq!((refused, strangers.len()), (503, READERS.strangers as usize));
    let with_token = [("authorization", &*format!("Bearer {token}"))];
    let mut reader = connect(&house, &with_token).await.ok().unwrap();
    assert_eq!(reader.hear().await, "ok auth");
    // Who says who it is makes room for others.
    let mut stranger = strangers.pop().unwrap();
    assert_eq!(stranger.ask(&format!("auth {token}")).await, "ok auth");
    assert!(connect(&house, &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_and_who_talks_nonsense_is_left() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let mut socket = connect(&house, &[]).await.ok().unwrap();
    assert_eq!(socket.ask(&format!("auth {token}")).await, "ok auth");
    assert!(socket.ask("subscribe other").await.starts_with("error access_denied other"));
    assert!(socket.ask("dance").await.starts_with("error invalid_request "));
    for (message, word, code) in [
        (Message::text("auth fj_at_junk"), "error invalid_token ", CloseCode::Policy),
        (Message::text("GET / HTTP/1.1"), "error invalid_request ", CloseCode::Normal),
        (Message::text("x".repeat(4097)), "error line_too_long ", CloseCode::Size),
        (Message::text("x".repeat(100_000)), "error line_too_long ", CloseCode::Size),
        (Message::binary(b"ping".as_slice()), "", CloseCode::Unsupported),
    ] {
        let mut socket = connect(&house, &[]).await.ok().unwrap();
        socket.0.send(message).await.unwrap();
        let (lines, closed) = socket.end().await;
        assert_eq!(closed, code, "{lines:?}");
        assert!(if word.is_empty() { lines.is_empty() } else { lines[0].starts_with(word) }, "{lines:?}");
    }
    assert_eq!(socket.ask("ping").await, "pong", "nobody else was disturbed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_is_answered() {
    let house = House::new().await;
    let mut socket = connect(&house, &[]).await.ok().unwrap();
    assert_eq!(socket.ask("ping").await, "pong");
    socket.0.close(None).await.unwrap();
    // The library gives the answer to a close, and then the end; without an answer it gives an error.
    assert!(matches!(socket.message().await, Message::Close(_)));
    assert!(timeout(Duration::from_secs(60), socket.0.next()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_bye() {
    let mut house = House::new().await;
    let (_, token) = house.team().await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = connect(&house, &[("authorization", &format!("Bearer {token}"))]).await.ok().unwrap();
        socket.hear().await;
        sockets.push(tokio::spawn(end_of_silent(socket)));
    }
    timeout(Duration::from_secs(25), house.halt()).await.expect("it waited for its peers");
    for socket in sockets {
        assert_eq!(socket.await.unwrap(), (vec!["bye".to_owned()], CloseCode::Away));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_seconds_without_a_sign_of_life_are_the_end() {
    let house = House::new().await;
    let (bot, token) = house.team().await;
    let bearer = format!("Bearer {token}");
    let mut silent = connect(&house, &[("authorization", &bearer)]).await.ok().unwrap();
    assert_eq!(silent.hear().await, "ok auth");
    let mut anonymous = connect(&house, &[]).await.ok().unwrap();
    // This one only answers pings, for longer, and its token ends.
    let mut alive = connect(&house, &[("authorization", &bearer)]).await.ok().unwrap();
    assert_eq!(alive.hear().await, "ok auth");
    assert!(alive.ask("subscribe team").await.starts_with("ok subscribe"));
    let member = Member::Client(bot.id.clone());
    house.server.store().remove_member("team", member, Some(house.alice), house.clock.now()).await.unwrap();
    let alive = tokio::spawn(async move {
        let told = alive.hear().await;
        let more = tokio::time::timeout(Duration::from_secs(35), alive.hear()).await;
        (told, more.ok(), alive.ask("ping").await)
    });
    let anonymous = tokio::spawn(async move {
        anonymous.say("ping").await;
        anonymous.end().await
    });
    let (lines, code) = end_of_silent(silent).await;
    assert_eq!((lines, code), (vec!["超时断开连接".to_owned()], CloseCode::Policy));
    let (lines, code) = anonymous.await.unwrap();
    assert_eq!((lines.last().unwrap().as_str(), code), ("超时断开连接", CloseCode::Policy), "it never said who it is");
    let (told, more, pong) = alive.await.unwrap();
    assert!(told.starts_with("error access_denied team"), "{told}");
    assert_eq!((more, pong.as_str()), (None, "pong"));
}
