//! Acknowledged means on disk, and once means once, also when the process is killed.
//!
//! `FUJIE_KILLS=1000 cargo test -p fujie --test it killed -- --nocapture` runs the first story longer.

mod history;
mod house;
mod load;
mod sync;
mod trace;
mod wire;

use std::time::Duration;

use history::{Act, Answer};
use house::House;
use load::{Chain, Load, Random};
use wire::Browser;

/// A server that was killed is ready again after so long.
const READY_MAX: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_answer_is_lost_when_the_process_is_killed_20_times() {
    let kills = std::env::var("FUJIE_KILLS").map_or(20, |kills| kills.parse().expect("FUJIE_KILLS is a number"));
    let (mut house, mut random, mut tally) = (House::new(), Random(0), Tally::default());
    let site = house.site.clone();
    house.start().await;
    let mut dead = Vec::new();
    for kill in 1..=kills {
        // A browser for each application, new every time, so that codes lost on their way do not fill its limit.
        let mut browsers = [Browser::new(&site.wire), Browser::new(&site.wire)];
        browsers[0].code(&site.confidential).await.unwrap();
        browsers[1].code(&site.public).await.unwrap();

        let load = Load::begin(&site, &browsers, kill);
        tokio::time::sleep(Duration::from_millis(50 + random.below(350))).await;
        house.kill();
        let chains = load.end().await;
        tally.count(&chains);
        tally.ready_in(house.start().await);

        let (asked, asked_again) = load::question(&site, chains, dead).await;
        for chain in asked.iter().chain(&asked_again) {
            if let Err(broken) = chain.history.judge() {
                panic!("kill {kill}: a promise was broken: {broken}\n{}", house.log());
            }
        }
        for browser in &mut browsers {
            assert!(browser.is_signed_in().await, "kill {kill}: an acknowledged sign-in was lost");
        }
        dead = asked;
    }
    eprintln!("{kills} kills: {tally:?}");
    tally.is_enough_for(kills);
}

/// What was acknowledged before the kills.
#[derive(Debug, Default)]
struct Tally {
    chains: u64,
    redemptions: u64,
    rotations: u64,
    revocations: u64,
    /// Requests under way when the process was killed.
    unanswered: u64,
    slowest_start: Duration,
}

impl Tally {
    fn count(&mut self, chains: &[Chain]) {
        self.chains += chains.len() as u64;
        for step in chains.iter().flat_map(|chain| chain.history.0.iter().flatten()) {
            let kind = match (&step.answer, &step.act) {
                (Answer::Unknown, _) => &mut self.unanswered,
                (Answer::Done(_), Act::Redeem) => &mut self.redemptions,
                (Answer::Done(_), Act::Refresh(_)) => &mut self.rotations,
                (Answer::Done(_), Act::Revoke(_) | Act::RevokeAccess) => &mut self.revocations,
                (Answer::Done(_), Act::UseAccess) | (Answer::Refused, _) => continue,
            };
            *kind += 1;
        }
    }

    fn ready_in(&mut self, time: Duration) {
        assert!(time <= READY_MAX, "ready again after {time:?} only");
        self.slowest_start = self.slowest_start.max(time);
    }

    /// A load so thin that it proves nothing has failed too.
    fn is_enough_for(&self, kills: u64) {
        let is_enough = [self.redemptions, self.rotations, self.revocations, self.unanswered];
        assert!(is_enough.iter().all(|count| *count >= kills), "too little was acknowledged: {self:?}");
    }
}
