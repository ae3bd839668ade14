//! Failures counted in fixed buckets: before anyone is authenticated nothing is stored, and memory does not grow.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, PoisonError},
};

use fujie_core::time::Timestamp;

/// Rows of buckets. A key has a bucket in each, and the emptiest of them says what it counts: two keys share a limit
/// only if they meet in every row, which errs on the side of caution.
const ROWS: usize = 4;
/// Buckets of a row.
const BUCKETS: usize = 4096;

/// Counts failures per key and minute.
#[derive(Debug)]
pub struct Limit {
    /// The rows, one after another. In a bucket the minute is the upper half, the count the lower.
    buckets: Mutex<Vec<u64>>,
    hasher: RandomState,
}

impl Default for Limit {
    fn default() -> Self {
        Self { buckets: Mutex::new(vec![0; ROWS * BUCKETS]), hasher: RandomState::new() }
    }
}

impl Limit {
    /// Counts one failure of `key` and gives how many it had in this minute.
    pub fn count(&self, key: &impl Hash, now: Timestamp) -> u64 {
        let (minute, mut least) = (minute(now), u64::MAX);
        self.at_each(key, |bucket| {
            *bucket = if *bucket >> 32 == minute { *bucket + 1 } else { minute << 32 | 1 };
            least = least.min(*bucket & 0xFFFF_FFFF);
        });
        least
    }

    /// Takes one count of `key` back.
    pub fn give_back(&self, key: &impl Hash, now: Timestamp) {
        let minute = minute(now);
        self.at_each(key, |bucket| {
            if *bucket >> 32 == minute && *bucket & 0xFFFF_FFFF > 0 {
                *bucket -= 1;
            }
        });
    }

    /// Has `act` change the bucket of `key` in each row; nobody else does meanwhile.
    fn at_each(&self, key: &impl Hash, mut act: impl FnMut(&mut u64)) {
        let mut hash = self.hasher.hash_one(key);
        // Nobody panics while it is held.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for row in buckets.chunks_exact_mut(BUCKETS) {
            let index = usize::try_from(hash % BUCKETS as u64).unwrap_or_default();
            row.get_mut(index).map(&mut act);
            hash /= BUCKETS as u64;
        }
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

    #[test]
    fn nobody_in_a_crowd_counts_for_another() {
        let now = Timestamp::from_seconds(1_000_000);
        for _ in 0..10 {
            let limit = Limit::default();
            let most = (0..1000).map(|key| limit.count(&key, now)).max();
            // A few may share a bucket; it is never so many that one is taken for somebody who tries and tries.
            assert!(most < Some(4), "{most:?}");
        }
    }

    #[test]
    fn one_key_is_counted_exactly_by_many_at_once() {
        let (limit, now) = (Limit::default(), Timestamp::from_seconds(1_000_000));
        let count = || (0..1000).map(|_| limit.count(&"alice", now)).collect::<Vec<_>>();
        let mut counts = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        counts.sort_unstable();
        assert_eq!(counts, (1..=4000).collect::<Vec<_>>());
    }
}
