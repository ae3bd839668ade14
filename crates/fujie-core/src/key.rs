//! Keys: which exist, when each is used, and what is derived from them.
//!
//! Stored keys are sealed under a master key that is not in the database. From a stored key one key per purpose is
//! derived (HKDF-SHA-256 over purpose, issuer, instance and epoch), so that a restored or cloned database cannot
//! speak for this one.

use crate::time::{Lifetime, Timestamp};

/// What a stored key serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyUse {
    /// Seals access tokens, codes, requests and flows; a new one every day.
    Seal,
    /// Authenticates refresh tokens, which live as long as their grants.
    Refresh,
    /// Signs with ES256 (P-256).
    Es256,
    /// Signs with EdDSA (Ed25519).
    EdDsa,
    /// Signs with RS256; made when the first client wants it.
    Rs256,
    /// Names this server to push services (RFC 8292). Browsers bind their subscriptions to it, so it never changes.
    Vapid,
}

impl KeyUse {
    /// All uses.
    pub const ALL: [Self; 6] = [Self::Seal, Self::Refresh, Self::Es256, Self::EdDsa, Self::Rs256, Self::Vapid];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Refresh => "refresh",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Vapid => "vapid",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }

    /// How long a key of this use serves before the next takes over.
    const fn period(self) -> Lifetime {
        match self {
            Self::Seal => Lifetime::from_days(1),
            Self::Refresh => Lifetime::from_days(30),
            Self::Es256 | Self::EdDsa | Self::Rs256 => Lifetime::from_days(90),
            Self::Vapid => FOR_EVER,
        }
    }

    /// How long a key is kept after the next took over: the longest life of what it made.
    const fn kept(self) -> Lifetime {
        match self {
            Self::Seal => Lifetime::from_days(2),
            Self::Refresh => Lifetime::from_days(370),
            Self::Es256 | Self::EdDsa | Self::Rs256 => Lifetime::from_days(7),
            Self::Vapid => FOR_EVER,
        }
    }
}

/// A thousand years.
const FOR_EVER: Lifetime = Lifetime::from_days(365_000);

/// What is known of a stored key besides its material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Random, not zero; part of what the key makes.
    pub id: u32,
    /// What it serves.
    pub key_use: KeyUse,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its first use.
    pub not_before: Timestamp,
}

/// A stored key: facts, and material sealed under the master key. Also the shape of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its facts.
    pub facts: KeyFacts,
    /// Its material, sealed.
    pub sealed: Vec<u8>,
}

/// What the schedule asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Keys to make: use and first use.
    pub make: Vec<(KeyUse, Timestamp)>,
    /// Keys to delete, by id.
    pub delete: Vec<u32>,
}

/// A successor is published this long before its first use.
const LEAD: Lifetime = Lifetime::from_seconds(3600);

/// Which keys to make and to delete at `now`, so that each wanted use has one that serves and a successor in time.
pub fn schedule(keys: &[KeyFacts], wanted: &[KeyUse], now: Timestamp) -> Schedule {
    let mut plan = Schedule::default();
    for key_use in KeyUse::ALL {
        let mut own: Vec<_> = keys.iter().filter(|key| key.key_use == key_use).collect();
        own.sort_by_key(|key| key.not_before);
        match own.last() {
            None if wanted.contains(&key_use) => plan.make.push((key_use, now)),
            Some(newest) if wanted.contains(&key_use) => {
                let due = newest.not_before + key_use.period();
                if due <= now + LEAD {
                    plan.make.push((key_use, due.max(now + Lifetime::from_seconds(60))));
                }
            }
            _ => {}
        }
        for pair in own.windows(2) {
            if let [old, next] = pair
                && next.not_before + key_use.kept() <= now
            {
                plan.delete.push(old.id);
            }
        }
    }
    plan
}

/// The key of `key_use` that serves at `now`: the newest whose time has come. Of two with the same first use (two nodes
/// may each make one) every node takes the same.
pub fn serving(keys: &[KeyFacts], key_use: KeyUse, now: Timestamp) -> Option<KeyFacts> {
    keys.iter()
        .filter(|key| key.key_use == key_use && key.not_before <= now)
        .max_by_key(|key| (key.not_before, key.id))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn seal(id: u32, not_before: i64) -> KeyFacts {
        let time = Timestamp::from_millis(not_before);
        KeyFacts { id, key_use: KeyUse::Seal, created_at: time, not_before: time }
    }

    #[test]
    fn a_successor_is_made_before_it_is_due_and_the_old_one_outlives_what_it_made() {
        let at = |millis| Timestamp::from_millis(millis);
        let wanted = [KeyUse::Seal];
        assert_eq!(schedule(&[], &wanted, at(0)).make, [(KeyUse::Seal, at(0))]);
        let first = [seal(1, 0)];
        assert_eq!(schedule(&first, &wanted, at(DAY / 2)), Schedule::default());
        assert_eq!(schedule(&first, &wanted, at(DAY - 1000)).make, [(KeyUse::Seal, at(DAY - 1000 + 60_000))]);
        let both = [seal(1, 0), seal(2, DAY)];
        assert_eq!(serving(&both, KeyUse::Seal, at(DAY - 1)).unwrap().id, 1);
        assert_eq!(serving(&both, KeyUse::Seal, at(DAY)).unwrap().id, 2);
        assert_eq!(schedule(&both, &wanted, at(DAY + 10)).delete, [] as [u32; 0]);
        assert_eq!(schedule(&both, &wanted, at(3 * DAY)).delete, [1]);
    }
}
