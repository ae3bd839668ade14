//! Acknowledged means on disk, and once means once, also when the process is killed.
//!
//! `FUJIE_KILLS=1000 cargo test -p fujie --test it killed -- --nocapture` runs the first story longer.

mod history;
pub mod house;
pub mod load;
mod sync;
mod trace;
pub mod wire;

use std::time::Duration;

use history::{Act, Answer};
use house::{House, Site};
use load::{Chain, Load, Random};
use wire::Browser;

/// A server that was killed is ready again after so long: a tenth of a second is usual.
const READY_MAX: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_answer_is_lost_when_the_process_is_killed_20_times() {
    let kills = std::env::var("FUJIE_KILLS").map_or(20, |kills| kills.parse().expect("FUJIE_KILLS is a number"));
    let (mut house, mut random, mut tally) = (House::new(), Random(0), Tally::default());
    let site = house.site.clone();
    house.start().await;
    let mut dead = Vec::new();
    for kill in 1..=kills {
        let mut browsers = signed_in(&site).await;
        let load = Load::begin(&site, &browsers, kill);
        tokio::time::sleep(Duration::from_millis(50 + random.below(350))).await;
        load.proves_something().await;
        house.kill();
        let chains = load.end().await;
        tally.count(&chains);
        tally.starts.push(house.start().await);

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
    tally.is_ready_soon();
}

/// The control: the same questions to a house whose disk forgot half of what was written under the load.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_forgets_the_last_answers_fails_the_same_check() {
    let mut house = House::new();
    let site = house.site.clone();
    house.start().await;
    let browsers = signed_in(&site).await;
    let before = house.log_of_the_database().metadata().unwrap().len();
    let load = Load::begin(&site, &browsers, 0);
    let grows = async {
        while house.log_of_the_database().metadata().unwrap().len() < before + 1024 * 1024 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), grows).await.expect("the load writes a megabyte");
    house.kill();
    let chains = load.end().await;
    let log = house.log_of_the_database();
    log.set_len(before.midpoint(log.metadata().unwrap().len())).unwrap();
    house.start().await;
    let (asked, _) = load::question(&site, chains, Vec::new()).await;
    let broken = asked.iter().filter(|chain| chain.history.judge().is_err()).count();
    eprintln!("{broken} of {} histories show it", asked.len());
    assert!(broken > 0, "nobody saw that the disk forgot: {} histories", asked.len());
}

/// A browser for each application, signed in and new every time, so that codes lost on their way do not fill the
/// number of those that may wait.
async fn signed_in(site: &Site) -> [Browser; 2] {
    let mut browsers = [Browser::new(&site.wire), Browser::new(&site.wire)];
    browsers[0].code(&site.confidential).await.unwrap();
    browsers[1].code(&site.public).await.unwrap();
    browsers
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
    starts: Vec<Duration>,
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

    /// Other load on the machine holds up some starts, not most.
    fn is_ready_soon(&mut self) {
        self.starts.sort_unstable();
        assert!(self.starts[self.starts.len() / 2] <= READY_MAX, "ready again late: {:?}", self.starts);
    }

    /// A load so thin that it proves nothing has failed too.
    fn is_enough_for(&self, kills: u64) {
        let is_enough = [self.redemptions, self.rotations, self.revocations, self.unanswered];
        assert!(is_enough.iter().all(|count| *count >= kills), "too little was acknowledged: {self:?}");
    }
}
