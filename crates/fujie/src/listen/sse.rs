//! A topic's events over Server-Sent Events (HTML Living Standard §9.2), where there is no line protocol.
//!
//! Owns the reading of the stream. When to come again is [`super::feed`]'s.

use fujie_client::session::{Download, Error, Limits, Session};
use serde::Deserialize;

use super::{
    event::Event,
    feed::{Came, End, Feed},
    server::no_longer_signed_in,
};
use crate::login::Failure;

/// Reads one stream to its end.
pub async fn follow(feed: &mut Feed) -> End {
    let Some(address) = feed.server.events(&feed.topic) else { return End::Refused(no_address()) };
    let session = match feed.server.session(limits()) {
        Ok(session) => session,
        Err(failure) => return End::Refused(failure),
    };
    let answer = match begin(&session, &address, feed.cursor).await {
        Ok(answer) => answer,
        Err(error) if is_final(&error) => return End::Refused(feed.server.failure(error)),
        Err(error) => return End::Lost(error.to_string()),
    };
    match answer.status() {
        200 => read(feed, answer).await,
        401 => End::Refused(no_longer_signed_in()),
        403 => {
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            End::Refused(if challenge.contains("insufficient_scope") {
                feed.scope_missing()
            } else {
                feed.not_a_member()
            })
        }
        status @ (400 | 404) => End::Refused(refused(status)),
        status => End::Lost(format!("HTTP {status}")),
    }
}

async fn begin(session: &Session, address: &str, cursor: Option<i64>) -> Result<Download, Error> {
    let mut request = session.get(address).header("accept", "text/event-stream");
    if let Some(cursor) = cursor {
        request = request.header("last-event-id", &cursor.to_string());
    }
    request.download(u64::MAX).await
}

async fn read(feed: &mut Feed, mut answer: Download) -> End {
    let mut stream = Stream::default();
    loop {
        let piece = match answer.chunk().await {
            Ok(Some(piece)) => piece,
            Ok(None) => return End::Lost("the server ended the stream".to_owned()),
            Err(error) => return End::Lost(error.to_string()),
        };
        let Ok(messages) = stream.read(&piece) else { return End::Lost("not a stream of events".to_owned()) };
        if messages.is_empty() {
            // A comment: the server's heartbeat.
            feed.back_off.reset();
        }
        for message in messages {
            if let Some(end) = take(feed, message).await {
                return end;
            }
        }
    }
}

/// Hands a message on; the end, if it is one.
async fn take(feed: &mut Feed, message: Message) -> Option<End> {
    match message.name.as_str() {
        "" | "message" => {
            let came = match (Event::read(&message.data), message.id()) {
                (Some(event), _) => Came::Event(event),
                // The opening: where the stream begins.
                (None, Some(id)) if message.data.is_empty() => Came::Began(id),
                _ => return None,
            };
            feed.hand_on(came).await
        }
        "dropped" => {
            let Ok(gap) = serde_json::from_str::<Gap>(&message.data) else { return None };
            let (after, until) = (gap.after.parse().ok()?, gap.until.parse().ok()?);
            feed.hand_on(Came::Dropped { after, until }).await
        }
        "bye" => {
            let why = serde_json::from_str::<Bye>(&message.data).ok().and_then(|bye| bye.error);
            Some(match why.as_deref() {
                Some("access_denied") => End::Refused(feed.not_a_member()),
                Some(why) => End::Lost(why.to_owned()),
                None => End::Lost("the server said bye".to_owned()),
            })
        }
        _ => None,
    }
}

#[derive(Deserialize)]
struct Gap {
    after: String,
    until: String,
}

#[derive(Deserialize)]
struct Bye {
    error: Option<String>,
}

/// The stream, as far as it was read.
#[derive(Default)]
struct Stream {
    /// A line that has not ended.
    held: Vec<u8>,
    /// The message that is being read.
    message: Message,
}

/// A message of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Message {
    name: String,
    data: String,
    last_id: Option<String>,
}

impl Message {
    fn id(&self) -> Option<i64> {
        self.last_id.as_deref()?.parse().ok()
    }
}

/// A line that nobody of ours would send.
#[derive(Debug, PartialEq, Eq)]
struct TooLong;

impl Stream {
    /// The messages that `piece` completes. A message without data stands for its id alone.
    fn read(&mut self, piece: &[u8]) -> Result<Vec<Message>, TooLong> {
        let mut messages = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.held.extend_from_slice(part);
            if self.held.len() > LINE_LENGTH_MAX {
                return Err(TooLong);
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.held);
                let line = String::from_utf8_lossy(&line);
                self.line(line.trim_end_matches(['\n', '\r']), &mut messages);
            }
        }
        Ok(messages)
    }

    fn line(&mut self, line: &str, messages: &mut Vec<Message>) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let message = std::mem::take(&mut self.message);
                if message != Message::default() {
                    messages.push(message);
                }
            }
            "event" => value.clone_into(&mut self.message.name),
            "id" => self.message.last_id = Some(value.to_owned()),
            "data" => {
                if !self.message.data.is_empty() {
                    self.message.data.push('\n');
                }
                self.message.data.push_str(value);
            }
            _ => {}
        }
    }
}

/// Nobody waits for an answer that goes on and on, but for its next sign of life.
fn limits() -> Limits {
    Limits { read: super::feed::SILENCE_MAX, total: FOR_EVER, ..Limits::default() }
}

fn is_final(error: &Error) -> bool {
    use fujie_client::session::TokenError as T;
    match error {
        Error::Token(cause) => !matches!(cause, T::NotRefreshed(_) | T::Busy),
        Error::BadUrl(_) | Error::BadRequest(_) => true,
        _ => false,
    }
}

fn no_address() -> Failure {
    Failure::usage(
        "Where are the events? Say --issuer URL, or --line HOST:PORT.",
        "不知道从哪里接收事件：请用 --issuer 或 --line 给出。",
    )
}

fn refused(status: u16) -> Failure {
    Failure::new(format!("The server answered {status}."), format!("服务器返回 {status}。"))
}

const FOR_EVER: std::time::Duration = std::time::Duration::from_secs(10 * 365 * 86_400);
/// An event has at most 48 KiB.
const LINE_LENGTH_MAX: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &str = "retry: 3000\nid: 16\n\nid: 17\ndata: {\"id\":\"17\"}\n\n:\n\nevent: bye\r\ndata: {}\r\n\r\n";

    #[test]
    fn a_stream_is_read_alike_however_it_is_cut() {
        let message = |name: &str, data: &str, id: Option<&str>| Message {
            name: name.to_owned(),
            data: data.to_owned(),
            last_id: id.map(str::to_owned),
        };
        let expected =
            [message("", "", Some("16")), message("", "{\"id\":\"17\"}", Some("17")), message("bye", "{}", None)];
        for cut in 0..WIRE.len() {
            let (first, second) = WIRE.as_bytes().split_at(cut);
            let mut stream = Stream::default();
            let messages = [stream.read(first).unwrap(), stream.read(second).unwrap()].concat();
            assert_eq!(messages, expected, "{cut}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let mut stream = Stream::default();
        assert_eq!(stream.read(&[b'x'; LINE_LENGTH_MAX]), Ok(Vec::new()));
        assert_eq!(stream.read(b"x"), Err(TooLong));
    }
}
