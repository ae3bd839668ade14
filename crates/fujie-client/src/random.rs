//! Where unpredictable bytes come from: an argument, never this crate's own choice.

/// A source of unpredictable bytes. Any `FnMut(&mut [u8])` is one.
///
/// The caller must give a cryptographic generator, and `fill` must not return before every byte
/// is filled: a state value that can be guessed lets a stranger finish somebody's sign-in.
pub trait Random {
    /// Fills all of `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Random for F {
    fn fill(&mut self, bytes: &mut [u8]) {
        self(bytes);
    }
}
