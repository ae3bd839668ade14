//! A topic's events over the line protocol: who we are, which topic, from where; then what comes, with heartbeats.
//!
//! One connection is `fujie-channel`'s [`LineStream`]; when to come again is [`super::feed`]'s.

use std::time::Duration;

use fujie_channel::{
    client::{Endpoint, Heartbeat, LineStream},
    line::{ErrorCode, Reply},
};
use fujie_client::Secret;
use tokio::time::timeout;

use super::{
    event::Event,
    feed::{Came, End, Feed},
};
use crate::login::Failure;

/// Follows the topic until the connection ends, and says goodbye when it is we who go.
pub async fn follow(feed: &mut Feed, line: &Endpoint) -> End {
    let mut stream = match LineStream::connect(line, Heartbeat::default()).await {
        Ok(stream) => stream,
        Err(error) => return End::Unreached(error.to_string()),
    };
    if let Err(end) = admit(feed, &mut stream).await {
        return end;
    }
    let subscribe = match feed.cursor {
        Some(cursor) => format!("subscribe {} {cursor}", feed.topic),
        None => format!("subscribe {}", feed.topic),
    };
    stream.send(&subscribe);
    loop {
        let taker = feed.taker.clone();
        let line = tokio::select! {
            line = next(&mut stream) => line,
            () = taker.closed() => Err(End::Unwanted),
        };
        let end = match line {
            Ok(line) => hear(feed, &mut stream, &line).await,
            Err(end) => Some(end),
        };
        match end {
            None => {}
            Some(End::Unwanted) => {
                stream.send("bye");
                drop(timeout(FAREWELL, stream.flush()).await);
                return End::Unwanted;
            }
            Some(end) => return end,
        }
    }
}

/// Says who we are; when the token is refused, by another one, once.
async fn admit(feed: &Feed, stream: &mut LineStream) -> Result<(), End> {
    let token = feed.token().await?;
    stream.send(&format!("auth {}", token.expose()));
    loop {
        let line = next(stream).await?;
        match Reply::parse(&line) {
            Some(Reply::Admitted) => return Ok(()),
            Some(Reply::Pong) => {}
            Some(Reply::Error { code: ErrorCode::InvalidToken, .. }) => return Err(another(feed, &token).await),
            Some(Reply::Error { code, words }) => return Err(told(feed, code, words)),
            Some(Reply::Bye | Reply::Idle) => return Err(End::Lost(line)),
            _ => return Err(End::Refused(no_channel())),
        }
    }
}

/// A token that was refused: is there another to come back with?
async fn another(feed: &Feed, refused: &Secret) -> End {
    match feed.server.token_instead_of(refused).await {
        Ok(Some(_)) => End::Lost("the token has ended".to_owned()),
        Ok(None) => End::Refused(feed.no_longer_signed_in()),
        Err(failure) => feed.without_token(failure),
    }
}

async fn next(stream: &mut LineStream) -> Result<String, End> {
    match stream.next().await {
        Ok(Some(line)) => Ok(line),
        Ok(None) => Err(End::Lost("the server closed the connection".to_owned())),
        Err(error) => Err(End::Lost(error.to_string())),
    }
}

async fn hear(feed: &mut Feed, stream: &mut LineStream, line: &str) -> Option<End> {
    let came = match Reply::parse(line) {
        Some(Reply::Event(json)) => match Event::read(json) {
            Some(event) => Came::Event(event),
            None => return Some(End::Lost("an event that cannot be read".to_owned())),
        },
        Some(Reply::Subscribed { from, .. }) => Came::Began(from),
        Some(Reply::Dropped { after, until, .. }) => Came::Dropped { after, until },
        Some(Reply::Pong | Reply::Admitted | Reply::Unsubscribed(_)) => return None,
        Some(Reply::Error { code: ErrorCode::InvalidToken, .. }) => {
            // It has ended meanwhile; the next connection begins with a fresh one.
            return Some(End::Lost("the token has ended".to_owned()));
        }
        Some(Reply::Error { code, words }) => return Some(told(feed, code, words)),
        Some(Reply::Bye | Reply::Idle) | None => return Some(End::Lost(line.to_owned())),
    };
    // While the event before is handled, the connection stays alive.
    tokio::select! {
        biased;
        end = feed.hand_on(came) => end,
        error = stream.beat() => Some(End::Lost(error.to_string())),
    }
}

fn told(feed: &Feed, code: ErrorCode, words: &str) -> End {
    match code {
        ErrorCode::InvalidToken => End::Refused(feed.no_longer_signed_in()),
        ErrorCode::InsufficientScope => End::Refused(feed.scope_missing()),
        ErrorCode::AccessDenied | ErrorCode::UnknownTopic => End::Refused(feed.not_a_member()),
        ErrorCode::InvalidRequest => {
            End::Refused(Failure::new(format!("The server says: {words}"), format!("服务器拒绝了请求：{words}")))
        }
        ErrorCode::LineTooLong | ErrorCode::TooSlow | ErrorCode::TemporarilyUnavailable | ErrorCode::Other => {
            End::Lost(words.to_owned())
        }
    }
}

fn no_channel() -> Failure {
    Failure::new(
        "Whatever listens there does not speak the line protocol of a channel.",
        "对方不是事件通道的行协议服务，请核对地址。",
    )
}

/// A server that does not read does not keep us.
const FAREWELL: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_word_of_the_protocol() {
        use ErrorCode as E;
        let codes = [
            E::InvalidToken,
            E::InsufficientScope,
            E::AccessDenied,
            E::UnknownTopic,
            E::InvalidRequest,
            E::LineTooLong,
            E::TooSlow,
            E::TemporarilyUnavailable,
        ];
        let errors = codes.map(|code| format!("`error {}`", code.as_str()));
        let others =
            ["`ping`", "`pong`", "`auth TOKEN`", "`ok auth`", "`bye`", "`超时断开连接`", "`dropped TOPIC AFTER UNTIL`"];
        for text in [include_str!("../../../../docs/en/channel.md"), include_str!("../../../../docs/zh/channel.md")] {
            for word in errors.iter().map(String::as_str).chain(others) {
                assert!(text.contains(word), "{word} is missing");
            }
        }
    }
}
