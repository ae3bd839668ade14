//! Failures counted in fixed buckets: before anyone is authenticated nothing is stored, and memory does not grow.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use fujie_core::time::Timestamp;

/// Buckets; two keys that share one share a limit, which errs on the side of caution.
const BUCKETS: usize = 4096;

/// Counts failures per key and minute.
#[derive(Debug)]
pub struct Limit {
    /// The minute in the upper half, the count in the lower.
    buckets: Vec<AtomicU64>,
    hasher: RandomState,
}

impl Default for Limit {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }
}

impl Limit {
    /// Counts one failure of `key` and gives how many it had in this minute.
    pub fn count(&self, key: &impl Hash, now: Timestamp) -> u64 {
        let minute = minute(now);
        let step = |value: u64| if value >> 32 == minute { value + 1 } else { minute << 32 | 1 };
        let before = self.bucket(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| Some(step(value)));
        step(before.unwrap_or_default()) & 0xFFFF_FFFF
    }

    /// Takes one count of `key` back.
    pub fn give_back(&self, key: &impl Hash, now: Timestamp) {
        let minute = minute(now);
        let step = |value: u64| (value >> 32 == minute && value & 0xFFFF_FFFF > 0).then(|| value - 1);
        // Nothing to take back is as good as taken back.
        let _ = self.bucket(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    }

    fn bucket(&self, key: &impl Hash) -> &AtomicU64 {
        static NONE: AtomicU64 = AtomicU64::new(0);
        let index = usize::try_from(self.hasher.hash_one(key) % BUCKETS as u64).unwrap_or_default();
        self.buckets.get(index).unwrap_or(&NONE)
    }
}

fn minute(now: Timestamp) -> u64 {
    u64::try_from(now.seconds() / 60).unwrap_or_default() & 0xFFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_key_and_minute() {
        let limit = Limit::default();
        let now = Timestamp::from_seconds(1_000_000);
        for expected in 1..=3 {
            assert_eq!(limit.count(&"alice", now), expected);
        }
        limit.give_back(&"alice", now);
        assert_eq!(limit.count(&"alice", now), 3);
        assert_eq!(limit.count(&"alice", Timestamp::from_seconds(1_000_060)), 1, "a minute later");
    }
}
