//! How many API calls are left in this hour, per person and app and for the calling server.
//!
//! Hours are those of the clock on the wall; the count begins anew with each. Calls to `rate_limit_status` are free.

use super::config::Switches;
use super::error::WeiboError;
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use serde::Serialize;

const COUNTS_MAX: usize = 10_000;
const HOUR: u64 = 3600;
/// Weibo's times are those of Beijing.
const BEIJING_AHEAD: u64 = 8 * HOUR;
const DAY: u64 = 24 * HOUR;

/// The counters of one simulator.
#[derive(Debug)]
pub(crate) struct Limits {
    of_users: Bounded<Count>,
    of_ip: Count,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    hour: u64,
    calls: u32,
}

impl Count {
    fn calls_in(self, hour: u64) -> u32 {
        if self.hour == hour { self.calls } else { 0 }
    }

    fn one_more(self, hour: u64) -> Self {
        Self { hour, calls: self.calls_in(hour).saturating_add(1) }
    }
}

/// What `rate_limit_status.json` answers.
#[derive(Serialize)]
pub(crate) struct Status {
    ip_limit: u32,
    limit_time_unit: &'static str,
    remaining_ip_hits: u32,
    remaining_user_hits: u32,
    reset_time: String,
    reset_time_in_seconds: u64,
    user_limit: u32,
    api_rate_limits: [&'static str; 0],
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self { of_users: Bounded::new(COUNTS_MAX), of_ip: Count::default() }
    }

    /// Counts one call, unless none is left.
    pub(crate) fn count(
        &mut self,
        client_id: &str,
        person: &str,
        switches: &Switches,
        now: Timestamp,
    ) -> Result<(), WeiboError> {
        let hour = now.unix_seconds() / HOUR;
        if self.of_ip.calls_in(hour) >= switches.ip_limit {
            return Err(WeiboError::IP_RATE);
        }
        let key = key(client_id, person);
        let user = self.of_users.get(&key).copied().unwrap_or_default();
        if user.calls_in(hour) >= switches.user_limit {
            return Err(WeiboError::USER_RATE);
        }
        self.of_ip = self.of_ip.one_more(hour);
        self.of_users.insert(key, user.one_more(hour));
        Ok(())
    }

    pub(crate) fn status(&self, client_id: &str, person: &str, switches: &Switches, now: Timestamp) -> Status {
        let hour = now.unix_seconds() / HOUR;
        let user = self.of_users.get(&key(client_id, person)).copied().unwrap_or_default();
        let reset_at = (hour + 1) * HOUR;
        Status {
            ip_limit: switches.ip_limit,
            limit_time_unit: "HOURS",
            remaining_ip_hits: switches.ip_limit.saturating_sub(self.of_ip.calls_in(hour)),
            remaining_user_hits: switches.user_limit.saturating_sub(user.calls_in(hour)),
            reset_time: beijing_time(reset_at),
            reset_time_in_seconds: reset_at.saturating_sub(now.unix_seconds()),
            user_limit: switches.user_limit,
            api_rate_limits: [],
        }
    }
}

fn key(client_id: &str, person: &str) -> String {
    format!("{client_id} {person}")
}

/// `yyyy-MM-dd HH:mm:ss`. Counts in the proleptic Gregorian calendar, in years that begin in March, so that the leap
/// day is the last.
fn beijing_time(unix_seconds: u64) -> String {
    let seconds = unix_seconds + BEIJING_AHEAD;
    let (days, of_day) = (seconds / DAY + 719_468, seconds % DAY);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / HOUR, of_day % HOUR / 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::{Limits, beijing_time};
    use crate::clock::Clock;
    use crate::weibo::config::Switches;
    use std::time::Duration;

    #[test]
    fn the_hour_brings_new_calls() {
        let (mut limits, now) = (Limits::new(), Clock::default().now());
        let switches = Switches { user_limit: 1, ip_limit: 2, ..Switches::default() };
        let mut count = |person: &str, at| limits.count("1", person, &switches, at).err().map(|error| error.number);
        assert_eq!((count("a", now), count("a", now)), (None, Some(10_023)));
        assert_eq!((count("b", now), count("b", now)), (None, Some(10_022)));
        let later = now.after(Duration::from_secs(3600));
        assert_eq!((count("a", later), count("a", later)), (None, Some(10_023)));
    }

    #[test]
    fn times_are_those_of_beijing() {
        for (unix_seconds, expected) in [
            (0, "1970-01-01 08:00:00"),
            (951_840_000, "2000-03-01 00:00:00"),
            (1_709_135_999, "2024-02-28 23:59:59"),
            (1_709_222_399, "2024-02-29 23:59:59"),
            (1_735_660_800, "2025-01-01 00:00:00"),
        ] {
            assert_eq!(beijing_time(unix_seconds), expected);
        }
    }
}
