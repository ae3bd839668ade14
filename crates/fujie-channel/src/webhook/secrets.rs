//! The secrets that one door accepts: one, or several while one replaces another.
//!
//! Owns how they are written as one text, which is what is sealed. Sealing it is the caller's.

use fujie_core::{
    random::{self, Random},
    secret::{Secret, hex},
};

/// So many stand beside each other at most: whatever a sender may still sign with.
const STANDING_MAX: usize = 4;

/// The secrets of a door, the newest first. Their text has a line for each.
#[derive(Debug, PartialEq, Eq)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// The one secret of a door.
    pub fn only(secret: &Secret) -> Self {
        Self(vec![copy(secret)])
    }

    /// Reads what [`Self::text`] wrote.
    pub fn read(text: &Secret) -> Self {
        Self(text.expose().lines().map(|line| Secret::new(line.to_owned())).collect())
    }

    /// All of them, as one text.
    pub fn text(&self) -> Secret {
        Secret::new(self.0.iter().map(Secret::expose).collect::<Vec<_>>().join("\n"))
    }

    /// Each is good.
    pub fn standing(&self) -> &[Secret] {
        &self.0
    }

    /// The one that the sender is to have.
    pub fn newest(&self) -> Option<&Secret> {
        self.0.first()
    }

    /// The same with another in front. None that stands is given up, since the sender may have any of them: when as many
    /// stand as may, the newest stays the newest and is what the sender has to be told again.
    #[must_use]
    pub fn renewed(&self, random: &mut dyn Random) -> Self {
        let standing = self.0.iter().map(copy);
        if self.0.len() >= STANDING_MAX {
            return Self(standing.collect());
        }
        Self(std::iter::once(new(random)).chain(standing).collect())
    }
}

/// A new secret: 256 random bits, in hexadecimal digits, which every sender takes.
pub fn new(random: &mut dyn Random) -> Secret {
    Secret::new(hex(&random::bytes::<32>(random)))
}

fn copy(secret: &Secret) -> Secret {
    Secret::new(secret.expose().to_owned())
}

#[cfg(test)]
mod tests {
    use fujie_core::random::SystemRandom;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let one = Secrets::only(&new(&mut SystemRandom));
        assert_eq!((one.standing().len(), one.text().expose().len()), (1, 64));
        let two = one.renewed(&mut SystemRandom);
        assert_eq!(Secrets::read(&two.text()), two);
        assert_eq!((two.standing().len(), two.standing().last()), (2, one.newest()));
        assert_ne!(two.newest(), one.newest());
    }

    #[test]
    fn none_that_stands_is_given_up() {
        let first = new(&mut SystemRandom);
        let mut secrets = Secrets::only(&first);
        for count in [2, 3, 4, 4, 4] {
            secrets = secrets.renewed(&mut SystemRandom);
            assert_eq!((secrets.standing().len(), secrets.standing().last()), (count, Some(&first)));
        }
        let newest = secrets.newest().map(copy);
        assert_eq!(secrets.renewed(&mut SystemRandom).newest(), newest.as_ref(), "it is told again");
    }
}
