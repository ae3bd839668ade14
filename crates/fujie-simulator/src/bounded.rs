//! A map that forgets its oldest entry when it is full, so that memory has an end.
//!
//! Does not know about expiry: entries of one map live equally long, so the oldest in is also the
//! first to expire.

use std::collections::{HashMap, VecDeque};

/// Values by text key, at most `limit` of them.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    limit: usize,
    order: VecDeque<String>,
    values: HashMap<String, V>,
}

impl<V> Bounded<V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, order: VecDeque::new(), values: HashMap::new() }
    }

    /// Remembers `value`, and forgets the oldest entries beyond the limit.
    pub(crate) fn insert(&mut self, key: String, value: V) {
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > self.limit {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(key)
    }

    /// All values, in no order.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.values_mut()
    }

    /// All values, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &V> {
        self.order.iter().rev().filter_map(|key| self.values.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::Bounded;

    #[test]
    fn the_oldest_entry_makes_room() {
        let mut map = Bounded::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("b", 3), ("c", 4)] {
            map.insert(key.to_owned(), value);
        }
        assert_eq!(map.get("a"), None);
        assert_eq!(map.newest_first().copied().collect::<Vec<_>>(), [4, 3]);
    }
}
