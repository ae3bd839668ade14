//! How long to wait before connecting again: full jitter, so that ten thousand clients that lost one server at the same
//! moment do not come back at the same moment.

use std::{fmt, time::Duration};

use fujie_core::random::{self, Random};

/// The longest first wait, and the longest of all.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Counts failures in a row.
pub struct BackOff {
    random: Box<dyn Random + Send>,
    failures: u32,
}

impl BackOff {
    /// Nothing has failed yet. The waits are drawn from `random`.
    pub fn new(random: impl Random + Send + 'static) -> Self {
        Self { random: Box::new(random), failures: 0 }
    }

    /// It went well, the server gave events or answered a heartbeat: the next wait is a first one.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait now: anything up to half a second, doubled with every failure, at most half a minute.
    pub fn next_wait(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let share = u32::from_be_bytes(random::bytes(&mut *self.random));
        longest.mul_f64(f64::from(share) / f64::from(u32::MAX))
    }
}

impl fmt::Debug for BackOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackOff").field("failures", &self.failures).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_minute_and_are_spread_from_nothing() {
        let waits = |byte: u8| {
            let mut back_off = BackOff::new(move |bytes: &mut [u8]| bytes.fill(byte));
            let waits: Vec<_> = (0..9).map(|_| back_off.next_wait().as_millis()).collect();
            back_off.reset();
            (waits, back_off.next_wait().as_millis())
        };
        assert_eq!(waits(255), (vec![500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000], 500));
        assert_eq!(waits(0), (vec![0; 9], 0));
        assert!((230..270).contains(&waits(128).1));
    }
}
