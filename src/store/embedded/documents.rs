//! Documents: files named by the digest of their plain content, encrypted with their person's key.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::ids::Sha256;
use crate::store::Fault;
use crate::store::cipher::VaultError;
use crate::store::embedded::io::{Io, remove};
use crate::store::embedded::vault::Vault;
use crate::store::envelope::{self, keeping, reading};

/// How long a file that no record names is left alone.
const ORPHAN_AGE: Duration = Duration::from_secs(24 * 3600);

/// The folder of documents.
#[derive(Debug)]
pub(crate) struct Documents {
    io: Arc<dyn Io>,
    folder: PathBuf,
    /// Kept in this life of the process and not yet named by a record.
    unnamed: Mutex<HashSet<Sha256>>,
    /// Subfolders whose names are surely durable.
    shelves: Mutex<HashSet<u8>>,
}

/// Where a document lies in a store's folder.
pub(crate) fn document_path(folder: &Path, digest: Sha256) -> PathBuf {
    folder.join("documents").join(format!("{:02x}", digest.as_bytes()[0])).join(digest.to_string())
}

impl Documents {
    pub(crate) fn new(io: Arc<dyn Io>, folder: &Path) -> Self {
        Self { io, folder: folder.to_owned(), unnamed: Mutex::default(), shelves: Mutex::default() }
    }

    /// See [`crate::store::Store::put_document`].
    pub(crate) fn put(&self, vault: &Vault, slot: u32, digest: Sha256, bytes: &[u8]) -> Result<(), Fault> {
        envelope::check(digest, bytes)?;
        let key = vault.key(slot)?.ok_or(VaultError::NoKey(slot))?;
        self.unnamed.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        let file = envelope::close(vault, slot, &key, digest, bytes)?;
        let mut name = String::with_capacity(24);
        for byte in vault.chance::<12>()? {
            let _ = write!(name, "{byte:02x}");
        }
        self.keep(&name, digest, &file)
    }

    /// Keeps a document that is encrypted already, by way of a file of this name.
    pub(crate) fn keep(&self, unfinished: &str, digest: Sha256, file: &[u8]) -> Result<(), Fault> {
        let unfinished = self.folder.join("tmp").join(unfinished);
        let kept = self
            .shelve(digest.as_bytes()[0])
            .and_then(|()| self.place(&unfinished, &document_path(&self.folder, digest), file));
        if kept.is_err() {
            let _ = remove(&unfinished);
        }
        kept.map_err(keeping)
    }

    fn shelve(&self, shelf: u8) -> io::Result<()> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if !shelves.contains(&shelf) {
            let documents = self.folder.join("documents");
            fs::create_dir_all(documents.join(format!("{shelf:02x}")))?;
            self.io.sync_dir(&documents)?;
            shelves.insert(shelf);
        }
        Ok(())
    }

    fn place(&self, unfinished: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.io.create(unfinished)?;
        self.io.write(&file, unfinished, 0, bytes)?;
        self.io.sync(&file, unfinished)?;
        self.io.rename(unfinished, path)?;
        self.io.sync_dir(path.parent().unwrap_or(path))
    }

    /// See [`crate::store::Store::document`].
    pub(crate) fn read(&self, vault: &Vault, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        match read(&self.folder, vault, digest)? {
            Found::Plain(bytes) => Ok(Some(bytes)),
            Found::Nothing | Found::Erased => Ok(None),
        }
    }

    /// Records name these files now.
    pub(crate) fn settle(&self, digests: &[Sha256]) {
        if digests.is_empty() {
            return;
        }
        let mut unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
        for digest in digests {
            unnamed.remove(digest);
        }
    }

    /// Deletes files that no record names, a day after they were written. Says how many.
    pub(crate) fn sweep(
        &self,
        now: DateTime<Utc>,
        is_named: impl Fn(Sha256) -> Result<bool, Fault>,
    ) -> Result<u64, Fault> {
        let sweeping = |error: io::Error| Fault::new("sweeping documents", error);
        let mut swept = 0;
        for shelf in fs::read_dir(self.folder.join("documents")).map_err(sweeping)? {
            for file in fs::read_dir(shelf.map_err(sweeping)?.path()).map_err(sweeping)? {
                let file = file.map_err(sweeping)?;
                let name = file.file_name();
                let Some(digest) = name.to_str().and_then(|name| name.parse::<Sha256>().ok()) else {
                    continue;
                };
                let written = DateTime::<Utc>::from(
                    file.metadata().and_then(|meta| meta.modified()).map_err(sweeping)?,
                );
                if now < written + ORPHAN_AGE {
                    continue;
                }
                // Held until deleted: whoever keeps the same file again waits, and then writes it anew.
                let unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
                if !unnamed.contains(&digest) && !is_named(digest)? {
                    remove(&file.path()).map_err(sweeping)?;
                    swept += 1;
                }
            }
        }
        Ok(swept)
    }
}

/// What lies under a digest.
pub(crate) enum Found {
    Nothing,
    Plain(Vec<u8>),
    /// The person's key is gone.
    Erased,
}

/// Reads and checks a document of the store in a folder.
pub(crate) fn read(folder: &Path, vault: &Vault, digest: Sha256) -> Result<Found, Fault> {
    let file = match fs::read(document_path(folder, digest)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(reading(error)),
    };
    match vault.key(envelope::slot_in(&file)?)? {
        Some(key) => envelope::open(vault, &key, digest, file).map(Found::Plain),
        None => Ok(Found::Erased),
    }
}
