//! The embedded store: the ledger (fsynced, hash-chained segments) as truth, sled as its index, a folder of documents.
//!
//! ```text
//! LOCK                        held while the store is open: one process at a time
//! STATE                       which store this is, whether it was closed, how much of the ledger must be there
//! ledger/<first number>.seg   every change, in order: the legal record
//! keyring                     one wrapped data key per person; overwriting it erases the person
//! checks/<0..f>               how often each copy was verified: statistics, which the ledger does not tell
//! documents/<aa>/<sha256>     sealed copies and photos, encrypted
//! index/                      sled: look-ups, thrown away and made anew from the ledger at need
//! ```
//!
//! A commit passes through here in this order: the caller encrypts and encodes (`encoding`); the writer checks what
//! it expects, appends the whole group and syncs once (`writer`, `ledger`); the group is shown to readers over the
//! tree; callers are answered; the tree takes the group up (`index`). After any failed write or sync nothing more
//! is written and the process must end: the next start (`recovery`) finds out what is on the disk.

mod accounts;
pub mod backup;
mod calls;
mod cases;
pub mod check;
mod checks;
mod companies;
mod condition;
mod documents;
mod fold;
mod frame;
mod index;
mod io;
mod keyring;
mod keys;
mod ledger;
mod life;
pub(crate) mod moving;
mod queue;
mod reads;
mod recovery;
mod registrants;
mod state;
#[cfg(test)]
mod tests;
mod tickets;
mod vault;
mod writer;

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::identity::PersonId;
use crate::store::Fault;
use crate::store::cipher::Master;
use crate::store::embedded::backup::Made;
use crate::store::embedded::calls::blocking;
use crate::store::embedded::io::{Disk, Io};
use crate::store::embedded::life::{Life, closed};
use crate::store::embedded::writer::Core;
use crate::store::inspection::Report;

/// How to keep a store.
#[derive(Clone)]
pub struct Options {
    /// The key above all keys.
    pub master: Master,
    /// Bytes of a segment of the ledger, 16 KiB to 1 GiB.
    pub segment_bytes: u64,
    /// Below so many bytes of free space nothing is written.
    pub free_floor_bytes: u64,
    /// Called once, from any thread, when the store breaks: the process must end, with a failure.
    pub on_broken: Arc<dyn Fn(&'static str) + Send + Sync>,
    pub(crate) io: Arc<dyn Io>,
}

impl Options {
    /// The usual: segments of 64 MiB, read-only below 256 MiB of free space.
    pub fn new(master: Master) -> Self {
        Self {
            master,
            segment_bytes: 64 << 20,
            free_floor_bytes: 256 << 20,
            on_broken: Arc::new(|_| {}),
            io: Arc::new(Disk),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options(segments of {}, floor {})", self.segment_bytes, self.free_floor_bytes)
    }
}

/// Why a store cannot be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody has it open.
    #[error("another process works on this folder; stop it first")]
    Locked,
    /// Written by a later version.
    #[error("the folder has format {0}, which this program does not know; use the program that wrote it")]
    Format(u32),
    /// The master key is another.
    #[error("the master key is not the one with which this store was made; configure that one")]
    WrongMaster,
    /// There is a ledger, but the file that says whose.
    #[error("the folder holds a ledger but no STATE; restore a backup into an empty folder")]
    NoState,
    /// The key ring lost slots.
    #[error(
        "the key ring holds {found} slots where {needed} are in use; restore a backup into an empty folder"
    )]
    KeyringShort {
        /// Slots in the file.
        found: u64,
        /// Slots known to be in use.
        needed: u32,
    },
    /// Something acknowledged is damaged. Nothing is repaired by guessing.
    #[error(
        "the ledger is damaged in segment {segment} at byte {offset}, entry {seq}: {why}; restore a backup into an empty folder"
    )]
    Rotten {
        /// First number of the segment, its file's name.
        segment: u64,
        /// Where in the file.
        offset: u64,
        /// The entry there.
        seq: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// There is nothing to move.
    #[error("there is no store in this folder; name the one that the service works on")]
    Nothing,
    /// A store is on its way here.
    #[error("the folder is receiving a store that moves here; end the move with migrate --switch first")]
    Receiving,
    /// The store lives elsewhere now.
    #[error("the store was moved away from this folder; use it where it is now, and an empty folder here")]
    Moved,
    /// Another store is on its way here.
    #[error("the folder holds another store, or one that is in use; name an empty folder")]
    Occupied,
    /// A folder that must be empty is not.
    #[error("the folder is not empty; name one that is empty or does not exist")]
    NotEmpty,
    /// A backup that is not what its manifest says.
    #[error("the backup is not whole: {path} {why}; use another one")]
    BadBackup {
        /// Which file.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The machine failed.
    #[error("{doing} failed")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

/// How often a lock is tried for. A process that is just ending holds it for a moment yet, and so does a child of it, or
/// of this process, between fork and exec.
const LOCK_TRIES: u32 = 50;

/// Takes the lock of a folder.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Io { doing: "locking the folder", source };
    let file =
        File::options().create(true).truncate(false).write(true).open(folder.join("LOCK")).map_err(failed)?;
    let mut tries = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        tries += 1;
    }
}

