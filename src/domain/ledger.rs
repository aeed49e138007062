//! The ledger as an outsider sees it: numbered entries, each chained to the one before.

use crate::domain::event::Event;
use crate::domain::ids::Sha256;

/// An entry of the ledger, as the audit trail shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// What happened.
    pub events: Vec<Event>,
    /// SHA-256 of its bytes as they lie in the ledger.
    pub digest: Sha256,
    /// The chain value after it: SHA-256(chain value before it ‖ digest).
    pub chain: Sha256,
}

/// The end of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last durable entry; 0 for none.
    pub seq: u64,
    /// Its chain value; zeros for none.
    pub chain: Sha256,
}

/// What an outsider needs to check that entries stand in the chain.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The chain value before the first entry asked for.
    pub before: Sha256,
    /// For every number from the first asked for to the head: the whole payload where it was asked for, its digest where not.
    pub links: Vec<Link>,
    /// Where the chain ends.
    pub head: Head,
}

/// One link of a [`Proof`].
#[derive(Clone, Debug)]
pub enum Link {
    /// The entry's payload as it lies in the ledger (personal data is ciphertext).
    Whole {
        /// Number.
        seq: u64,
        /// Payload bytes.
        payload: Vec<u8>,
    },
    /// Somebody else's entry.
    Digest {
        /// Number.
        seq: u64,
        /// SHA-256 of its payload.
        digest: Sha256,
    },
}
