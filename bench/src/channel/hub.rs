//! A channel whose log lies in memory and whose gate is open: the product's hub, sessions and sockets without its store.
//!
//! Every line on stdin appends one event, which carries the moment.

use std::{
    io::BufRead as _,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use fujie_channel::{
    event::{Data, Event, EventError, Json, Parts},
    gate::{Gate, Refusal},
    hub::{Hub, Log, Overflow, Reading},
    serve::Listener,
    session::Exchange,
};
use fujie_core::{secret::Secret, time::Timestamp};
use tokio::sync::watch;

use super::load::fan::{TOPIC, wall_nanos};

/// Bytes of an event beside its attributes.
const PAYLOAD: usize = 1024;

/// Serves until it is killed.
pub async fn serve(address: SocketAddr) -> Result<()> {
    let log = Arc::new(Memory::default());
    let hub = Hub::new(Arc::new(Handle(Arc::clone(&log))));
    let exchange = Arc::new(Exchange { hub: Arc::clone(&hub), gate: Open, overflow: Overflow::Cut });
    std::thread::spawn(move || {
        for _ in std::io::stdin().lock().lines() {
            if log.append().is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move { hub.run(std::future::pending()).await });
    Listener::bind(address)?.channel(exchange, std::future::pending()).await;
    Ok(())
}

#[derive(Default)]
struct Memory {
    events: Mutex<Vec<Event>>,
    head: watch::Sender<i64>,
}

impl Memory {
    fn append(&self) -> Result<(), EventError> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let id = events.last().map_or(0, |last| last.id) + 1;
        let data = format!(r#"{{"at":{},"text":"{}"}}"#, wall_nanos(), "x".repeat(PAYLOAD));
        let parts = Parts {
            id,
            topic: TOPIC,
            event_type: "notice",
            source: "/",
            subject: None,
            delivery: None,
            time: Timestamp::from_millis(0),
            data: Data::Json(Json::parse(&data)?),
        };
        events.push(Event { id, topic: TOPIC.into(), line: parts.render()? });
        drop(events);
        self.head.send_replace(id);
        Ok(())
    }
}

/// What the hub is given.
struct Handle(Arc<Memory>);

impl Log for Handle {
    fn after(&self, after: i64, limit: u32) -> Reading<Vec<Event>> {
        let events = self.0.events.lock().unwrap_or_else(PoisonError::into_inner);
        let found = events.iter().filter(|event| event.id > after).take(limit as usize).cloned().collect();
        Box::pin(std::future::ready(Ok(found)))
    }

    /// There is one topic only.
    fn after_in(&self, _: &str, after: i64, limit: u32, _: usize) -> Reading<Vec<Event>> {
        self.after(after, limit)
    }

    fn oldest(&self) -> Reading<i64> {
        Box::pin(std::future::ready(Ok(1)))
    }

    fn head(&self) -> watch::Receiver<i64> {
        self.0.head.subscribe()
    }
}

/// Lets everybody in.
struct Open;

impl Gate for Open {
    type Pass = ();

    async fn admit(&self, _: &Secret, _: Option<&()>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn may_read(&self, (): &(), _: &str) -> Result<(), Refusal> {
        Ok(())
    }
}
