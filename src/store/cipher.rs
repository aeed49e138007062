//! Keys and ciphers, the same in every home: the master key, what is derived from it, and a data key per person
//! wrapped by it. Where the wrapped keys lie is each home's own business.
//!
//! From the master key come, by HKDF-SHA-256 (RFC 5869) salted with the store's id: the key that wraps data keys, the
//! key of blind look-ups (HMAC-SHA-256), the service's own data key, and a value that tells a wrong master key.
//! All encryption is AES-256-GCM with random 96-bit nonces, bound to the kind and name of what is encrypted.

use std::fmt;
use std::io;
use std::str::FromStr;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::domain::account::{Account, LoginName, Owner};
use crate::domain::certificate::{CertificateType, ManagementNo};
use crate::domain::contact::Contact;
use crate::domain::identity::PersonId;
use crate::domain::ids::{Code, Malformed};
use crate::domain::spending::Bucket;
use crate::store::Fault;
use crate::store::chain::StoreId;
use crate::store::entry::{Blind, Bytes, NumberKey};

const NONCE: usize = 12;
const TAG: usize = 16;

/// The key above all keys: 256 bits, from configuration or a device. Without it the store is noise.
#[derive(Clone)]
pub struct Master(Zeroizing<[u8; 32]>);

impl Master {
    /// Wraps a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }
}

impl FromStr for Master {
    type Err = Malformed;

    /// Reads 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = Malformed("master key (64 hexadecimal digits)");
        if text.len() != 64 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(bad);
        }
        let mut key = Zeroizing::new([0; 32]);
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| bad)?;
        }
        Ok(Self(key))
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Master(…)")
    }
}

/// One person's key.
pub(crate) type DataKey = Zeroizing<[u8; 32]>;

/// A data key as it is kept: nonce, wrapped key and tag.
pub(crate) type Wrapped = [u8; NONCE + 32 + TAG];

/// What something encrypted is: part of what the cipher authenticates.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Key = 1,
    Certificate = 2,
    Annotation = 3,
    Reason = 4,
    Document = 5,
    Account = 6,
    Ticket = 7,
    Case = 8,
    Registrant = 9,
}

/// The failures of ciphers and of the key ring.
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

/// What the master key and the store's id give; it holds no person's key.
pub(crate) struct Cipher {
    store: StoreId,
    wrapping: LessSafeKey,
    blinding: hmac::Key,
    service: DataKey,
    random: SystemRandom,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(…)")
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
        .extract(&*master.0)
        .expand(&[b"vermilion ", purpose], Length32)
        .and_then(|okm| okm.fill(&mut *key))
        .map_err(|_| VaultError::Cipher)?;
    Ok(key)
}

fn suite(key: &DataKey) -> Result<LessSafeKey, VaultError> {
    UnboundKey::new(&AES_256_GCM, &**key).map(LessSafeKey::new).map_err(|_| VaultError::Cipher)
}

/// The value by which a wrong master key is told.
pub(crate) fn key_check(master: &Master, store: &StoreId) -> Result<Blind, VaultError> {
    let mut check = [0; 16];
    check.copy_from_slice(&derive(master, store, b"check v1")?[..16]);
    Ok(Bytes(check))
}

impl Cipher {
    pub(crate) fn new(master: &Master, store: StoreId) -> Result<Self, VaultError> {
        Ok(Self {
            store,
            wrapping: suite(&derive(master, &store, b"wrap v1")?)?,
            blinding: hmac::Key::new(hmac::HMAC_SHA256, &*derive(master, &store, b"blind v1")?),
            service: derive(master, &store, b"service v1")?,
            random: SystemRandom::new(),
        })
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

    /// Whose key keeps an account: that of its person, and one of its own where it is no person's.
    pub(crate) fn blind_owner(&self, account: &Account) -> Blind {
        match &account.owner {
            Owner::Holder(person) => self.blind_person(person),
            Owner::Unit { .. } | Owner::Staff(_) => half(&self.blind(b"account", &[account.id.as_bytes()])),
        }
    }

    pub(crate) fn blind_login(&self, login: &LoginName) -> Blind {
        half(&self.blind(b"login", &[login.as_str().as_bytes()]))
    }

    pub(crate) fn blind_contact(&self, contact: &Contact) -> Blind {
        half(&match contact {
            Contact::Mobile(mobile) => self.blind(b"mobile", &[mobile.as_str().as_bytes()]),
            Contact::Email(email) => self.blind(b"email", &[email.as_str().as_bytes()]),
        })
    }

    pub(crate) fn blind_code(&self, code: Code) -> Blind {
        half(&self.blind(b"code", &[&code.to_bytes()]))
    }

    pub(crate) fn blind_bucket(&self, bucket: Bucket) -> Blind {
        half(&self.blind(b"bucket", &[bucket.limit.word().as_bytes(), &bucket.caller.to_be_bytes()]))
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

    /// The key of what belongs to no person.
    pub(crate) fn service(&self) -> &DataKey {
        &self.service
    }

    /// A new person's key.
    pub(crate) fn mint(&self) -> Result<DataKey, VaultError> {
        let mut key = Zeroizing::new([0; 32]);
        self.random.fill(&mut *key).map_err(|_| VaultError::Randomness)?;
        Ok(key)
    }

    /// A person's key as it may be kept, in this slot only.
    pub(crate) fn wrap(&self, slot: u32, person: Blind, key: &DataKey) -> Result<Wrapped, VaultError> {
        let bound = self.bound(Kind::Key, &slot_name(slot, person));
        let sealed = self.seal_with(&self.wrapping, &bound, &**key)?;
        sealed.try_into().map_err(|_| VaultError::Cipher)
    }

    /// The key that [`Self::wrap`] wrapped.
    pub(crate) fn unwrap(&self, slot: u32, person: Blind, wrapped: &Wrapped) -> Result<DataKey, VaultError> {
        let mut sealed = Zeroizing::new(*wrapped);
        let bound = self.bound(Kind::Key, &slot_name(slot, person));
        let plain = open_with(&self.wrapping, &bound, &mut *sealed)?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(plain.get(..32).ok_or(VaultError::Cipher)?);
        Ok(key)
    }

    /// Encrypts with a key: nonce, ciphertext and tag.
    pub(crate) fn seal(
        &self,
        key: &DataKey,
        kind: Kind,
        name: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.seal_with(&suite(key)?, &self.bound(kind, name), plain)
    }

    /// Decrypts what [`Self::seal`] gave.
    pub(crate) fn open<'a>(
        &self,
        key: &DataKey,
        kind: Kind,
        name: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], VaultError> {
        open_with(&suite(key)?, &self.bound(kind, name), sealed)
    }

    fn bound(&self, kind: Kind, name: &[u8]) -> Vec<u8> {
        let mut bound = Vec::with_capacity(17 + name.len());
        bound.push(kind as u8);
        bound.extend_from_slice(&self.store);
        bound.extend_from_slice(name);
        bound
    }

    fn seal_with(&self, key: &LessSafeKey, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE] = self.chance()?;
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
