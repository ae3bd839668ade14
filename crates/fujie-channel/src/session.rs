//! The conversation with one peer of a channel: who it is, what it reads. The same over TCP, TLS and WebSocket.
//!
//! Owns what follows which line. Bytes, idle time and closing are the transport's ([`crate::serve`], or a WebSocket
//! elsewhere); a transport hands lines over, waits with [`Session::next`], and writes what is in the [`Output`].

use std::{
    future::poll_fn,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use fujie_core::secret::Secret;
use tokio::time::Instant;

use crate::{
    gate::{Gate, Refusal},
    hub::{Delivery, Hub, Overflow, Subscription},
    line::{Command, ErrorCode, Fault, Output, Reply},
};

/// A peer must have said who it is by then.
pub const ADMISSION_TIMEOUT: Duration = Duration::from_secs(30);

/// Topics of one session.
const SUBSCRIPTIONS_MAX: usize = 64;
/// So long a session is not asked about again at a sign of life.
const CHECK_INTERVAL: Duration = Duration::from_secs(20);
/// Nothing goes out that was not asked about in so long. More than the time from one sign of life to the next, so that
/// peers who give them in time are not kept waiting for an event.
const CHECK_AGE_MAX: Duration = Duration::from_secs(30);
/// So long a session goes on while its gate cannot decide.
const CHECK_PATIENCE: Duration = Duration::from_secs(120);

/// What all sessions share.
pub struct Exchange<G> {
    /// Where events come from.
    pub hub: Arc<Hub>,
    /// Who may read them.
    pub gate: G,
    /// What becomes of those who read too slowly.
    pub overflow: Overflow,
}

/// One peer's session.
pub struct Session<G: Gate> {
    exchange: Arc<Exchange<G>>,
    admitted: Option<Admitted<G::Pass>>,
    subscriptions: Vec<Subscription>,
    /// Which of them is asked first, so that none starves.
    turn: usize,
    asking: Option<Asking<G::Pass>>,
}

/// Who the peer is.
struct Admitted<P> {
    token: Arc<Secret>,
    pass: Arc<P>,
    /// When the gate was last asked about everything.
    asked_at: Instant,
    /// When it last said yes.
    checked_at: Instant,
}

type Asking<P> = Pin<Box<dyn Future<Output = Answer<P>> + Send>>;

/// What the gate said.
enum Answer<P> {
    Admission { token: Arc<Secret>, outcome: Result<P, Refusal> },
    Subscription { topic: String, outcome: Result<Subscription, Refusal> },
    Check(Result<Checked<P>, Refusal>),
}

/// A token that is still good.
struct Checked<P> {
    pass: P,
    /// Topics that its bearer may no longer read.
    refused: Vec<(Arc<str>, Refusal)>,
}

impl<G: Gate> Session<G> {
    /// A session with a peer that has said nothing yet.
    pub fn new(exchange: Arc<Exchange<G>>) -> Self {
        Self { exchange, admitted: None, subscriptions: Vec::new(), turn: 0, asking: None }
    }

    /// A session with a peer of whom the gate has said already who it is: the peer is told so.
    pub fn admitted(exchange: Arc<Exchange<G>>, token: Secret, pass: G::Pass, output: &mut Output) -> Self {
        let mut session = Self::new(exchange);
        session.admit(Arc::new(token), pass, output);
        session
    }

    /// Has the peer said who it is? It must within [`ADMISSION_TIMEOUT`], or be cut off.
    pub fn is_admitted(&self) -> bool {
        self.admitted.is_some()
    }

    /// Is the gate being asked? Until it has answered no other line may be handed over, so that answers keep the order
    /// of the lines.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Takes one line. Breaks when the session is over, once the output is written.
    pub fn receive(&mut self, line: &str, output: &mut Output) -> ControlFlow<()> {
        let flow = match Command::parse(line) {
            Ok(command) => self.obey(command, output),
            Err(malformed) => {
                refuse(output, ErrorCode::InvalidRequest, malformed.0);
                // Whoever is no client of this protocol learns nothing more.
                if self.is_admitted() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }
        };
        if flow.is_continue() {
            self.check();
        }
        flow
    }

    /// The peer's bytes are no lines: tells it so. The session is over.
    pub fn fault(fault: Fault, output: &mut Output) {
        match fault {
            Fault::LineTooLong => refuse(output, ErrorCode::LineTooLong, "a line is at most 4096 bytes"),
            Fault::NotUtf8 => refuse(output, ErrorCode::InvalidRequest, "a line is UTF-8"),
        }
    }

    /// Waits until there is something in `output` for the peer. Breaks when the session is over, once that is written.
    /// Cancelled while it waits, nothing is lost.
    pub async fn next(&mut self, output: &mut Output) -> ControlFlow<()> {
        poll_fn(|context| self.poll_next(context, output)).await
    }

    /// [`Session::next`], for those who wait for several things.
    pub fn poll_next(&mut self, context: &mut Context<'_>, output: &mut Output) -> Poll<ControlFlow<()>> {
        // Who says nothing, or reads so slowly that no line of theirs is taken, is asked about all the same.
        self.check_after(CHECK_AGE_MAX);
        if let Some(asking) = &mut self.asking {
            let answer = ready!(asking.as_mut().poll(context));
            self.asking = None;
            return Poll::Ready(self.hear(answer, output));
        }
        let count = self.subscriptions.len();
        for offset in 0..count {
            let index = (self.turn + offset) % count;
            let Some(subscription) = self.subscriptions.get_mut(index) else { continue };
            if let Poll::Ready(delivery) = subscription.poll_next(context) {
                self.turn = index + 1;
                return Poll::Ready(deliver(subscription.topic(), &delivery, output));
            }
        }
        Poll::Pending
    }

    fn obey(&mut self, command: Command<'_>, output: &mut Output) -> ControlFlow<()> {
        match command {
            Command::Ping => output.push(Reply::Pong),
            Command::Auth(token) => self.ask_admission(token),
            Command::Subscribe { topic, from } => self.ask_topic(topic, from, output),
            Command::Unsubscribe(topic) => {
                self.unsubscribe(topic);
                output.push(Reply::Unsubscribed(topic));
            }
            Command::Bye => {
                output.push(Reply::Bye);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn ask_admission(&mut self, token: &str) {
        let (exchange, token) = (Arc::clone(&self.exchange), Arc::new(Secret::new(token.to_owned())));
        let earlier = self.admitted.as_ref().map(|admitted| Arc::clone(&admitted.pass));
        self.asking = Some(Box::pin(async move {
            let outcome = exchange.gate.admit(&token, earlier.as_deref()).await;
            Answer::Admission { token, outcome }
        }));
    }

    fn ask_topic(&mut self, topic: &str, from: Option<i64>, output: &mut Output) {
        let Some(admitted) = &self.admitted else {
            return refuse(output, ErrorCode::InvalidToken, "say: auth TOKEN");
        };
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            return refuse(output, ErrorCode::InvalidRequest, "at most 64 topics");
        }
        let (exchange, pass) = (Arc::clone(&self.exchange), Arc::clone(&admitted.pass));
        let topic = topic.to_owned();
        self.asking = Some(Box::pin(async move {
            let outcome = match exchange.gate.may_read(&pass, &topic).await {
                Ok(()) => Ok(exchange.hub.subscribe(&topic, from, exchange.overflow).await),
                Err(refusal) => Err(refusal),
            };
            Answer::Subscription { topic, outcome }
        }));
    }

    /// Asks about everything again when it is due. Every line does so; a transport with signs of life of its own calls
    /// this at those.
    pub fn check(&mut self) {
        self.check_after(CHECK_INTERVAL);
    }

    fn check_after(&mut self, age: Duration) {
        let Some(admitted) = self.admitted.as_mut().filter(|_| self.asking.is_none()) else { return };
        if admitted.asked_at.elapsed() < age {
            return;
        }
        admitted.asked_at = Instant::now();
        let (exchange, token) = (Arc::clone(&self.exchange), Arc::clone(&admitted.token));
        let earlier = Arc::clone(&admitted.pass);
        let topics: Vec<_> = self.subscriptions.iter().map(|subscription| Arc::clone(subscription.topic())).collect();
        self.asking =
            Some(Box::pin(async move { Answer::Check(check(&exchange.gate, &token, &earlier, topics).await) }));
    }

    fn hear(&mut self, answer: Answer<G::Pass>, output: &mut Output) -> ControlFlow<()> {
        match answer {
            Answer::Admission { token, outcome: Ok(pass) } => self.admit(token, pass, output),
            Answer::Admission { outcome: Err(refusal), .. } => return turn_away(refusal, output),
            Answer::Subscription { outcome: Ok(subscription), .. } => self.subscribe(subscription, output),
            // Nobody asks again for it on this connection: whoever comes again does.
            Answer::Subscription { outcome: Err(refusal @ Refusal::Unavailable), .. } => {
                return turn_away(refusal, output);
            }
            Answer::Subscription { topic, outcome: Err(refusal) } => refuse_topic(&topic, refusal, output),
            Answer::Check(Ok(Checked { pass, refused })) => {
                if let Some(admitted) = &mut self.admitted {
                    admitted.pass = Arc::new(pass);
                    admitted.checked_at = Instant::now();
                }
                for (topic, refusal) in refused {
                    self.unsubscribe(&topic);
                    refuse_topic(&topic, refusal, output);
                }
            }
            Answer::Check(Err(Refusal::Unavailable)) if self.is_trusted_still() => {}
            Answer::Check(Err(refusal)) => return turn_away(refusal, output),
        }
        ControlFlow::Continue(())
    }

    fn admit(&mut self, token: Arc<Secret>, pass: G::Pass, output: &mut Output) {
        let now = Instant::now();
        // Of the topics nothing was asked: a newer token does not put that off.
        let (asked_at, checked_at) = match &self.admitted {
            Some(earlier) => (earlier.asked_at, earlier.checked_at),
            None => (now, now),
        };
        self.admitted = Some(Admitted { token, pass: Arc::new(pass), asked_at, checked_at });
        output.push(Reply::Admitted);
    }

    fn is_trusted_still(&self) -> bool {
        self.admitted.as_ref().is_some_and(|admitted| admitted.checked_at.elapsed() < CHECK_PATIENCE)
    }

    /// Begins a subscription; one of the same topic that is there already gives way.
    fn subscribe(&mut self, subscription: Subscription, output: &mut Output) {
        self.unsubscribe(subscription.topic());
        output.push(Reply::Subscribed { topic: subscription.topic(), from: subscription.cursor() });
        self.subscriptions.push(subscription);
    }

    fn unsubscribe(&mut self, topic: &str) {
        self.subscriptions.retain(|subscription| **subscription.topic() != *topic);
    }
}

/// Is the token still good, and which of `topics` are no longer its bearer's?
async fn check<G: Gate>(
    gate: &G,
    token: &Secret,
    earlier: &G::Pass,
    topics: Vec<Arc<str>>,
) -> Result<Checked<G::Pass>, Refusal> {
    let pass = gate.admit(token, Some(earlier)).await?;
    let mut refused = Vec::new();
    for topic in topics {
        match gate.may_read(&pass, &topic).await {
            Ok(()) => {}
            Err(Refusal::Unavailable) => return Err(Refusal::Unavailable),
            Err(refusal) => refused.push((topic, refusal)),
        }
    }
    Ok(Checked { pass, refused })
}

fn deliver(topic: &str, delivery: &Delivery, output: &mut Output) -> ControlFlow<()> {
    match delivery {
        Delivery::Events(events) => events.iter().for_each(|event| output.push_event(event)),
        Delivery::Dropped { after, until } => output.push(Reply::Dropped { topic, after: *after, until: *until }),
        Delivery::Cut => {
            refuse(output, ErrorCode::TooSlow, "come again and resume");
            return ControlFlow::Break(());
        }
    }
    ControlFlow::Continue(())
}

fn turn_away(refusal: Refusal, output: &mut Output) -> ControlFlow<()> {
    refuse(output, code(refusal), &refusal.to_string());
    ControlFlow::Break(())
}

fn refuse_topic(topic: &str, refusal: Refusal, output: &mut Output) {
    refuse(output, code(refusal), &format!("{topic}: {refusal}"));
}

fn refuse(output: &mut Output, code: ErrorCode, words: &str) {
    output.push(Reply::Error { code, words });
}

fn code(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::InvalidToken => ErrorCode::InvalidToken,
        Refusal::InsufficientScope => ErrorCode::InsufficientScope,
        Refusal::AccessDenied => ErrorCode::AccessDenied,
        Refusal::UnknownTopic => ErrorCode::UnknownTopic,
        Refusal::Unavailable => ErrorCode::TemporarilyUnavailable,
    }
}
