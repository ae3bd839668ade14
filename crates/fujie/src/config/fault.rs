//! What is wrong with a configuration, all of it at once, in words that say what to do.
//!
//! Owns how faults are spelled and how near two words are. A fault never holds the value of a secret: whoever makes
//! one writes the value in only through [`echo`].

use std::{error::Error, fmt};

use super::layer::Origin;

/// All faults of a configuration. Never empty.
#[derive(Debug)]
pub struct Faults(Vec<Fault>);

/// One fault: which key, where its value came from, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    place: String,
    what: String,
}

impl Faults {
    /// In the order they were found.
    pub(super) const fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }
}

impl Fault {
    /// A value that cannot be used.
    pub(super) fn at(key: &str, origin: &Origin, what: impl Into<String>) -> Self {
        Self { place: format!("{key} ({origin})"), what: what.into() }
    }

    /// A value that is missing.
    pub(super) fn missing(key: &str, what: impl Into<String>) -> Self {
        Self { place: format!("{key} (not set)"), what: what.into() }
    }

    /// A whole file that cannot be used, or a line of it.
    pub(super) fn of_file(place: impl fmt::Display, what: impl Into<String>) -> Self {
        Self { place: place.to_string(), what: what.into() }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a fault:")?,
            count => write!(f, "the configuration has {count} faults:")?,
        }
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl Error for Faults {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// How a value that is no secret is repeated in a fault: quoted unless it is a number, escaped, short. An address with
/// an `@` may hold a password and is not repeated.
pub(super) fn echo(text: &str) -> String {
    if text.contains('@') {
        return "the value".to_owned();
    }
    if text.parse::<i64>().is_ok() {
        return text.to_owned();
    }
    let short: String = text.chars().take(ECHO_CHARACTERS_MAX).collect();
    if short.len() < text.len() { format!("\"{}…\"", short.escape_debug()) } else { format!("{short:?}") }
}

/// The word among `known` that `word` was probably meant to be: at most two slips of the finger away.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(WORD_CHARACTERS_MAX).collect();
    let slips = |other: &str| {
        let other: Vec<char> = other.chars().collect();
        // Half of a short word wrong is another word.
        distance(&word, &other, (other.len() / 2).min(2))
    };
    known.filter_map(|other| Some((slips(other)?, other))).min().map(|(_, other)| other)
}

/// Damerau–Levenshtein distance (adjacent letters may change places), if it is at most `limit`.
fn distance(left: &[char], right: &[char], limit: usize) -> Option<usize> {
    match (left, right) {
        ([], rest) | (rest, []) => (rest.len() <= limit).then_some(rest.len()),
        ([a, left_rest @ ..], [b, right_rest @ ..]) if a == b => distance(left_rest, right_rest, limit),
        ([a, left_rest @ ..], [b, right_rest @ ..]) => {
            let limit = limit.checked_sub(1)?;
            let swapped = match (left_rest, right_rest) {
                ([c, left_rest @ ..], [d, right_rest @ ..]) if a == d && b == c => {
                    distance(left_rest, right_rest, limit)
                }
                _ => None,
            };
            let replaced = distance(left_rest, right_rest, limit);
            let removed = distance(left_rest, right, limit);
            let added = distance(left, right_rest, limit);
            [swapped, replaced, removed, added].into_iter().flatten().min().map(|slips| slips + 1)
        }
    }
}

/// A value is repeated up to this length.
const ECHO_CHARACTERS_MAX: usize = 60;
/// A longer word is like no key.
const WORD_CHARACTERS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slips_are_near_and_three_are_not() {
        let known = ["listen", "issuer", "lifetime", "at", "group"];
        let check = |word, expected| assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        check("listen", Some("listen"));
        check("lisetn", Some("listen"));
        check("listn", Some("listen"));
        check("isuers", Some("issuer"));
        check("lifetimes", Some("lifetime"));
        check("liftme", Some("lifetime"));
        check("lftm", None);
        check("id", None);
        check("", None);
        check("grp", Some("group"));
        check(&"x".repeat(10_000), None);
    }

    #[test]
    fn a_value_is_repeated_short_and_escaped_and_never_with_a_password() {
        assert_eq!(echo("a\u{1b}[2Jb"), r#""a\u{1b}[2Jb""#);
        assert_eq!(echo(&"é".repeat(61)), format!("\"{}…\"", "é".repeat(60)));
        assert_eq!(echo("https://somebody:canary@id.example.com"), "the value");
    }
}
