//! A log in memory, as slow and as faulty as a test wants it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use fujie_channel::{
    event::{Data, Event, Json, Parts},
    hub::{Log, LogError, Reading},
};
use fujie_core::time::Timestamp;
use tokio::{sync::watch, task::yield_now, time::sleep};

use crate::chance::Chance;

/// Keeps events as long as the test does.
pub struct Memory {
    events: Mutex<Vec<Event>>,
    head: watch::Sender<i64>,
    oldest: AtomicI64,
    /// So many readings fail from now on.
    pub failures: AtomicU32,
    /// Looks into the log.
    pub readings: AtomicU32,
    /// Draws how long a reading takes.
    slowness: Option<Mutex<Chance>>,
}

impl Memory {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::with(None))
    }

    /// Readings take a moment, and now and then longer.
    pub fn slow(seed: u64) -> Arc<Self> {
        Arc::new(Self::with(Some(Mutex::new(Chance::new(seed)))))
    }

    fn with(slowness: Option<Mutex<Chance>>) -> Self {
        Self {
            events: Mutex::default(),
            head: watch::Sender::new(0),
            oldest: AtomicI64::new(1),
            failures: AtomicU32::new(0),
            readings: AtomicU32::new(0),
            slowness,
        }
    }

    /// Commits one event; its id.
    pub fn append(&self, topic: &str) -> i64 {
        self.append_sized(topic, 0)
    }

    /// Commits one event whose data is `padding` bytes long.
    pub fn append_sized(&self, topic: &str, padding: usize) -> i64 {
        let mut events = self.events.lock().unwrap();
        let id = events.len() as i64 + 1;
        let data = format!("\"{}\"", "x".repeat(padding));
        let parts = Parts {
            id,
            topic,
            event_type: "notice",
            source: "/",
            subject: None,
            delivery: None,
            time: Timestamp::from_millis(id),
            data: Data::Json(Json::parse(&data).unwrap()),
        };
        events.push(Event { id, topic: topic.into(), line: parts.render().unwrap() });
        drop(events);
        self.head.send_replace(id);
        id
    }

    /// Removes everything below `id`.
    pub fn sweep(&self, id: i64) {
        self.oldest.store(id, Ordering::SeqCst);
    }

    /// The ids of `topic` after `after`.
    pub fn ids(&self, topic: &str, after: i64) -> Vec<i64> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| *event.topic == *topic && event.id > after).map(|event| event.id).collect()
    }

    fn read(self: &Arc<Self>, topic: Option<String>, after: i64, limit: u32, bytes_max: usize) -> Reading<Vec<Event>> {
        let memory = Arc::clone(self);
        memory.readings.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            memory.dawdle().await;
            if memory.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                return Err(LogError("the disk is on fire".into()));
            }
            let found = memory.find(topic.as_deref(), after, limit, bytes_max);
            memory.dawdle().await;
            Ok(found)
        })
    }

    fn find(&self, topic: Option<&str>, after: i64, limit: u32, bytes_max: usize) -> Vec<Event> {
        let (events, oldest) = (self.events.lock().unwrap(), self.oldest.load(Ordering::SeqCst));
        let wanted =
            |event: &&Event| event.id > after && event.id >= oldest && topic.is_none_or(|topic| *event.topic == *topic);
        let mut bytes = 0;
        let fits = |event: &&Event| {
            let fits = bytes < bytes_max;
            bytes += event.line.len();
            fits
        };
        events.iter().filter(wanted).take(limit as usize).take_while(fits).cloned().collect()
    }

    async fn dawdle(&self) {
        let Some(slowness) = &self.slowness else { return };
        let (is_long, turns) = {
            let mut chance = slowness.lock().unwrap();
            (chance.below(40) == 0, chance.below(4))
        };
        if is_long {
            sleep(Duration::from_millis(1)).await;
        }
        for _ in 0..turns {
            yield_now().await;
        }
    }
}

/// What the hub is given: a handle.
pub struct Handle(pub Arc<Memory>);

impl Log for Handle {
    fn after(&self, after: i64, limit: u32) -> Reading<Vec<Event>> {
        self.0.read(None, after, limit, 1024 * 1024)
    }

    fn after_in(&self, topic: &str, after: i64, limit: u32, bytes_max: usize) -> Reading<Vec<Event>> {
        self.0.read(Some(topic.to_owned()), after, limit, bytes_max)
    }

    fn oldest(&self) -> Reading<i64> {
        let memory = Arc::clone(&self.0);
        Box::pin(async move { Ok(memory.oldest.load(Ordering::SeqCst)) })
    }

    fn head(&self) -> watch::Receiver<i64> {
        self.0.head.subscribe()
    }
}
