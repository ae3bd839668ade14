//! The waiting side of the handover: a port, the file that names it, and a reader for each connection.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Sender},
        Arc, Mutex, PoisonError,
    },
    thread,
    time::Duration,
};

use super::{
    file::{self, Note, OwnFile},
    greeted, line, notes, HandoverError, SILENCE_MAX,
};
use crate::{
    callback::{Callback, Refusal},
    uri_scheme::{secret::SECRET_LENGTH, Place, SchemeName, URI_LENGTH_MAX},
    Cancel, Error,
};

/// Most connections that are read at once; one more is closed.
const CONNECTIONS_MAX: usize = 32;

/// How soon a cancelled wait ends.
const STEP: Duration = Duration::from_millis(50);

/// A process that waits for a URI of a scheme. From [`Waiting::open`] on it can be found; when it is dropped, no more.
#[derive(Debug)]
pub struct Waiting {
    listener: TcpListener,
    name: SchemeName,
    file: OwnFile,
}

impl Waiting {
    /// Makes this process the one that waits for a scheme. Call it before the browser is opened.
    pub fn open(name: &SchemeName, place: &Place) -> Result<Waiting, HandoverError> {
        for (path, note) in notes(name, place)? {
            if greeted(&note).is_some() {
                return Err(HandoverError::SomebodyWaits);
            }
            file::remove(&path, &note);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let note = Note::new(listener.local_addr()?.port())?;
        let file = OwnFile::create(&place.waiting_folder(), name.as_str(), note)?;
        Ok(Waiting { listener, name: name.clone(), file })
    }

    /// Waits for a URI with this `state` (`None` only for a provider that returns none). Others are refused and waiting
    /// goes on. May be called again when the time was up: the process stays the one that waits.
    pub fn wait(&self, state: Option<&str>, timeout: Duration, cancel: &Cancel) -> Result<Callback, Error> {
        let (sender, receiver) = mpsc::channel();
        let desk = Arc::new(Desk {
            note: self.file.note.clone(),
            name: self.name.clone(),
            state: state.map(str::to_owned),
            is_over: AtomicBool::new(false),
            readers: AtomicUsize::new(0),
            last_refusal: Mutex::new(None),
        });
        let (listener, own) = (self.listener.try_clone()?, Arc::clone(&desk));
        let doorman = thread::Builder::new().spawn(move || accept(&listener, &own, &sender))?;
        let mut left = timeout;
        let mut result = loop {
            let step = left.min(STEP);
            match receiver.recv_timeout(step) {
                Ok(callback) => break Ok(callback),
                Err(_) if cancel.is_cancelled() => break Err(Error::Cancelled),
                Err(_) => left -= step,
            }
            if left.is_zero() {
                break Err(Error::TimedOut { last_refusal: desk.last_refusal() });
            }
        };
        if result.is_err() && desk.is_over.swap(true, Ordering::SeqCst) {
            // A URI was taken in the last moment, and its opener has been told so.
            result = receiver.recv_timeout(SILENCE_MAX).or(result);
        }
        // Wakes the thread that accepts. Where it cannot be reached, it has ended by itself.
        drop(self.listener.local_addr().and_then(TcpStream::connect));
        drop(doorman.join());
        result
    }
}

/// What the readers of one wait share.
struct Desk {
    note: Note,
    name: SchemeName,
    state: Option<String>,
    /// Whether the one URI was taken, or nobody waits for it any more.
    is_over: AtomicBool,
    readers: AtomicUsize,
    last_refusal: Mutex<Option<Refusal>>,
}

fn accept(listener: &TcpListener, desk: &Arc<Desk>, sender: &Sender<Callback>) {
    for stream in listener.incoming() {
        if desk.is_over.load(Ordering::SeqCst) {
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
                thread::park_timeout(STEP);
                continue;
            }
        };
        let (own, sender) = (Arc::clone(desk), sender.clone());
        let reader = thread::Builder::new().spawn(move || {
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
    fn read(&self, mut stream: TcpStream, sender: &Sender<Callback>) -> io::Result<()> {
        stream.set_read_timeout(Some(SILENCE_MAX))?;
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
        let judged = self.judge(&uri).and_then(|callback| match self.is_over.swap(true, Ordering::SeqCst) {
            false => Ok(callback),
            true => Err(Refusal::State),
        });
        match judged {
            Ok(callback) => {
                let told = stream.write_all(b"ok\n");
                // The receiver outlives every reader that may send.
                drop(sender.send(callback));
                told
            }
            Err(refusal) => {
                *self.last_refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
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

    fn last_refusal(&self) -> Option<Refusal> {
        *self.last_refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
