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

    /// `2026-11-21 15:04:05`, so far east of UTC.
    pub(crate) fn civil(self, east: Duration) -> String {
        let seconds = self.after(east).unix_seconds();
        let (year, month, day) = civil_day(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
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

/// Year, month and day of a number of days since 1970.
fn civil_day(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01 in eras of 400 years, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::Timestamp;
    use std::time::Duration;

    #[test]
    fn a_moment_has_its_civil_day() {
        for (seconds, east_hours, expected) in [
            (0, 0, "1970-01-01 00:00:00"),
            (951_827_696, 0, "2000-02-29 12:34:56"),
            (951_827_696, 8, "2000-02-29 20:34:56"),
            (4_107_542_399, 0, "2100-02-28 23:59:59"),
            (4_107_542_399, 8, "2100-03-01 07:59:59"),
        ] {
            let civil = Timestamp(seconds * 1000).civil(Duration::from_secs(east_hours * 3600));
            assert_eq!(civil, expected);
        }
    }
}
