//! The server's one clock. Everything else is given the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use fujie_core::time::Timestamp;

/// The system's clock, moved by an offset that tests set by hand. Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_millis: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the shell's one clock")]
    pub fn now(&self) -> Timestamp {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let system = i64::try_from(system).unwrap_or(i64::MAX);
        Timestamp::from_millis(system.saturating_add(self.offset_millis.load(Ordering::Relaxed)))
    }

    /// Moves the clock by `millis`, forwards or back.
    pub fn advance_millis(&self, millis: i64) {
        self.offset_millis.fetch_add(millis, Ordering::Relaxed);
    }
}
