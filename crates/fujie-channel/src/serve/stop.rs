//! The word to stop, said once to every connection.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Waits in every connection; begins once.
#[derive(Debug, Default)]
pub(super) struct Stop {
    has_begun: AtomicBool,
    notify: Notify,
}

impl Stop {
    pub fn begin(&self) {
        self.has_begun.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Has it begun? Costs next to nothing, unlike polling [`Stop::begun`].
    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Resolves once it has begun.
    pub async fn begun(&self) {
        let notified = self.notify.notified();
        // What is notified from here on is not missed; what was before shows in the flag.
        if !self.has_begun.load(Ordering::SeqCst) {
            notified.await;
        }
    }
}
