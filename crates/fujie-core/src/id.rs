//! Identifiers of rows: 128 bits, time-ordered, so that inserts land at the end of an index.

use std::fmt;

use crate::{random::Random, time::Timestamp};

/// 48 bits of milliseconds and 80 random bits. Its text is 32 lower-case hexadecimal digits.
///
/// An id is a name, not a secret: nothing may be granted for knowing one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 16]);

impl Id {
    /// A new id born at `now`.
    pub fn new(now: Timestamp, random: &mut dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let millis = now.millis().to_be_bytes();
        bytes.iter_mut().zip(millis.iter().skip(2)).for_each(|(byte, time)| *byte = *time);
        Self(bytes)
    }

    /// From its 16 bytes as stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the 32 lower-case hexadecimal digits that `Display` writes; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
