//! Scope (RFC 6749 §3.3): a set of tokens, kept as the text that goes over the wire.

use std::fmt;

/// A set of scope tokens, joined by single spaces, each once, in the order first named. May be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope(String);

/// The text is not a list of scope tokens (RFC 6749 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scope must be tokens of printable ASCII without quote and backslash, at most 1,000 characters in all")]
pub struct ScopeError;

impl Scope {
    /// Reads the wire form; repeated tokens and repeated spaces are folded.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let allowed = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.len() > 1000 || !text.bytes().all(allowed) {
            return Err(ScopeError);
        }
        Ok(text.split(' ').filter(|token| !token.is_empty()).collect())
    }

    /// The wire form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tokens.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|token| !token.is_empty())
    }

    /// No token at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is `token` in the set?
    pub fn contains(&self, token: &str) -> bool {
        self.tokens().any(|own| own == token)
    }

    /// Is every token of `other` in this set?
    pub fn admits(&self, other: &Self) -> bool {
        other.tokens().all(|token| self.contains(token))
    }

    /// The tokens of this set that are in `other` too.
    pub fn intersection(&self, other: &Self) -> Self {
        self.tokens().filter(|token| other.contains(token)).collect()
    }

    /// This set and `other`.
    pub fn union(&self, other: &Self) -> Self {
        self.tokens().chain(other.tokens()).collect()
    }
}

impl<'a> FromIterator<&'a str> for Scope {
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Self {
        let mut scope = Self::default();
        for token in tokens {
            if !scope.contains(token) {
                if !scope.0.is_empty() {
                    scope.0.push(' ');
                }
                scope.0.push_str(token);
            }
        }
        scope
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_is_a_set_in_order() {
        let scope = Scope::parse("openid  profile openid").unwrap();
        assert_eq!(scope.as_str(), "openid profile");
        assert!(scope.admits(&Scope::parse("profile").unwrap()));
        assert!(!scope.admits(&Scope::parse("profile email").unwrap()));
    }

    #[test]
    fn scope_refuses_quotes_controls_and_excess() {
        for bad in ["a\"b", "a\\b", "a\nb", "ä"] {
            assert_eq!(Scope::parse(bad), Err(ScopeError), "{bad:?}");
        }
        assert_eq!(Scope::parse(&"x".repeat(1001)), Err(ScopeError));
    }
}
