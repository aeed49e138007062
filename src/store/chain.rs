//! The chain of the ledger: what joins an entry to all before it, the same in every home.

use ring::digest::{SHA256, digest};

/// The longest payload of an entry.
pub(crate) const PAYLOAD_MAX: usize = 1 << 20;

/// Names one store for ever. It goes with the ledger when that moves to another home.
pub(crate) type StoreId = [u8; 16];

/// A chain value.
pub(crate) type Chain = [u8; 32];

/// SHA-256 of bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// The chain value after an entry whose payload has this digest.
pub(crate) fn link(before: &Chain, payload: &[u8; 32]) -> Chain {
    let mut joined = [0; 64];
    joined[..32].copy_from_slice(before);
    joined[32..].copy_from_slice(payload);
    sha256(&joined)
}
