//! `GET /channel`: the line protocol over WebSocket (RFC 6455), one text message for each line. Who is there is said by
//! a bearer token, in the header or by the line `auth TOKEN`; cookies mean nothing here, and a browser's page of another
//! origin is turned away.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_channel::{
    line::{Fault, IDLE_TIMEOUT, LINE_LENGTH_MAX, Output, Reply},
    session::{ADMISSION_TIMEOUT, Session},
};
use fujie_core::{channel::READ, error::ErrorCode, secret::Secret};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, StatusCode, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    channel::{
        access::{Credential, Visitor},
        gate::{Reader, ServerGate},
    },
    http::{Body, Request, Response, busy, refusal, status, with_header},
    place::Place,
    server::Server,
};

/// A message of a peer: a few lines at most.
const MESSAGE_LENGTH_MAX: usize = 4 * LINE_LENGTH_MAX;
/// A peer that is told goodbye has so long to take it.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// GET.
pub async fn get(server: &Arc<Server>, request: &Request) -> Response {
    let Some(accept) = handshake(request) else {
        let response = with_header(status(StatusCode::UPGRADE_REQUIRED), header::UPGRADE, "websocket");
        return with_header(response, header::SEC_WEBSOCKET_VERSION, "13");
    };
    let guest = match bearer(server, request).await {
        Ok(Some((token, visitor))) => {
            let place = server.places.reader(&visitor.member).map(Arc::new);
            place.map(|place| Guest::Reader(token, Reader { visitor, place }))
        }
        Ok(None) => server.places.stranger().map(Guest::Stranger),
        Err(response) => return response,
    };
    let Some(guest) = guest else { return busy() };
    let own = Arc::clone(server);
    let talk = move |upgraded| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { Talk::begin(own, upgraded, guest).await })
    };
    let mut response = Response::new(Body::Upgrade(Box::new(talk)));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    with_header(response, header::SEC_WEBSOCKET_ACCEPT, &accept)
}

/// The value that accepts the handshake; `None` when it is none (RFC 6455 §4.2.1).
fn handshake(request: &Request) -> Option<String> {
    let has = |name, word: &str| {
        let text = request.header(name).unwrap_or_default();
        text.split(',').any(|own| own.trim().eq_ignore_ascii_case(word))
    };
    let is_websocket = has(header::UPGRADE, "websocket")
        && has(header::CONNECTION, "upgrade")
        && request.header(header::SEC_WEBSOCKET_VERSION) == Some("13");
    let key = request.header(header::SEC_WEBSOCKET_KEY).filter(|_| is_websocket)?;
    let is_nonce = STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16);
    // SHA-1 is the protocol's own choice, and keeps nothing secret.
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(key.as_bytes());
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    is_nonce.then(|| STANDARD.encode(digest.finish()))
}

/// The token of the header, if there is one, as good. Without one the page that asks must be ours, or none.
async fn bearer(server: &Server, request: &Request) -> Result<Option<(Secret, Visitor)>, Response> {
    if request.headers.contains_key(header::AUTHORIZATION) {
        let credential = Credential::of_header(request).map_err(|response| *response)?;
        let visitor = credential.visitor(server, READ).await.map_err(|denied| denied.response())?;
        // A header shows nothing else.
        let Credential::Token(token) = credential else { return Ok(None) };
        return Ok(Some((token, visitor)));
    }
    let is_foreign =
        request.headers.contains_key(header::ORIGIN) && request.header(header::ORIGIN) != Some(server.issuer());
    if is_foreign {
        let words = "a page of another origin needs a bearer token in the header";
        return Err(refusal(StatusCode::FORBIDDEN, ErrorCode::AccessDenied.as_str(), words));
    }
    Ok(None)
}

/// Who comes.
enum Guest {
    /// Somebody who has still to say who it is.
    Stranger(Place),
    /// Somebody who has said so in the header.
    Reader(Secret, Reader),
}

/// A conversation over one WebSocket.
struct Talk {
    server: Arc<Server>,
    socket: WebSocketStream<TokioIo<Upgraded>>,
    session: Session<ServerGate>,
    output: Output,
    /// Lines that came together with one that is still being answered.
    lines: VecDeque<String>,
    /// When the peer last gave a sign of life.
    heard_at: Instant,
    began_at: Instant,
    /// Held until it is known who the peer is; then the session has a place.
    stranger: Option<Place>,
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The peer is gone.
    Gone,
    /// By the peer's wish, which is still to be answered.
    Closed,
    /// By one's wish, or because the session is over: with this code.
    Close(CloseCode),
}

