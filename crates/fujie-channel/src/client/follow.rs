//! The task behind a [`super::Channel`]: connects, says who it is, subscribes, hands over, and does it all again.

use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use serde::Deserialize;
use tokio::{sync::mpsc, time::sleep};

use super::{
    back_off::BackOff,
    channel::{ChannelError, Incoming, Lost},
    endpoint::Endpoint,
    line_stream::{Heartbeat, LineStream},
    token_source::{Need, TokenError, TokenSource},
};
use crate::{
    event::Event,
    line::{ErrorCode, Reply},
};

/// A topic to be followed, and from where.
pub(super) struct Wish {
    pub topic: String,
    pub from: Option<i64>,
}

/// A topic that is followed.
struct Topic {
    name: Arc<str>,
    /// The last id that was handed over. Not known before the server has said where "now" is.
    cursor: Option<i64>,
}

/// What lasts from connection to connection.
pub(super) struct Follow<T> {
    endpoint: Endpoint,
    tokens: T,
    back_off: BackOff,
    heartbeat: Heartbeat,
    give: mpsc::Sender<Result<Incoming, ChannelError>>,
    wished: mpsc::UnboundedReceiver<Wish>,
    topics: Vec<Topic>,
    need: Need,
    /// The last token was refused: one more, and that is it.
    was_refused: bool,
}

/// Why the task does not go on with this connection.
enum Over {
    /// Try again.
    Lost(Lost),
    /// Never.
    Refused(ChannelError),
    /// Nobody listens any more.
    Unheard,
}

impl<E: Into<Lost>> From<E> for Over {
    fn from(error: E) -> Self {
        Self::Lost(error.into())
    }
}

impl<T: TokenSource> Follow<T> {
    pub fn new(
        endpoint: Endpoint,
        tokens: T,
        back_off: BackOff,
        heartbeat: Heartbeat,
        give: mpsc::Sender<Result<Incoming, ChannelError>>,
        wished: mpsc::UnboundedReceiver<Wish>,
    ) -> Self {
        Self {
            endpoint,
            tokens,
            back_off,
            heartbeat,
            give,
            wished,
            topics: Vec::new(),
            need: Need::Any,
            was_refused: false,
        }
    }

