//! The file `STATE`: which store this is, whether it was closed, and how much of the ledger must be there.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::ids::Sha256;
use crate::store::embedded::io::{Io, replace};
use crate::store::entry::Bytes;
use crate::store::record::text;

/// The one format of the folder so far.
pub(crate) const FORMAT: u32 = 1;

/// What `STATE` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) format: u32,
    /// Names the store for ever.
    #[serde(with = "text")]
    pub(crate) store: Bytes<16>,
    /// Tells a wrong master key without trying it on data.
    #[serde(with = "text")]
    pub(crate) key_check: Bytes<16>,
    /// How often the store was opened: no two lives of it give the same lease.
    pub(crate) opened: u32,
    /// The kernel's life in which it was last opened.
    pub(crate) boot: String,
    /// Whether it was closed since.
    pub(crate) clean: bool,
    /// The ledger reaches at least this far; exactly so far where it was closed.
    pub(crate) end: End,
    /// The key ring has at least so many slots in use.
    pub(crate) slots: u32,
}

/// A place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// First number of the segment.
    pub(crate) segment: u64,
    /// Offset in it.
    pub(crate) offset: u64,
    /// Number of the last entry before it.
    pub(crate) seq: u64,
    /// Chain value there.
    #[serde(with = "text")]
    pub(crate) chain: Sha256,
}

impl State {
    /// None where there is no such file.
    pub(crate) fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(folder.join("STATE")) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn write(&self, io: &dyn Io, folder: &Path) -> io::Result<()> {
        replace(io, &folder.join("STATE"), &serde_json::to_vec_pretty(self)?)
    }
}

/// Names the present life of the kernel; its page cache lives as long.
pub(crate) fn boot_id() -> String {
    // Where the kernel does not say, no two starts look alike and the index is rebuilt unless closed cleanly.
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
