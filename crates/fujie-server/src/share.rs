//! What many have a part in, and nobody takes whole: so much for each of them, by name, while they hold any of it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Semaphore;

/// Parts of equal size.
pub(crate) struct Shares<K> {
    size: u32,
    held: Mutex<HashMap<K, Weak<Semaphore>>>,
}

impl<K: Eq + Hash> Shares<K> {
    /// Parts of `size` permits.
    pub fn new(size: u32) -> Self {
        Self { size, held: Mutex::default() }
    }

    /// The part of `name`: the same one, as long as anybody holds some of it.
    pub fn of(&self, name: K) -> Arc<Semaphore> {
        // Nobody panics while it is held.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = held.get(&name).and_then(Weak::upgrade) {
            return share;
        }
        if held.len() == held.capacity() {
            held.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(self.size as usize));
        held.insert(name, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_one_as_long_as_it_is_held_and_then_forgotten() {
        let shares = Shares::new(2);
        let held = shares.of(0).try_acquire_many_owned(2).unwrap();
        assert!(shares.of(0).try_acquire_owned().is_err() && shares.of(1).try_acquire_owned().is_ok());
        for name in 0..10_000 {
            drop(shares.of(name));
        }
        assert!(shares.held.lock().unwrap().len() < 100, "who is gone takes no memory");
        assert!(shares.of(0).try_acquire_owned().is_err());
        drop(held);
        assert!(shares.of(0).try_acquire_many_owned(2).is_ok());
    }
}