    /// Follows until there is no use in it.
    pub async fn run(mut self) {
        loop {
            let lost = match self.connect().await {
                Over::Lost(lost) => lost,
                Over::Unheard => return,
                Over::Refused(error) => {
                    let _ = self.give.send(Err(error)).await;
                    return;
                }
            };
            let pause = self.back_off.next_wait();
            let is_unreachable = matches!(lost, Lost::Unreachable(_));
            let told = Incoming::Lost { why: lost.to_string(), pause, is_unreachable };
            if self.give.send(Ok(told)).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.give.closed() => return,
            }
        }
    }

    /// One connection, to its end.
    async fn connect(&mut self) -> Over {
        let mut stream = match self.admission().await {
            Ok(stream) => stream,
            Err(over) => return over,
        };
        let over = self.follow(&mut stream).await;
        if matches!(over, Over::Unheard) {
            stream.send("bye");
            let _ = stream.flush().await;
        }
        over
    }

    /// A connection on which the server knows who we are. A token that is refused is replaced at once, and once.
    async fn admission(&mut self) -> Result<LineStream, Over> {
        self.endpoint.check().map_err(|error| Over::Refused(error.into()))?;
        loop {
            let token = match self.tokens.token(self.need).await {
                Ok(token) => token,
                Err(TokenError::Gone(why)) => return Err(Over::Refused(ChannelError::Token(why))),
                Err(TokenError::Unavailable(why)) => return Err(Over::Lost(Lost::NoToken(why))),
            };
            self.need = Need::Any;
            let mut stream = LineStream::connect(&self.endpoint, self.heartbeat).await.map_err(Lost::Unreachable)?;
            stream.send(&format!("auth {}", token.expose()));
            let line = loop {
                let line = stream.next().await?.ok_or(Lost::Closed)?;
                if Reply::parse(&line) != Some(Reply::Pong) {
                    break line;
                }
            };
            match Reply::parse(&line) {
                Some(Reply::Admitted) => {
                    self.was_refused = false;
                    return Ok(stream);
                }
                Some(Reply::Error { code: ErrorCode::InvalidToken, .. }) if !self.was_refused => self.need_another(),
                Some(Reply::Error { code, words }) => return Err(turned_away(code, words)),
                Some(_) => return Err(Over::Lost(Lost::Told(line))),
                None => return Err(Over::Refused(ChannelError::NotAChannel)),
            }
        }
    }

    /// The token is refused: one more, and that is it.
    fn need_another(&mut self) {
        self.need = Need::Another;
        self.was_refused = true;
    }

    /// Everything after the server knows us.
    async fn follow(&mut self, stream: &mut LineStream) -> Over {
        for topic in &self.topics {
            stream.send(&subscribe(&topic.name, topic.cursor));
        }
        loop {
            tokio::select! {
                () = self.give.closed() => return Over::Unheard,
                Some(wish) = self.wished.recv() => self.begin(stream, wish),
                line = stream.next() => {
                    let line = match line {
                        Ok(Some(line)) => line,
                        Ok(None) => return Lost::Closed.into(),
                        Err(error) => return error.into(),
                    };
                    if let ControlFlow::Break(over) = self.hear(stream, &line).await {
                        return over;
                    }
                }
            }
        }
    }

    fn begin(&mut self, stream: &mut LineStream, wish: Wish) {
        stream.send(&subscribe(&wish.topic, wish.from));
        self.topics.retain(|topic| *topic.name != *wish.topic);
        self.topics.push(Topic { name: wish.topic.into(), cursor: wish.from });
    }

    async fn hear(&mut self, stream: &mut LineStream, line: &str) -> ControlFlow<Over> {
        match Reply::parse(line) {
            Some(Reply::Event(json)) => match self.accept(json) {
                Ok(Some(event)) => self.hand_over(stream, Incoming::Event(event)).await,
                Ok(None) => ControlFlow::Continue(()),
                Err(lost) => ControlFlow::Break(Over::Lost(lost)),
            },
            Some(Reply::Dropped { topic, after, until }) => {
                if let Some(followed) = self.topic(topic) {
                    followed.cursor = followed.cursor.max(Some(until));
                }
                self.hand_over(stream, Incoming::Dropped { topic: topic.to_owned(), after, until }).await
            }
            Some(Reply::Subscribed { topic, from }) => {
                if let Some(followed) = self.topic(topic) {
                    // Less than what we have: the server's log was lost, and its ids begin again.
                    followed.cursor = Some(followed.cursor.map_or(from, |cursor| cursor.min(from)));
                }
                self.hand_over(stream, Incoming::Subscribed { topic: topic.to_owned(), from }).await
            }
            Some(Reply::Error { code: ErrorCode::InvalidToken, .. }) => {
                self.need_another();
                ControlFlow::Break(Over::Lost(Lost::TokenEnded))
            }
            Some(Reply::Error { code, words }) => ControlFlow::Break(turned_away(code, words)),
            Some(Reply::Bye | Reply::Idle) | None => ControlFlow::Break(Over::Lost(Lost::Told(line.to_owned()))),
            Some(Reply::Pong) => {
                self.back_off.reset();
                ControlFlow::Continue(())
            }
            Some(Reply::Admitted | Reply::Unsubscribed(_)) => ControlFlow::Continue(()),
        }
    }

    /// An event that was not handed over before.
    fn accept(&mut self, json: &str) -> Result<Option<Event>, Lost> {
        #[derive(Deserialize)]
        struct Attributes {
            id: String,
            topic: String,
        }
        let attributes: Option<Attributes> = serde_json::from_str(json).ok();
        let event = attributes.and_then(|attributes| Some((attributes.id.parse::<i64>().ok()?, attributes.topic)));
        let (id, topic) = event.ok_or_else(|| Lost::Told("an event without id or topic".to_owned()))?;
        let Some(followed) = self.topic(&topic).filter(|followed| followed.cursor < Some(id)) else { return Ok(None) };
        followed.cursor = Some(id);
        let event = Event { id, topic: Arc::clone(&followed.name), line: Bytes::copy_from_slice(json.as_bytes()) };
        self.back_off.reset();
        Ok(Some(event))
    }

    fn topic(&mut self, name: &str) -> Option<&mut Topic> {
        self.topics.iter_mut().find(|topic| *topic.name == *name)
    }

    /// Waits until the program takes something, and keeps the connection alive meanwhile.
    async fn hand_over(&mut self, stream: &mut LineStream, incoming: Incoming) -> ControlFlow<Over> {
        let mut broken = None;
        let place = tokio::select! {
            biased;
            place = self.give.reserve() => place,
            error = stream.beat() => {
                broken = Some(error);
                self.give.reserve().await
            }
        };
        let Ok(place) = place else { return ControlFlow::Break(Over::Unheard) };
        place.send(Ok(incoming));
        match broken {
            Some(error) => ControlFlow::Break(error.into()),
            None => ControlFlow::Continue(()),
        }
    }
}

/// Is it worth coming again?
fn turned_away(code: ErrorCode, words: &str) -> Over {
    let words = words.to_owned();
    match code {
        ErrorCode::InvalidToken
        | ErrorCode::InsufficientScope
        | ErrorCode::AccessDenied
        | ErrorCode::UnknownTopic
        | ErrorCode::InvalidRequest => Over::Refused(ChannelError::Refused { code, words }),
        ErrorCode::LineTooLong | ErrorCode::TooSlow | ErrorCode::TemporarilyUnavailable | ErrorCode::Other => {
            Over::Lost(Lost::Told(words))
        }
    }
}

fn subscribe(topic: &str, from: Option<i64>) -> String {
    match from {
        Some(from) => format!("subscribe {topic} {from}"),
        None => format!("subscribe {topic}"),
    }
}