impl Talk {
    async fn begin(server: Arc<Server>, upgraded: Upgraded, guest: Guest) {
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_LENGTH_MAX))
            .max_frame_size(Some(MESSAGE_LENGTH_MAX));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        let (exchange, mut output) = (Arc::clone(&server.exchange), Output::default());
        let (session, stranger) = match guest {
            Guest::Stranger(place) => (Session::new(exchange), Some(place)),
            Guest::Reader(token, reader) => (Session::admitted(exchange, token, reader, &mut output), None),
        };
        let now = Instant::now();
        let mut talk = Self {
            server: Arc::clone(&server),
            socket,
            session,
            output,
            lines: VecDeque::new(),
            heard_at: now,
            began_at: now,
            stranger,
        };
        let end = tokio::select! {
            end = talk.run() => end,
            () = server.stopped() => {
                talk.output.push(Reply::Bye);
                End::Close(CloseCode::Away)
            }
        };
        // A peer that takes nothing is left.
        match end {
            End::Gone => {}
            End::Closed => drop(timeout(FAREWELL_TIMEOUT, talk.socket.flush()).await),
            End::Close(code) => drop(timeout(FAREWELL_TIMEOUT, talk.close(code)).await),
        }
    }

    async fn run(&mut self) -> End {
        let mut ping_at = self.began_at + self.server.settings.channel.heartbeat;
        loop {
            if let Some(end) = self.obey() {
                return end;
            }
            if self.write().await.is_err() {
                return End::Gone;
            }
            let deadline = self.deadline();
            let may_read = self.lines.is_empty() && !self.session.is_asking();
            tokio::select! {
                flow = self.session.next(&mut self.output) => {
                    if flow.is_break() {
                        return End::Close(CloseCode::Policy);
                    }
                    if self.session.is_admitted() {
                        self.stranger = None;
                    }
                }
                message = self.socket.next(), if may_read => {
                    if let Some(end) = self.hear(message) {
                        return end;
                    }
                }
                () = sleep_until(ping_at) => {
                    ping_at += self.server.settings.channel.heartbeat;
                    if self.socket.send(Message::Ping(bytes::Bytes::new())).await.is_err() {
                        return End::Gone;
                    }
                }
                () = sleep_until(deadline) => return self.give_up(),
            }
        }
    }

    /// Hands lines over, as long as none is still being answered.
    fn obey(&mut self) -> Option<End> {
        while !self.session.is_asking() {
            let line = self.lines.pop_front()?;
            if line.len() > LINE_LENGTH_MAX {
                Session::<ServerGate>::fault(Fault::LineTooLong, &mut self.output);
                return Some(End::Close(CloseCode::Size));
            }
            if self.session.receive(&line, &mut self.output).is_break() {
                return Some(End::Close(CloseCode::Normal));
            }
        }
        None
    }

    fn hear(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Option<End> {
        self.heard_at = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => self.lines.extend(text.lines().map(str::to_owned)),
            // An answer to our ping is a sign of life, and the time to ask about the peer again if that is due.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => self.session.check(),
            Some(Ok(Message::Binary(_))) => return Some(End::Close(CloseCode::Unsupported)),
            Some(Ok(Message::Close(_))) => return Some(End::Closed),
            Some(Ok(Message::Frame(_))) | None => return Some(End::Gone),
            Some(Err(tungstenite::Error::Capacity(_))) => {
                Session::<ServerGate>::fault(Fault::LineTooLong, &mut self.output);
                return Some(End::Close(CloseCode::Size));
            }
            Some(Err(tungstenite::Error::Utf8(_))) => return Some(End::Close(CloseCode::Invalid)),
            Some(Err(tungstenite::Error::Protocol(_))) => return Some(End::Close(CloseCode::Protocol)),
            Some(Err(_)) => return Some(End::Gone),
        }
        None
    }

    /// When patience with the peer ends, if it does nothing.
    fn deadline(&self) -> Instant {
        let idle = self.heard_at + IDLE_TIMEOUT;
        if self.session.is_admitted() { idle } else { idle.min(self.began_at + ADMISSION_TIMEOUT) }
    }

    fn give_up(&mut self) -> End {
        self.output.push(Reply::Idle);
        End::Close(CloseCode::Policy)
    }

    /// Sends what waits, a message for each line.
    async fn write(&mut self) -> Result<(), tungstenite::Error> {
        if self.output.is_empty() {
            return Ok(());
        }
        for line in self.output.take_lines() {
            // Lines are made of texts.
            let Ok(text) = Utf8Bytes::try_from(line) else { continue };
            self.socket.feed(Message::Text(text)).await?;
        }
        self.socket.flush().await
    }

    /// Sends what waits, and closes with both sides' consent.
    async fn close(&mut self, code: CloseCode) -> Result<(), tungstenite::Error> {
        self.write().await?;
        self.socket.close(Some(CloseFrame { code, reason: Utf8Bytes::default() })).await?;
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(())
    }
}
