//! The writer: one thread that owns the one writing connection, and group commit.
//!
//! The thread takes all verbs that wait, runs each, commits once and then answers all. Under load a flush to disk is
//! shared by many; alone, a verb waits for nobody. There is no timer. After a commit that appended to the channel's
//! log it tells the newest event to whoever watches.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::channel_event;
use crate::error::StoreError;

/// What becomes of a verb's changes.
pub(super) enum Effect<T> {
    /// They stay.
    Keep(T),
    /// They are undone; the outcome says why.
    Undo(T),
}

/// Runs `act` so that its statements stand or fall together, inside the group's transaction.
pub(super) fn whole<T>(
    connection: &Connection,
    act: impl FnOnce(&Connection) -> Result<Effect<T>, StoreError>,
) -> Result<T, StoreError> {
    step(connection, "SAVEPOINT verb")?;
    let effect = act(connection);
    if let Ok(Effect::Keep(outcome)) = effect {
        step(connection, "RELEASE verb")?;
        return Ok(outcome);
    }
    // A full or failing disk may have taken the whole transaction, and the savepoint with it.
    if !connection.is_autocommit() {
        step(connection, "ROLLBACK TO verb")?;
        step(connection, "RELEASE verb")?;
    }
    effect.map(|effect| match effect {
        Effect::Keep(outcome) | Effect::Undo(outcome) => outcome,
    })
}

pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
    thread: Mutex<Option<JoinHandle<()>>>,
    is_failing: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(connection: Connection, newest: watch::Sender<i64>) -> Result<Self, std::io::Error> {
        let (requests, queue) = mpsc::channel(QUEUE_MAX);
        let is_failing = Arc::new(AtomicBool::new(false));
        let work = Work { connection, newest, is_failing: Arc::clone(&is_failing), damage: None };
        let thread = thread::Builder::new().name("fujie-writer".into()).spawn(move || work.serve(queue))?;
        Ok(Self { requests, thread: Mutex::new(Some(thread)), is_failing })
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let verb = Verb { act: Some(act), outcome: None, answer };
        if self.requests.send(Request::Verb(Box::new(verb))).await.is_err() {
            return Err(StoreError::Closed);
        }
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Did the last commit fail? Then only another write can tell whether it still would.
    pub(super) fn failing(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_failing)
    }

    pub(super) async fn close(&self) {
        let (stopped, stop) = oneshot::channel();
        if self.requests.send(Request::Stop(stopped)).await.is_ok() {
            // The sender is dropped when the thread has closed the file, which is the answer.
            stop.await.ok();
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer of the database had panicked");
        }
    }
}

enum Request {
    Verb(Box<dyn Act>),
    Stop(oneshot::Sender<()>),
}

/// A verb on its way: run inside the transaction, answered after it.
trait Act: Send {
    /// Runs it. An error that is returned is the database's: the group cannot go on.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Answers with its own outcome, or with why the commit failed.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Verb<F, T> {
    act: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T, StoreError> + Send> Act for Verb<F, T> {
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let Some(act) = self.act.take() else { return Ok(()) };
        let outcome = act(connection);
        let fault = match &outcome {
            Err(error) if error.is_of_the_database() => Err(error.clone()),
            _ => Ok(()),
        };
        self.outcome = Some(outcome);
        fault
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let Self { outcome, answer, .. } = *self;
        // Whoever asked may have gone away.
        answer.send(commit.and_then(|()| outcome.unwrap_or(Err(StoreError::Closed)))).ok();
    }
}

struct Work {
    connection: Connection,
    /// The newest event of the channel's log.
    newest: watch::Sender<i64>,
    is_failing: Arc<AtomicBool>,
    /// Found damage: nothing is written any more.
    damage: Option<StoreError>,
}

impl Work {
    fn serve(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut requests = Vec::with_capacity(GROUP_MAX);
        let mut group: Vec<Box<dyn Act>> = Vec::with_capacity(GROUP_MAX);
        let mut stopped = Vec::new();
        while queue.blocking_recv_many(&mut requests, GROUP_MAX) > 0 {
            for request in requests.drain(..) {
                match request {
                    Request::Verb(verb) => group.push(verb),
                    Request::Stop(answer) => {
                        // What is in the queue is still carried out; nothing more gets in.
                        queue.close();
                        stopped.push(answer);
                    }
                }
            }
            if !group.is_empty() {
                let commit = self.commit_or_undo(&mut group);
                group.drain(..).for_each(|verb| verb.answer(commit.clone()));
            }
        }
        drop(self.connection);
        drop(stopped);
    }

    fn commit_or_undo(&mut self, group: &mut [Box<dyn Act>]) -> Result<(), StoreError> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        let committed = commit(&self.connection, group);
        self.is_failing.store(committed.is_err(), Ordering::Relaxed);
        if let Err(error) = &committed {
            tracing::error!(%error, "a group of changes was not committed");
            if !self.connection.is_autocommit()
                && let Err(error) = step(&self.connection, "ROLLBACK")
            {
                tracing::error!(%error, "rolling back failed");
            }
            if error.is_damage() {
                self.damage = Some(error.clone());
            }
        }
        // Before the verbs are answered: who was answered finds its event told.
        committed.map(|newest| {
            self.newest.send_if_modified(|told| std::mem::replace(told, newest) != newest);
        })
    }
}

/// Gives the newest event of the channel's log as it is then.
fn commit(connection: &Connection, group: &mut [Box<dyn Act>]) -> Result<i64, StoreError> {
    step(connection, "BEGIN IMMEDIATE")?;
    for verb in group {
        verb.run(connection)?;
    }
    let newest = channel_event::head(connection)?;
    step(connection, "COMMIT")?;
    Ok(newest)
}

fn step(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Verbs that may wait; beyond them, callers wait to hand theirs over.
const QUEUE_MAX: usize = 1024;
/// Verbs in one commit.
const GROUP_MAX: usize = 512;
