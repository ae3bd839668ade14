//! From the log to whoever is connected: one task follows the log, subscribers follow their cursors.
//!
//! Nothing is queued per subscriber. Recent events of topics that have subscribers lie in one ring per topic, as shared
//! bytes; a subscriber that is behind its ring reads the log itself. So a slow reader costs no memory, and one that
//! resumes reads from exactly where it was.

mod subscription;
mod topic;

use std::{
    collections::HashMap,
    error::Error,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::sync::watch;

use crate::event::Event;
pub use subscription::Subscription;
use topic::Topic;

/// Read from the log at once.
const FOLLOW_MAX: u32 = 512;
/// After a reading that failed, the next one waits so long.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The log of events, as the hub sees it. Whoever keeps it implements it.
pub trait Log: Send + Sync + 'static {
    /// Events of all topics with ids greater than `after`, ascending, at most `limit`; empty only when there are none.
    /// A reading may give fewer, to stay near 1 MiB.
    fn after(&self, after: i64, limit: u32) -> Reading<Vec<Event>>;

    /// The same of one topic.
    fn after_in(&self, topic: &str, after: i64, limit: u32) -> Reading<Vec<Event>>;

    /// The lowest id that may still be kept: events below it are gone. 0 or 1 while nothing was removed.
    fn oldest(&self) -> Reading<i64>;

    /// The newest committed id, 0 when there is none. Changes after every commit that appended; by then
    /// [`Log::after`] gives the event.
    fn head(&self) -> watch::Receiver<i64>;
}

/// What a [`Log`] gives, later.
pub type Reading<T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send>>;

/// The log could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the log of events could not be read")]
pub struct LogError(#[source] pub Box<dyn Error + Send + Sync>);

/// What becomes of a subscriber that was up to date and then fell more than [`LAG_MAX`] events behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Its subscription ends: it may come again and resume, and then misses nothing that is kept.
    Cut,
    /// The oldest events are left out, and it is told which.
    DropOldest,
}

/// How many events of its topic a subscriber that was up to date may fall behind.
pub const LAG_MAX: u64 = 256;

/// What a subscription gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Events, ascending, at least one, none of them given before.
    Events(Vec<Event>),
    /// Events of the topic with `after` < id ≤ `until` will not come: the subscriber was too slow
    /// ([`Overflow::DropOldest`]), or they are no longer kept.
    Dropped {
        /// The last id before the gap.
        after: i64,
        /// The last id of the gap.
        until: i64,
    },
    /// The subscriber was too slow ([`Overflow::Cut`]): nothing more comes.
    Cut,
}

/// Carries events from the log to subscribers.
pub struct Hub {
    log: Arc<dyn Log>,
    topics: Mutex<Topics>,
}

/// The topics that have subscribers.
struct Topics {
    by_name: HashMap<Arc<str>, Arc<Topic>>,
    /// How far the log has been followed.
    tail: i64,
}

impl Hub {
    /// A hub that follows `log` from its present head. It moves while [`Hub::run`] runs.
    pub fn new(log: Arc<dyn Log>) -> Arc<Self> {
        let tail = *log.head().borrow();
        Arc::new(Self { log, topics: Mutex::new(Topics { by_name: HashMap::new(), tail }) })
    }

    /// Subscribes to `topic`: events with ids greater than `from`, or from now on. A `from` beyond the log's head is
    /// taken for the head: such an id is of a log that was lost.
    pub fn subscribe(self: &Arc<Self>, topic: &str, from: Option<i64>, overflow: Overflow) -> Subscription {
        let head = *self.log.head().borrow();
        let cursor = from.map_or(head, |from| from.clamp(0, head));
        let mut topics = self.lock();
        let tail = topics.tail;
        let topic = match topics.by_name.get(topic) {
            Some(topic) => Arc::clone(topic),
            None => {
                let topic = Arc::new(Topic::new(topic, tail));
                topics.by_name.insert(Arc::clone(&topic.name), Arc::clone(&topic));
                topic
            }
        };
        let place = topic.lock().enter();
        drop(topics);
        Subscription::new(Arc::clone(self), topic, place, cursor, overflow)
    }

    /// Follows the log until `stop` resolves, or whoever keeps the log is gone.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut head = self.log.head();
        let follow = async {
            loop {
                let newest = *head.borrow_and_update();
                self.follow(newest).await;
                if head.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = stop => {}
            () = follow => {}
        }
    }

    /// Takes everything up to `newest` from the log to the rings.
    async fn follow(&self, newest: i64) {
        loop {
            let Some(tail) = self.tail_before(newest) else { return };
            match self.log.after(tail, FOLLOW_MAX).await {
                Ok(events) => self.push(events, newest),
                Err(error) => {
                    tracing::error!(%error, cause = ?error.0, "subscribers wait for the log");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// From where to read on; `None` when there is nothing to read up to `newest`, or nobody to read it for.
    fn tail_before(&self, newest: i64) -> Option<i64> {
        let mut topics = self.lock();
        if topics.by_name.is_empty() {
            topics.tail = topics.tail.max(newest);
        }
        Some(topics.tail).filter(|tail| *tail < newest)
    }

    /// Puts `events`, the log's next, into the rings and wakes those who wait for them.
    fn push(&self, events: Vec<Event>, newest: i64) {
        let mut touched: Vec<Arc<Topic>> = Vec::new();
        let mut topics = self.lock();
        // Nothing up to `newest` any more: it was swept.
        topics.tail = events.last().map_or(newest, |last| last.id);
        for event in events {
            let Some(topic) = topics.by_name.get(&event.topic) else { continue };
            topic.lock().push(event);
            if !touched.iter().any(|known| Arc::ptr_eq(known, topic)) {
                touched.push(Arc::clone(topic));
            }
        }
        drop(topics);
        for topic in touched {
            let waiting = topic.lock().take_waiting();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    fn leave(&self, topic: &Arc<Topic>, place: usize) {
        let mut topics = self.lock();
        if topic.lock().leave(place) {
            topics.by_name.remove(&topic.name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Topics> {
        // Nothing panics while it holds this lock.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
