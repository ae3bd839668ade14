//! One subscriber: a cursor that moves along the ring, or along the log where the ring does not reach.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::{
    Delivery, Hub, Log, Overflow, RETRY_PAUSE,
    topic::{BATCH_BYTES_MAX, BATCH_MAX, Topic},
};
use crate::event::Event;

/// A subscriber of one topic. Ends when it is dropped.
pub struct Subscription {
    hub: Arc<Hub>,
    topic: Arc<Topic>,
    place: usize,
    /// The last id it was given, or will never be given.
    cursor: i64,
    overflow: Overflow,
    /// The log's head when it began.
    head: i64,
    /// It has once been up to date: from then on it must keep up.
    is_live: bool,
    is_cut: bool,
    look: Option<Look>,
}

/// Where a subscriber begins, and where the log's head was then.
pub(super) struct Start {
    pub cursor: i64,
    pub head: i64,
}

/// A look into the log that is under way.
struct Look {
    found: Pin<Box<dyn Future<Output = Found> + Send>>,
    /// The ring began here before the look: nothing at or below it will appear later.
    floor: i64,
}

struct Found {
    events: Vec<Event>,
    /// The lowest id that may still be kept.
    oldest: i64,
}

impl Subscription {
    pub(super) fn new(hub: Arc<Hub>, topic: Arc<Topic>, place: usize, start: Start, overflow: Overflow) -> Self {
        let Start { cursor, head } = start;
        Self { hub, topic, place, cursor, overflow, head, is_live: false, is_cut: false, look: None }
    }

    /// The topic's name.
    pub fn topic(&self) -> &Arc<str> {
        &self.topic.name
    }

    /// The last id that was given or dropped, or a later one up to which the topic has no more.
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Waits for what comes next. Cancelled while it waits, it has taken nothing.
    pub async fn next(&mut self) -> Delivery {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// [`Subscription::next`], for those who wait for several things. The waker of the last call counts.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Delivery> {
        loop {
            if self.is_cut {
                return Poll::Ready(Delivery::Cut);
            }
            if let Some(look) = &mut self.look {
                let found = ready!(look.found.as_mut().poll(context));
                let floor = look.floor;
                self.look = None;
                if let Some(delivery) = self.take(found, floor) {
                    return Poll::Ready(delivery);
                }
            }
            let topic = Arc::clone(&self.topic);
            let mut state = topic.lock();
            if self.is_live && self.cursor < state.lag_floor {
                return Poll::Ready(self.overflow(state.lag_floor));
            }
            if self.cursor < state.floor {
                let floor = state.floor;
                drop(state);
                self.look = Some(self.look_from(floor));
                continue;
            }
            let events = state.batch_after(self.cursor);
            let Some(last) = events.last() else {
                self.is_live |= self.hub.tail() >= self.head;
                state.wait(self.place, context.waker());
                return Poll::Pending;
            };
            self.cursor = last.id;
            return Poll::Ready(Delivery::Events(events));
        }
    }

    fn overflow(&mut self, until: i64) -> Delivery {
        match self.overflow {
            Overflow::Cut => {
                self.is_cut = true;
                Delivery::Cut
            }
            Overflow::DropOldest => self.drop_until(until),
        }
    }

    fn drop_until(&mut self, until: i64) -> Delivery {
        let after = std::mem::replace(&mut self.cursor, until);
        Delivery::Dropped { after, until }
    }

    fn look_from(&self, floor: i64) -> Look {
        let (log, topic, after) = (Arc::clone(&self.hub.log), Arc::clone(&self.topic.name), self.cursor);
        Look { found: Box::pin(find(log, topic, after)), floor }
    }

    /// What a look into the log found. `None`: nothing, and the ring has all that follows.
    fn take(&mut self, found: Found, floor: i64) -> Option<Delivery> {
        let kept_from = found.events.first().map_or(found.oldest, |first| first.id.min(found.oldest));
        if self.cursor > 0 && kept_from - 1 > self.cursor {
            // Seldom enough to look again for what follows.
            return Some(self.drop_until(kept_from - 1));
        }
        match found.events.last() {
            Some(last) => {
                self.cursor = last.id;
                Some(Delivery::Events(found.events))
            }
            None => {
                self.cursor = self.cursor.max(floor);
                None
            }
        }
    }
}

/// Reads until it succeeds: a log that cannot be read now is no reason to lose an event.
async fn find(log: Arc<dyn Log>, topic: Arc<str>, after: i64) -> Found {
    loop {
        // The oldest second: what is swept in between is then known to be missing.
        let found = match log.after_in(&topic, after, BATCH_MAX as u32, BATCH_BYTES_MAX).await {
            Ok(events) => log.oldest().await.map(|oldest| Found { events, oldest }),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => return found,
            Err(error) => {
                tracing::warn!(%error, cause = ?error.0, topic = &*topic, after, "a subscriber waits for the log")
            }
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.leave(&self.topic, self.place);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("topic", &self.topic.name).field("cursor", &self.cursor).finish()
    }
}
