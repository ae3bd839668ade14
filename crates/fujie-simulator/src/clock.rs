//! The simulator's time: the machine's, plus what the control API added.
//!
//! Does not wait; whoever waits says how long and listens for changes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock moves forward by at most this much in all: a hundred years.
const ADVANCE_MILLISECONDS_MAX: u64 = 100 * 366 * 86_400 * 1000;

/// A moment in simulated time, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(span)))
    }

    /// The span from here to `later`, zero when that has passed.
    pub(crate) fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }

    pub(crate) fn unix_seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// Time that can be moved forward by hand.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_milliseconds: AtomicU64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub(crate) fn now(&self) -> Timestamp {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = self.ahead_milliseconds.load(Ordering::SeqCst);
        Timestamp(milliseconds(machine).saturating_add(ahead))
    }

    pub(crate) fn advance(&self, span: Duration) {
        let add = |ahead: u64| {
            let sum = ahead.saturating_add(milliseconds(span));
            Some(sum.min(ADVANCE_MILLISECONDS_MAX))
        };
        // The closure never returns `None`, so the update never fails.
        let _updated = self.ahead_milliseconds.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
