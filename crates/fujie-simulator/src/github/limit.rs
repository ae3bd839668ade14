//! How many API calls each caller has made in its hour.
//!
//! The primary limit only; what the answer says is in `rest`. Secondary limits are switches.

use crate::bounded::Bounded;
use crate::clock::Timestamp;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(3600);
const CALLERS_MAX: usize = 10_000;

/// How a caller stands, as the `X-RateLimit` headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) used: u32,
    /// When the count begins anew, in seconds since 1970.
    pub(crate) reset: u64,
}

impl Standing {
    pub(crate) fn remaining(self) -> u32 {
        self.limit.saturating_sub(self.used)
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    used: u32,
    ends_at: Timestamp,
}

/// The hours of all callers, by person and app, or by their absence.
#[derive(Debug)]
pub(crate) struct Limits(Bounded<Window>);

impl Default for Limits {
    fn default() -> Self {
        Self(Bounded::new(CALLERS_MAX))
    }
}

impl Limits {
    /// How a caller stands; costs nothing.
    pub(crate) fn standing(&self, caller: &str, limit: u32, now: Timestamp) -> Standing {
        let window = self.window(caller, now);
        Standing { limit, used: window.used, reset: window.ends_at.unix_seconds() }
    }

    /// Counts a call, unless the limit is reached: then `Err`.
    pub(crate) fn charge(&mut self, caller: &str, limit: u32, now: Timestamp) -> Result<Standing, Standing> {
        let mut window = self.window(caller, now);
        if window.used >= limit {
            return Err(self.standing(caller, limit, now));
        }
        window.used += 1;
        self.0.insert(caller.to_owned(), window);
        Ok(self.standing(caller, limit, now))
    }

    /// Takes a call back: an answer of 304 costs nothing.
    pub(crate) fn refund(&mut self, caller: &str) {
        if let Some(window) = self.0.get_mut(caller) {
            window.used = window.used.saturating_sub(1);
        }
    }

    fn window(&self, caller: &str, now: Timestamp) -> Window {
        let open = self.0.get(caller).copied().filter(|window| now < window.ends_at);
        open.unwrap_or(Window { used: 0, ends_at: now.after(WINDOW) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, WINDOW};
    use crate::clock::Clock;

    #[test]
    fn an_hour_has_its_limit_and_then_begins_anew() {
        let (mut limits, now) = (Limits::default(), Clock::default().now());
        assert_eq!(limits.charge("zoe", 2, now).map(|standing| standing.remaining()), Ok(1));
        assert_eq!(limits.charge("zoe", 2, now).map(|standing| standing.remaining()), Ok(0));
        assert!(limits.charge("zoe", 2, now).is_err());
        assert!(limits.charge("lihua", 2, now).is_ok());
        limits.refund("zoe");
        assert!(limits.charge("zoe", 2, now).is_ok());
        assert!(limits.charge("zoe", 2, now.after(WINDOW)).is_ok());
    }
}
