//! The simulator's time: the machine's, plus what the control API added.
//!
//! Does not wait; whoever waits says how long and listens for changes.

use serde::{Deserialize, Deserializer};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock moves by at most this much in all, either way: a hundred years.
const MOVE_SECONDS_MAX: u64 = 100 * 366 * 86_400;

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

/// Time that can be moved forward by hand, and that can be wrong.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_milliseconds: AtomicU64,
    skew_seconds: AtomicI64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub(crate) fn now(&self) -> Timestamp {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let right = milliseconds(machine).saturating_add(self.ahead_milliseconds.load(Ordering::SeqCst));
        let skew_milliseconds = self.skew_seconds.load(Ordering::SeqCst).saturating_mul(1000);
        Timestamp(right.saturating_add_signed(skew_milliseconds))
    }

    /// Moves time forward, on top of what it was moved before.
    pub(crate) fn advance(&self, span: Duration) {
        let add = |ahead: u64| Some(ahead.saturating_add(milliseconds(span)).min(MOVE_SECONDS_MAX * 1000));
        // The closure never returns `None`, so the update never fails.
        let _updated = self.ahead_milliseconds.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
    }

    /// Sets how far the clock is wrong: behind when negative, right when 0.
    pub(crate) fn skew(&self, seconds: i64) {
        let most = i64::try_from(MOVE_SECONDS_MAX).unwrap_or(i64::MAX);
        self.skew_seconds.store(seconds.clamp(-most, most), Ordering::SeqCst);
    }
}

/// Reads a span of whole seconds, in configurations.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
