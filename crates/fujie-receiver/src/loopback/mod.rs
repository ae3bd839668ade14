//! The loopback redirect URI (RFC 8252 §7.3): a listener that takes exactly one callback and gives its port back.
//!
//! It binds before anything else happens, so a caller opens the browser only once the answer can arrive. Each
//! connection has a thread to itself, because browsers open connections and send nothing on them; there are at most
//! [`CONNECTIONS_MAX`], and a new one turns the oldest idle one out. It opens no browser and makes no `state`.

mod bind;
mod connection;
mod room;

use std::{
    fmt, io,
    net::TcpListener,
    sync::Arc,
    thread::{self, Scope},
    time::Duration,
};

use self::{
    connection::serve,
    room::{End, Room},
};
pub use self::{
    connection::{DRAIN_TIME_MAX, REQUEST_TIME_MAX},
    room::CONNECTIONS_MAX,
};
use crate::{
    callback::{Callback, Expected, Refusal},
    deadline::Deadline,
    page::{Language, Page},
    thread::spawn_scoped,
    Error,
};

/// The host of the redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `127.0.0.1`, which RFC 8252 §8.3 prefers.
    Ipv4,
    /// `[::1]`.
    Ipv6,
    /// `localhost`, for providers that insist on the name: 127.0.0.1 and ::1 on the same port.
    Localhost,
}

/// As it stands in a URI.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Host::Ipv4 => "127.0.0.1",
            Host::Ipv6 => "[::1]",
            Host::Localhost => "localhost",
        })
    }
}

/// What to listen for, and where.
#[derive(Clone)]
pub struct Options {
    /// The host of the redirect URI; at first [`Host::Ipv4`].
    pub host: Host,
    /// The ports to try in this order, 0 for any free one; at first that.
    pub ports: Vec<u16>,
    /// Whether the answer may also come as a form post. Browsers are about to forbid public pages to post to
    /// loopback, so ask for it only where the provider knows nothing else.
    pub is_form_post: bool,
    /// The language that stands first on our pages.
    pub language: Language,
    /// Pages to show in place of ours.
    pub page: Option<Page>,
    path: String,
    state: Option<String>,
}

impl Options {
    /// Waits for a callback at this path, for example `/getcode`, with this `state`: unguessable and new each time.
    pub fn new(path: &str, state: &str) -> Self {
        Options { state: Some(state.to_owned()), ..Options::without_state(path) }
    }

    /// Takes a code that anyone brings, for a provider that returns no `state`. Any page in the person's browser can
    /// then have them signed in as somebody else (RFC 6749 §10.12); PKCE must stand in for the state.
    pub fn without_state(path: &str) -> Self {
        Options {
            host: Host::Ipv4,
            ports: vec![0],
            is_form_post: false,
            language: Language::English,
            page: None,
            path: path.to_owned(),
            state: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("host", &self.host)
            .field("ports", &self.ports)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A bound listener. Dropping it gives the port back.
pub struct Loopback {
    listeners: Vec<TcpListener>,
    room: Arc<Room>,
}

impl Loopback {
    /// Binds the first of the ports that is free. What a browser sends from now on waits for [`Loopback::wait`].
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the path is not a plain absolute path or the state is empty,
    /// [`io::ErrorKind::AddrInUse`] when no port is free, and whatever else the system says.
    pub fn bind(options: &Options) -> io::Result<Self> {
        let is_path_plain = options.path.starts_with('/')
            && options.path.len() <= PATH_LENGTH_MAX
            && options.path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte));
        if !is_path_plain {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path must be like /callback"));
        }
        if options.state.as_deref() == Some("") {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the state is empty"));
        }
        let (listeners, port) = bind::bind(options.host, &options.ports)?;
        let expected = Expected {
            authority: format!("{}:{}", options.host, port),
            path: options.path.clone(),
            state: options.state.clone(),
            is_form_post: options.is_form_post,
        };
        let page = options.page.clone().unwrap_or_else(|| Page::new(options.language));
        Ok(Loopback { listeners, room: Arc::new(Room::new(expected, page, options.language)) })
    }

    /// The redirect URI for the authorization request, for example `http://127.0.0.1:41873/callback`.
    pub fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.room.expected.authority, self.room.expected.path)
    }

    /// This listener with a `state` that was made after the port was known, because the authorization request needed
    /// both. Call it first of all: a [`Handle`] of before knows nothing of it.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the state is empty.
    pub fn with_state(self, state: &str) -> io::Result<Self> {
        if state.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the state is empty"));
        }
        let expected = Expected { state: Some(state.to_owned()), ..self.room.expected.clone() };
        let room = Room::new(expected, self.room.page.clone(), self.room.language);
        Ok(Loopback { listeners: self.listeners, room: Arc::new(room) })
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        Handle { room: Arc::clone(&self.room) }
    }

    /// Waits for the callback. When this returns, whatever it returns, the page was delivered, the port is free and no
    /// thread is left. A denial by the provider is a [`Callback`] too: see [`Callback::code`].
    ///
    /// # Errors
    /// [`Error::TimedOut`] after the timeout, [`Error::Cancelled`] by [`Handle::cancel`], and [`Error::Io`] when the
    /// system gives no thread.
    pub fn wait(self, timeout: Duration) -> Result<Callback, Error> {
        let Loopback { listeners, room } = self;
        let deadline = Deadline::after(timeout);
        let addresses: Vec<_> = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        thread::scope(|scope| {
            for listener in listeners {
                room.acceptor_began();
                let room = &*room;
                if let Err(error) = spawn_scoped(scope, Box::new(move || accept(scope, listener, room))) {
                    room.acceptor_ended();
                    room.end(End::Failed(error));
                }
            }
            room.wait_for_end(deadline);
            room.close(&addresses);
        });
        room.result()
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loopback({})", self.redirect_uri())
    }
}

/// Ends a [`Loopback::wait`] from another thread. What comes first counts.
#[derive(Clone)]
pub struct Handle {
    room: Arc<Room>,
}

impl Handle {
    /// Gives up.
    pub fn cancel(&self) {
        self.room.end(End::Cancelled);
    }

    /// Takes the callback URL that a person pasted because their browser runs elsewhere. It is judged by the same rules
    /// as a request. `Ok` also when something else had ended the wait before.
    ///
    /// # Errors
    /// Why it is not the callback; waiting goes on.
    pub fn paste(&self, url: &str) -> Result<(), Refusal> {
        let callback = self.room.expected.accept_url(url)?;
        self.room.end(End::Callback(callback));
        Ok(())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

/// Accepts connections until the wait is over, and starts the threads that serve them.
fn accept<'scope>(scope: &'scope Scope<'scope, '_>, listener: TcpListener, room: &'scope Room) {
    loop {
        let admitted = match listener.accept() {
            Ok((stream, _)) => room.admit(stream),
            Err(error) => room.make_way(&error),
        };
        match admitted {
            Ok(true) if spawn_scoped(scope, Box::new(move || serve_all(room))).is_err() => room.lack_thread(),
            Ok(_) => {}
            Err(room::Over) => break,
        }
    }
    drop(listener);
    room.acceptor_ended();
}

/// Serves one connection after the other, as long as there are any.
fn serve_all(room: &Room) {
    while let Some((id, stream)) = room.next() {
        serve(room, id, &stream);
        drop(stream);
        room.leave(id);
    }
}

/// Longest path of a redirect URI, in bytes.
const PATH_LENGTH_MAX: usize = 1024;
