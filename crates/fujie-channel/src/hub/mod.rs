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
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::Waker,
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use crate::event::Event;
use subscription::Start;
pub use subscription::Subscription;
use topic::Topic;

/// Read from the log at once.
const FOLLOW_MAX: u32 = 512;
/// So long a subscriber waits for a head that its cursor is beyond.
const HEAD_PATIENCE: Duration = Duration::from_secs(1);
/// After a reading that failed, the next one waits so long.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The log of events, as the hub sees it. Whoever keeps it implements it.
pub trait Log: Send + Sync + 'static {
    /// Events of all topics with ids greater than `after`, ascending, at most `limit`; empty only when there are none.
    /// A reading may give fewer, to stay near 1 MiB.
    fn after(&self, after: i64, limit: u32) -> Reading<Vec<Event>>;

    /// The same of one topic, near `bytes_max`: no further event once those before have come to so much.
    fn after_in(&self, topic: &str, after: i64, limit: u32, bytes_max: usize) -> Reading<Vec<Event>>;

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
    /// The topics that have subscribers.
    topics: Mutex<HashMap<Arc<str>, Arc<Topic>>>,
    /// How far the log has been followed: everything up to here is in the rings. Changes while `topics` is locked.
    tail: AtomicI64,
}

impl Hub {
    /// A hub that follows `log` from its present head. It moves while [`Hub::run`] runs.
    pub fn new(log: Arc<dyn Log>) -> Arc<Self> {
        let tail = *log.head().borrow();
        Arc::new(Self { log, topics: Mutex::default(), tail: tail.into() })
    }

    /// Where somebody goes on who was at `from`: there, or at the log's head if `from` is beyond it, for such an id is
    /// of a log that was lost.
    ///
    /// Only then does it wait, for a second: an event may be read before the head is told.
    async fn cursor(&self, from: i64) -> i64 {
        let mut head = self.log.head();
        // Neither a late head nor one that never comes is an error.
        let _ = timeout(HEAD_PATIENCE, head.wait_for(|head| *head >= from)).await;
        from.clamp(0, *head.borrow())
    }

    /// Subscribes to `topic`: events with ids greater than `from`, or from now on. Where it really begins is
    /// [`Subscription::cursor`]: at the log's head if `from` is beyond it.
    pub async fn subscribe(self: &Arc<Self>, topic: &str, from: Option<i64>, overflow: Overflow) -> Subscription {
        let from = match from {
            Some(from) => Some(self.cursor(from).await),
            None => None,
        };
        let head = *self.log.head().borrow();
        let cursor = from.unwrap_or(head);
        let (topic, place) = self.enter(topic);
        Subscription::new(Arc::clone(self), topic, place, Start { cursor, head }, overflow)
    }

    fn enter(&self, topic: &str) -> (Arc<Topic>, usize) {
        let mut topics = self.lock();
        let topic = match topics.get(topic) {
            Some(topic) => Arc::clone(topic),
            None => {
                let topic = Arc::new(Topic::new(topic, self.tail()));
                topics.insert(Arc::clone(&topic.name), Arc::clone(&topic));
                topic
            }
        };
        let place = topic.lock().enter();
        (topic, place)
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
        let topics = self.lock();
        if topics.is_empty() {
            self.tail.fetch_max(newest, Ordering::AcqRel);
        }
        Some(self.tail()).filter(|tail| *tail < newest)
    }

    /// Puts `events`, the log's next, into the rings and wakes those who wait for them.
    fn push(&self, events: Vec<Event>, newest: i64) {
        let mut touched: Vec<Arc<Topic>> = Vec::new();
        let topics = self.lock();
        // Nothing up to `newest` any more: it was swept.
        let tail = events.last().map_or(newest, |last| last.id);
        for event in events {
            let Some(topic) = topics.get(&event.topic) else { continue };
            topic.lock().push(event);
            if !touched.iter().any(|known| Arc::ptr_eq(known, topic)) {
                touched.push(Arc::clone(topic));
            }
        }
        self.tail.store(tail, Ordering::Release);
        drop(topics);
        for topic in touched {
            let waiting = topic.lock().take_waiting();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    fn leave(&self, topic: &Arc<Topic>, place: usize) {
        let mut topics = self.lock();
        if topic.lock().leave(place) {
            topics.remove(&topic.name);
        }
    }

    fn tail(&self) -> i64 {
        self.tail.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Topic>>> {
        // Nothing panics while it holds this lock.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
