//! One topic while it has subscribers: its ring of recent events, and who waits for the next.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use super::LAG_MAX;
use crate::event::Event;

/// Events in a ring, all together, in bytes of their lines.
const RING_BYTES_MAX: usize = 1024 * 1024;
/// Given to a subscriber at once: so many events, and so many bytes unless it is a single event. What lies in the log and
/// not in the ring is a subscriber's own until it is written, and as many may catch up as are connected.
pub(super) const BATCH_MAX: usize = 64;
pub(super) const BATCH_BYTES_MAX: usize = 64 * 1024;

/// A topic that somebody is subscribed to.
pub(super) struct Topic {
    pub name: Arc<str>,
    state: Mutex<State>,
}

/// What changes.
pub(super) struct State {
    /// Every event of the topic with an id greater than `floor`, as far as the hub has followed the log.
    ring: VecDeque<Event>,
    ring_bytes: usize,
    pub floor: i64,
    /// The ids of the last [`LAG_MAX`] events, also of those that the ring was too small for.
    recent: VecDeque<i64>,
    /// Whoever's cursor is below this is more than [`LAG_MAX`] events behind.
    pub lag_floor: i64,
    /// One place per subscriber, with its waker while it waits.
    places: Vec<Option<Waker>>,
    vacant: Vec<usize>,
}

impl Topic {
    /// A topic whose events after `tail` will be pushed.
    pub fn new(name: &str, tail: i64) -> Self {
        let state = State {
            ring: VecDeque::new(),
            ring_bytes: 0,
            floor: tail,
            recent: VecDeque::new(),
            lag_floor: tail,
            places: Vec::new(),
            vacant: Vec::new(),
        };
        Self { name: name.into(), state: Mutex::new(state) }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a place for a new subscriber.
    pub fn enter(&mut self) -> usize {
        self.vacant.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        })
    }

    /// Gives a place back. Was it the last?
    pub fn leave(&mut self, place: usize) -> bool {
        if let Some(waker) = self.places.get_mut(place) {
            *waker = None;
            self.vacant.push(place);
        }
        self.vacant.len() == self.places.len()
    }

    /// Wakes `waker` when the next event is pushed.
    pub fn wait(&mut self, place: usize, waker: &Waker) {
        if let Some(waiting) = self.places.get_mut(place) {
            match waiting {
                Some(known) => known.clone_from(waker),
                None => *waiting = Some(waker.clone()),
            }
        }
    }

    /// Everybody who waits, to be woken when the lock is released.
    pub fn take_waiting(&mut self) -> Vec<Waker> {
        self.places.iter_mut().filter_map(Option::take).collect()
    }

    /// Appends the topic's next event.
    pub fn push(&mut self, event: Event) {
        self.recent.push_back(event.id);
        if self.recent.len() as u64 > LAG_MAX {
            self.lag_floor = self.recent.pop_front().unwrap_or(self.lag_floor);
        }
        self.ring_bytes += event.line.len();
        self.ring.push_back(event);
        while self.ring.len() as u64 > LAG_MAX || self.ring_bytes > RING_BYTES_MAX {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.ring_bytes -= oldest.line.len();
            self.floor = oldest.id;
        }
    }

    /// The first events after `cursor`, which must not be below the floor. None: the subscriber is up to date.
    pub fn batch_after(&self, cursor: i64) -> Vec<Event> {
        let first = self.ring.partition_point(|event| event.id <= cursor);
        let mut bytes = 0;
        self.ring
            .range(first..)
            .take(BATCH_MAX)
            .take_while(|event| {
                bytes += event.line.len();
                bytes <= BATCH_BYTES_MAX || bytes == event.line.len()
            })
            .cloned()
            .collect()
    }
}
