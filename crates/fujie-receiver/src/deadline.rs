//! A moment by which something must be over. The crate's only look at a clock.

use std::time::{Duration, Instant};

/// A moment by which something must be over.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// A span from now. A span too long for the clock becomes a day.
    pub(crate) fn after(span: Duration) -> Self {
        let now = Instant::now();
        Deadline(now.checked_add(span).unwrap_or(now + Duration::from_secs(86_400)))
    }

    /// The time left, or `None` when it is over.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}
