//! Places for answers that go on and on (SSE, WebSocket): so many at once for everybody, so many for each reader, and
//! few for those who have not said who they are. So a crowd without a token keeps no reader out, nor does one reader.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fujie_store::Member;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All places.
pub(crate) struct Places {
    readers: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    most: Readers,
    /// How many places each reader has.
    taken: Mutex<HashMap<Member, u32>>,
}

/// How many places there are for answers that go on and on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readers {
    /// At once: fewer than connections, so that people still get in.
    pub at_once: u32,
    /// Of these, of one member.
    pub per_member: u32,
    /// Beside these, for those who have not said who they are.
    pub strangers: u32,
}

impl Default for Readers {
    fn default() -> Self {
        Self { at_once: 8_000, per_member: 2_000, strangers: 1_000 }
    }
}

/// A reader's place, until it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    member: Member,
    _permit: OwnedSemaphorePermit,
}

/// The place of somebody who has not said who it is, until it is dropped.
pub(crate) struct Threshold {
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// All free.
    pub fn new(most: Readers) -> Arc<Self> {
        let of = |count: u32| Arc::new(Semaphore::new(count as usize));
        let taken = Mutex::default();
        Arc::new(Self { readers: of(most.at_once), strangers: of(most.strangers), most, taken })
    }

    /// A place for `member`; `None` when all are taken, or too many by this one.
    pub fn take(self: &Arc<Self>, member: &Member) -> Option<Place> {
        let permit = Arc::clone(&self.readers).try_acquire_owned().ok()?;
        let mut taken = self.taken();
        let own = taken.entry(member.clone()).or_default();
        if *own >= self.most.per_member {
            return None;
        }
        *own += 1;
        Some(Place { places: Arc::clone(self), member: member.clone(), _permit: permit })
    }

    /// A place for somebody who has not said who it is.
    pub fn wait_outside(&self) -> Option<Threshold> {
        let _permit = Arc::clone(&self.strangers).try_acquire_owned().ok()?;
        Some(Threshold { _permit })
    }

    /// Resolves when all are free.
    pub async fn all_free(&self) {
        drop(self.strangers.acquire_many(self.most.strangers).await);
        drop(self.readers.acquire_many(self.most.at_once).await);
    }

    /// Nobody panics while it is held.
    fn taken(&self) -> MutexGuard<'_, HashMap<Member, u32>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(own) = taken.get_mut(&self.member) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> Member {
        Member::Client(id.to_owned())
    }

    #[test]
    fn nobody_takes_all_places() {
        let places = Places::new(Readers { at_once: 3, per_member: 2, strangers: 1 });
        let (first, second) = (places.take(&client("a")), places.take(&client("a")));
        assert!(first.is_some() && second.is_some() && places.take(&client("a")).is_none());
        let other = places.take(&client("b"));
        assert!(other.is_some() && places.take(&client("c")).is_none(), "all are taken");
        drop(second);
        assert!(places.take(&client("c")).is_some());
        drop((first, other));
        assert!(places.taken().is_empty(), "who is gone is forgotten");
    }

    #[tokio::test]
    async fn strangers_take_no_readers_place() {
        let places = Places::new(Readers { at_once: 1, per_member: 1, strangers: 1 });
        let stranger = places.wait_outside();
        assert!(stranger.is_some() && places.wait_outside().is_none());
        let reader = places.take(&client("a"));
        assert!(reader.is_some());
        let (ending, ended) = (places.all_free(), async { drop((stranger, reader)) });
        tokio::join!(ending, ended);
    }
}
