//! Who has not said who it is: whoever came first gives its place to somebody new when all are taken. So sockets that
//! say nothing keep no listener out, and as long as there is room nobody is hurried.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::task::AbortHandle;

/// All strangers, in the order in which they came.
#[derive(Default)]
pub(super) struct Strangers(Mutex<Book>);

#[derive(Default)]
struct Book {
    last: u64,
    here: BTreeMap<u64, Entry>,
}

struct Entry {
    peer: SocketAddr,
    /// What serves it, as soon as something does.
    task: Option<AbortHandle>,
}

/// One stranger, until it is dropped: because the peer is known, or gone.
pub(super) struct Stranger {
    all: Arc<Strangers>,
    number: u64,
}

impl Strangers {
    /// Somebody comes.
    pub fn enter(self: &Arc<Self>, peer: SocketAddr) -> Stranger {
        let mut book = self.lock();
        book.last += 1;
        let number = book.last;
        book.here.insert(number, Entry { peer, task: None });
        Stranger { all: Arc::clone(self), number }
    }

    /// The one who came last, if it is still a stranger, is served by `task`.
    pub fn last_is_served_by(&self, task: AbortHandle) {
        let mut book = self.lock();
        let last = book.last;
        if let Some(entry) = book.here.get_mut(&last) {
            entry.task = Some(task);
        }
    }

    /// Cuts off the one who came first, if there is one.
    pub fn cut_first(&self) {
        let first = self.lock().here.pop_first();
        if let Some((_, Entry { peer, task: Some(task) })) = first {
            tracing::info!(%peer, "a connection ended: others needed the place, and the peer had not said who it is");
            task.abort();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // Nothing panics while it holds this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.all.lock().here.remove(&self.number);
    }
}
