//! The waiting side of the handover: a port, the file that names it, and a reader for each connection.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
        Arc, Mutex, MutexGuard, PoisonError,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    file::{self, Note, OwnFile},
    greeted, line, notes, HandoverError, SILENCE_MAX,
};
use crate::{
    callback::{Callback, Refusal},
    uri_scheme::{secret::SECRET_LENGTH, Place, SchemeName, URI_LENGTH_MAX},
    Error,
};

/// Most connections that are read at once; one more is closed.
const CONNECTIONS_MAX: usize = 32;

/// How long the door stays closed when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);
/// Enough for what a thread here does, in bytes.
const STACK_LENGTH: usize = 256 * 1024;

/// A process that waits for a URI of a scheme. From [`Waiting::open`] on it is found and takes the one URI; when it is
/// dropped, no more.
#[derive(Debug)]
pub struct Waiting {
    desk: Arc<Desk>,
    ends: Receiver<End>,
    handle: Handle,
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
            is_taken: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            readers: AtomicUsize::new(0),
            refusal: Mutex::new(None),
        });
        let file = OwnFile::create(&place.waiting_folder(), name.as_str(), note)?;
        let (sender, ends) = mpsc::channel();
        let (own, handle) = (Arc::clone(&desk), Handle { sender: sender.clone() });
        let doorman = builder().spawn(move || accept(&listener, &own, &sender))?;
        Ok(Waiting { desk, ends, handle, doorman: Some(doorman), _file: file })
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits for the URI. Others are refused and waiting goes on. May be called again when the time was up: the process
    /// stays the one that waits. A denial by the provider is a [`Callback`] too: see [`Callback::code`].
    ///
    /// # Errors
    /// [`Error::TimedOut`] after the timeout and [`Error::Cancelled`] by [`Handle::cancel`].
    pub fn wait(&self, timeout: Duration) -> Result<Callback, Error> {
        match self.ends.recv_timeout(timeout) {
            Ok(End::Callback(callback)) => Ok(callback),
            Ok(End::Cancelled) => Err(Error::Cancelled),
            Err(_) => Err(Error::TimedOut { refusal: *self.desk.refusal() }),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.desk.is_closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, so that the port is free when this returns.
        let woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.desk.note.port));
        if let (Ok(_), Some(doorman)) = (woken, self.doorman.take()) {
            drop(doorman.join());
        }
    }
}

/// Ends a [`Waiting::wait`] from another thread. What comes first counts.
#[derive(Clone, Debug)]
pub struct Handle {
    sender: Sender<End>,
}

impl Handle {
    /// Gives up.
    pub fn cancel(&self) {
        // Where nobody waits any more, nothing is to be ended.
        drop(self.sender.send(End::Cancelled));
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
    /// Whether the one URI was taken.
    is_taken: AtomicBool,
    /// Whether nobody waits for it any more.
    is_closed: AtomicBool,
    readers: AtomicUsize,
    refusal: Mutex<Option<Refusal>>,
}

fn accept(listener: &TcpListener, desk: &Arc<Desk>, sender: &Sender<End>) {
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
        let (own, sender) = (Arc::clone(desk), sender.clone());
        let reader = builder().spawn(move || {
            // A connection that breaks off has said nothing, and waiting goes on.
            drop(own.read(stream, &sender));
            own.readers.fetch_sub(1, Ordering::SeqCst);
        });
        if reader.is_err() {
            desk.readers.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Desk {
    fn read(&self, mut stream: TcpStream, sender: &Sender<End>) -> io::Result<()> {
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        match line(&mut stream, SECRET_LENGTH)? {
            Some(secret) if self.note.opener.is(&secret) => {}
            _ => return Ok(()),
        }
        stream.write_all(format!("{}\n", self.note.waiting.expose()).as_bytes())?;
        let uri = match line(&mut stream, URI_LENGTH_MAX)? {
            Some(uri) => uri,
            None => return Ok(()),
        };
        let judged = self.judge(&uri).and_then(|callback| match self.is_taken.swap(true, Ordering::SeqCst) {
            false => Ok(callback),
            true => Err(Refusal::State),
        });
        match judged {
            Ok(callback) => {
                let told = stream.write_all(b"ok\n");
                // Where nobody waits any more, the URI is dropped.
                drop(sender.send(End::Callback(callback)));
                told
            }
            Err(refusal) => {
                let mut closest = self.refusal();
                *closest = closest.max(Some(refusal));
                stream.write_all(b"no\n")
            }
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

    fn refusal(&self) -> MutexGuard<'_, Option<Refusal>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn builder() -> thread::Builder {
    thread::Builder::new().stack_size(STACK_LENGTH)
}
