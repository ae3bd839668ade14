//! What all servers of this test binary log, kept to be searched.

use std::{
    io,
    sync::{Mutex, Once},
};

use tracing_subscriber::{
    filter::LevelFilter, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what is logged from now on: all that we say, and what libraries say at level debug.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = Targets::new().with_default(LevelFilter::DEBUG).with_target("fujie", LevelFilter::TRACE);
        let lines = fmt::layer().with_ansi(false).with_writer(|| Lines);
        tracing_subscriber::registry().with(filter).with(lines).init();
    });
}

/// All of it.
pub fn text() -> String {
    String::from_utf8_lossy(&LINES.lock().unwrap()).into_owned()
}
