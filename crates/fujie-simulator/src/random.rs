//! Text that is drawn at random, and text that is always the same for the same parts.
//!
//! The second kind is a spread of names over an alphabet, not a secret: an openid must differ
//! between apps and stay the same between runs, no more.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

pub(crate) const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(crate) const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
pub(crate) const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(crate) const HEX: &[u8; 16] = b"0123456789abcdef";
pub(crate) const DIGIT: &[u8; 10] = b"0123456789";

/// The operating system gave no random bytes.
#[derive(Debug)]
pub(crate) struct NoRandomness;

impl IntoResponse for NoRandomness {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, "no randomness").into_response()
    }
}

/// `length` characters of `alphabet`, each equally likely.
#[expect(clippy::disallowed_methods, reason = "the one place that draws")]
pub(crate) fn text(alphabet: &[u8], length: usize) -> Result<String, NoRandomness> {
    // Bytes at or above the largest multiple of the alphabet's size would favour its beginning.
    let fair = 256 - 256 % alphabet.len();
    let mut drawn = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while drawn.len() < length {
        if let Err(error) = getrandom::fill(&mut bytes) {
            tracing::error!(%error, "the operating system gave no random bytes");
            return Err(NoRandomness);
        }
        let fair_bytes = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        let missing = length - drawn.len();
        drawn.extend(fair_bytes.take(missing).filter_map(|byte| letter(alphabet, byte)));
    }
    Ok(drawn)
}

/// `length` characters of `alphabet` that depend on `parts` alone.
pub(crate) fn settled(parts: &[&str], alphabet: &[u8], length: usize) -> String {
    let mut stream = Stream::of(parts);
    (0..length).filter_map(|_| letter(alphabet, stream.next_below(alphabet.len()))).collect()
}

/// A stream of numbers that depends on its seed text alone (FNV-1a, then SplitMix64).
pub(crate) struct Stream(u64);

impl Stream {
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in parts {
            // 0xff never occurs in UTF-8: it keeps ("ab", "c") and ("a", "bc") apart.
            for byte in part.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Self(hash)
    }

    pub(crate) fn next_below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let below = (mixed ^ (mixed >> 31)) % u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(below).unwrap_or(0)
    }
}

fn letter(alphabet: &[u8], number: usize) -> Option<char> {
    alphabet.get(number % alphabet.len().max(1)).map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::{ALPHANUMERIC, BASE64URL, settled, text};

    #[test]
    fn drawn_text_keeps_to_its_alphabet_and_length() {
        let drawn = text(ALPHANUMERIC, 500).ok();
        assert!(
            drawn.is_some_and(|drawn| { drawn.len() == 500 && drawn.bytes().all(|byte| byte.is_ascii_alphanumeric()) })
        );
    }

    #[test]
    fn settled_text_depends_on_every_part_and_on_their_borders() {
        let of = |parts: &[&str]| settled(parts, BASE64URL, 27);
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab", "c"]), of(&["ab", "d"]));
    }
}
