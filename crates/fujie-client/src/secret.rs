//! A value that must not be seen: client secrets, codes, tokens.
//!
//! Owns redaction, zeroing and comparison. Deliberately without `Display`, `Serialize` and
//! `Clone`, so that every place that reads one says `expose`.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

/// A secret string: zeroed when dropped, `[redacted]` in `Debug`, compared in constant time.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the value over. Copies the caller still holds are the caller's to erase.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A second copy within this crate, where a value outlives the answer it came in.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        is_equal(&self.0, &other.0)
    }
}

impl Eq for Secret {}

/// Whether two strings are equal, in a time that depends on their lengths alone.
pub(crate) fn is_equal(left: &str, right: &str) -> bool {
    verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_and_compares_by_value() {
        assert_eq!(format!("{:?}", Secret::new("canary")), "[redacted]");
        assert_eq!(Secret::new("canary"), Secret::new("canary"));
        assert_ne!(Secret::new("canary"), Secret::new("canarx"));
        assert_ne!(Secret::new("canary"), Secret::new("canar"));
    }
}
