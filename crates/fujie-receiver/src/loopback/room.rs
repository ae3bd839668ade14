//! Who is connected, and whether the wait is over: all that the threads of one listener share.
//!
//! Whatever ends the wait is set once, under the lock, so that a page never says "received" to a callback that came too
//! late. It does not know HTTP.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    callback::{Callback, Expected, Refusal},
    deadline::Deadline,
    page::{Language, Page},
    Error,
};

/// Most connections at a time.
pub const CONNECTIONS_MAX: usize = 32;

/// What ends a wait.
pub(super) enum End {
    Callback(Callback),
    Cancelled,
    TimedOut,
    Failed(io::Error),
}

/// The wait is over.
pub(super) struct Over;

pub(super) struct Room {
    pub(super) expected: Expected,
    pub(super) page: Page,
    pub(super) language: Language,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    /// In the order they came.
    guests: Vec<Guest>,
    guests_ever: u64,
    /// Those that serve a guest or are about to ask for one.
    threads: usize,
    acceptors: usize,
    end: Option<End>,
    refusal: Option<Refusal>,
}

struct Guest {
    id: u64,
    stream: Arc<TcpStream>,
    phase: Phase,
    /// Until when it cannot be expected to have sent something.
    grace: Deadline,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No thread has it yet.
    Arrived,
    /// Nothing came yet: perhaps a browser's connection for later.
    Silent,
    /// A part of a request came.
    Speaking,
    /// It is being answered.
    Answered,
    /// It brought the callback and is being answered.
    Completing,
    /// It was shut down and is about to leave.
    TurnedOut,
}

impl Room {
    pub(super) fn new(expected: Expected, page: Page, language: Language) -> Self {
        Room { expected, page, language, inside: Mutex::default(), changed: Condvar::new() }
    }

    /// Lets a connection in, turning out the oldest idle one when the room is full. `true` when it needs a new thread.
    pub(super) fn admit(&self, stream: TcpStream) -> Result<bool, Over> {
        let mut inside = self.lock();
        while inside.end.is_none() && inside.is_full() {
            inside = self.pause(inside, TICK);
        }
        if inside.end.is_some() {
            return Err(Over);
        }
        let id = inside.guests_ever;
        inside.guests_ever += 1;
        let grace = Deadline::after(GRACE);
        inside.guests.push(Guest { id, stream: Arc::new(stream), phase: Phase::Arrived, grace });
        let is_thread_needed = inside.threads < CONNECTIONS_MAX;
        inside.threads += usize::from(is_thread_needed);
        Ok(is_thread_needed)
    }

