//! The waiting side of the handover: a port, the file that names it, and a reader for each connection.

use std::{
    fmt, io,
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    file::{self, Note, OwnFile},
    greeted, line, notes, say, Greeting, HandoverError, SILENCE_MAX,
};
use crate::{
    callback::{Callback, Refusal},
    deadline::Deadline,
    thread::spawn,
    uri_scheme::{secret::SECRET_LENGTH, Place, SchemeName, URI_LENGTH_MAX},
    Error,
};

/// Most connections at a time. One more closes the oldest that has not shown the secret.
const CONNECTIONS_MAX: usize = 32;
/// Most threads: those whose connection was closed have yet to notice.
const THREADS_MAX: usize = 2 * CONNECTIONS_MAX;

/// How long the door stays closed when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// A process that waits for a URI of a scheme. From [`Waiting::open`] on it is found and takes the one URI; when it is
/// dropped, no more.
pub struct Waiting {
    desk: Arc<Desk>,
    doorman: Option<JoinHandle<()>>,
    _file: OwnFile,
}

impl Waiting {
    /// Makes this process the one that waits for a URI of a scheme with this `state` (`None` only for a provider that
    /// returns none). Call it before the browser is opened.
    pub fn open(name: &SchemeName, state: Option<&str>, place: &Place) -> Result<Waiting, HandoverError> {
        for (path, note) in notes(name, place)? {
            match greeted(&note) {
                Greeting::Known(_) => return Err(HandoverError::SomebodyWaits),
                Greeting::Unanswered => return Err(HandoverError::Unanswered(path)),
                Greeting::LeftOver => file::remove(&path, &note, place),
            }
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let note = Note::new(listener.local_addr()?.port())?;
        let desk = Arc::new(Desk {
            note: note.clone(),
            name: name.clone(),
            state: state.map(str::to_owned),
            inside: Mutex::default(),
            changed: Condvar::new(),
            is_closed: AtomicBool::new(false),
        });
        let file = OwnFile::create(name.as_str(), note, place)?;
        let own = Arc::clone(&desk);
        let doorman = spawn(Box::new(move || accept(&listener, &own)))?;
        Ok(Waiting { desk, doorman: Some(doorman), _file: file })
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        Handle { desk: Arc::clone(&self.desk) }
    }

    /// Waits for the URI. Others are refused and waiting goes on. May be called again when the time was up: the process
    /// stays the one that waits. A denial by the provider is a [`Callback`] too: see [`Callback::code`].
    ///
    /// # Errors
    /// [`Error::TimedOut`] after the timeout and [`Error::Cancelled`] by [`Handle::cancel`].
    pub fn wait(&self, timeout: Duration) -> Result<Callback, Error> {
        let deadline = Deadline::after(timeout);
        let mut inside = self.desk.lock();
        loop {
            let left = match (inside.end.take(), deadline.left()) {
                (Some(End::Callback(callback)), _) => return Ok(callback),
                (Some(End::Cancelled), _) => return Err(Error::Cancelled),
                (None, None) => return Err(Error::TimedOut { refusal: inside.refusal }),
                (None, Some(left)) => left,
                // The opener is told within this time, and what it is told is kept.
                (Some(End::Promised), _) => {
                    inside.end = Some(End::Promised);
                    SILENCE_MAX
                }
            };
            let waited = self.desk.changed.wait_timeout(inside, left);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waiting({})", self.desk.name)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.desk.is_closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, so that the port is free when this returns.
        let woken = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, self.desk.note.port).into(), SILENCE_MAX);
        if let (Ok(_), Some(doorman)) = (woken, self.doorman.take()) {
            drop(doorman.join());
        }
    }
}

/// Ends a [`Waiting::wait`] from another thread. What comes first counts.
#[derive(Clone)]
pub struct Handle {
    desk: Arc<Desk>,
}

impl Handle {
    /// Gives up.
    pub fn cancel(&self) {
        let mut inside = self.desk.lock();
        if inside.end.is_none() {
            inside.end = Some(End::Cancelled);
        }
        self.desk.changed.notify_all();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.desk.name)
    }
}

/// What ends a wait.
enum End {
    /// A URI is being answered with `ok`; its callback follows.
    Promised,
    Callback(Callback),
    Cancelled,
}

/// What the readers share.
struct Desk {
    note: Note,
    name: SchemeName,
    state: Option<String>,
    inside: Mutex<Inside>,
    changed: Condvar,
    /// Whether nobody waits for it any more.
    is_closed: AtomicBool,
}

#[derive(Default)]
struct Inside {
    /// Who is connected, in the order they came.
    guests: Vec<Arc<Guest>>,
    threads: usize,
    end: Option<End>,
    /// Whether the one URI was taken.
    is_taken: bool,
    refusal: Option<Refusal>,
}

struct Guest {
    stream: TcpStream,
    /// Whether it has shown the secret.
    is_known: AtomicBool,
}

