//! The read connections. A point read takes some microseconds, so it runs where it is asked for: handing it to
//! another thread and back would take longer.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use rusqlite::Connection;

use crate::error::StoreError;

pub(super) struct Readers {
    connections: Vec<Mutex<Option<Connection>>>,
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        let connections = connections.into_iter().map(|connection| Mutex::new(Some(connection))).collect();
        Self { connections, next: AtomicUsize::new(0) }
    }

    pub(super) fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self.free().ok_or(StoreError::Closed)?.as_ref() {
            Some(connection) => ask(connection),
            None => Err(StoreError::Closed),
        }
    }

    pub(super) fn close(&self) {
        for connection in &self.connections {
            lock(connection).take();
        }
    }

    /// A free connection; when all are busy, the next in turn, as soon as it is free.
    fn free(&self) -> Option<MutexGuard<'_, Option<Connection>>> {
        if let Some(guard) = self.connections.iter().find_map(|connection| connection.try_lock().ok()) {
            return Some(guard);
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.connections.len())?;
        self.connections.get(turn).map(lock)
    }
}

/// A reader that panicked left nothing half done: reads change nothing.
fn lock(connection: &Mutex<Option<Connection>>) -> MutexGuard<'_, Option<Connection>> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}
