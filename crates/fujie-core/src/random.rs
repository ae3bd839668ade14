//! Randomness as an argument. The shell brings the system's; tests bring a seeded one.

/// A source of random bytes.
///
/// The caller must pass a cryptographically secure one outside tests: every secret is made from it.
pub trait Random {
    /// Fills `bytes` whole.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Random for F {
    fn fill(&mut self, bytes: &mut [u8]) {
        self(bytes);
    }
}

/// `N` random bytes from `random`.
pub fn bytes<const N: usize>(random: &mut dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// The system's generator, as the cryptographic library offers it.
///
/// Aborts the process if the system cannot give randomness: there is no safe way to go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
