//! How the store is, as this node sees it. A lost database is no reason to end: it comes back.

use std::sync::atomic::{AtomicBool, Ordering};

/// What this node last saw of the database.
#[derive(Debug)]
pub(crate) struct Condition {
    reachable: AtomicBool,
    stale: AtomicBool,
}

impl Default for Condition {
    fn default() -> Self {
        Self { reachable: AtomicBool::new(true), stale: AtomicBool::new(false) }
    }
}

impl Condition {
    pub(crate) fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::Relaxed)
    }

    /// Said once a change, not once a look.
    pub(crate) fn set_reachable(&self, reachable: bool) {
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            if reachable {
                tracing::info!("the database can be reached again");
            } else {
                tracing::warn!("the database cannot be reached; it is tried again and again");
            }
        }
    }

    /// Another node reset the store: its name and keys must be read anew.
    pub(crate) fn set_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// Whether the name and keys must be read anew; asked once.
    pub(crate) fn take_stale(&self) -> bool {
        self.stale.swap(false, Ordering::Relaxed)
    }
}
