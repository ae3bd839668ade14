//! What feeds a listener: connects, connects again with a growing pause and jitter, and goes on after the last event
//! that came.
//!
//! Runs beside the handling of events, so that a slow program keeps no heartbeat waiting.

use std::{sync::Arc, time::Duration};

use fujie_client::Secret;
use fujie_core::random::{self, SystemRandom};
use fujie_receiver::command::REFUSED;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{event::Event, server::Server, sse, wire};
use crate::login::{Failure, SIGN_IN_NEEDED, visible};

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

/// How a connection ended.
#[derive(Debug)]
pub enum End {
    /// Another may do better.
    Lost(String),
    /// There was none: a firewall may let nothing but HTTP through.
    Unreached(String),
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
    /// Takes what comes.
    pub taker: mpsc::Sender<Came>,
}

impl Feed {
    /// Follows the topic until nobody takes anything any more, or the server refuses.
    pub async fn run(mut self) {
        let mut failures = 0;
        loop {
            let began_at = Instant::now();
            let why = match self.follow().await {
                End::Lost(why) | End::Unreached(why) => why,
                End::Refused(failure) => return drop(self.taker.send(Came::Refused(failure)).await),
                End::Unwanted => return,
            };
            failures = if began_at.elapsed() > STEADY { 0 } else { failures + 1 };
            let pause = pause(failures);
            if self.taker.send(Came::Lost { why: visible(&why), pause }).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.taker.closed() => return,
            }
        }
    }

    /// One connection, by the best way that there is.
    async fn follow(&mut self) -> End {
        let Some(line) = self.server.line.clone().filter(|_| !self.is_sse) else { return sse::follow(self).await };
        match wire::follow(self, &line).await {
            End::Unreached(_) if !self.server.is_line_given => sse::follow(self).await,
            end => end,
        }
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
            (Some(id), _) => self.cursor = Some(id),
            // Less than we have when the log does not reach so far, after a backup was restored.
            (None, Came::Began(from)) => self.cursor = Some(self.cursor.map_or(*from, |own| own.min(*from))),
            _ => {}
        }
        place.send(came);
        None
    }

    /// A fresh token.
    pub async fn token(&self) -> Result<Secret, End> {
        match self.server.token().await {
            Ok(token) => Ok(token),
            Err(failure) => Err(self.without_token(failure)),
        }
    }

    /// No token: for good when somebody has to sign in or to look, else for now.
    pub fn without_token(&self, failure: Failure) -> End {
        if failure.code == SIGN_IN_NEEDED || !self.server.renews() {
            return End::Refused(failure);
        }
        End::Lost(failure.english)
    }

    /// The token is refused, and there is no other.
    pub fn no_longer_signed_in(&self) -> Failure {
        Failure {
            english: "The server does not accept the token any more. Sign in again.".to_owned(),
            chinese: "服务器不再接受这个令牌，请重新登录。".to_owned(),
            ..Failure::sign_in_needed("")
        }
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

/// Twice as long each time, up to a limit, and of that a random part: a thousand listeners do not come back at once.
fn pause(failures: u32) -> Duration {
    let longest = PAUSE_MIN.saturating_mul(1 << failures.min(10)).min(PAUSE_MAX);
    let part = f64::from(u16::from_le_bytes(random::bytes::<2>(&mut SystemRandom))) / f64::from(u16::MAX);
    longest.mul_f64(0.5 + part / 2.0)
}

const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A connection that held so long was a good one.
const STEADY: Duration = Duration::from_secs(60);
/// A server that says nothing for so long, not even a sign of life, is gone.
pub const SILENCE_MAX: Duration = Duration::from_secs(45);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        for (failures, longest) in [(0, 500), (1, 1000), (3, 4000), (6, 30_000), (4_000_000, 30_000)] {
            let pauses: Vec<_> = (0..20).map(|_| pause(failures).as_millis()).collect();
            assert!(pauses.iter().all(|pause| (longest / 2..=longest).contains(pause)), "{failures}: {pauses:?}");
            assert!(pauses.iter().any(|pause| Some(pause) != pauses.first()), "{failures}: {pauses:?}");
        }
    }
}
