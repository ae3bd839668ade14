//! The dispatcher: brings a topic's events to group robots and browsers that are not connected.
//!
//! The log is the outbox. Each target has a cursor over it, which moves after the answer: a crash repeats at most what
//! was under way. One task looks which targets are due and lets at most 16 requests go at a time, one for each target,
//! so that a target's order is kept, and four for all targets of one account, so that a dead one keeps nobody else
//! waiting. Not here: rows ([`Targets`]) and sockets ([`Transport`]).

mod pace;
mod target;

use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fujie_core::{random::Random, time::Timestamp};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::event::Event;
use crate::hub::Log;
use crate::message::{Language, Message};
use crate::post::{Cause, Request, Response, Trouble, Verdict};
use crate::web_push;
use pace::Pace;
pub use target::{KeptError, Recipient, Simulators, Target};

/// Requests under way, at most.
const SENDS_MAX: usize = 16;
/// Requests under way to the targets of one account, at most: hosts that take their time hold no more than these.
const SENDS_PER_HOLDER_MAX: usize = 4;
/// How long a target waits for the others of its account, unless one of them is done before.
const HOLDER_PAUSE: Duration = Duration::from_secs(1);
/// Targets that are looked at to find some that may be sent to, at most; what has to wait is put off then.
const DUE_MAX: u32 = 1000;
/// Events that are read for a target at a time; as many go into one message when the robot is called too often.
const EVENTS_MAX: u32 = 100;
/// Bytes of them, more or less.
const EVENTS_BYTES_MAX: usize = 1024 * 1024;
/// The time for one request, from the look-up of the name to the last byte of the answer.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// The first wait after a failure; each further one doubles it.
const BACK_OFF_MIN: Duration = Duration::from_secs(5);
/// The longest wait after a failure, unless the answer asks for more.
const BACK_OFF_MAX: Duration = Duration::from_secs(3600);
/// The failure that disables a target. What comes before it takes three days, more or less.
const FAILURES_MAX: u32 = 92;
/// The wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// The longest sleep, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// What is under way on stopping may take so long.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// The targets, as the server keeps them. Every change is on disk when its future ends, and does nothing where the
/// target is gone meanwhile.
pub trait Targets: Send + Sync + 'static {
    /// What names a target.
    type Id: Clone + Eq + Debug + Send + Sync + 'static;
    /// Why the store did not do it.
    type Error: Display + Send;

    /// Targets that are not disabled, whose time has come and whose topic has events after their cursor, at most
    /// `limit`: the one that has been due the longest first.
    fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Target<Self::Id>>, Self::Error>> + Send;

    /// The earliest time after `now` at which another will be due, if no event comes before.
    fn next_due(&self, now: Timestamp) -> impl Future<Output = Result<Option<Timestamp>, Self::Error>> + Send;

    /// It got everything up to `cursor`: its failures are forgotten. If there is more, it is due as of `now`.
    fn advance(
        &self,
        id: &Self::Id,
        cursor: i64,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// It got nothing: it has failed once more, and is due again at `until`. The trouble is for the page.
    fn postpone(
        &self,
        id: &Self::Id,
        until: Timestamp,
        trouble: &Trouble,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// They are due again at their times, for no fault of theirs.
    fn put_off(&self, waiting: Vec<(Self::Id, Timestamp)>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// It gets nothing more until a person mends it; the trouble is for the page.
    fn disable(
        &self,
        id: &Self::Id,
        trouble: &Trouble,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// It is no more.
    fn remove(&self, id: &Self::Id, now: Timestamp) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// [`web_push::vapid::authorization`] for this audience; `None` while there is no key.
    fn authorization(&self, audience: &str, now: Timestamp) -> Option<String>;
}

/// What sends requests.
pub trait Transport: Send + Sync + 'static {
    /// POSTs once and brings the answer, whatever its status. It follows no redirect, connects only to addresses that
    /// [`Reach::admits`](crate::post::Reach::admits), reads at most
    /// [`RESPONSE_BODY_MAX`](crate::post::RESPONSE_BODY_MAX) bytes of the body, and logs no URL. The caller drops the
    /// future when its time is up.
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, NoAnswer>> + Send;
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Name, connection, TLS or exchange failed.
    #[error("no answer")]
    Unreachable,
    /// The name leads to an address that the request may not go to.
    #[error("the address is not public")]
    NotPublic,
}

/// The targets whose requests are under way, and whose they are.
type UnderWay<I> = HashMap<tokio::task::Id, (I, Option<I>)>;

/// The dispatcher.
pub struct Outbox<T, P> {
    log: Arc<dyn Log>,
    targets: T,
    transport: P,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    random: Mutex<Box<dyn Random + Send>>,
    pace: Mutex<Pace>,
}

impl<T: Targets, P: Transport> Outbox<T, P> {
    /// A dispatcher of the log's events to these targets. `random` spreads retries.
    pub fn new(
        log: Arc<dyn Log>,
        targets: T,
        transport: P,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        random: impl Random + Send + 'static,
    ) -> Arc<Self> {
        let (random, pace) = (Mutex::new(Box::new(random) as Box<dyn Random + Send>), Mutex::new(Pace::default()));
        Arc::new(Self { log, targets, transport, clock: Box::new(clock), random, pace })
    }

    /// Runs until `stop` ends, and then until what is under way has its answers, at most five seconds. A second one over
    /// the same targets would send everything twice.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut head = self.log.head();
        let mut flights = JoinSet::new();
        let mut under_way = UnderWay::new();
        loop {
            head.borrow_and_update();
            let pause = self.launch(&mut flights, &mut under_way).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the outbox cannot read its targets");
                STORE_PAUSE
            });
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = flights.join_next_with_id(), if !flights.is_empty() => {
                    let task = ended.map_or_else(|error| error.id(), |(task, ())| task);
                    under_way.remove(&task);
                }
                Ok(()) = head.changed() => {}
                () = sleep(pause) => {}
            }
        }
        let _elapsed = timeout(STOP_GRACE, flights.join_all()).await;
    }

    /// Lets requests go to the targets that are due, as many as there is room for. Gives the time to sleep if nothing
    /// else happens.
    async fn launch(
        self: &Arc<Self>,
        flights: &mut JoinSet<()>,
        under_way: &mut UnderWay<T::Id>,
    ) -> Result<Duration, T::Error> {
        let now = (self.clock)();
        let mut pause = SLEEP_MAX;
        if let Some(at) = self.targets.next_due(now).await? {
            pause = pause.min(span(now, at));
        }
        // Those under way and those that keep a robot's pace stand before others: they are due all the time.
        let mut limit = 2 * SENDS_MAX as u32;
        while flights.len() < SENDS_MAX {
            let due = self.targets.due(now, limit).await?;
            let is_all = due.len() < limit as usize;
            let mut waiting = Vec::new();
            for target in due {
                if flights.len() >= SENDS_MAX || under_way.values().any(|(id, _)| *id == target.id) {
                    continue;
                }
                match self.wait(&target, under_way, now) {
                    Duration::ZERO => {
                        let (key, outbox) = ((target.id.clone(), target.holder.clone()), Arc::clone(self));
                        let task = flights.spawn(async move { outbox.serve(target).await });
                        under_way.insert(task.id(), key);
                    }
                    wait => {
                        pause = pause.min(wait);
                        waiting.push((target.id, now + wait));
                    }
                }
            }
            if is_all || (limit >= DUE_MAX && waiting.is_empty()) {
                break;
            }
            if limit >= DUE_MAX {
                // So many stand before others that these would never be seen.
                self.targets.put_off(waiting).await?;
            }
            limit = (4 * limit).min(DUE_MAX);
        }
        Ok(pause)
    }

    /// How long a target has to wait for others of its account, or for its robot's pace.
    fn wait(&self, target: &Target<T::Id>, under_way: &UnderWay<T::Id>, now: Timestamp) -> Duration {
        let is_held = |(_, holder): &&(T::Id, Option<T::Id>)| holder.is_some() && *holder == target.holder;
        if under_way.values().filter(is_held).count() >= SENDS_PER_HOLDER_MAX {
            return HOLDER_PAUSE;
        }
        target.recipient.bucket().map_or(Duration::ZERO, |bucket| self.pace().wait(bucket, now))
    }

    /// One message to one target, and what follows from the answer.
    async fn serve(&self, target: Target<T::Id>) {
        let events = insist(|| self.log.after_in(&target.topic, target.cursor, EVENTS_MAX, EVENTS_BYTES_MAX)).await;
        let now = (self.clock)();
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            // What it waited for is gone from the log.
            return insist(|| self.targets.advance(&target.id, target.cursor, now)).await;
        };
        let tokens = target.recipient.bucket().map_or(u32::MAX, |bucket| self.pace().take(bucket, now));
        let (message, until) = match tokens {
            // Another target with the same robot was quicker: it stays due, and waits.
            0 => return,
            // The last one for a while: all that waits goes with it.
            1 if events.len() > 1 => (summary(&events, target.language), last.id),
            _ => (Message::of(&first.line, target.language), first.id),
        };
        let verdict = self.send(&target, &message, until, now).await;
        self.settle(&target, until, verdict).await;
    }

    async fn send(&self, target: &Target<T::Id>, message: &Message, id: i64, now: Timestamp) -> Verdict {
        let later = |cause, detail| Verdict::TryLater(None, Trouble::new(cause, detail));
        let request = match &target.recipient {
            Recipient::Robot(robot) => robot.request(message, now),
            Recipient::WebPush(subscription) => {
                let origin = web_push::Origin { id, topic: &target.topic };
                let authorization = self.targets.authorization(&subscription.audience(), now);
                let Some(authorization) = authorization else {
                    return later(Cause::Refused, "no key for push services");
                };
                match web_push::request(subscription, message, origin, authorization) {
                    Some(request) => request,
                    None => return Verdict::Broken(Trouble::new(Cause::Refused, "encryption failed")),
                }
            }
        };
        match timeout(SEND_TIMEOUT, self.transport.send(request)).await {
            Ok(Ok(response)) => target.recipient.judge(&response, (self.clock)()),
            Ok(Err(NoAnswer::Unreachable)) => later(Cause::Unreachable, ""),
            Ok(Err(NoAnswer::NotPublic)) => Verdict::Broken(Trouble::new(Cause::NotPublic, "")),
            Err(_elapsed) => later(Cause::Unreachable, "no answer within 10 s"),
        }
    }

    async fn settle(&self, target: &Target<T::Id>, cursor: i64, verdict: Verdict) {
        let (now, id) = ((self.clock)(), &target.id);
        let (wait, trouble) = match verdict {
            Verdict::Delivered => return insist(|| self.targets.advance(id, cursor, now)).await,
            Verdict::Unfit(trouble) => {
                tracing::warn!(target.id = ?id, event.id = cursor, %trouble, "a message was refused and left out");
                return insist(|| self.targets.advance(id, cursor, now)).await;
            }
            Verdict::Gone(trouble) => {
                tracing::info!(target.id = ?id, %trouble, "a target is no more");
                return insist(|| self.targets.remove(id, now)).await;
            }
            Verdict::TryLater(wait, trouble) => (wait.unwrap_or_default(), trouble),
            Verdict::Broken(trouble) => (Duration::ZERO, trouble),
        };
        let failures = target.failures.saturating_add(1);
        if failures >= FAILURES_MAX {
            tracing::warn!(target.id = ?id, %trouble, "a target has failed for three days and is disabled");
            return insist(|| self.targets.disable(id, &trouble, now)).await;
        }
        tracing::info!(target.id = ?id, failures, %trouble, "a target failed and waits");
        let until = now + wait.max(self.back_off(target.failures));
        insist(|| self.targets.postpone(id, until, &trouble)).await;
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // A panic while it was held leaves counts that are right or a little off.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 5 s, doubled with each failure up to an hour; between three quarters of that and the whole, so that what failed
    /// together does not come back together.
    fn back_off(&self, failures: u32) -> Duration {
        let whole = BACK_OFF_MIN.saturating_mul(1 << failures.min(16)).min(BACK_OFF_MAX);
        let mut drawn = [0; 2];
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut drawn);
        whole.mul_f64(0.75 + f64::from(u16::from_le_bytes(drawn)) / f64::from(u16::MAX) / 4.0)
    }
}

fn summary(events: &[Event], language: Language) -> Message {
    let messages: Vec<_> = events.iter().map(|event| Message::of(&event.line, language)).collect();
    Message::several(&messages, language)
}

/// Does it until it is done. What was sent and not noted would be sent again: better to wait for the store.
async fn insist<V, E: Display, F: Future<Output = Result<V, E>>>(mut act: impl FnMut() -> F) -> V {
    loop {
        match act().await {
            Ok(value) => return value,
            Err(error) => tracing::error!(%error, "the outbox waits for the store"),
        }
        sleep(STORE_PAUSE).await;
    }
}

/// The time from `earlier` to `later`, none when that has passed.
fn span(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::from_millis(later.millis_since(earlier).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests;
