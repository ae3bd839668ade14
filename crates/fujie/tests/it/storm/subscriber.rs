//! Those who listen in this process: what each was told, in the order in which it came.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use fujie_channel::client::{Channel, Endpoint, Incoming, Need};
use fujie_core::{random::SystemRandom, secret::Secret};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

use super::{
    house::{House, TOPIC},
    ledger::Effect,
    stream::Stream,
};
use crate::durable::load::Random;

/// Somebody who listens, until it is dropped.
pub struct Subscriber {
    pub name: &'static str,
    told: Told,
    task: JoinHandle<()>,
}

/// What somebody was told.
type Told = Arc<Mutex<Vec<Effect>>>;

/// Where somebody listens, and as whom.
#[derive(Clone)]
struct Place {
    /// Host and port of the HTTP server.
    http: String,
    /// Host and port of the line protocol.
    line: String,
    token: String,
}

/// After a stream that ended.
const PAUSE: Duration = Duration::from_millis(50);

/// All of them, from the first event on.
pub fn all(house: &House, token: &str) -> Vec<Subscriber> {
    let place = Place { http: house.address().to_owned(), line: house.line.clone(), token: token.to_owned() };
    vec![
        Subscriber::new("a client that stays", |told| stays(told, place.clone())),
        Subscriber::new("another that stays", |told| stays(told, place.clone())),
        Subscriber::new("a client that comes and goes", |told| comes_and_goes(told, place.clone())),
        Subscriber::new("a reader of server-sent events", |told| reads_stream(told, place.clone())),
    ]
}

impl Subscriber {
    fn new<F: Future<Output = ()> + Send + 'static>(name: &'static str, listen: impl FnOnce(Told) -> F) -> Self {
        let told = Told::default();
        let task = tokio::spawn(listen(Arc::clone(&told)));
        Self { name, told, task }
    }

    /// What it was told by now.
    pub fn told(&self) -> Vec<Effect> {
        self.told.lock().unwrap().clone()
    }

    pub fn last_id(&self) -> i64 {
        assert!(!self.task.is_finished(), "{} gave up", self.name);
        last_id(&self.told)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn last_id(told: &Told) -> i64 {
    told.lock().unwrap().last().map_or(0, |effect| effect.id)
}

/// A client's channel, from an event on.
fn channel(place: &Place, after: i64) -> Channel {
    let token = place.token.clone();
    let tokens = move |_: Need| {
        let token = Secret::new(token.clone());
        async move { Ok(token) }
    };
    let mut channel = Channel::connect(Endpoint::parse(&place.line).unwrap(), tokens, SystemRandom);
    channel.subscribe(TOPIC, Some(after));
    channel
}

async fn next(channel: &mut Channel) -> Effect {
    loop {
        match channel.next().await {
            Ok(Incoming::Event(event)) => {
                let effect = Effect::of_line(std::str::from_utf8(&event.line).unwrap());
                assert_eq!(event.id, effect.id);
                return effect;
            }
            Ok(Incoming::Subscribed { .. } | Incoming::Lost { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// One channel for all the time: it connects again by itself.
async fn stays(told: Told, place: Place) {
    let mut channel = channel(&place, 0);
    loop {
        let effect = next(&mut channel).await;
        told.lock().unwrap().push(effect);
    }
}

/// Leaves after a while without a word, is away for a while, and goes on after the last event.
async fn comes_and_goes(told: Told, place: Place) {
    let mut random = Random(21);
    loop {
        let until = Instant::now() + Duration::from_millis(random.below(1500));
        let mut channel = channel(&place, last_id(&told));
        while let Ok(effect) = timeout_at(until, next(&mut channel)).await {
            told.lock().unwrap().push(effect);
        }
        drop(channel);
        sleep(Duration::from_millis(random.below(300))).await;
    }
}

/// A loop of its own, which names the last event whenever it comes again.
async fn reads_stream(told: Told, place: Place) {
    loop {
        if let Some(mut stream) = Stream::open(&place.http, &place.token, last_id(&told)).await {
            while let Some(effect) = stream.next().await {
                told.lock().unwrap().push(effect);
            }
        }
        sleep(PAUSE).await;
    }
}
