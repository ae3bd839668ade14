//! What feeds a listener: by the best way that there is, again and again, after the last event that came.
//!
//! Runs beside the handling of events, so that a slow program keeps no connection waiting. The line protocol and its
//! connections are `fujie-channel`'s.

use std::{sync::Arc, time::Duration};

use fujie_channel::client::{BackOff, Endpoint};
use fujie_receiver::command::REFUSED;
use tokio::{sync::mpsc, time::sleep};

use super::{event::Event, server::Server, sse, wire};
use crate::login::{Failure, visible};

/// What comes of a topic.
#[derive(Debug)]
pub enum Came {
    /// A connection stands; events with greater ids follow.
    Began(i64),
    /// An event.
    Event(Event),
    /// Events of the topic with `after` < id ≤ `until` do not come.
    Dropped {
        /// The last id before the gap.
        after: i64,
        /// The last id of the gap.
        until: i64,
    },
    /// A connection ended; another is tried after a pause.
    Lost {
        /// Why.
        why: String,
        /// The pause.
        pause: Duration,
    },
    /// It is over.
    Refused(Failure),
}

/// How a way ended.
#[derive(Debug)]
pub enum End {
    /// Another may do better.
    Lost(String),
    /// There was none: a firewall may let nothing but HTTP through.
    Unreachable,
    /// Another would not.
    Refused(Failure),
    /// Nobody takes what comes.
    Unwanted,
}

/// A topic that is followed.
pub struct Feed {
    /// Where.
    pub server: Arc<Server>,
    /// Which.
    pub topic: String,
    /// The last event that came, or where to begin; `None`: from now on.
    pub cursor: Option<i64>,
    /// Over Server-Sent Events, whatever else there is.
    pub is_sse: bool,
    /// How long to wait before another stream.
    pub back_off: BackOff,
    /// Takes what comes.
    pub taker: mpsc::Sender<Came>,
}

impl Feed {
    /// Follows the topic until nobody takes anything any more, or the server refuses.
    pub async fn run(mut self) {
        let line = self.server.line.clone().filter(|_| !self.is_sse);
        loop {
            let why = match self.follow(line.clone()).await {
                End::Lost(why) => visible(&why),
                End::Refused(failure) => return drop(self.taker.send(Came::Refused(failure)).await),
                End::Unreachable | End::Unwanted => return,
            };
            let pause = self.back_off.next_wait();
            if self.taker.send(Came::Lost { why, pause }).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.taker.closed() => return,
            }
        }
    }

    async fn follow(&mut self, line: Option<Endpoint>) -> End {
        let end = match line {
            Some(line) => wire::follow(self, line).await,
            None => End::Unreachable,
        };
        if let End::Unreachable = end { sse::follow(self).await } else { end }
    }

    /// Hands on what came, once: what a server sends again is left out. The end, when nobody takes it. Cancelled while
    /// it waits, nothing was handed on.
    pub async fn hand_on(&mut self, came: Came) -> Option<End> {
        let Ok(place) = self.taker.reserve().await else { return Some(End::Unwanted) };
        let reached = match &came {
            Came::Event(event) => Some(event.id),
            Came::Dropped { until, .. } => Some(*until),
            _ => None,
        };
        if reached.is_some() && reached <= self.cursor {
            return None;
        }
        match (reached, &came) {
            (Some(id), _) => {
                self.cursor = Some(id);
                self.back_off.reset();
            }
            // Less than we have when the log does not reach so far, after a backup was restored.
            (None, Came::Began(from)) => self.cursor = Some(self.cursor.map_or(*from, |own| own.min(*from))),
            _ => {}
        }
        place.send(came);
        None
    }

    /// The token lacks the scope.
    pub fn scope_missing(&self) -> Failure {
        let login = "fujie login ISSUER --client-id ID --scope \"openid offline_access channel:read\"";
        Failure {
            code: REFUSED,
            ..Failure::new(
                format!("The token lacks the scope channel:read. Sign in with it: {login}"),
                format!("令牌缺少 channel:read 权限，请重新登录：{login}"),
            )
        }
    }

    /// Not a member of the topic, or there is none.
    pub fn not_a_member(&self) -> Failure {
        let topic = &self.topic;
        Failure {
            code: REFUSED,
            ..Failure::new(
                format!("You are not a member of the topic {topic}, or there is no such topic. Ask its owner."),
                format!("你不是话题 {topic} 的成员，或没有这个话题，请联系话题的所有者。"),
            )
        }
    }
}

/// A server that says nothing for so long, not even a sign of life, is gone.
pub const SILENCE_MAX: Duration = Duration::from_secs(45);
