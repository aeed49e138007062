//! How the store is: well, read-only for want of space, or broken for good.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Health;
use crate::store::embedded::index;
use crate::store::embedded::io::Io;

/// Called once when the store breaks; the process must end, and a supervisor start it again.
pub(crate) type OnBroken = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Work that takes longer than this hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The condition of one open store.
pub(crate) struct Condition {
    io: Arc<dyn Io>,
    folder: PathBuf,
    floor: u64,
    broken: OnceLock<&'static str>,
    on_broken: OnBroken,
    no_room: Mutex<bool>,
    began: Instant,
    /// Milliseconds after `began` at which the work under way began, plus one; 0 while there is none.
    busy_since: AtomicU64,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.health())
    }
}

const NO_SPACE: &str = "the disk is nearly full";

impl Condition {
    pub(crate) fn new(io: Arc<dyn Io>, folder: PathBuf, floor: u64, on_broken: OnBroken) -> Self {
        Self {
            io,
            folder,
            floor,
            broken: OnceLock::new(),
            on_broken,
            no_room: Mutex::new(false),
            began: Instant::now(),
            busy_since: AtomicU64::new(0),
        }
    }

    /// Breaks for good.
    pub(crate) fn break_down(&self, why: &'static str) {
        if self.broken.set(why).is_ok() {
            tracing::error!(why, "the store is broken: this process must end");
            // What was said of the ledger holds; the index may lack what was to be written.
            index::suspect(&self.folder);
            (self.on_broken)(why);
        }
    }

    pub(crate) fn broken(&self) -> Option<&'static str> {
        self.broken.get().copied()
    }

    pub(crate) fn set_no_room(&self, no_room: bool) {
        *self.no_room.lock().unwrap_or_else(PoisonError::into_inner) = no_room;
    }

    /// Why nothing is to be written now, if so.
    pub(crate) fn read_only(&self) -> Option<&'static str> {
        match self.io.free_bytes(&self.folder) {
            Ok(free) if free >= self.floor => None,
            Ok(_) => Some(NO_SPACE),
            Err(_) => Some("the free space of the disk cannot be told"),
        }
    }

    pub(crate) fn health(&self) -> Health {
        if let Some(why) = self.broken() {
            return Health::Broken(why);
        }
        if let Some(why) = self.read_only() {
            return Health::ReadOnly(why);
        }
        let no_room = *self.no_room.lock().unwrap_or_else(PoisonError::into_inner);
        if no_room { Health::ReadOnly(NO_SPACE) } else { Health::Ready }
    }

    /// Says that work begins, or that it ended.
    pub(crate) fn set_busy(&self, busy: bool) {
        let since = if busy { self.began.elapsed().as_millis() as u64 + 1 } else { 0 };
        self.busy_since.store(since, Ordering::Relaxed);
    }

    /// Breaks down where the work under way takes too long.
    pub(crate) fn watch(&self) {
        let since = self.busy_since.load(Ordering::Relaxed);
        let hangs = since > 0 && self.began.elapsed() > Duration::from_millis(since) + PATIENCE;
        if hangs {
            self.break_down("the writer makes no progress");
        }
    }
}
