//! The server's one clock. Everything else is given the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use fujie_core::time::Timestamp;

/// The system's clock, which tests move and stop by hand. Clones are one clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_millis: Arc<AtomicI64>,
    /// The time at which it stands still; 0 while it runs.
    stopped_at: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the shell's one clock")]
    pub fn now(&self) -> Timestamp {
        let stopped_at = self.stopped_at.load(Ordering::Relaxed);
        if stopped_at != 0 {
            return Timestamp::from_millis(stopped_at);
        }
        let system = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let system = i64::try_from(system).unwrap_or(i64::MAX);
        Timestamp::from_millis(system.saturating_add(self.offset_millis.load(Ordering::Relaxed)))
    }

    /// Moves the clock by `millis`, forwards or back.
    pub fn advance_millis(&self, millis: i64) {
        let is_stopped = self.stopped_at.load(Ordering::Relaxed) != 0;
        let moved = if is_stopped { &self.stopped_at } else { &self.offset_millis };
        moved.fetch_add(millis, Ordering::Relaxed);
    }

    /// Stops the clock: from now on it goes only where it is moved. A story that is about a second is told so, for on
    /// a slow machine each of its steps may take one.
    pub fn stop(&self) {
        self.stopped_at.store(self.now().millis(), Ordering::Relaxed);
    }
}