fn accept(listener: &TcpListener, desk: &Arc<Desk>) {
    for stream in listener.incoming() {
        if desk.is_closed.load(Ordering::SeqCst) {
            return;
        }
        let guest = match stream {
            Ok(stream) => Arc::new(Guest { stream, is_known: AtomicBool::new(false) }),
            // Out of descriptors, say: let a reader end first.
            Err(_) => {
                thread::park_timeout(PAUSE);
                continue;
            }
        };
        if !desk.admit(&guest) {
            continue;
        }
        let (own, leaving) = (Arc::clone(desk), Arc::clone(&guest));
        let reader = spawn(Box::new(move || {
            // A connection that breaks off has said nothing, and waiting goes on.
            drop(own.read(&leaving));
            own.leave(&leaving);
        }));
        if reader.is_err() {
            desk.leave(&guest);
        }
    }
}

impl Desk {
    /// Lets a connection in. When there are too many, the oldest stranger is closed and not the newest: otherwise whoever
    /// keeps silent connections open would shut the opener out.
    fn admit(&self, guest: &Arc<Guest>) -> bool {
        let mut inside = self.lock();
        if inside.guests.len() >= CONNECTIONS_MAX {
            match inside.guests.iter().position(|own| !own.is_known.load(Ordering::SeqCst)) {
                // An error means that the other side is gone already.
                Some(oldest) => drop(inside.guests.remove(oldest).stream.shutdown(Shutdown::Both)),
                None => return false,
            }
        }
        while inside.threads >= THREADS_MAX {
            inside = self.changed.wait_timeout(inside, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
        }
        inside.threads += 1;
        inside.guests.push(Arc::clone(guest));
        true
    }

    fn leave(&self, guest: &Arc<Guest>) {
        let mut inside = self.lock();
        inside.guests.retain(|own| !Arc::ptr_eq(own, guest));
        inside.threads -= 1;
        self.changed.notify_all();
    }

    fn read(&self, guest: &Guest) -> io::Result<()> {
        let stream = &guest.stream;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        match line(stream, SECRET_LENGTH)? {
            Some(secret) if self.note.opener.is(&secret) => guest.is_known.store(true, Ordering::SeqCst),
            _ => return Ok(()),
        }
        say(stream, self.note.waiting.expose())?;
        let uri = match line(stream, URI_LENGTH_MAX)? {
            Some(uri) => uri,
            None => return Ok(()),
        };
        match self.promise(&uri) {
            Ok(callback) => {
                let told = say(stream, "ok");
                // After the answer: the process may end as soon as it knows.
                self.keep(callback);
                told
            }
            Err(refusal) => {
                let mut inside = self.lock();
                inside.refusal = inside.refusal.max(Some(refusal));
                drop(inside);
                say(stream, "no")
            }
        }
    }

    /// The callback, if it is the first and nothing else has ended the wait: from here on nothing else does.
    fn promise(&self, uri: &[u8]) -> Result<Callback, Refusal> {
        let callback = self.judge(uri)?;
        let mut inside = self.lock();
        if inside.is_taken || inside.end.is_some() {
            return Err(Refusal::State);
        }
        inside.is_taken = true;
        inside.end = Some(End::Promised);
        Ok(callback)
    }

    fn keep(&self, callback: Callback) {
        self.lock().end = Some(End::Callback(callback));
        self.changed.notify_all();
    }

    fn judge(&self, uri: &[u8]) -> Result<Callback, Refusal> {
        let uri = std::str::from_utf8(uri).or(Err(Refusal::Malformed))?;
        if !self.name.is_scheme_of(uri) {
            return Err(Refusal::Malformed);
        }
        // Host and path are not compared: browsers and shells put slashes where there were none.
        let (_, query) = uri.split('#').next().unwrap_or_default().split_once('?').unwrap_or_default();
        Callback::accept(query, self.state.as_deref())
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mayx, Home, LONG};
    use super::*;

    const URI: &[u8] = b"mayx://get?code=c";

    #[test]
    fn what_the_opener_was_promised_is_kept() {
        let home = Home::new("promised");
        let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
        let callback = waiting.desk.promise(URI).unwrap();
        waiting.handle().cancel();
        let desk = Arc::clone(&waiting.desk);
        let reader = thread::spawn(move || desk.keep(callback));
        assert_eq!(waiting.wait(Duration::ZERO).unwrap().code(), Ok("c"));
        reader.join().unwrap();
        assert!(waiting.desk.promise(URI).is_err(), "there is one");
        assert!(matches!(waiting.wait(Duration::ZERO), Err(Error::TimedOut { .. })));
    }

    #[test]
    fn nothing_is_promised_after_the_end() {
        let home = Home::new("cancelled");
        let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
        waiting.handle().cancel();
        assert!(waiting.desk.promise(URI).is_err());
        assert!(matches!(waiting.wait(LONG), Err(Error::Cancelled)));
    }
}
