//! Points in time and spans, as values that are passed in. Nothing here reads a clock.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the Unix epoch; saturates at the ends of the range.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down (RFC 7519 NumericDate).
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The span from `earlier` to `self` in milliseconds; negative when `earlier` is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A span of time that is never negative, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lifetime(u64);

impl Lifetime {
    /// From seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds as u64 * 1000)
    }

    /// From days of 86,400 seconds.
    pub const fn from_days(days: u32) -> Self {
        Self(days as u64 * 86_400_000)
    }

    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds.
    pub const fn millis(self) -> i64 {
        // The constructors cannot reach i64::MAX.
        self.0 as i64
    }
}

impl Add<Lifetime> for Timestamp {
    type Output = Self;

    fn add(self, span: Lifetime) -> Self {
        Self(self.0.saturating_add(span.millis()))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Lifetime> for Timestamp {
    type Output = Self;

    fn sub(self, span: Lifetime) -> Self {
        Self(self.0.saturating_sub(span.millis()))
    }
}
