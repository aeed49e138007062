//! Keys and ciphers: the master key, a data key per person wrapped by it, and the blind keys for look-ups.
//!
//! From the master key come, by HKDF-SHA-256 (RFC 5869) salted with the store's id: the key that wraps data keys, the
//! key of blind look-ups (HMAC-SHA-256), the service's own data key, and a value that tells a wrong master key.
//! All encryption is AES-256-GCM with random 96-bit nonces, bound to the kind and name of what is encrypted.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::domain::certificate::{CertificateType, ManagementNo};
use crate::domain::identity::PersonId;
use crate::domain::ids::Code;
use crate::store::Fault;
use crate::store::embedded::Master;
use crate::store::embedded::frame::StoreId;
use crate::store::embedded::keyring::{Keyring, SLOT, Slot, Wrapped};
use crate::store::entry::{Blind, Bytes, NumberKey};

const NONCE: usize = 12;
const TAG: usize = 16;
/// Unwrapped keys held in memory at most: about 6 MB.
const CACHED: usize = 100_000;

/// One person's key.
pub(crate) type DataKey = Zeroizing<[u8; 32]>;

/// What something encrypted is: part of what the cipher authenticates.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Key = 1,
    Certificate = 2,
    Annotation = 3,
    Reason = 4,
    Document = 5,
}

/// The failures of the vault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    #[error("the cipher refused: wrong key, or the bytes were changed")]
    Cipher,
    #[error("the system gives no randomness")]
    Randomness,
    #[error("slot {0} of the key ring holds no key")]
    NoKey(u32),
    #[error("the key ring is full")]
    Full,
    #[error("cannot read or write the key ring")]
    Io(#[from] io::Error),
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        Self::new("using the key ring", error)
    }
}

/// Holds the keys while the store is open.
pub(crate) struct Vault {
    store: StoreId,
    wrapping: LessSafeKey,
    blinding: hmac::Key,
    service: DataKey,
    random: SystemRandom,
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

struct Length32;

impl hkdf::KeyType for Length32 {
    fn len(&self) -> usize {
        32
    }
}

fn derive(master: &Master, store: &StoreId, purpose: &[u8]) -> Result<DataKey, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, store)
        .extract(master.bytes())
        .expand(&[b"vermilion ", purpose], Length32)
        .and_then(|okm| okm.fill(&mut *key))
        .map_err(|_| VaultError::Cipher)?;
    Ok(key)
}

fn cipher(key: &DataKey) -> Result<LessSafeKey, VaultError> {
    UnboundKey::new(&AES_256_GCM, &**key).map(LessSafeKey::new).map_err(|_| VaultError::Cipher)
}

/// The value by which a wrong master key is told.
pub(crate) fn key_check(master: &Master, store: &StoreId) -> Result<Blind, VaultError> {
    let mut check = [0; 16];
    check.copy_from_slice(&derive(master, store, b"check v1")?[..16]);
    Ok(Bytes(check))
}

impl Vault {
    pub(crate) fn new(master: &Master, store: StoreId, ring: Keyring) -> Result<Self, VaultError> {
        // All at once: a table that grows would leave copies of keys behind.
        let cache = HashMap::with_capacity(CACHED + 1);
        let drawer = Drawer { next: ring.end()?, cache, ..Drawer::default() };
        Ok(Self {
            store,
            wrapping: cipher(&derive(master, &store, b"wrap v1")?)?,
            blinding: hmac::Key::new(hmac::HMAC_SHA256, &*derive(master, &store, b"blind v1")?),
            service: derive(master, &store, b"service v1")?,
            random: SystemRandom::new(),
            ring,
            drawer: Mutex::new(drawer),
        })
    }

