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

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use crate::durable::load::Random;
use github::{Github, Progress};
use house::{Death, House};
use listener::Listener;
use subscriber::Got;

/// Deliveries, unless `FUJIE_STORM_DELIVERIES` says how many; each is sent once to five times.
const DELIVERIES: u32 = 20_000;
const KILLS: u64 = 20;
/// A death that takes longer will not come.
const DEATH_MAX: Duration = Duration::from_secs(30);
/// Whoever came back has everything so long after the storm at the latest.
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
    for kill in 1..=KILLS {
        let died = die(&mut house, kill, &github, deliveries, &mut random).await;
        let acknowledged = github.acknowledged().await;
        let on_disk: HashSet<_> = house.ledger().inbox().into_iter().map(|(_, guid)| guid).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|guid| !on_disk.contains(*guid)).collect();
        assert!(lost.is_empty(), "kill {kill} ({died:?}): acknowledged and not on disk: {lost:?}\n{}", house.log());
        house.start(Death::of(kill + 1, &mut random)).await;
    }
    listener.kill();
    killed_while_it_reads(&mut listener).await;
    let storm = github.done().await;
    let lasted = begun.elapsed();
    let truth = house.ledger().effects();
    judge_effects(&house, deliveries, &truth, &storm);
    judge_pages(&house, &token, &truth).await;
    let last = truth.last().expect("there were deliveries").id;
    let all_have_it = async {
        while !subscribers.iter().all(|one| one.last_id() == last) || listener.last_id() != last {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let calm = tokio::time::timeout(CALM_MAX, all_have_it).await;
    for Got { name, effects, .. } in subscribers.iter().map(subscriber::Subscriber::got) {
        subscriber::judge(name, &effects, &truth);
    }
    let repeated = listener.judge(&truth);
    assert!(calm.is_ok(), "somebody has not caught up after {CALM_MAX:?}");
    house.end();
    house.ledger().is_whole();
    report(deliveries, lasted, &storm);
    for got in subscribers.iter().map(subscriber::Subscriber::got) {
        eprintln!("{}: {} events over {} connections", got.name, got.effects.len(), got.connections);
    }
    eprintln!("fujie listen, killed three times: {repeated} events came again");
}

/// Kills the listener as soon as it has printed something.
async fn killed_while_it_reads(listener: &mut Listener) {
    while listener.last_id() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    listener.kill();
}

/// Lets the server die once, while deliveries are under way. Gives how.
async fn die(house: &mut House, kill: u64, github: &Github, deliveries: u32, random: &mut Random) -> Death {
    let death = house.death();
    if death == Death::Kill {
        // Deaths are spread over the storm, and come 100 to 800 ms after the server was ready, or later.
        let part = u64::from(deliveries) * 3 * kill / (KILLS + 4);
        let moment = 100 + random.below(700);
        tokio::join!(github.has_sent(part), tokio::time::sleep(Duration::from_millis(moment)));
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

/// Every delivery of the storm, none twice.
fn judge_effects(house: &House, deliveries: u32, truth: &[ledger::Effect], storm: &Progress) {
    assert_eq!((storm.acknowledged, storm.count), (deliveries, deliveries));
    assert!(storm.repeated > u64::from(deliveries), "too little was repeated: {storm:?}");
    assert!(storm.failed_attempts >= KILLS, "too little failed: {storm:?}");
    let inbox = house.ledger().inbox();
    let ids: Vec<_> = inbox.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, truth.iter().map(|effect| effect.id).collect::<Vec<_>>(), "an event without a delivery");
    // The ping, which says no commit.
    let (ping, pushes) = truth.split_first().expect("the ping");
    assert_eq!(ping.commit, "");
    for ((_, guid), effect) in inbox.iter().skip(1).zip(pushes) {
        assert_eq!(guid.replace('-', ""), effect.commit, "event {} is that of another delivery", effect.id);
    }
    let mut guids: Vec<_> = inbox.into_iter().skip(1).map(|(_, guid)| guid).collect();
    guids.sort_unstable();
    let rest = &guids.first().expect("a delivery")[8..];
    let sent: Vec<_> = (0..deliveries).map(|number| format!("{number:08x}{rest}")).collect();
    assert!(guids == sent, "not every delivery once: {} of {}", guids.len(), sent.len());
}

/// The events as the server itself tells them, page by page.
async fn judge_pages(house: &House, token: &str, truth: &[ledger::Effect]) {
    let mut told = Vec::new();
    loop {
        let after = told.last().map_or(0, |effect: &ledger::Effect| effect.id);
        let page = house.events(token, after).await;
        if page.is_empty() {
            break;
        }
        told.extend(page);
    }
    subscriber::judge("the pages", &told, truth);
}

fn report(deliveries: u32, lasted: Duration, storm: &Progress) {
    let seconds = lasted.as_secs_f64();
    let Progress { sent, repeated, failed_attempts, .. } = storm;
    eprintln!(
        "{deliveries} deliveries in {seconds:.1} s over {KILLS} kills: {sent} attempts ({:.0}/s), {repeated} repeated, \
         {failed_attempts} failed",
        *sent as f64 / seconds,
    );
}
