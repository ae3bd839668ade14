//! One simulated provider: its clock, its state under one lock, and what every provider must say
//! about itself so that the shared parts can act for it.
//!
//! The lock is held for the length of an act and never across an await. Whoever waits for a change
//! awaits [`Simulation::changed`]. Not here: any provider's rules, and HTTP.

use crate::bounded::Bounded;
use crate::clock::{Clock, Timestamp};
use crate::control::Refusal;
use crate::fault::{Faults, OwnError};
use crate::people::Person;
use crate::random::NoRandomness;
use crate::sign_in::{Listed, SignIn};
use crate::tally::Tally;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Sign-ins that are remembered, per kind.
pub(crate) const SIGN_INS_MAX: usize = 1000;

/// A provider's state, and how it answers the shared parts. The type is what the lock protects: a
/// plain struct that holds a [`Scene`] beside the provider's own configuration, codes and tokens.
pub(crate) trait Provider: Sized + Send + 'static {
    /// The word of the control API: `qq`.
    const NAME: &'static str;
    /// The name people read.
    const TITLE: Title;
    /// Whether the provider itself answers at `/`; else the phone is there.
    const HAS_ROOT: bool = false;
    /// Whether the provider has a phone of its own at `/phone`; else waiting sign-ins are there.
    const HAS_PHONE: bool = false;
    /// An app as the control API reads and tells it.
    type App: Serialize + DeserializeOwned;
    /// The switches as the control API reads and tells them; all have defaults.
    type Switches: Serialize + DeserializeOwned;

    fn scene(&self) -> &Scene;
    fn scene_mut(&mut self) -> &mut Scene;
    fn apps(&mut self) -> &mut Vec<Self::App>;
    fn client_id(app: &Self::App) -> &str;
    fn switches(&mut self) -> &mut Self::Switches;

    /// A person agreed on the page: issues what was asked for, and says where the browser takes it.
    /// `None` is nowhere (a device that polls; a provider where nobody signs in).
    fn agree(&mut self, _sign_in: &SignIn, _person: &Person, _now: Timestamp) -> Result<Option<String>, NoRandomness> {
        Ok(None)
    }

    /// A person refused on the page: where the browser goes, if anywhere.
    fn refuse(&mut self, _sign_in: &SignIn, _now: Timestamp) -> Option<String> {
        None
    }

    /// Whether [`Provider::error`] can answer with this error at this path; else says what is
    /// missing.
    fn check_error(&self, _path: &str, _error: &OwnError) -> Result<(), String> {
        Ok(())
    }

    /// Answers a call with an ordered error, in the notation that call would get.
    fn error(&self, call: &Parts, error: &OwnError, now: Timestamp) -> Response;

    /// Answers a call as when too many came.
    fn rate_limit(&self, call: &Parts, now: Timestamp) -> Response;

    /// Sign-ins of a protocol of the provider's own, which wait elsewhere than on the shared page;
    /// the newest first.
    fn own_sign_ins(&self, _base_url: &str, _now: Timestamp) -> Vec<Listed> {
        Vec::new()
    }

    /// An act on one of [`Provider::own_sign_ins`]; `None` when there is none with this id. Without
    /// a person, the first one acts.
    fn act_on_own(
        _simulation: &Simulation<Self>,
        _id: &str,
        _act: &str,
        _person: Option<&str>,
    ) -> Option<Result<(), Refusal>> {
        None
    }
}

/// A provider's name in the two languages of the pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Title {
    pub(crate) chinese: &'static str,
    pub(crate) english: &'static str,
}

impl Title {
    /// The name inside a Chinese sentence: Latin letters stand apart.
    pub(crate) fn within_chinese(self) -> String {
        if self.chinese.is_ascii() { format!(" {} ", self.chinese) } else { self.chinese.to_owned() }
    }
}

/// What every provider's state has in common.
pub(crate) struct Scene {
    /// In the configuration's order; never empty.
    pub(crate) people: Vec<Person>,
    /// Who agrees to every sign-in at once, if anybody.
    pub(crate) auto_confirm: Option<String>,
    /// Sign-ins that wait on a page, by id.
    pub(crate) sign_ins: Bounded<SignIn>,
    pub(crate) faults: Faults,
    pub(crate) calls: Tally,
}

impl Scene {
    /// # Errors
    /// Nobody is there, two people share a name, or `auto_confirm` names nobody
    /// (`io::ErrorKind::InvalidInput`).
    pub(crate) fn new(people: Vec<Person>, auto_confirm: Option<String>) -> io::Result<Self> {
        let mut names = HashSet::new();
        if people.is_empty() {
            return Err(invalid("the simulator needs at least one person"));
        }
        if !people.iter().all(|one| !one.name.is_empty() && names.insert(one.name.as_str())) {
            return Err(invalid("every person needs a name of its own"));
        }
        if auto_confirm.as_ref().is_some_and(|name| !names.contains(name.as_str())) {
            return Err(invalid("auto_confirm names nobody"));
        }
        let sign_ins = Bounded::new(SIGN_INS_MAX);
        Ok(Self { people, auto_confirm, sign_ins, faults: Faults::default(), calls: Tally::new() })
    }

    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name)
    }

    /// The person of that name, or the first one when no name is given.
    pub(crate) fn person_or_first(&self, name: Option<&str>) -> Option<&Person> {
        name.map_or_else(|| self.people.first(), |name| self.person(name))
    }
}

/// # Errors
/// An app has no id or that of another (`io::ErrorKind::InvalidInput`).
pub(crate) fn check_ids<P: Provider>(apps: &[P::App]) -> io::Result<()> {
    let mut ids = HashSet::new();
    let is_own = apps.iter().map(P::client_id).all(|id| !id.is_empty() && ids.insert(id));
    if is_own { Ok(()) } else { Err(invalid("every app needs an id of its own")) }
}

/// A configuration that contradicts itself.
pub(crate) fn invalid(fault: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, fault.to_owned())
}

/// One simulated provider.
pub(crate) struct Simulation<P> {
    base_url: String,
    clock: Clock,
    world: Mutex<P>,
    change: Notify,
    is_closing: AtomicBool,
}

impl<P> Simulation<P> {
    pub(crate) fn new(base_url: String, world: P) -> Self {
        Self {
            base_url,
            clock: Clock::default(),
            world: Mutex::new(world),
            change: Notify::new(),
            is_closing: AtomicBool::new(false),
        }
    }

    /// The address that stands for the provider's hosts, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves time forward.
    pub(crate) fn advance_clock(&self, span: Duration) {
        self.clock.advance(span);
        self.tell_change();
    }

    /// Sets how far the provider's clock is wrong, from now on.
    pub(crate) fn skew_clock(&self, seconds: i64) {
        self.clock.skew(seconds);
        self.tell_change();
    }

    /// A panic while the lock was held leaves the state as it was: there is nothing to repair.
    pub(crate) fn world(&self) -> MutexGuard<'_, P> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts on the state at the current time, and tells whoever looks that it changed.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut P, Timestamp) -> T) -> T {
        let now = self.now();
        let done = act(&mut self.world(), now);
        self.tell_change();
        done
    }

    /// Resolves at the next change after this call, whether or not it is awaited by then.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.change.notified()
    }

    /// Wakes whoever awaits [`Simulation::changed`].
    pub(crate) fn tell_change(&self) {
        self.change.notify_waiters();
    }

    /// Lets everything that is held answer now.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        self.tell_change();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// Resolves when the simulator is told to stop.
    pub(crate) async fn closed(&self) {
        loop {
            let changed = self.changed();
            if self.is_closing() {
                return;
            }
            changed.await;
        }
    }
}
