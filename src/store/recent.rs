//! Records that were read lately, decoded. What is remembered is what was read, no more: each home says by what it knows
//! that it is still so, and asks whether the person was erased since. A record is kept when it is read for the second
//! time in a while: what is read once is not worth its copying.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names remembered as read once, for each that a half holds.
const SEEN: usize = 4;

/// A bounded memory that forgets the longest unread: `HALF` of the latest, and as many before them.
pub(crate) struct Recent<K, T, const HALF: usize> {
    halves: Mutex<Halves<K, T>>,
    seats: RandomState,
}

struct Halves<K, T> {
    /// Names read once, each where chance seats it.
    seen: Vec<Option<K>>,
    young: HashMap<K, T>,
    old: HashMap<K, T>,
}

impl<K: Copy, T, const HALF: usize> Default for Recent<K, T, HALF> {
    fn default() -> Self {
        let halves = Halves { seen: vec![None; SEEN * HALF], young: HashMap::new(), old: HashMap::new() };
        Self { halves: Mutex::new(halves), seats: RandomState::new() }
    }
}

impl<K, T, const HALF: usize> fmt::Debug for Recent<K, T, HALF> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recent(…)")
    }
}

impl<K: Copy + Eq + Hash, T: Clone, const HALF: usize> Recent<K, T, HALF> {
    fn halves(&self) -> MutexGuard<'_, Halves<K, T>> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of this name.
    pub(crate) fn find(&self, name: &K) -> Option<T> {
        let mut halves = self.halves();
        if let Some(found) = halves.young.get(name) {
            return Some(found.clone());
        }
        let found = halves.old.remove(name)?;
        halves.put(*name, found.clone(), HALF);
        Some(found)
    }

    /// Remembers that a record was read, and the record where it was read before; instead of what its name stood for.
    pub(crate) fn keep(&self, name: &K, record: impl FnOnce() -> T) {
        let seat = self.seats.hash_one(name) as usize % (SEEN * HALF);
        if self.halves().seen[seat].replace(*name) != Some(*name) {
            return;
        }
        let record = record();
        let mut halves = self.halves();
        halves.old.remove(name);
        halves.put(*name, record, HALF);
    }

    /// Forgets one.
    pub(crate) fn forget(&self, name: &K) {
        let mut halves = self.halves();
        halves.young.remove(name);
        halves.old.remove(name);
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        let mut halves = self.halves();
        halves.young.clear();
        halves.old.clear();
    }
}

impl<K: Eq + Hash, T> Halves<K, T> {
    fn put(&mut self, name: K, record: T, half: usize) {
        if self.young.len() >= half && !self.young.contains_key(&name) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, record);
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    fn read(recent: &Recent<u32, u32, 8>, name: u32, record: u32) {
        recent.keep(&name, || record);
    }

    #[test]
    fn what_is_read_twice_is_remembered_until_it_changes_or_is_forgotten() {
        let recent = Recent::default();
        read(&recent, 1, 10);
        assert_eq!(recent.find(&1), None, "read once");
        read(&recent, 1, 10);
        assert_eq!(recent.find(&1), Some(10));
        read(&recent, 1, 11);
        assert_eq!(recent.find(&1), Some(11));
        recent.forget(&1);
        assert_eq!(recent.find(&1), None);
        read(&recent, 1, 12);
        recent.clear();
        assert_eq!(recent.find(&1), None);
    }

    #[test]
    fn it_is_bounded_and_forgets_the_longest_unread() {
        let recent = Recent::default();
        for name in 0..1000 {
            read(&recent, name, name);
            read(&recent, name, name);
            assert_eq!(recent.find(&name), Some(name));
            assert_eq!(recent.find(&0), Some(0), "read all the time");
            let halves = recent.halves();
            assert!(halves.young.len() <= 8 && halves.old.len() <= 8, "after {name}");
        }
        assert_eq!(recent.find(&100), None);
        assert_eq!(recent.halves().seen.len(), 32);
    }
}
