//! Mixed requests: people who sign in, applications that redeem, rotate and revoke, each grant by one task, until the
//! server is gone; and the questions after it is back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use super::{
    history::{Act, Answer, History},
    house::Site,
    wire::{Application, Browser, Page, VERIFIER},
};

/// Tasks at once.
const TASKS: u64 = 16;

/// A grant, from its code on.
#[derive(Debug)]
pub struct Chain {
    is_public: bool,
    code: String,
    /// The access token of its redemption.
    access: Option<String>,
    pub history: History,
}

/// Load on a server, until it answers no more.
pub struct Load {
    tasks: JoinSet<Vec<Chain>>,
    seen: Arc<Seen>,
}

/// What the chains of a load were acknowledged. Redemptions come before both.
#[derive(Debug, Default)]
struct Seen {
    rotation: AtomicBool,
    revocation: AtomicBool,
}

/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl Load {
    /// Begins: half of the tasks with the browser of each application. At most 20 codes of one browser may wait, so
    /// a task leaves no more than one behind.
    pub fn begin(site: &Site, browsers: &[Browser; 2], seed: u64) -> Self {
        let (mut tasks, seen) = (JoinSet::new(), Arc::new(Seen::default()));
        for task in 0..TASKS {
            let is_public = task % 2 == 1;
            let browser = browsers[usize::from(is_public)].clone();
            let random = Random(seed.wrapping_mul(TASKS).wrapping_add(task));
            tasks.spawn(work(site.clone(), browser, is_public, random, Arc::clone(&seen)));
        }
        Self { tasks, seen }
    }

    /// Waits until something of each kind was acknowledged, however slow the machine is.
    pub async fn proves_something(&self) {
        let proves = async {
            while !(self.seen.rotation.load(Ordering::Relaxed) && self.seen.revocation.load(Ordering::Relaxed)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, proves).await.unwrap_or_else(|_| panic!("too thin a load: {:?}", self.seen));
    }

    /// Waits until the last task has noticed that the server is gone.
    pub async fn end(self) -> Vec<Chain> {
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

async fn work(site: Site, mut browser: Browser, is_public: bool, mut random: Random, seen: Arc<Seen>) -> Vec<Chain> {
    let mut chains = Vec::new();
    while let Some(code) = browser.code(site.application(is_public)).await {
        let mut chain = Chain { is_public, code, access: None, history: History::default() };
        // The second code is kept for after the crash.
        let goes_on = chains.len() == 1 || chain.live(&site, &mut random).await;
        seen.look_at(&chain);
        chains.push(chain);
        if !goes_on {
            break;
        }
    }
    chains
}

impl Seen {
    fn look_at(&self, chain: &Chain) {
        for step in chain.history.0.iter().flatten() {
            match (&step.act, &step.answer) {
                (Act::Refresh(_), Answer::Done(_)) => self.rotation.store(true, Ordering::Relaxed),
                (Act::Revoke(_) | Act::RevokeAccess, Answer::Done(_)) => self.revocation.store(true, Ordering::Relaxed),
                _ => {}
            }
        }
    }
}

/// Asks every chain what there is to ask after a crash, and those that were asked after the one before whether they
/// are still ended.
pub async fn question(site: &Site, chains: Vec<Chain>, dead: Vec<Chain>) -> (Vec<Chain>, Vec<Chain>) {
    let mut tasks = JoinSet::new();
    for (number, mut chain) in chains.into_iter().enumerate() {
        let site = site.clone();
        tasks.spawn(async move {
            // The first of every four looks whether the generation before the newest gives the newest.
            let repetition = chain.history.repetition().filter(|_| number % 4 == 0);
            let acts = chain.history.questions();
            for act in repetition.into_iter().chain(acts) {
                assert!(chain.take(&site, act.clone()).await, "no answer to {act:?} after the restart");
            }
            (chain, true)
        });
    }
    for mut chain in dead {
        let site = site.clone();
        tasks.spawn(async move {
            for act in chain.history.questions_to_the_dead() {
                assert!(chain.take(&site, act.clone()).await, "no answer to {act:?} after the restart");
            }
            (chain, false)
        });
    }
    let (fresh, old): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(|(_, is_fresh)| *is_fresh);
    let only = |chains: Vec<(Chain, bool)>| chains.into_iter().map(|(chain, _)| chain).collect();
    (only(fresh), only(old))
}

impl Chain {
    /// A life, as long as the server answers: does it still?
    async fn live(&mut self, site: &Site, random: &mut Random) -> bool {
        if random.below(6) == 0 {
            return self.redeem_twice_at_once(site).await;
        }
        let mut acts = vec![Act::Redeem];
        acts.extend((random.below(4) == 0).then_some(Act::RevokeAccess));
        acts.extend((0..random.below(5)).map(|_| Act::Refresh(String::new())));
        acts.extend((random.below(3) == 0).then(|| Act::Revoke(String::new())));
        for act in acts {
            // What was refused although it was promised ends the life; the judge sees it.
            let Some(act) = self.with_newest(act) else { return true };
            if !self.take(site, act).await {
                return false;
            }
        }
        true
    }

    /// The act with the newest refresh token; `None` while nobody was told one.
    fn with_newest(&self, act: Act) -> Option<Act> {
        let newest = || self.history.newest().map(str::to_owned);
        match act {
            Act::Redeem => Some(act),
            Act::Refresh(_) => newest().map(Act::Refresh),
            Act::Revoke(_) => newest().map(Act::Revoke),
            Act::RevokeAccess | Act::UseAccess => newest().map(|_| act),
        }
    }

    /// Does `act` and writes down what came of it: was there an answer?
    pub async fn take(&mut self, site: &Site, act: Act) -> bool {
        let (answer, access) = self.ask(site, &act).await;
        self.access = self.access.take().or(access);
        let is_answered = answer != Answer::Unknown;
        self.history.push(act, answer);
        is_answered
    }

    async fn redeem_twice_at_once(&mut self, site: &Site) -> bool {
        let asked = tokio::join!(self.ask(site, &Act::Redeem), self.ask(site, &Act::Redeem));
        let answers = [asked.0, asked.1];
        let is_answered = answers.iter().all(|(answer, _)| *answer != Answer::Unknown);
        let mut moment = History::default();
        for (answer, access) in answers {
            self.access = self.access.take().or(access);
            moment.push(Act::Redeem, answer);
        }
        self.history.0.push(moment.0.concat());
        is_answered
    }

    async fn ask(&self, site: &Site, act: &Act) -> (Answer, Option<String>) {
        let application = site.application(self.is_public);
        let (path, mut fields) = match act {
            Act::Redeem => (
                "/token",
                vec![
                    ("grant_type", "authorization_code"),
                    ("code", self.code.as_str()),
                    ("redirect_uri", application.redirect_uri),
                    ("code_verifier", VERIFIER),
                ],
            ),
            Act::Refresh(token) => ("/token", vec![("grant_type", "refresh_token"), ("refresh_token", token)]),
            Act::Revoke(token) => ("/revoke", vec![("token", token.as_str())]),
            Act::RevokeAccess => ("/revoke", vec![("token", self.access.as_deref().unwrap())]),
            Act::UseAccess => {
                let bearer = format!("Bearer {}", self.access.as_deref().unwrap());
                return answer(site.wire.ask("GET /userinfo", &[("authorization", &bearer)], "").await);
            }
        };
        application.names_itself(&mut fields);
        answer(site.wire.post(path, &fields).await)
    }
}

/// What an answer says, and the access token in it.
fn answer(page: Option<Page>) -> (Answer, Option<String>) {
    let Some(page) = page else { return (Answer::Unknown, None) };
    let refused = |cause: &str| page.json()["error"] == cause;
    match page.status {
        200 => {
            let text = |key: &str| page.json()[key].as_str().map(str::to_owned);
            (Answer::Done(text("refresh_token")), text("access_token"))
        }
        400 if refused("invalid_grant") => (Answer::Refused, None),
        // A bearer token that is not good (RFC 6750 §3.1).
        401 => (Answer::Refused, None),
        status => panic!("{status} {}", page.body),
    }
}

impl Site {
    fn application(&self, is_public: bool) -> &Application {
        if is_public { &self.public } else { &self.confidential }
    }
}

/// Numbers that look random and come again with the same seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}
