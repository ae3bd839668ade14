//! A channel that is followed: what a program holds in its hand. The work is done by a task of its own, so that the
//! connection stays alive however long the program takes for an event.

use std::{error::Error, fmt, io, time::Duration};

use fujie_core::random::Random;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    back_off::BackOff,
    endpoint::{Endpoint, EndpointError},
    follow::{Follow, Wish},
    line_stream::Heartbeat,
    token_source::TokenSource,
};
use crate::{event::Event, line::ErrorCode};

/// Received and not yet taken by the program. When they are so many, the connection is not read for a while.
const WAITING_MAX: usize = 64;
/// How long saying goodbye may take.
const FAREWELL: Duration = Duration::from_millis(300);

/// Topics followed over connections that come and go.
pub struct Channel {
    incoming: mpsc::Receiver<Result<Incoming, ChannelError>>,
    wishes: mpsc::UnboundedSender<Wish>,
    following: JoinHandle<()>,
}

/// What comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A connection stands, the first or another one: events of `topic` with ids greater than `from` follow. `from` is
    /// less than the last event's id when the log does not reach so far, as after a backup was restored.
    Subscribed {
        /// The topic.
        topic: String,
        /// Where it begins.
        from: i64,
    },
    /// An event, and of its topic the next one.
    Event(Event),
    /// Events of `topic` with `after` < id ≤ `until` do not come: the program was too slow, or they are no longer kept.
    Dropped {
        /// The topic.
        topic: String,
        /// The last id before the gap.
        after: i64,
        /// The last id of the gap.
        until: i64,
    },
    /// There is no connection now. Another is tried after `pause`; whoever waits for it need do nothing.
    Lost {
        /// Why, for a person.
        why: String,
        /// How long it is until then.
        pause: Duration,
        /// Nobody could be connected to at all: a firewall may be between, and another protocol do better.
        is_unreachable: bool,
    },
}

/// Why no more events come.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The endpoint is not one to send a token to.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// There is no token.
    #[error("there is no token")]
    Token(#[source] Box<dyn Error + Send + Sync>),
    /// The server refuses: two tokens in a row, the token's scope, or a topic.
    #[error("the server refuses: {words}")]
    Refused {
        /// Why, for a program.
        code: ErrorCode,
        /// Why, for a person.
        words: String,
    },
    /// Whatever listens there is no channel.
    #[error("the server does not speak this protocol")]
    NotAChannel,
    /// An error was given before this call.
    #[error("the channel is closed")]
    Closed,
}

impl Channel {
    /// Follows `endpoint` with tokens of `tokens`. Connections that fail are tried again for ever, at moments drawn from
    /// `random`. Must be called within a Tokio runtime.
    pub fn connect(endpoint: Endpoint, tokens: impl TokenSource, random: impl Random + Send + 'static) -> Self {
        Self::connect_with(endpoint, tokens, random, Heartbeat::default())
    }

    /// [`Channel::connect`] with other heartbeats.
    pub fn connect_with(
        endpoint: Endpoint,
        tokens: impl TokenSource,
        random: impl Random + Send + 'static,
        heartbeat: Heartbeat,
    ) -> Self {
        let (give, incoming) = mpsc::channel(WAITING_MAX);
        let (wishes, wished) = mpsc::unbounded_channel();
        let follow = Follow::new(endpoint, tokens, BackOff::new(random), heartbeat, give, wished);
        Self { incoming, wishes, following: tokio::spawn(follow.run()) }
    }

    /// Also follows `topic`: events with ids greater than `from`, or from now on. 0 is for everything that is kept.
    pub fn subscribe(&mut self, topic: &str, from: Option<i64>) {
        // When the task has ended, `next` says why.
        let _ = self.wishes.send(Wish { topic: topic.to_owned(), from });
    }

    /// Waits for what comes next. Cancelled while it waits, nothing is lost. After an error nothing more comes.
    pub async fn next(&mut self) -> Result<Incoming, ChannelError> {
        self.incoming.recv().await.unwrap_or(Err(ChannelError::Closed))
    }

    /// Says goodbye to the server, which takes 300 ms at most. A channel that is dropped leaves without a word.
    pub async fn close(mut self) {
        self.incoming.close();
        // A server that does not read does not keep us.
        drop(timeout(FAREWELL, &mut self.following).await);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("{0}")]
    Unreachable(io::Error),
    #[error("{0}")]
    Broken(#[from] io::Error),
    #[error("the server closed the connection")]
    Closed,
    #[error("{0}")]
    Told(String),
    #[error("the token has ended")]
    TokenEnded,
    #[error("{0}")]
    NoToken(Box<dyn Error + Send + Sync>),
}