    /// No connection came. Unless it was given up before it was let in, which is nobody's fault, the system had no room
    /// for another one, perhaps no descriptor: turns the oldest idle one out and pauses.
    pub(super) fn make_way(&self, error: &io::Error) -> Result<bool, Over> {
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            return Ok(false);
        }
        let mut inside = self.lock();
        inside.turn_one_out();
        match self.pause(inside, TICK).end {
            Some(_) => Err(Over),
            None => Ok(false),
        }
    }

    /// The next connection for a thread. Without one the thread must end.
    pub(super) fn next(&self) -> Option<(u64, Arc<TcpStream>)> {
        let mut inside = self.lock();
        let is_over = inside.end.is_some();
        let arrived = inside.guests.iter_mut().find(|guest| !is_over && guest.phase == Phase::Arrived);
        let next = arrived.map(|guest| {
            guest.phase = Phase::Silent;
            (guest.id, Arc::clone(&guest.stream))
        });
        inside.threads -= usize::from(next.is_none());
        next
    }

    /// A thread that was needed could not be had.
    pub(super) fn lack_thread(&self) {
        self.lock().threads -= 1;
    }

    /// A connection began to send.
    pub(super) fn speak(&self, id: u64) {
        self.lock().set_phase(id, Phase::Speaking);
    }

    /// A connection is about to be answered with a refusal, if any.
    pub(super) fn answer(&self, id: u64, refusal: Option<Refusal>) {
        let mut inside = self.lock();
        inside.set_phase(id, Phase::Answered);
        // The one that came closest tells most about what went wrong.
        inside.refusal = inside.refusal.max(refusal);
    }

    /// A connection brought the callback. `false` when something else had ended the wait before.
    pub(super) fn complete(&self, id: u64, callback: Callback) -> bool {
        let mut inside = self.lock();
        if inside.end.is_some() {
            return false;
        }
        inside.set_phase(id, Phase::Completing);
        inside.end = Some(End::Callback(callback));
        self.changed.notify_all();
        true
    }

    /// A connection is gone.
    pub(super) fn leave(&self, id: u64) {
        self.lock().guests.retain(|guest| guest.id != id);
        self.changed.notify_all();
    }

    pub(super) fn acceptor_began(&self) {
        self.lock().acceptors += 1;
    }

    pub(super) fn acceptor_ended(&self) {
        self.lock().acceptors -= 1;
        self.changed.notify_all();
    }

    /// Ends the wait, unless it is over.
    pub(super) fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.changed.notify_all();
    }

    /// Returns when the wait is over, by whatever, or by the deadline.
    pub(super) fn wait_for_end(&self, deadline: Deadline) {
        let mut inside = self.lock();
        while inside.end.is_none() {
            match deadline.left() {
                Some(left) => inside = self.pause(inside, left),
                None => inside.end = Some(End::TimedOut),
            }
        }
    }

    /// Closes in order: who is idle, then the port, and once the last page is delivered, everybody.
    pub(super) fn close(&self, addresses: &[SocketAddr]) {
        self.lock().turn_out(|guest| matches!(guest.phase, Phase::Arrived | Phase::Silent | Phase::Speaking));
        while self.lock().acceptors > 0 {
            // Nothing but a connection ends a blocking accept.
            for address in addresses {
                drop(TcpStream::connect_timeout(address, TICK));
            }
            let inside = self.lock();
            if inside.acceptors > 0 {
                drop(self.pause(inside, TICK));
            }
        }
        let deadline = Deadline::after(PAGE_TIME_MAX);
        let mut inside = self.lock();
        while inside.guests.iter().any(|guest| guest.phase == Phase::Completing) {
            match deadline.left() {
                Some(left) => inside = self.pause(inside, left),
                None => break,
            }
        }
        inside.turn_out(|_| true);
    }

    /// What ended the wait.
    pub(super) fn result(&self) -> Result<Callback, Error> {
        let mut inside = self.lock();
        match inside.end.take() {
            Some(End::Callback(callback)) => Ok(callback),
            Some(End::Failed(error)) => Err(Error::Io(error)),
            Some(End::TimedOut) => Err(Error::TimedOut { refusal: inside.refusal }),
            Some(End::Cancelled) | None => Err(Error::Cancelled),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause<'a>(&self, inside: MutexGuard<'a, Inside>, span: Duration) -> MutexGuard<'a, Inside> {
        self.changed.wait_timeout(inside, span).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Inside {
    /// Whether there is no room, though the oldest idle one was turned out. Nobody waits until its thread noticed:
    /// meanwhile the system's queue of new connections would run over.
    fn is_full(&mut self) -> bool {
        let open = |guests: &[Guest]| guests.iter().filter(|guest| guest.phase != Phase::TurnedOut).count();
        if open(&self.guests) >= CONNECTIONS_MAX {
            self.turn_one_out();
        }
        open(&self.guests) >= CONNECTIONS_MAX
    }

    fn set_phase(&mut self, id: u64, phase: Phase) {
        // Who was turned out stays so: its thread has yet to notice.
        let guest = self.guests.iter_mut().find(|guest| guest.id == id && guest.phase != Phase::TurnedOut);
        if let Some(guest) = guest {
            guest.phase = phase;
        }
    }

    /// Turns out the oldest that sent nothing, else the oldest that sent a part. Among half requests a browser that just
    /// connected would be the only one to go, so it is given a moment when one of them was there before it.
    fn turn_one_out(&mut self) {
        let oldest = |wanted: &[Phase]| self.guests.iter().find(|guest| wanted.contains(&guest.phase));
        let meant = match (oldest(&[Phase::Arrived, Phase::Silent]), oldest(&[Phase::Speaking])) {
            (Some(idle), Some(half)) if half.id < idle.id && idle.grace.left().is_some() => Some(half),
            (idle, half) => idle.or(half),
        };
        if let Some(id) = meant.map(|guest| guest.id) {
            self.turn_out(|guest| guest.id == id);
        }
    }

    /// Wakes the threads that read from these. Those without a thread are gone at once.
    fn turn_out(&mut self, is_meant: impl Fn(&Guest) -> bool) {
        self.guests.retain(|guest| guest.phase != Phase::Arrived || !is_meant(guest));
        for guest in self.guests.iter_mut().filter(|guest| is_meant(guest)) {
            // An error means that the other side is gone already.
            let _ = guest.stream.shutdown(Shutdown::Both);
            guest.phase = Phase::TurnedOut;
        }
    }
}

/// How long to wait for something that should happen at once before looking again.
const TICK: Duration = Duration::from_millis(20);
/// How long a new connection may take to send something before it counts as idle.
const GRACE: Duration = Duration::from_millis(250);
/// Longest delivery of the last page: a stalled write and the drain after it.
const PAGE_TIME_MAX: Duration = Duration::from_millis(1_200);

#[cfg(test)]
mod tests {
    use std::{io::Write, net::TcpListener};

    use super::{super::connection::serve, *};

    fn room() -> Room {
        let (authority, path) = ("127.0.0.1:8000".to_owned(), "/getcode".to_owned());
        let expected = Expected { authority, path, state: Some("sesame".to_owned()), is_form_post: false };
        Room::new(expected, Page::new(Language::English), Language::English)
    }

    /// Lets a connection in: the other side of it.
    fn enter(room: &Room) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let browser = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(room.admit(listener.accept().unwrap().0).is_ok());
        browser
    }

    fn phase(room: &Room, id: u64) -> Option<Phase> {
        room.lock().guests.iter().find(|guest| guest.id == id).map(|guest| guest.phase)
    }

    #[test]
    fn a_connection_that_was_given_up_turns_nobody_out() {
        let room = room();
        let _browser = enter(&room);
        let (id, _) = room.next().unwrap();
        for kind in [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset] {
            assert!(matches!(room.make_way(&kind.into()), Ok(false)));
            assert!(phase(&room, id) == Some(Phase::Silent), "{:?}", kind);
        }
        // Without a descriptor for it somebody must go.
        assert!(matches!(room.make_way(&io::Error::new(io::ErrorKind::Other, "no descriptor")), Ok(false)));
        assert!(phase(&room, id) == Some(Phase::TurnedOut));
    }

    #[test]
    fn a_head_that_was_answered_is_not_idle() {
        let room = room();
        let mut browser = enter(&room);
        let (id, stream) = room.next().unwrap();
        browser.write_all(b"HEAD /getcode?code=c0de&state=sesame HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n").unwrap();
        browser.shutdown(Shutdown::Write).unwrap();
        serve(&room, id, &stream);
        assert!(phase(&room, id) == Some(Phase::Answered));
    }

    #[test]
    fn a_browser_that_just_came_is_not_the_first_to_go_among_half_requests() {
        let (new, old) = (Deadline::after(Duration::from_secs(3_600)), Deadline::after(Duration::ZERO));
        let check = |guests: &[(Phase, Deadline)], gone: Option<u64>| {
            let room = room();
            let _browsers: Vec<_> = guests.iter().map(|_| enter(&room)).collect();
            let mut inside = room.lock();
            for (guest, (phase, grace)) in inside.guests.iter_mut().zip(guests) {
                guest.phase = *phase;
                guest.grace = *grace;
            }
            inside.turn_one_out();
            drop(inside);
            let is_gone = |id: &u64| matches!(phase(&room, *id), None | Some(Phase::TurnedOut));
            assert_eq!((0..guests.len() as u64).find(is_gone), gone);
        };
        check(&[(Phase::Speaking, old), (Phase::Speaking, old), (Phase::Silent, new)], Some(0));
        check(&[(Phase::Answered, old), (Phase::Speaking, new), (Phase::Arrived, new)], Some(1));
        // It had its moment, or there is no half request that was there before.
        check(&[(Phase::Speaking, old), (Phase::Silent, old)], Some(1));
        check(&[(Phase::Silent, new), (Phase::Speaking, new)], Some(0));
        check(&[(Phase::Silent, new), (Phase::Arrived, new)], Some(0));
        check(&[(Phase::Answered, old), (Phase::Completing, old)], None);
    }
}
