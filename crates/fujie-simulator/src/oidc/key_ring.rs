//! The keys a provider signs with, and their rotation.
//!
//! Does not say what is signed; [`super::id_token`] does.

use crate::jws::{Algorithm, SigningKey};
use crate::random::NoRandomness;
use serde_json::{Value, json};

/// So many keys are published at most.
const KEYS_MAX: usize = 8;

/// All published keys, the newest last.
#[derive(Debug)]
pub(crate) struct KeyRing(Vec<SigningKey>);

impl KeyRing {
    /// One fresh key for each algorithm.
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        Ok(Self(vec![SigningKey::generate(Algorithm::Rs256)?, SigningKey::generate(Algorithm::Es256)?]))
    }

    /// Signs with the keys of `fresh` from now on. The old ones stay published while clients fetch
    /// the new, or vanish at once, as after a leak.
    pub(crate) fn rotate(&mut self, fresh: Self, are_old_kept: bool) {
        if !are_old_kept {
            self.0.clear();
        }
        self.0.extend(fresh.0);
        let surplus = self.0.len().saturating_sub(KEYS_MAX);
        self.0.drain(..surplus);
    }

    /// The newest key of an algorithm.
    pub(crate) fn current(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        self.0.iter().rev().find(|key| key.algorithm() == algorithm)
    }

    /// The JWK set (RFC 7517 §5), the newest key first.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.0.iter().rev().map(SigningKey::jwk).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::KeyRing;
    use crate::jws::Algorithm;

    #[test]
    fn a_rotation_signs_with_new_keys_and_keeps_the_old_if_told() {
        let mut ring = KeyRing::generate().unwrap();
        let first = ring.current(Algorithm::Es256).unwrap().kid.clone();
        let published = |ring: &KeyRing| ring.jwks()["keys"].as_array().unwrap().len();
        for (are_old_kept, expected) in [(true, 4), (false, 2)] {
            ring.rotate(KeyRing::generate().unwrap(), are_old_kept);
            assert_eq!(published(&ring), expected);
            assert_ne!(ring.current(Algorithm::Es256).unwrap().kid, first);
        }
    }
}
