//! What would be on the terminal: the log of this thread, and so of a test whose runtime has no other.
//!
//! One subscriber for all tests, set before the first event: a place that logs before there is a subscriber may be taken
//! for one that nobody listens to while another test's is being made.

use std::{cell::RefCell, io, sync::OnceLock};

thread_local! {
    /// Kept only where a test looks at it.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// To be called before anything is logged.
pub fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_writer(|| Terminal)
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .init();
    });
}

/// Keeps what this thread logs from now on.
pub fn keep() {
    install();
    LOGGED.set(Some(Vec::new()));
}

/// What this thread has logged.
pub fn logged() -> String {
    String::from_utf8(LOGGED.take().unwrap_or_default()).unwrap()
}

struct Terminal;

impl io::Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.as_mut().map(|logged| logged.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
