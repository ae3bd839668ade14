//! The state of one simulated WeChat, and the acts that change it.
//!
//! Everything under one lock, held for the length of an act and never across an await. Whoever
//! waits for a change awaits [`Simulation::changed`].

use super::config::{App, Person, WechatConfig};
use super::ledger::{Consent, Ledger, Way};
use super::sign_in::{Obstacle, Progress, SignIn};
use crate::bounded::Bounded;
use crate::clock::{Clock, Timestamp};
use crate::random::{self, NoRandomness};
use serde::Deserialize;
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

const SIGN_INS_MAX: usize = 1000;

/// One simulated WeChat.
#[derive(Debug)]
pub(crate) struct Simulation {
    base_url: String,
    poll_hold: Duration,
    clock: Clock,
    world: Mutex<World>,
    change: Notify,
    is_closing: AtomicBool,
}

/// What the lock protects.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: WechatConfig,
    pub(crate) sign_ins: Bounded<SignIn>,
    pub(crate) ledger: Ledger,
    pub(crate) faults: Vec<Fault>,
}

/// An error that was ordered: the next `times` calls at one endpoint answer with it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: Endpoint,
    pub(crate) errcode: i32,
    pub(crate) errmsg: String,
    pub(crate) times: u32,
}

/// Where faults can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    AccessToken,
    RefreshToken,
    Auth,
    Userinfo,
    Jscode2session,
    Authorize,
    Poll,
}

/// Why a confirmation did not happen.
#[derive(Debug)]
pub(crate) enum ConfirmError {
    Obstacle(Obstacle),
    UnknownPerson,
    NoRandomness,
}

impl From<Obstacle> for ConfirmError {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl From<NoRandomness> for ConfirmError {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl Simulation {
    pub(crate) fn new(config: WechatConfig, listening_at: String) -> io::Result<Self> {
        check(&config)?;
        Ok(Self {
            base_url: config.base_url.clone().unwrap_or(listening_at),
            poll_hold: config.poll_hold,
            clock: Clock::default(),
            world: Mutex::new(World {
                sign_ins: Bounded::new(SIGN_INS_MAX),
                ledger: Ledger::new(&config),
                faults: Vec::new(),
                config,
            }),
            change: Notify::new(),
            is_closing: AtomicBool::new(false),
        })
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn poll_hold(&self) -> Duration {
        self.poll_hold
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance_clock(&self, span: Duration) {
        self.clock.advance(span);
        self.change.notify_waiters();
    }

    /// A panic while the lock was held leaves the state as it was: there is nothing to repair.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves at the next change after this call, whether or not it is awaited by then.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.change.notified()
    }

    /// Lets every held poll answer now.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        self.change.notify_waiters();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// A new page: a new uuid of 16 characters.
    pub(crate) fn begin(&self, appid: &str, redirect_uri: &str, state: &str) -> Result<String, NoRandomness> {
        let digit = random::text(random::DIGIT, 1)?;
        let uuid = format!("0{digit}1{}", random::text(random::ALPHANUMERIC, 13)?);
        let mut world = self.world();
        let sign_in = SignIn {
            uuid: uuid.clone(),
            appid: appid.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.to_owned(),
            expires_at: self.now().after(world.config.qr_lifetime),
            progress: Progress::Waiting,
        };
        world.sign_ins.insert(uuid.clone(), sign_in);
        tracing::debug!(appid, "a QR page was opened");
        Ok(uuid)
    }

    /// `act` on a sign-in, and tell the waiting.
    pub(crate) fn act<T>(
        &self,
        uuid: &str,
        act: impl FnOnce(&mut SignIn, Timestamp) -> Result<T, Obstacle>,
    ) -> Result<T, Obstacle> {
        let now = self.now();
        let acted = self.world().sign_ins.get_mut(uuid).ok_or(Obstacle::Unknown).and_then(|sign_in| {
            let acted = act(sign_in, now);
            let status = sign_in.status(now).word();
            tracing::debug!(appid = sign_in.appid, status, "a phone acted");
            acted
        });
        self.change.notify_waiters();
        acted
    }

    /// The person agrees on the phone that scanned: a code is issued.
    pub(crate) fn confirm(&self, uuid: &str, phone: &str, person: &str) -> Result<(), ConfirmError> {
        let now = self.now();
        let mut guard = self.world();
        let world = &mut *guard;
        let sign_in = world.sign_ins.get_mut(uuid).ok_or(Obstacle::Unknown)?;
        sign_in.held_by(phone, now)?;
        if !world.config.people.iter().any(|known| known.name == person) {
            return Err(ConfirmError::UnknownPerson);
        }
        let consent = Consent { appid: sign_in.appid.clone(), person: person.to_owned(), way: Way::Website };
        let code = world.ledger.issue_code(consent, now)?;
        sign_in.progress = Progress::Confirmed { code, person: person.to_owned() };
        tracing::debug!(appid = sign_in.appid, "a phone confirmed");
        drop(guard);
        self.change.notify_waiters();
        Ok(())
    }

    /// The person refuses on the phone that scanned.
    pub(crate) fn refuse(&self, uuid: &str, phone: &str) -> Result<(), Obstacle> {
        self.act(uuid, |sign_in, now| {
            sign_in.held_by(phone, now)?;
            sign_in.progress = Progress::Refused;
            Ok(())
        })
    }
}

impl World {
    pub(crate) fn app(&self, appid: &str) -> Option<&App> {
        self.config.apps.iter().find(|app| app.appid == appid)
    }

    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.config.people.iter().find(|person| person.name == name)
    }

    /// Whom a consent shows to its app: the person, or the provisional visitor in its place.
    pub(crate) fn visitor(&self, consent: &Consent) -> Option<Person> {
        let person = self.person(&consent.person)?;
        Some(if consent.way.is_snapshot() { person.as_snapshot() } else { person.clone() })
    }

    /// The fault that was ordered for this call, if any; it is used up by one.
    pub(crate) fn take_fault(&mut self, at: Endpoint) -> Option<(i32, String)> {
        let fault = self.faults.iter_mut().find(|fault| fault.at == at && fault.times > 0)?;
        fault.times -= 1;
        let taken = (fault.errcode, fault.errmsg.clone());
        self.faults.retain(|fault| fault.times > 0);
        Some(taken)
    }
}

fn check(config: &WechatConfig) -> io::Result<()> {
    let refuse = |fault: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, fault.to_owned()));
    let mut appids = HashSet::new();
    let mut names = HashSet::new();
    if config.people.is_empty() {
        refuse("the simulator needs at least one person")
    } else if !config.apps.iter().all(|app| !app.appid.is_empty() && appids.insert(&app.appid)) {
        refuse("every app needs an appid of its own")
    } else if !config.people.iter().all(|one| !one.name.is_empty() && names.insert(&one.name)) {
        refuse("every person needs a name of its own")
    } else if config.base_url.as_ref().is_some_and(|base| base.ends_with('/')) {
        refuse("the base URL ends without a slash")
    } else {
        Ok(())
    }
}
