//! The dispatcher: brings a topic's events to group robots and browsers that are not connected.
//!
//! The log is the outbox. Each target has a cursor over it, which moves after the answer: a crash repeats at most what
//! was under way. One task looks which targets are due and lets at most 16 requests go at a time, one for each target,
//! so that a target's order is kept and a dead one keeps nobody waiting. Not here: rows ([`Targets`]) and sockets
//! ([`Transport`]).

mod pace;

use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fujie_core::{random::Random, time::Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::message::{Language, Message};
use crate::post::{Cause, Request, Response, Trouble, Verdict};
use crate::robot::Robot;
use crate::web_push::{self, Subscription};
use pace::{Bucket, Pace};

/// Requests under way, at most.
const SENDS_MAX: usize = 16;
/// Events that are read for a target at a time; as many go into one message when the robot is called too often.
const EVENTS_MAX: u32 = 100;
/// The time for one request, from the look-up of the name to the last byte of the answer.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// The first wait after a failure; each further one doubles it.
const BACK_OFF_MIN: Duration = Duration::from_secs(5);
/// The longest wait after a failure, unless the answer asks for more.
const BACK_OFF_MAX: Duration = Duration::from_secs(3600);
/// A target that has failed for so long is disabled.
const FAILING_MAX: Duration = Duration::from_secs(3 * 86_400);
/// The wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// The longest sleep, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// What is under way on stopping may take so long.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A target as it stands.
#[derive(Debug)]
pub struct Target<I> {
    /// Its id.
    pub id: I,
    /// The topic whose events it gets.
    pub topic: Arc<str>,
    /// How it is reached.
    pub channel: Channel,
    /// The language of its messages.
    pub language: Language,
    /// The last event it got; what comes after is still to be sent.
    pub cursor: i64,
    /// Failures since the last success.
    pub failures: u32,
    /// When the first of these was.
    pub failing_since: Option<Timestamp>,
}

/// How a target is reached.
#[derive(Debug)]
pub enum Channel {
    /// A robot in a group.
    Robot(Robot),
    /// A browser.
    WebPush(Subscription),
}

/// An event of the log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// The event in JSON.
    pub line: Bytes,
}

/// Why a target waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// Not before then.
    pub until: Timestamp,
    /// Failures since the last success.
    pub failures: u32,
    /// When the first of these was.
    pub failing_since: Timestamp,
    /// What the last one was, for the page.
    pub trouble: Trouble,
}

