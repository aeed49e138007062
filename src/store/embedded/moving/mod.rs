//! Moving into a folder and out of one. Two files mark a folder that is not to be served: `RECEIVING`, while a store is on
//! its way here, and `MOVED`, when it has gone elsewhere.

pub(crate) mod arriving;
pub(crate) mod leaving;

use std::error::Error;
use std::path::Path;
use std::{fs, io};

use crate::domain::ids::Sha256;
use crate::store::Fault;
use crate::store::embedded::OpenError;
use crate::store::embedded::documents::document_path;
use crate::store::embedded::keyring::{Keyring, Slot};
use crate::store::migrate::RawSlot;

const RECEIVING: &str = "RECEIVING";
const MOVED: &str = "MOVED";
/// A running service may write just where a slot is read.
const TRIES: usize = 5;

fn moving(error: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
    Fault::new("moving a store", error)
}

/// Refuses a folder that a store has left, or has not yet arrived in.
pub(crate) fn refuse_marked(folder: &Path) -> Result<(), OpenError> {
    if folder.join(RECEIVING).exists() {
        return Err(OpenError::Receiving);
    }
    if folder.join(MOVED).exists() { Err(OpenError::Moved) } else { Ok(()) }
}

/// A document of a folder, as it lies.
fn document_in(folder: &Path, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
    match fs::read(document_path(folder, digest)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(moving(error)),
    }
}

/// The slots of a key ring that are erased.
fn erased_in(ring: &Keyring) -> Result<Vec<u32>, Fault> {
    ring.erased().map_err(moving)
}

/// The slots of a key ring that are used or erased, from a number on, at most so many.
fn slots_of(ring: &Keyring, from: u32, limit: u32) -> Result<Vec<RawSlot>, Fault> {
    let mut slots = Vec::new();
    for slot in from..ring.end().map_err(moving)? {
        if slots.len() as u64 >= u64::from(limit) {
            break;
        }
        let mut tries = 1;
        let read = loop {
            match ring.read(slot) {
                Err(_) if tries < TRIES => tries += 1,
                read => break read.map_err(moving)?,
            }
        };
        match read {
            Slot::Empty => {}
            Slot::Erased => slots.push(RawSlot { slot, key: None }),
            Slot::Used { person, key } => slots.push(RawSlot { slot, key: Some((person, key)) }),
        }
    }
    Ok(slots)
}
