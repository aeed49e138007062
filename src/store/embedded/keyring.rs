//! The file `keyring`: fixed slots, each with one person's data key, wrapped. Overwriting a slot erases the person.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::cipher::Wrapped;
use crate::store::embedded::io::{Io, fill};
use crate::store::entry::Blind;

/// Bytes of a slot; a block of the disk holds a whole number of them.
pub(crate) const SLOT: usize = 128;
const GROWTH: u64 = 256 * 1024;
const SLOTS_AT_ONCE: u32 = 2048;

const USED: u32 = u32::from_le_bytes(*b"USED");
const ERASED: u32 = u32::from_le_bytes(*b"GONE");

/// What a slot holds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Nothing yet.
    Empty,
    /// A person's key.
    Used {
        /// Whose.
        person: Blind,
        /// The key.
        key: Wrapped,
    },
    /// A key was here.
    Erased,
}

impl Slot {
    pub(crate) fn write(&self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        match self {
            Self::Empty => return bytes,
            Self::Erased => bytes[..4].copy_from_slice(&ERASED.to_le_bytes()),
            Self::Used { person, key } => {
                bytes[..4].copy_from_slice(&USED.to_le_bytes());
                bytes[8..24].copy_from_slice(&person.0);
                bytes[24..84].copy_from_slice(key);
            }
        }
        let crc = crc32fast::hash(&bytes);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// None where the bytes are damaged.
    pub(crate) fn read(bytes: &[u8; SLOT]) -> Option<Self> {
        let slot = match u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) {
            0 => Self::Empty,
            ERASED => Self::Erased,
            USED => Self::Used {
                person: crate::store::entry::Bytes(bytes[8..24].try_into().ok()?),
                key: bytes[24..84].try_into().ok()?,
            },
            _ => return None,
        };
        (slot.write() == *bytes).then_some(slot)
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Keyring {
    io: Arc<dyn Io>,
    path: PathBuf,
    file: File,
}

impl Keyring {
    pub(crate) fn open(io: Arc<dyn Io>, folder: &Path) -> io::Result<Self> {
        let path = folder.join("keyring");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        Ok(Self { io, path, file })
    }

    /// The first slot after which all are empty.
    pub(crate) fn end(&self) -> io::Result<u32> {
        let mut slots = self.file.metadata()?.len() / SLOT as u64;
        let mut bytes = [0; SLOT];
        while slots > 0 {
            self.file.read_exact_at(&mut bytes, (slots - 1) * SLOT as u64)?;
            if bytes.iter().any(|byte| *byte != 0) {
                break;
            }
            slots -= 1;
        }
        u32::try_from(slots).map_err(|_| io::Error::other("the key ring is too long"))
    }

    pub(crate) fn read(&self, slot: u32) -> io::Result<Slot> {
        let mut bytes = [0; SLOT];
        match self.file.read_exact_at(&mut bytes, offset(slot)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Slot::Empty),
            Err(error) => return Err(error),
        }
        Slot::read(&bytes).ok_or_else(|| io::Error::other(format!("slot {slot} of the key ring is damaged")))
    }

    /// The slots that are erased.
    pub(crate) fn erased(&self) -> io::Result<Vec<u32>> {
        let (mut erased, end) = (Vec::new(), self.end()?);
        let mut bytes = vec![0; SLOTS_AT_ONCE as usize * SLOT];
        for first in (0..end).step_by(SLOTS_AT_ONCE as usize) {
            let slots = SLOTS_AT_ONCE.min(end - first);
            let bytes = &mut bytes[..slots as usize * SLOT];
            self.file.read_exact_at(bytes, offset(first))?;
            let is_erased = |slot: &[u8]| slot[..4] == ERASED.to_le_bytes();
            erased.extend(
                (first..).zip(bytes.chunks_exact(SLOT)).filter(|(_, slot)| is_erased(slot)).map(|(n, _)| n),
            );
        }
        Ok(erased)
    }

    /// Writes neighbouring slots from `first` on; durable after [`Self::sync`].
    pub(crate) fn write(&self, first: u32, slots: &[u8]) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let end = offset(first) + slots.len() as u64;
        if end > length {
            let grown = end.div_ceil(GROWTH) * GROWTH;
            fill(&*self.io, &self.file, &self.path, length, grown)?;
        }
        self.io.write(&self.file, &self.path, offset(first), slots)
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.io.sync(&self.file, &self.path)
    }
}

fn offset(slot: u32) -> u64 {
    u64::from(slot) * SLOT as u64
}
