//! Records that were read lately, decoded. What lies at a place of the ledger never changes, so nothing here is ever
//! stale; whether its person was erased since is asked of the vault each time. A record is kept when it is read for
//! the second time in a while: what is read once is not worth its copying.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::embedded::fold::Place;

/// Records in each half: together a few megabytes at most.
const HALF: usize = 1024;
/// Places remembered as read once.
const SEEN: usize = 4096;

/// A bounded memory that forgets the longest unread.
pub(crate) struct Recent<T> {
    halves: Mutex<Halves<T>>,
}

struct Halves<T> {
    /// Places read once, each where its numbers fall.
    seen: Vec<Option<Place>>,
    young: HashMap<Place, (u32, T)>,
    old: HashMap<Place, (u32, T)>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        let halves = Halves { seen: vec![None; SEEN], young: HashMap::new(), old: HashMap::new() };
        Self { halves: Mutex::new(halves) }
    }
}

impl<T> fmt::Debug for Recent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recent(…)")
    }
}

impl<T: Clone> Recent<T> {
    fn halves(&self) -> MutexGuard<'_, Halves<T>> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record at a place and the slot of its person.
    pub(crate) fn find(&self, place: &Place) -> Option<(u32, T)> {
        let mut halves = self.halves();
        if let Some(found) = halves.young.get(place) {
            return Some(found.clone());
        }
        let found = halves.old.remove(place)?;
        halves.young.insert(*place, found.clone());
        Some(found)
    }

    /// Remembers that a record was read.
    pub(crate) fn keep(&self, place: &Place, slot: u32, record: &T) {
        let mut halves = self.halves();
        let at = (place.segment as usize).wrapping_mul(31).wrapping_add(place.line_offset() as usize) % SEEN;
        if halves.seen[at].replace(*place) != Some(*place) {
            return;
        }
        if halves.young.len() >= HALF {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(*place, (slot, record.clone()));
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        let mut halves = self.halves();
        halves.young.clear();
        halves.old.clear();
    }
}
