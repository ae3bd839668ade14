//! The shape of GitHub's tokens: a prefix that names the kind, random letters, a checksum.
//!
//! Remembers nothing; `ledger` knows what a token is good for. Clients must not check the shape.

use crate::random::{self, NoRandomness};

/// CRC-32 in Base62 needs at most this many letters, and is padded to it.
const CHECKSUM_LETTERS: usize = 6;

/// What a token is, told by its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A user's token for an OAuth app: `gho_`, 40 characters in all.
    OauthApp,
    /// A user's token for a GitHub App: `ghu_`, 40 characters in all.
    GithubApp,
    /// A refresh token: `ghr_`, 80 characters in all.
    Refresh,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::OauthApp => "gho_",
            Self::GithubApp => "ghu_",
            Self::Refresh => "ghr_",
        }
    }

    fn random_letters(self) -> usize {
        match self {
            Self::OauthApp | Self::GithubApp => 30,
            Self::Refresh => 70,
        }
    }
}

/// A new token of a kind.
pub(crate) fn draw(kind: Kind) -> Result<String, NoRandomness> {
    let random = random::text(random::ALPHANUMERIC, kind.random_letters())?;
    Ok(format!("{}{random}{}", kind.prefix(), checksum(&random)))
}

/// The CRC-32 of the random part, in Base62 with digits first, padded with zeros on the left.
fn checksum(random: &str) -> String {
    let mut rest = crc32(random.as_bytes());
    let mut letters = ['0'; CHECKSUM_LETTERS];
    for letter in letters.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        *letter = random::ALPHANUMERIC.get(digit).map_or('0', |byte| char::from(*byte));
        rest /= 62;
    }
    letters.iter().collect()
}

/// The CRC-32 of zip and PNG: a checksum, not a secret.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |register: u32, byte: &u8| {
        (0..8).fold(register ^ u32::from(*byte), |register, _bit| {
            let carry = 0_u32.wrapping_sub(register & 1);
            (register >> 1) ^ (0xedb8_8320 & carry)
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::{Kind, checksum, crc32, draw};

    #[test]
    fn the_checksum_is_crc32_in_base62() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // 0xcbf43926 = 3421780262 = 3·62⁵ + 45·62⁴ + 35·62³ + 27·62² + 22·62 + 14
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn a_token_has_its_kinds_prefix_and_length() {
        for (kind, prefix, length) in
            [(Kind::OauthApp, "gho_", 40), (Kind::GithubApp, "ghu_", 40), (Kind::Refresh, "ghr_", 80)]
        {
            let token = draw(kind).unwrap();
            assert_eq!((token.get(..4), token.len()), (Some(prefix), length));
            assert!(token.bytes().skip(4).all(|byte| byte.is_ascii_alphanumeric()), "{token}");
            let (random, sum) = token.get(4..).and_then(|rest| rest.split_at_checked(rest.len() - 6)).unwrap();
            assert_eq!(checksum(random), sum);
        }
    }
}
