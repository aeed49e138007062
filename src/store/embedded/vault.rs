//! The persons' keys of the embedded store: slots of the key ring, those not yet durable, and those in use.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::domain::event::Event;
use crate::store::Fault;
use crate::store::chain::StoreId;
use crate::store::cipher::{Cipher, DataKey, Kind, Master, VaultError, Wrapped};
use crate::store::embedded::keyring::{Keyring, SLOT, Slot};
use crate::store::encoding::read_event;
use crate::store::entry::{Blind, EventShape};

/// Unwrapped keys held in memory at most: about 6 MB.
const CACHED: usize = 100_000;

/// Holds the keys while the store is open.
pub(crate) struct Vault {
    cipher: Cipher,
    ring: Keyring,
    drawer: Mutex<Drawer>,
}

#[derive(Default)]
struct Drawer {
    next: u32,
    /// Persons whose slot no record names yet.
    fresh: HashMap<Blind, u32>,
    /// Slots not yet durable.
    unwritten: BTreeMap<u32, (Slot, DataKey)>,
    cache: HashMap<u32, DataKey>,
    order: VecDeque<u32>,
}

impl Drawer {
    fn keep(&mut self, slot: u32, key: &DataKey) {
        if self.cache.insert(slot, key.clone()).is_none() {
            self.order.push_back(slot);
        }
        while self.order.len() > CACHED {
            if let Some(oldest) = self.order.pop_front() {
                self.cache.remove(&oldest);
            }
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Deref for Vault {
    type Target = Cipher;

    fn deref(&self) -> &Cipher {
        &self.cipher
    }
}

impl Vault {
    pub(crate) fn new(master: &Master, store: StoreId, ring: Keyring) -> Result<Self, VaultError> {
        // All at once: a table that grows would leave copies of keys behind.
        let cache = HashMap::with_capacity(CACHED + 1);
        let drawer = Drawer { next: ring.end()?, cache, ..Drawer::default() };
        Ok(Self { cipher: Cipher::new(master, store)?, ring, drawer: Mutex::new(drawer) })
    }

    fn drawer(&self) -> MutexGuard<'_, Drawer> {
        self.drawer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of a person: the one that `known` finds in the records, or a new one.
    pub(crate) fn slot_of(
        &self,
        person: Blind,
        known: impl FnOnce() -> Result<Option<u32>, Fault>,
    ) -> Result<u32, Fault> {
        let mut drawer = self.drawer();
        if let Some(slot) = drawer.fresh.get(&person) {
            return Ok(*slot);
        }
        if let Some(slot) = known()? {
            // A person who was erased and comes again is a new person.
            if self.key_in(&mut drawer, slot)?.is_some() {
                return Ok(slot);
            }
        }
        let slot = drawer.next;
        drawer.next = slot.checked_add(1).ok_or(VaultError::Full)?;
        let key = self.cipher.mint()?;
        let wrapped = self.cipher.wrap(slot, person, &key)?;
        drawer.unwritten.insert(slot, (Slot::Used { person, key: wrapped }, key.clone()));
        drawer.fresh.insert(person, slot);
        drawer.keep(slot, &key);
        Ok(slot)
    }

    /// A record now names the slots of these persons.
    pub(crate) fn settle(&self, persons: &[Blind]) {
        let mut drawer = self.drawer();
        for person in persons {
            drawer.fresh.remove(person);
        }
    }

    /// Makes every slot given out so far durable.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let waiting: Vec<(u32, Slot)> =
            self.drawer().unwritten.iter().map(|(number, (slot, _))| (*number, slot.clone())).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        for run in waiting.chunk_by(|a, b| a.0 + 1 == b.0) {
            let bytes: Vec<u8> = run.iter().flat_map(|(_, slot)| slot.write()).collect();
            self.ring.write(run[0].0, &bytes)?;
        }
        self.ring.sync()?;
        let mut drawer = self.drawer();
        for (number, _) in waiting {
            drawer.unwritten.remove(&number);
        }
        Ok(())
    }

    /// Slots given out so far.
    pub(crate) fn slots(&self) -> u32 {
        self.drawer().next
    }

    fn key_in(&self, drawer: &mut Drawer, slot: u32) -> Result<Option<DataKey>, VaultError> {
        if let Some(key) = drawer.cache.get(&slot) {
            return Ok(Some(key.clone()));
        }
        if let Some((_, key)) = drawer.unwritten.get(&slot) {
            return Ok(Some(key.clone()));
        }
        let Some(key) = self.key_on_disk(slot)? else { return Ok(None) };
        drawer.keep(slot, &key);
        Ok(Some(key))
    }

    fn key_on_disk(&self, slot: u32) -> Result<Option<DataKey>, VaultError> {
        match self.ring.read(slot)? {
            Slot::Empty => Err(VaultError::NoKey(slot)),
            Slot::Erased => Ok(None),
            Slot::Used { person, key } => self.cipher.unwrap(slot, person, &Zeroizing::new(key)).map(Some),
        }
    }

    /// The key of a slot; none where it was erased.
    pub(crate) fn key(&self, slot: u32) -> Result<Option<DataKey>, VaultError> {
        self.key_in(&mut self.drawer(), slot)
    }

    /// Whether the key of a slot was erased.
    pub(crate) fn is_erased(&self, slot: u32) -> Result<bool, VaultError> {
        Ok(self.key(slot)?.is_none())
    }

    /// All slots whose keys were erased.
    pub(crate) fn erased(&self) -> io::Result<Vec<u32>> {
        self.ring.erased()
    }

    /// Decrypts what was encrypted with the key of a slot; none where the person was erased.
    pub(crate) fn read<'a>(
        &self,
        slot: u32,
        kind: Kind,
        name: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<Option<&'a [u8]>, VaultError> {
        let Some(key) = self.key(slot)? else { return Ok(None) };
        self.cipher.open(&key, kind, name, sealed).map(Some)
    }

    /// An event with its reason decrypted; without it where the person was erased.
    pub(crate) fn read_event(&self, shape: EventShape) -> Result<Event, Fault> {
        read_event(&self.cipher, shape, |slot| Ok(self.key(slot)?))
    }

    /// Destroys every key of a person, also those that no record names. Says how many there were.
    ///
    /// # Errors
    /// The disk's. After one, the person counts as not erased: try again.
    pub(crate) fn erase(&self, person: Blind) -> io::Result<usize> {
        self.flush()?;
        let mut drawer = self.drawer();
        let mut erased = 0;
        for number in 0..drawer.next {
            if matches!(self.ring.read(number)?, Slot::Used { person: whose, .. } if whose == person) {
                self.ring.write(number, &Slot::Erased.write())?;
                drawer.cache.remove(&number);
                drawer.order.retain(|slot| *slot != number);
                erased += 1;
            }
        }
        drawer.fresh.remove(&person);
        self.ring.sync()?;
        Ok(erased)
    }
}

const _: () = assert!(SLOT >= 24 + size_of::<Wrapped>());
