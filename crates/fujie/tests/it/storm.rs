//! What a webhook says takes effect once and reaches everybody who is there or comes back, while the server is killed
//! twenty times under the deliveries, also between their receipt and their effect.
//!
//! `FUJIE_STORM_DELIVERIES=100000 cargo test --release -p fujie --test it storm -- --nocapture` sends them all.

mod github;
mod house;
mod ledger;
mod listener;
mod stream;
mod subscriber;

use std::time::{Duration, Instant};

use crate::durable::load::Random;
use github::{Github, Progress};
use house::{Death, House};
use ledger::Effect;
use listener::Listener;
use subscriber::Subscriber;

/// Deliveries, unless `FUJIE_STORM_DELIVERIES` says how many; each is sent once to five times.
const DELIVERIES: u32 = 20_000;
const KILLS: u64 = 20;
/// A death that takes longer will not come.
const DEATH_MAX: Duration = Duration::from_secs(120);
/// Whoever lost the server comes back and has everything so long after the storm at the latest.
const CALM_MAX: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn every_delivery_takes_effect_once_and_reaches_all_who_listen_while_the_server_is_killed_20_times() {
    let deliveries = std::env::var("FUJIE_STORM_DELIVERIES");
    let deliveries = deliveries.map_or(DELIVERIES, |count| count.parse().expect("FUJIE_STORM_DELIVERIES is a number"));
    let mut house = House::new();
    house.start(Death::Kill).await;
    let github = Github::new().await;
    github.hook(&house).await;
    house.has_events(1).await;

    let token = house.token().await;
    let subscribers = subscriber::all(&house, &token);
    let mut listener = Listener::new(&house, &token);
    let (begun, mut random) = (Instant::now(), Random(7));
    github.storm(deliveries).await;
    killed_while_it_reads(&mut listener).await;
    let mut deaths = Deaths::default();
    for kill in 1..=KILLS {
        let death = die(&mut house, kill, &github, deliveries, &mut random).await;
        let acknowledged = github.acknowledged().await;
        let inbox = house.ledger().inbox();
        let lost = ledger::lost(&acknowledged, &inbox);
        assert!(lost.is_empty(), "kill {kill} ({death:?}): acknowledged and not on disk: {lost:?}\n{}", house.log());
        deaths.count(death, inbox.len() - 1 - acknowledged.len());
        house.start(Death::of(kill + 1, &mut random)).await;
    }
    listener.kill();
    killed_while_it_reads(&mut listener).await;
    let storm = github.done().await;
    report(deliveries, begun.elapsed(), &storm, &deaths);
    assert!(deaths.unanswered > 0, "no death came between a receipt and its answer");
    let (inbox, truth) = (house.ledger().inbox(), house.ledger().effects());
    assert_eq!(ledger::judge(&inbox, &truth, deliveries), Ok(()));
    assert_eq!((storm.acknowledged, storm.count), (deliveries, deliveries));
    assert!(storm.repeated > u64::from(deliveries) && storm.failed_attempts >= KILLS, "too mild a storm: {storm:?}");
    all_have_it(&subscribers, &mut listener, &truth).await;
    for subscriber in &subscribers {
        assert_eq!(ledger::compare(&subscriber.told(), &truth), Ok(()), "{}", subscriber.name);
    }
    assert_eq!(ledger::compare(&told_by_pages(&house, &token).await, &truth), Ok(()), "the pages");
    let repeated = listener.judge(&truth);
    house.end();
    house.ledger().is_whole();
    eprintln!(
        "all have it after {:.1?}; fujie listen, killed three times, repeated {repeated} events",
        begun.elapsed()
    );
}

/// Waits until everybody has the last event.
async fn all_have_it(subscribers: &[Subscriber], listener: &mut Listener, truth: &[Effect]) {
    let begun = Instant::now();
    let last = truth.last().expect("there were deliveries").id;
    loop {
        let mut reached: Vec<_> = subscribers.iter().map(|one| (one.name, one.last_id())).collect();
        reached.push(("fujie listen", listener.last_id()));
        if reached.iter().all(|(_, id)| *id == last) {
            return;
        }
        assert!(begun.elapsed() < CALM_MAX, "not at {last}: {reached:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Kills the listener as soon as it has printed something.
async fn killed_while_it_reads(listener: &mut Listener) {
    let begun = Instant::now();
    while listener.last_id() == 0 {
        assert!(begun.elapsed() < CALM_MAX, "fujie listen prints nothing");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    listener.kill();
}

/// Lets the server die once, while deliveries are under way. Gives how.
async fn die(house: &mut House, kill: u64, github: &Github, deliveries: u32, random: &mut Random) -> Death {
    let death = house.death();
    if death == Death::Kill {
        // Deaths are spread over the storm, and come 100 to 800 ms after the server was ready; sooner when it is so fast
        // that the storm would be over too soon.
        let part = |kill: u64| u64::from(deliveries) * 3 * kill / (KILLS + 4);
        github.has_sent(part(kill)).await;
        let moment = Duration::from_millis(100 + random.below(700));
        drop(tokio::time::timeout(moment, github.has_sent(part(kill + 1))).await);
        house.kill();
    }
    let begun = Instant::now();
    loop {
        let progress = github.progress().await;
        assert!(!progress.done, "the storm was over before kill {kill} ({death:?}): {progress:?}");
        if house.is_dead() {
            return death;
        }
        assert!(begun.elapsed() < DEATH_MAX, "kill {kill} ({death:?}) did not come: {progress:?}\n{}", house.log());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The events as the server itself tells them, page by page.
async fn told_by_pages(house: &House, token: &str) -> Vec<Effect> {
    let mut told: Vec<Effect> = Vec::new();
    loop {
        let page = house.events(token, told.last().map_or(0, |effect| effect.id)).await;
        if page.is_empty() {
            return told;
        }
        told.extend(page);
    }
}

/// How the server died.
#[derive(Debug, Default)]
struct Deaths {
    by_signal: u32,
    at_a_sync: u32,
    at_a_write: u32,
    /// Deliveries that were on disk then, and whose sender did not know.
    unanswered: usize,
}

impl Deaths {
    fn count(&mut self, death: Death, unanswered: usize) {
        *match death {
            Death::Kill => &mut self.by_signal,
            Death::AtSync(_) => &mut self.at_a_sync,
            Death::AtWrite(_) => &mut self.at_a_write,
        } += 1;
        self.unanswered += unanswered;
    }
}

fn report(deliveries: u32, lasted: Duration, storm: &Progress, deaths: &Deaths) {
    let seconds = lasted.as_secs_f64();
    let Progress { sent, repeated, failed_attempts, .. } = storm;
    let speed = *sent as f64 / seconds;
    eprintln!("{deliveries} deliveries in {seconds:.1} s over {KILLS} kills, {deaths:?}");
    eprintln!("{sent} attempts ({speed:.0}/s), {repeated} repeated, {failed_attempts} failed");
}
