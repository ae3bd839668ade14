//! A one-time secret from the operating system's randomness, on the standard library alone.

use std::{fmt, io};

/// 256 random bits as 64 hexadecimal digits. `Debug` and `Display` show nothing of it.
#[derive(Clone)]
pub(super) struct Secret(String);

/// Length of a secret as text, in bytes.
pub(super) const SECRET_LENGTH: usize = 64;

impl Secret {
    /// A new one.
    pub(super) fn random() -> io::Result<Secret> {
        let hex: String = random_bytes()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Secret(hex))
    }

    /// One that was read from a file.
    pub(super) fn parse(text: &str) -> Option<Secret> {
        let is_hex =
            text.len() == SECRET_LENGTH && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        is_hex.then(|| Secret(text.to_owned()))
    }

    /// Compares without stopping at the first difference.
    pub(super) fn is(&self, sent: &[u8]) -> bool {
        let own = self.0.as_bytes();
        own.len() == sent.len() && own.iter().zip(sent).fold(0, |all, (x, y)| all | (x ^ y)) == 0
    }

    /// The secret itself, for the file and the wire.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(unix)]
fn random_bytes() -> io::Result<[u8; SECRET_LENGTH / 2]> {
    use std::io::Read;
    let mut bytes = [0; SECRET_LENGTH / 2];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Without a crate and without `unsafe`, `RandomState` is the one door to the system's randomness. Its two 64-bit keys
/// come from the system once for each thread, and are only counted up within one. So eight new threads give 1,024 fresh
/// bits, of which each shows 32 as the output of SipHash-1-3 under its own keys. That nobody can guess them is as good as
/// `HashMap`'s defence needs, not a promise of the documentation: what keeps others out is the file that the secret
/// stands in, which Windows lets this user alone read, and the secret lives for one sign-in.
#[cfg(not(unix))]
fn random_bytes() -> io::Result<[u8; SECRET_LENGTH / 2]> {
    use std::{
        collections::hash_map::RandomState,
        hash::{BuildHasher, Hasher},
        thread,
    };
    let mut bytes = [0; SECRET_LENGTH / 2];
    for part in bytes.chunks_mut(4) {
        let word = thread::Builder::new().spawn(|| RandomState::new().build_hasher().finish())?.join();
        let word = word.map_err(|_panic| io::Error::new(io::ErrorKind::Other, "no randomness"))?;
        part.iter_mut().zip(word.to_le_bytes()).for_each(|(byte, random)| *byte = random);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_random_hidden_and_compared_whole() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert!(Secret::parse(one.expose()).unwrap().is(one.expose().as_bytes()));
        assert!(!one.is(other.expose().as_bytes()) && !one.is(b"") && !one.is(&one.expose().as_bytes()[..63]));
        assert_eq!(format!("{one:?}"), "[redacted]");
        assert!(Secret::parse("abc").is_none() && Secret::parse(&"G".repeat(64)).is_none());
    }
}
