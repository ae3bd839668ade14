//! A listener that waits in a thread, and the browser that calls it.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use fujie_receiver::{
    callback::Callback,
    loopback::{Handle, Loopback, Options},
    Error,
};

/// The callback that completes: path and parameters.
pub const CALLBACK: &str = "/getcode?code=c0de&state=sesame";

/// A listener that waits.
pub struct Waiting {
    pub authority: String,
    pub handle: Handle,
    thread: JoinHandle<Result<Callback, Error>>,
}

pub fn options() -> Options {
    Options::new("/getcode", "sesame")
}

pub fn wait() -> Waiting {
    wait_with(&options())
}

pub fn wait_with(options: &Options) -> Waiting {
    let loopback = Loopback::bind(options).unwrap();
    let (redirect_uri, handle) = (loopback.redirect_uri(), loopback.handle());
    let authority = redirect_uri.strip_prefix("http://").unwrap().strip_suffix("/getcode").unwrap().to_owned();
    Waiting { authority, handle, thread: thread::spawn(move || loopback.wait(Duration::from_secs(60))) }
}

impl Waiting {
    pub fn connect(&self) -> TcpStream {
        connect(&self.authority)
    }

    /// Sends a whole request and reads the whole answer.
    pub fn send(&self, request: &str) -> Answer {
        answer_to(self.connect(), request)
    }

    /// `GET` or another method, as a browser sends it.
    pub fn ask(&self, method: &str, target: &str) -> Answer {
        self.send(&format!("{} {} HTTP/1.1\r\nHost: {}\r\n\r\n", method, target, self.authority))
    }

    /// The code that came.
    pub fn code(self) -> String {
        self.end().unwrap().code().unwrap().to_owned()
    }

    /// How the wait ended.
    pub fn end(self) -> Result<Callback, Error> {
        self.thread.join().unwrap()
    }

    /// Asserts that the wait still goes on: the right callback is taken now.
    pub fn still_completes(self) {
        assert!(!self.thread.is_finished(), "the wait was over");
        let answer = self.ask("GET", CALLBACK);
        assert_eq!(answer.status(), 200);
        assert!(answer.text.ends_with("</html>\n"), "the page is cut: {}", answer.text);
        assert_eq!(self.code(), "c0de");
    }
}

pub struct Answer {
    pub text: String,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }
}

pub fn connect(authority: &str) -> TcpStream {
    let stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends and reads to the end. A listener may answer before it has read everything, and close.
pub fn answer_to(mut stream: TcpStream, request: &str) -> Answer {
    match stream.write_all(request.as_bytes()) {
        Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
            panic!("{}", error)
        }
        _ => read_all(&mut stream),
    }
}

pub fn read_all(stream: &mut TcpStream) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    Answer { text }
}

/// A free port outside the range from which systems give ports away, so that no other test gets it by chance.
pub fn quiet_port() -> u16 {
    let first = u16::try_from(std::process::id() % 10_000).unwrap() + 12_000;
    // Tests of one process run side by side: each takes ports of its own.
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    loop {
        let port = first + NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            return port;
        }
    }
}