/// Ends the process when a thread of the index dies: sled's callers would wait for it for ever. To be called once, by
/// whoever owns the process, before a store is opened.
pub fn abort_with_index_threads() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            before(info);
            let dying = thread::current();
            // The names that sled 0.34.7 gives its threads.
            if dying.name().is_some_and(|name| name.starts_with("sled-io") || name == "log flusher") {
                std::process::abort();
            }
        }));
    });
}

/// The store in one folder, open. Dropped without [`Store::close`](crate::store::Store::close) it counts as killed.
#[derive(Debug)]
pub struct Embedded {
    folder: PathBuf,
    options: Options,
    life: RwLock<Option<Arc<Life>>>,
    // Last: given up when everything else is gone.
    lock: Mutex<Option<File>>,
}

impl Embedded {
    /// Opens the store in a folder, or makes one there: takes the lock, checks the whole ledger, brings up the index.
    /// Takes a second or so per gigabyte of ledger, and longer where the index must be made anew.
    ///
    /// # Errors
    /// Each says what to do.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        fs::create_dir_all(folder).map_err(|source| OpenError::Io { doing: "making the folder", source })?;
        let lock = lock(folder)?;
        moving::refuse_marked(folder)?;
        let life = Life::begin(folder, &options)?;
        Ok(Self {
            folder: folder.to_owned(),
            options,
            life: RwLock::new(Some(Arc::new(life))),
            lock: Mutex::new(Some(lock)),
        })
    }

    fn life(&self, doing: &'static str) -> Result<Arc<Life>, Fault> {
        self.life.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(|| closed(doing))
    }

    fn unlock(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn set_life(&self, life: Life) {
        *self.life.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(life));
    }

    fn core(&self) -> Result<Arc<Core>, Fault> {
        self.life("reading a closed store").map(|life| life.core.clone())
    }

    fn take_life(&self) -> Option<Arc<Life>> {
        self.life.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Destroys the data keys of a person: from now on nothing encrypted with them can be read, here or in the ledger,
    /// while the chain stands. Says how many keys there were. Backups keep theirs: they must be made anew.
    ///
    /// # Errors
    /// The disk's: then the person counts as not erased.
    pub async fn erase_person(&self, person: &PersonId) -> Result<usize, Fault> {
        let core = self.core()?;
        let person = core.vault.blind_person(person);
        blocking(move || core.erase(person)).await
    }

    /// Deletes the documents that no record names and that are older than a day at `now`. Says how many.
    ///
    /// # Errors
    /// The disk's.
    pub async fn sweep_documents(&self, now: DateTime<Utc>) -> Result<u64, Fault> {
        let core = self.core()?;
        blocking(move || core.documents.sweep(now, |digest| core.is_named(digest))).await
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(life) = self.take_life() {
            life.stop();
        }
    }
}

/// Checks a whole store that nobody has open: every frame, the chain, every record, every document, the index.
///
/// # Errors
/// The store is open, or cannot be checked at all; what is wrong with it is in the report.
pub fn check(folder: &Path, master: &Master) -> Result<Report, OpenError> {
    let _lock = lock(folder)?;
    check::check(folder, master)
}

/// Copies a store, running or not, into a new folder: first what is good of the ledger, then the key ring, then the
/// documents that the ledger names. The master key is not in it: keep it elsewhere.
///
/// # Errors
/// The folder is not empty, the store is damaged, or the disk failed: then the copy has no manifest and is none.
pub fn backup(from: &Path, to: &Path) -> Result<Made, OpenError> {
    moving::refuse_marked(from)?;
    backup::backup(from, to)
}

/// Puts a backup into an empty folder, after every file was held against the manifest.
///
/// # Errors
/// The folder is not empty, the backup is incomplete or damaged, or the disk failed.
pub fn restore(backup: &Path, folder: &Path) -> Result<Made, OpenError> {
    backup::restore(backup, folder)
}
