//! Places for answers that go on and on (SSE, WebSocket; the line protocol has such places of its own): so many at once
//! for everybody, so many for each reader, and few for those who have not said who they are. So a crowd without a token
//! keeps no reader out, nor does one reader.

use std::sync::Arc;

use fujie_store::Member;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::share::Shares;

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
        Self { at_once: 8_000, per_member: 6_000, strangers: 1_000 }
    }
}

/// All places.
pub(crate) struct Places {
    most: Readers,
    readers: Arc<Semaphore>,
    shares: Shares<Member>,
    strangers: Arc<Semaphore>,
}

/// A place, until it is dropped.
#[expect(dead_code, reason = "held until they are dropped")]
pub(crate) enum Place {
    /// Of somebody who has not said who it is.
    Stranger(OwnedSemaphorePermit),
    /// A reader's, of all and of its own.
    Reader(OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Places {
    /// All free.
    pub fn new(most: Readers) -> Self {
        let of = |count: u32| Arc::new(Semaphore::new(count as usize));
        let shares = Shares::new(most.per_member);
        Self { most, readers: of(most.at_once), shares, strangers: of(most.strangers) }
    }

    /// A place for `member`; `None` when all are taken, or too many by this one.
    pub fn reader(&self, member: &Member) -> Option<Place> {
        let own = self.shares.of(member.clone()).try_acquire_owned().ok()?;
        Some(Place::Reader(Arc::clone(&self.readers).try_acquire_owned().ok()?, own))
    }

    /// A place for somebody who has not said who it is.
    pub fn stranger(&self) -> Option<Place> {
        Arc::clone(&self.strangers).try_acquire_owned().ok().map(Place::Stranger)
    }

    /// Resolves when all are free.
    pub async fn all_free(&self) {
        drop(self.strangers.acquire_many(self.most.strangers).await);
        drop(self.readers.acquire_many(self.most.at_once).await);
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
        let (first, second) = (places.reader(&client("a")), places.reader(&client("a")));
        assert!(first.is_some() && second.is_some() && places.reader(&client("a")).is_none());
        let other = places.reader(&client("b"));
        assert!(other.is_some() && places.reader(&client("c")).is_none(), "all are taken");
        drop(second);
        assert!(places.reader(&client("c")).is_some());
    }

    #[tokio::test]
    async fn strangers_take_no_readers_place() {
        let places = Places::new(Readers { at_once: 1, per_member: 1, strangers: 1 });
        let stranger = places.stranger();
        assert!(stranger.is_some() && places.stranger().is_none());
        let reader = places.reader(&client("a"));
        assert!(reader.is_some());
        let (ending, ended) = (places.all_free(), async { drop((stranger, reader)) });
        tokio::join!(ending, ended);
    }
}