    fn drawer(&self) -> MutexGuard<'_, Drawer> {
        self.drawer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blind(&self, what: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.blinding);
        context.update(what);
        for part in parts {
            context.update(&(part.len() as u32).to_le_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    pub(crate) fn blind_person(&self, person: &PersonId) -> Blind {
        half(&self.blind(b"person", &[person.id_type().as_bytes(), person.number().as_bytes()]))
    }

    pub(crate) fn blind_code(&self, code: Code) -> Blind {
        half(&self.blind(b"code", &[&code.to_bytes()]))
    }

    /// The blind management number alone.
    pub(crate) fn blind_number(&self, no: &ManagementNo) -> Blind {
        half(&self.blind(b"number", &[no.as_str().as_bytes()]))
    }

    pub(crate) fn number_key(&self, kind: &CertificateType, no: &ManagementNo) -> NumberKey {
        let mut key = [0; 24];
        key[..16].copy_from_slice(&self.blind_number(no).0);
        let both = self.blind(b"kind and number", &[kind.as_str().as_bytes(), no.as_str().as_bytes()]);
        key[16..].copy_from_slice(&both[..8]);
        Bytes(key)
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
        let mut key = Zeroizing::new([0; 32]);
        self.random.fill(&mut *key).map_err(|_| VaultError::Randomness)?;
        let sealed =
            self.seal_with(&self.wrapping, &self.bound(Kind::Key, &slot_name(slot, person)), &*key)?;
        let wrapped: Wrapped = sealed.try_into().map_err(|_| VaultError::Cipher)?;
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
        let (person, wrapped) = match self.ring.read(slot)? {
            Slot::Empty => return Err(VaultError::NoKey(slot)),
            Slot::Erased => return Ok(None),
            Slot::Used { person, key } => (person, key),
        };
        let mut sealed = Zeroizing::new(wrapped.to_vec());
        let bound = self.bound(Kind::Key, &slot_name(slot, person));
        let plain = open_with(&self.wrapping, &bound, &mut sealed)?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(plain.get(..32).ok_or(VaultError::Cipher)?);
        Ok(Some(key))
    }

    fn key(&self, slot: Option<u32>) -> Result<Option<DataKey>, VaultError> {
        match slot {
            Some(slot) => self.key_in(&mut self.drawer(), slot),
            None => Ok(Some(self.service.clone())),
        }
    }

    /// Whether the key of a slot was erased.
    pub(crate) fn is_erased(&self, slot: u32) -> Result<bool, VaultError> {
        Ok(self.key(Some(slot))?.is_none())
    }

    /// Encrypts for a person, or for the service where no slot is named: nonce, ciphertext and tag.
    pub(crate) fn seal(
        &self,
        slot: Option<u32>,
        kind: Kind,
        name: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.key(slot)?.ok_or(VaultError::NoKey(slot.unwrap_or(u32::MAX)))?;
        self.seal_with(&cipher(&key)?, &self.bound(kind, name), plain)
    }

    /// Decrypts what [`Self::seal`] gave; none where the person was erased.
    pub(crate) fn open<'a>(
        &self,
        slot: Option<u32>,
        kind: Kind,
        name: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<Option<&'a [u8]>, VaultError> {
        let Some(key) = self.key(slot)? else { return Ok(None) };
        open_with(&cipher(&key)?, &self.bound(kind, name), sealed).map(Some)
    }

    fn bound(&self, kind: Kind, name: &[u8]) -> Vec<u8> {
        let mut bound = Vec::with_capacity(17 + name.len());
        bound.push(kind as u8);
        bound.extend_from_slice(&self.store);
        bound.extend_from_slice(name);
        bound
    }

    fn seal_with(&self, key: &LessSafeKey, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce).map_err(|_| VaultError::Randomness)?;
        let mut sealed = Vec::with_capacity(NONCE + plain.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound),
                &mut sealed[NONCE..],
            )
            .map_err(|_| VaultError::Cipher)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
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

    /// Random bytes.
    pub(crate) fn chance<const N: usize>(&self) -> Result<[u8; N], VaultError> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).map_err(|_| VaultError::Randomness)?;
        Ok(bytes)
    }
}

fn open_with<'a>(key: &LessSafeKey, bound: &[u8], sealed: &'a mut [u8]) -> Result<&'a [u8], VaultError> {
    let (nonce, rest) = sealed.split_at_mut_checked(NONCE).ok_or(VaultError::Cipher)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Cipher)?;
    key.open_in_place(nonce, Aad::from(bound), rest).map(|plain| &*plain).map_err(|_| VaultError::Cipher)
}

fn half(whole: &[u8; 32]) -> Blind {
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    Bytes(half)
}

fn slot_name(slot: u32, person: Blind) -> Vec<u8> {
    [&slot.to_le_bytes()[..], &person.0].concat()
}

const _: () = assert!(SLOT >= 24 + size_of::<Wrapped>());
