//! Chance that repeats itself: a test that failed can fail again.

/// A small generator (xorshift64*), for the order of things only.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// Randomness for clients: every wait is drawn from it.
pub fn random(seed: u64) -> impl fujie_core::random::Random + Send + 'static {
    let mut chance = Chance::new(seed);
    move |bytes: &mut [u8]| bytes.fill_with(|| chance.below(256) as u8)
}
