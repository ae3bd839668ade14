//! How often each robot may be called: a token bucket for each, forgotten as soon as it is full again.
//!
//! In memory alone: after a restart every bucket is full, and a robot that is called too often says so.

use std::collections::HashMap;
use std::time::Duration;

use fujie_core::time::Timestamp;

use super::span;
use crate::robot::Rate;

/// The bucket of one robot: its key, and how often it may be called. Two targets with one robot share it.
pub(super) type Bucket = ([u8; 32], Rate);

/// The buckets that are not full, by the time at which they will be.
#[derive(Default)]
pub(super) struct Pace(HashMap<[u8; 32], Timestamp>);

impl Pace {
    /// Takes a token out. Gives how many there were; 0 when there was none to take.
    pub(super) fn take(&mut self, (key, rate): Bucket, now: Timestamp) -> u32 {
        let filling = self.filling(&key, now);
        let missing = filling.as_millis().div_ceil(rate.every.as_millis().max(1));
        let tokens = rate.burst.saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX));
        if tokens > 0 {
            self.0.retain(|_, full_at| *full_at > now);
            self.0.insert(key, now + filling + rate.every);
        }
        tokens
    }

    /// How long until there is one to take: none, or until one has flowed in.
    pub(super) fn wait(&self, (key, rate): Bucket, now: Timestamp) -> Duration {
        self.filling(&key, now).saturating_sub(rate.every.saturating_mul(rate.burst.saturating_sub(1)))
    }

    /// How long until the bucket is full.
    fn filling(&self, key: &[u8; 32], now: Timestamp) -> Duration {
        self.0.get(key).map(|full_at| span(now, *full_at)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::robot::Kind;

    #[test]
    fn no_minute_has_more_than_is_allowed_and_none_is_wasted() {
        for kind in Kind::ALL {
            let (bucket, limit) = (([0; 32], kind.rate()), if kind == Kind::Feishu { 100 } else { 20 });
            let (mut pace, mut now, mut sent) = (Pace::default(), Timestamp::from_millis(1_000_000), Vec::new());
            for _ in 0..300 {
                let tokens = pace.take(bucket, now);
                assert!(tokens > 0);
                sent.push(now);
                let wait = pace.wait(bucket, now);
                assert_eq!(wait.is_zero(), tokens > 1);
                now = now + wait;
            }
            let within = |seconds: u64| {
                let counts = sent.iter().map(|start| {
                    let end = *start + Duration::from_secs(seconds);
                    sent.iter().filter(|at| **at >= *start && **at < end).count()
                });
                counts.max().unwrap()
            };
            assert!((limit / 2..=limit).contains(&within(60)), "{kind:?}: {}", within(60));
            assert!(kind != Kind::Feishu || within(1) <= 5);
        }
    }

    #[test]
    fn an_empty_bucket_gives_nothing_and_a_full_one_is_forgotten() {
        let (mut pace, now) = (Pace::default(), Timestamp::from_millis(0));
        let of = |key: u8| ([key; 32], Kind::Wecom.rate());
        let taken: Vec<u32> = (0..10).map(|_| pace.take(of(1), now)).collect();
        assert_eq!(taken, [8, 7, 6, 5, 4, 3, 2, 1, 0, 0]);
        assert_eq!((pace.take(of(2), now), pace.wait(of(3), now)), (8, Duration::ZERO));
        assert_eq!(pace.wait(of(1), now), Duration::from_secs(5));
        pace.take(of(2), now + Duration::from_secs(60));
        assert_eq!(pace.0.len(), 1);
    }
}
