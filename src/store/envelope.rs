//! A document as it lies in its home: eight bytes that say so, the slot of its person, and the ciphertext. The same in
//! every home, so that a document moves as it lies.

use std::error::Error;

use crate::domain::ids::Sha256;
use crate::store::Fault;
use crate::store::chain::sha256;
use crate::store::cipher::{Cipher, DataKey, Kind};

const MAGIC: &[u8; 8] = b"VERMDOC\x01";

/// Bytes before the ciphertext.
pub(crate) const HEADER: usize = 12;

pub(crate) fn keeping(error: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
    Fault::new("keeping a document", error)
}

pub(crate) fn reading(error: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
    Fault::new("reading a document", error)
}

/// Holds the bytes of a document against its name.
pub(crate) fn check(digest: Sha256, bytes: &[u8]) -> Result<(), Fault> {
    if sha256(bytes) == *digest.as_bytes() {
        Ok(())
    } else {
        Err(keeping("the digest is not that of the bytes"))
    }
}

/// Encrypts a document with the key of a slot.
pub(crate) fn close(
    cipher: &Cipher,
    slot: u32,
    key: &DataKey,
    digest: Sha256,
    bytes: &[u8],
) -> Result<Vec<u8>, Fault> {
    let mut file = Vec::with_capacity(HEADER + bytes.len() + 32);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&slot.to_le_bytes());
    file.extend(cipher.seal(key, Kind::Document, digest.as_bytes(), bytes)?);
    Ok(file)
}

/// Whose key a document needs.
pub(crate) fn slot_in(file: &[u8]) -> Result<u32, Fault> {
    let header = file.get(..HEADER).ok_or_else(|| reading("it is cut short"))?;
    match header.strip_prefix(MAGIC).map(|slot| slot.try_into()) {
        Some(Ok(slot)) => Ok(u32::from_le_bytes(slot)),
        _ => Err(reading("it is no document of this store")),
    }
}

/// Decrypts what [`close`] gave, and checks its digest.
pub(crate) fn open(
    cipher: &Cipher,
    key: &DataKey,
    digest: Sha256,
    mut file: Vec<u8>,
) -> Result<Vec<u8>, Fault> {
    let sealed = file.get_mut(HEADER..).ok_or_else(|| reading("it is cut short"))?;
    let plain = cipher.open(key, Kind::Document, digest.as_bytes(), sealed)?;
    if sha256(plain) != *digest.as_bytes() {
        return Err(reading("its digest is another"));
    }
    Ok(plain.to_vec())
}
