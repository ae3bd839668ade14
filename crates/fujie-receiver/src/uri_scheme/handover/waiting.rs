//! The waiting side of the handover: a port, the file that names it, and a reader for each connection.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    file::{self, Note, OwnFile},
    greeted, line, notes, say, HandoverError, SILENCE_MAX,
};
use crate::{
    callback::{Callback, Refusal},
    deadline::Deadline,
    thread::spawn,
    uri_scheme::{secret::SECRET_LENGTH, Place, SchemeName, URI_LENGTH_MAX},
    Error,
};

/// Most connections that are read at once; one more is closed.
const CONNECTIONS_MAX: usize = 32;

/// How long the door stays closed when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// A process that waits for a URI of a scheme. From [`Waiting::open`] on it is found and takes the one URI; when it is
/// dropped, no more.
#[derive(Debug)]
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
            if greeted(&note).is_some() {
                return Err(HandoverError::SomebodyWaits);
            }
            file::remove(&path, &note);
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
            readers: AtomicUsize::new(0),
        });
        let file = OwnFile::create(&place.waiting_folder(), name.as_str(), note)?;
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
            match (inside.end.take(), deadline.left()) {
                (Some(End::Callback(callback)), _) => return Ok(callback),
                (Some(End::Cancelled), _) => return Err(Error::Cancelled),
                (None, None) => return Err(Error::TimedOut { refusal: inside.refusal }),
                (None, Some(left)) => {
                    let waited = self.desk.changed.wait_timeout(inside, left);
                    inside = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
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
#[derive(Clone, Debug)]
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

/// What ends a wait.
#[derive(Debug)]
enum End {
    Callback(Callback),
    Cancelled,
}

/// What the readers share.
#[derive(Debug)]
struct Desk {
    note: Note,
    name: SchemeName,
    state: Option<String>,
    inside: Mutex<Inside>,
    changed: Condvar,
    /// Whether nobody waits for it any more.
    is_closed: AtomicBool,
    readers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Inside {
    end: Option<End>,
    /// Whether the one URI was taken.
    is_taken: bool,
    refusal: Option<Refusal>,
}

fn accept(listener: &TcpListener, desk: &Arc<Desk>) {
    for stream in listener.incoming() {
        if desk.is_closed.load(Ordering::SeqCst) {
            return;
        }
        let stream = match stream {
            Ok(stream) if desk.readers.fetch_add(1, Ordering::SeqCst) < CONNECTIONS_MAX => stream,
            // Closed at once, so that silent connections do not pile up.
            Ok(_) => {
                desk.readers.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            // Out of descriptors, say: let a reader end first.
            Err(_) => {
                thread::park_timeout(PAUSE);
                continue;
            }
        };
        let own = Arc::clone(desk);
        let reader = spawn(Box::new(move || {
            // A connection that breaks off has said nothing, and waiting goes on.
            drop(own.read(stream));
            own.readers.fetch_sub(1, Ordering::SeqCst);
        }));
        if reader.is_err() {
            desk.readers.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Desk {
    fn read(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        match line(&mut stream, SECRET_LENGTH)? {
            Some(secret) if self.note.opener.is(&secret) => {}
            _ => return Ok(()),
        }
        say(&mut stream, self.note.waiting.expose())?;
        let uri = match line(&mut stream, URI_LENGTH_MAX)? {
            Some(uri) => uri,
            None => return Ok(()),
        };
        match self.take(&uri) {
            Ok(callback) => {
                let told = say(&mut stream, "ok");
                // After the answer: the process may end as soon as it knows.
                self.lock().end = Some(End::Callback(callback));
                self.changed.notify_all();
                told
            }
            Err(refusal) => {
                let mut inside = self.lock();
                inside.refusal = inside.refusal.max(Some(refusal));
                drop(inside);
                say(&mut stream, "no")
            }
        }
    }

    /// The callback, if it is the first.
    fn take(&self, uri: &[u8]) -> Result<Callback, Refusal> {
        let callback = self.judge(uri)?;
        match std::mem::replace(&mut self.lock().is_taken, true) {
            false => Ok(callback),
            true => Err(Refusal::State),
        }
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
