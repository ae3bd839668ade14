//! A topic's events over the line protocol, which `fujie-channel`'s [`Channel`] speaks.
//!
//! Owns whose token it gets, and what its refusals are called here.

use std::sync::Arc;

use fujie_channel::{
    client::{Channel, ChannelError, Endpoint, Incoming, Need, TokenError, TokenSource},
    line::ErrorCode,
};
use fujie_client::Secret;
use fujie_core::{random::SystemRandom, secret};

use super::{
    event::Event,
    feed::{Came, End, Feed},
    server::{Server, no_longer_signed_in},
};
use crate::login::{Failure, SIGN_IN_NEEDED, visible};

/// Follows the topic over connections that come and go, and says goodbye when it is we who go.
pub async fn follow(feed: &mut Feed, line: Endpoint) -> End {
    let tokens = Tokens { server: Arc::clone(&feed.server), last: None };
    let mut channel = Channel::connect(line, tokens, SystemRandom);
    channel.subscribe(&feed.topic, feed.cursor);
    let taker = feed.taker.clone();
    let end = loop {
        let incoming = tokio::select! {
            incoming = channel.next() => incoming,
            () = taker.closed() => break End::Unwanted,
        };
        let came = match incoming {
            Ok(Incoming::Event(event)) => match str::from_utf8(&event.line).ok().and_then(Event::read) {
                Some(event) => Came::Event(event),
                None => break End::Lost("an event that cannot be read".to_owned()),
            },
            Ok(Incoming::Subscribed { from, .. }) => Came::Began(from),
            Ok(Incoming::Dropped { after, until, .. }) => Came::Dropped { after, until },
            Ok(Incoming::Lost { is_unreachable: true, .. }) if !feed.server.is_line_given => break End::Unreachable,
            Ok(Incoming::Lost { why, pause, .. }) => Came::Lost { why: visible(&why), pause },
            Err(error) => break End::Refused(failure(feed, error)),
        };
        if let Some(end) = feed.hand_on(came).await {
            break end;
        }
    };
    channel.close().await;
    end
}

/// The server's tokens, for a channel.
struct Tokens {
    server: Arc<Server>,
    last: Option<Secret>,
}

impl TokenSource for Tokens {
    async fn token(&mut self, need: Need) -> Result<secret::Secret, TokenError> {
        let refused = self.last.as_ref().filter(|_| need == Need::Another);
        match self.server.token(refused).await {
            Ok(token) => {
                let given = secret::Secret::new(token.expose().to_owned());
                self.last = Some(token);
                Ok(given)
            }
            // Somebody has to sign in, or to look.
            Err(failure) if failure.code == SIGN_IN_NEEDED || !self.server.renews() => {
                Err(TokenError::Gone(Box::new(failure)))
            }
            Err(failure) => Err(TokenError::Unavailable(Box::new(failure))),
        }
    }
}

fn failure(feed: &Feed, error: ChannelError) -> Failure {
    match error {
        ChannelError::Token(cause) => match cause.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(cause) => Failure::new(cause.to_string(), cause.to_string()),
        },
        ChannelError::Refused { code: ErrorCode::InvalidToken, .. } => no_longer_signed_in(),
        ChannelError::Refused { code: ErrorCode::InsufficientScope, .. } => feed.scope_missing(),
        ChannelError::Refused { code: ErrorCode::AccessDenied | ErrorCode::UnknownTopic, .. } => feed.not_a_member(),
        ChannelError::Refused { words, .. } => {
            Failure::new(format!("The server says: {words}"), format!("服务器拒绝了请求：{words}"))
        }
        ChannelError::NotAChannel => Failure::new(
            "Whatever listens there does not speak the line protocol of a channel.",
            "对方不是事件通道的行协议服务，请核对地址。",
        ),
        ChannelError::Endpoint(_) | ChannelError::Closed => Failure::new(error.to_string(), error.to_string()),
    }
}