/// The targets and the log, as the server keeps them. Every change is on disk when its future ends.
pub trait Targets: Send + Sync + 'static {
    /// What names a target.
    type Id: Clone + Eq + Hash + Debug + Send + Sync + 'static;
    /// Why the store did not do it.
    type Error: Display + Send;

    /// The newest committed event of all topics; changes after every commit that appended one.
    fn head(&self) -> watch::Receiver<i64>;

    /// Enabled targets whose time has come and whose topic has events after their cursor, at most `limit`: the one that
    /// has been due the longest first.
    fn due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Target<Self::Id>>, Self::Error>> + Send;

    /// When the next target will be due: the earliest time after `now` among those that have events to get.
    fn next_due(&self, now: Timestamp) -> impl Future<Output = Result<Option<Timestamp>, Self::Error>> + Send;

    /// Events of one topic with an id after `after`, ascending, at most `limit`.
    fn events_in(
        &self,
        topic: &str,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Entry>, Self::Error>> + Send;

    /// It got everything up to `cursor`: failures are forgotten, and it is due again at `due_at`.
    fn advance(
        &self,
        id: &Self::Id,
        cursor: i64,
        due_at: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// It got nothing, and waits.
    fn postpone(&self, id: &Self::Id, setback: &Setback) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// It gets nothing more until a person enables it again; the trouble is kept for the page.
    fn disable(&self, id: &Self::Id, trouble: &Trouble) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// It is no more.
    fn remove(&self, id: &Self::Id) -> impl Future<Output = Result<(), Self::Error>> + Send;

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

/// The dispatcher.
pub struct Outbox<T: Targets, P> {
    targets: T,
    transport: P,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    random: Mutex<Box<dyn Random + Send>>,
    pace: Mutex<Pace>,
}

impl<T: Targets, P: Transport> Outbox<T, P> {
    /// A dispatcher over these targets. `random` spreads retries.
    pub fn new(
        targets: T,
        transport: P,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        random: impl Random + Send + 'static,
    ) -> Arc<Self> {
        let (random, pace) = (Mutex::new(Box::new(random) as Box<dyn Random + Send>), Mutex::new(Pace::default()));
        Arc::new(Self { targets, transport, clock: Box::new(clock), random, pace })
    }

    /// Runs until `stop` ends, and then until what is under way has its answers, at most five seconds. A second one over
    /// the same targets would send everything twice.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut head = self.targets.head();
        let mut flights = JoinSet::new();
        let mut under_way = HashMap::new();
        loop {
            head.borrow_and_update();
            let pause = self.launch(&mut flights, &mut under_way).await;
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
        under_way: &mut HashMap<tokio::task::Id, T::Id>,
    ) -> Duration {
        let now = (self.clock)();
        // At most 16 of these are under way, so 16 others are among them if there are any.
        let due = match self.targets.due(now, 2 * SENDS_MAX).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot read its targets");
                return STORE_PAUSE;
            }
        };
        for target in due {
            if flights.len() < SENDS_MAX && !under_way.values().any(|id| *id == target.id) {
                let (id, outbox) = (target.id.clone(), Arc::clone(self));
                let task = flights.spawn(async move { outbox.serve(target).await });
                under_way.insert(task.id(), id);
            }
        }
        match self.targets.next_due(now).await {
            Ok(Some(at)) => span(now, at).min(SLEEP_MAX),
            Ok(None) => SLEEP_MAX,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot read its targets");
                STORE_PAUSE
            }
        }
    }

    /// One message to one target, and what follows from the answer.
    async fn serve(&self, target: Target<T::Id>) {
        let read = || self.targets.events_in(&target.topic, target.cursor, EVENTS_MAX);
        let events = insist(read).await;
        let now = (self.clock)();
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            // What it waited for is gone from the log.
            return self.advance(&target, target.cursor, now + SLEEP_MAX).await;
        };
        let tokens = target.channel.bucket().map_or(u32::MAX, |bucket| self.pace().take(bucket, now));
        let (message, until) = match tokens {
            0 => return self.advance(&target, target.cursor, self.next_send(&target, now)).await,
            // The last one for a while: all that waits goes with it.
            1 if events.len() > 1 => (summary(&events, target.language), last.id),
            _ => (Message::of(&first.line, target.language), first.id),
        };
        let verdict = self.send(&target, &message, until, now).await;
        self.settle(target, until, verdict).await;
    }

    async fn send(&self, target: &Target<T::Id>, message: &Message, id: i64, now: Timestamp) -> Verdict {
        let later = |cause, detail| Verdict::TryLater(None, Trouble::new(cause, detail));
        let request = match &target.channel {
            Channel::Robot(robot) => robot.request(message, now),
            Channel::WebPush(subscription) => {
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
            Ok(Ok(response)) => target.channel.judge(&response, (self.clock)()),
            Ok(Err(NoAnswer::Unreachable)) => later(Cause::Unreachable, ""),
            Ok(Err(NoAnswer::NotPublic)) => Verdict::Broken(Trouble::new(Cause::NotPublic, "")),
            Err(_elapsed) => later(Cause::Unreachable, "no answer within 10 s"),
        }
    }

    async fn settle(&self, target: Target<T::Id>, cursor: i64, verdict: Verdict) {
        let now = (self.clock)();
        let (wait, trouble) = match verdict {
            Verdict::Delivered => return self.advance(&target, cursor, self.next_send(&target, now)).await,
            Verdict::Unfit(trouble) => {
                tracing::warn!(target.id = ?target.id, event.id = cursor, %trouble, "a message was refused and left out");
                return self.advance(&target, cursor, self.next_send(&target, now)).await;
            }
            Verdict::Gone(trouble) => {
                tracing::info!(target.id = ?target.id, %trouble, "a target is no more");
                return insist(|| self.targets.remove(&target.id)).await;
            }
            Verdict::TryLater(wait, trouble) => (wait.unwrap_or_default(), trouble),
            Verdict::Broken(trouble) => (Duration::ZERO, trouble),
        };
        let failing_since = target.failing_since.unwrap_or(now);
        if span(failing_since, now) >= FAILING_MAX {
            tracing::warn!(target.id = ?target.id, %trouble, "a target has failed for three days and is disabled");
            return insist(|| self.targets.disable(&target.id, &trouble)).await;
        }
        let until = now + wait.max(self.back_off(target.failures));
        let failures = target.failures.saturating_add(1);
        tracing::info!(target.id = ?target.id, failures, %trouble, "a target failed and waits");
        let setback = Setback { until, failures, failing_since, trouble };
        insist(|| self.targets.postpone(&target.id, &setback)).await;
    }

    async fn advance(&self, target: &Target<T::Id>, cursor: i64, due_at: Timestamp) {
        insist(|| self.targets.advance(&target.id, cursor, due_at)).await;
    }

    /// When the target may be sent to again.
    fn next_send(&self, target: &Target<T::Id>, now: Timestamp) -> Timestamp {
        target.channel.bucket().map_or(now, |bucket| self.pace().next(bucket, now))
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        // A panic while it was held leaves counts that are right or a little off.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 5 s, doubled with each failure up to an hour; between half of that and the whole, so that what failed together
    /// does not come back together.
    fn back_off(&self, failures: u32) -> Duration {
        let whole = BACK_OFF_MIN.saturating_mul(1 << failures.min(16)).min(BACK_OFF_MAX);
        let mut drawn = [0; 2];
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut drawn);
        whole.mul_f64(0.5 + f64::from(u16::from_le_bytes(drawn)) / f64::from(u16::MAX) / 2.0)
    }
}

impl Channel {
    /// How often it may be reached, if not as often as one likes.
    fn bucket(&self) -> Option<Bucket> {
        match self {
            Self::Robot(robot) => Some((robot.digest(), robot.kind().rate())),
            Self::WebPush(_) => None,
        }
    }

    fn judge(&self, response: &Response, now: Timestamp) -> Verdict {
        match self {
            Self::Robot(robot) => robot.judge(response, now),
            Self::WebPush(_) => web_push::judge(response, now),
        }
    }
}

fn summary(events: &[Entry], language: Language) -> Message {
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
