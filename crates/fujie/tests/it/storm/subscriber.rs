//! Those who listen in this process: what each was told, in the order in which it came.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinHandle;

use super::{house::House, ledger::Effect, stream::Stream};
use crate::durable::load::Random;

/// Somebody who listens, until it is dropped.
pub struct Subscriber {
    got: Arc<Mutex<Got>>,
    task: JoinHandle<()>,
}

/// What one of them was told.
#[derive(Clone, Debug)]
pub struct Got {
    pub name: &'static str,
    pub effects: Vec<Effect>,
    pub connections: u32,
}

type Shared = Arc<Mutex<Got>>;

/// After a connection that ended.
const PAUSE: Duration = Duration::from_millis(50);

/// All of them, from the first event on.
pub fn all(house: &House, token: &str) -> Vec<Subscriber> {
    let (address, token) = (house.address().to_owned(), token.to_owned());
    vec![
        Subscriber::new("server-sent events", {
            let (address, token) = (address.clone(), token.clone());
            |got| follows(got, address, token)
        }),
        Subscriber::new("server-sent events, comes and goes", |got| comes_and_goes(got, address, token)),
    ]
}

impl Subscriber {
    fn new<F: Future<Output = ()> + Send + 'static>(name: &'static str, listen: impl FnOnce(Shared) -> F) -> Self {
        let got = Arc::new(Mutex::new(Got { name, effects: Vec::new(), connections: 0 }));
        let task = tokio::spawn(listen(Arc::clone(&got)));
        Self { got, task }
    }

    /// What it was told by now.
    pub fn got(&self) -> Got {
        self.got.lock().unwrap().clone()
    }

    pub fn last_id(&self) -> i64 {
        last_id(&self.got)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn last_id(got: &Shared) -> i64 {
    got.lock().unwrap().effects.last().map_or(0, |effect| effect.id)
}

/// Reads whatever comes, and goes on after the last event.
async fn follows(got: Shared, address: String, token: String) {
    loop {
        if let Some(mut stream) = Stream::open(&address, &token, last_id(&got)).await {
            got.lock().unwrap().connections += 1;
            while let Some(effect) = stream.next().await {
                got.lock().unwrap().effects.push(effect);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Leaves after a while without a word, is away for a while, and goes on after the last event.
async fn comes_and_goes(got: Shared, address: String, token: String) {
    let mut random = Random(21);
    loop {
        let stay = Duration::from_millis(random.below(700));
        let until = tokio::time::Instant::now() + stay;
        if let Some(mut stream) = Stream::open(&address, &token, last_id(&got)).await {
            got.lock().unwrap().connections += 1;
            while let Ok(Some(effect)) = tokio::time::timeout_at(until, stream.next()).await {
                got.lock().unwrap().effects.push(effect);
            }
        }
        tokio::time::sleep(Duration::from_millis(random.below(300))).await;
    }
}

/// Was somebody told everything, in order, and nothing twice?
pub fn judge(name: &str, told: &[Effect], truth: &[Effect]) {
    let wrong = told.iter().zip(truth).position(|(told, true_one)| told != true_one);
    if let Some(at) = wrong {
        let around = at.saturating_sub(2);
        let part = |effects: &[Effect]| effects.iter().skip(around).take(5).cloned().collect::<Vec<_>>();
        panic!("{name}, at {at}: told {:#?}\nnot {:#?}", part(told), part(truth));
    }
    assert_eq!(told.len(), truth.len(), "{name} has not everything");
}
