//! What a member posts to a topic, by a program or by the form of its page: counted, fitted into a line or laid aside,
//! and appended. What may stand in it is read by whoever asks.

use fujie_channel::event::EventError;
use fujie_core::error::ErrorCode;
use fujie_store::{Appended, Member, NewEvent, OWN_TOPIC, Post, StoreError};
use http::{StatusCode, header};

use super::{access::Denied, log};
use crate::{
    http::{Response, full, refusal, unavailable, with_header},
    server::Server,
};

/// Events that a member posts in one minute. Deliveries have no such bound: storms of them are ordinary, and what a
/// topic keeps of them is bounded by weight.
const POSTS_MAX: u64 = 600;

/// What somebody posts.
pub(crate) struct Posted {
    pub event_type: String,
    pub subject: Option<String>,
    /// What makes it the same when it is posted again.
    pub name: Option<Name>,
    /// JSON.
    pub data: String,
}

/// How the sender names what it posts: `source` and `id` of CloudEvents, which together are one event's.
pub(crate) struct Name {
    pub source: String,
    pub id: String,
}

/// What became of it.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    pub event_id: i64,
    /// The member posted it before, by the same name: the event is that of then.
    pub is_repeat: bool,
}

/// Why what is posted is not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// The topic is this server's own.
    #[error("only this server itself posts here")]
    OwnTopic,
    /// The member posted [`POSTS_MAX`] in this minute.
    #[error("too much in one minute, try again in the next")]
    TooMany,
    /// It cannot be an event.
    #[error(transparent)]
    Data(#[from] EventError),
    /// The topic is gone.
    #[error(transparent)]
    Topic(Denied),
    /// The topic, or all together, keep as much as they may.
    #[error("as much is kept as may be")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Appends what `read` gives as `member`'s, once if it has a name. That somebody posts is counted before it
/// is read: what is not understood counts too, and what is repeated. The caller knows that the member belongs to the
/// topic.
pub(crate) async fn append<E: From<PostError>>(
    server: &Server,
    member: &Member,
    topic: &str,
    read: impl FnOnce() -> Result<Posted, E>,
) -> Result<Taken, E> {
    if topic == OWN_TOPIC {
        return Err(PostError::OwnTopic.into());
    }
    if server.channel_limit.count(&("post", member), server.now()) > POSTS_MAX {
        return Err(PostError::TooMany.into());
    }
    let Posted { event_type, subject, name, data } = read()?;
    let new = NewEvent {
        topic: topic.to_owned(),
        at: server.now(),
        event_type,
        source: format!("/topics/{topic}"),
        subject,
        delivery: name.as_ref().map(|name| name.id.clone()),
        data: Some(data),
        body: None,
    };
    let new = log::fitted(new).map_err(PostError::Data)?;
    let appended = match name {
        Some(Name { source, id }) => {
            server.store.append_event_once(Post { member: member.clone(), source, id, append: new }).await
        }
        None => server.store.append_event(new).await,
    };
    match appended.map_err(PostError::Store)? {
        Appended::Appended { event_id } => Ok(Taken { event_id, is_repeat: false }),
        Appended::Duplicate { event_id } => Ok(Taken { event_id, is_repeat: true }),
        Appended::UnknownTopic => Err(PostError::Topic(Denied::NotMember).into()),
        Appended::Full => Err(PostError::Full.into()),
    }
}

impl PostError {
    /// The answer that says so to a program.
    pub fn response(&self) -> Response {
        let words = self.to_string();
        match self {
            Self::OwnTopic => refusal(StatusCode::FORBIDDEN, ErrorCode::AccessDenied.as_str(), &words),
            // RFC 6585 §4.
            Self::TooMany => {
                let response = refusal(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", &words);
                with_header(response, header::RETRY_AFTER, "60")
            }
            Self::Data(_) => refusal(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest.as_str(), &words),
            Self::Topic(denied) => denied.response(),
            Self::Full => full(),
            Self::Store(error) => unavailable(error),
        }
    }
}
