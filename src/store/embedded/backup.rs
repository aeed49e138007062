//! Backup of a store, running or not, and its restoring into an empty folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::domain::ids::Sha256;
use crate::store::embedded::documents::document_path;
use crate::store::embedded::io::{Disk, Io, replace};
use crate::store::embedded::ledger::segment_path;
use crate::store::embedded::recovery::{Walked, make_folders, segments, walk};
use crate::store::embedded::state::{End, FORMAT, State};
use crate::store::embedded::{OpenError, checks, keyring, lock};
use crate::store::entry::{self, Bytes, WriteLine};
use crate::store::record::text;

const MANIFEST: &str = "MANIFEST";
/// A running store may write just where the copy reads; rot is there every time.
const TRIES: usize = 5;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Entries of the ledger.
    pub entries: u64,
    /// Documents.
    pub documents: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    #[serde(with = "text")]
    store: Bytes<16>,
    #[serde(with = "text")]
    key_check: Bytes<16>,
    end: End,
    slots: u32,
    files: Vec<Copied>,
}

#[derive(Serialize, Deserialize)]
struct Copied {
    path: String,
    bytes: u64,
    #[serde(with = "text")]
    sha256: Sha256,
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { doing, source }
}

fn claim_empty(folder: &Path) -> Result<(), OpenError> {
    let making = failed("making the folder");
    fs::create_dir_all(folder).map_err(&making)?;
    match fs::read_dir(folder).map_err(&making)?.next() {
        Some(_) => Err(OpenError::NotEmpty),
        None => Ok(()),
    }
}

pub(crate) fn backup(from: &Path, to: &Path) -> Result<Made, OpenError> {
    let copying = failed("copying the store");
    let state = State::read(from).map_err(failed("reading STATE"))?.ok_or(OpenError::NoState)?;
    if state.format != FORMAT {
        return Err(OpenError::Format(state.format));
    }
    claim_empty(to)?;
    make_folders(to).map_err(&copying)?;
    let (Walked { header, extent }, documents) = survey(from, &state)?;
    let end = End {
        segment: header.first,
        offset: extent.end as u64,
        seq: extent.seq,
        chain: Sha256::new(extent.chain),
    };

    let mut files = Vec::new();
    for (first, path) in segments(from).map_err(&copying)? {
        if first <= header.first {
            let limit = if first == header.first { end.offset } else { u64::MAX };
            files.push(copy(&path, from, to, limit).map_err(&copying)?);
        }
    }
    // After the ledger: every slot that it names is durable by now. Before the documents: they name none that is not.
    let ring = copy(&from.join("keyring"), from, to, u64::MAX).map_err(&copying)?;
    let slots = u32::try_from(ring.bytes / keyring::SLOT as u64).unwrap_or(u32::MAX).min(state.slots);
    files.push(ring);
    let mut made = Made { entries: end.seq, documents: 0, bytes: 0 };
    for digest in documents {
        files.push(copy(&document_path(from, digest), from, to, u64::MAX).map_err(&copying)?);
        made.documents += 1;
    }
    for file in 0..checks::FILES {
        let path = from.join(checks::FOLDER).join(format!("{file:x}"));
        if path.exists() {
            files.push(copy(&path, from, to, u64::MAX).map_err(&copying)?);
        }
    }
    made.bytes = files.iter().map(|file| file.bytes).sum();
    sync_folders(to).map_err(&copying)?;
    let manifest =
        Manifest { format: FORMAT, store: state.store, key_check: state.key_check, end, slots, files };
    let manifest = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other).map_err(&copying)?;
    // Last: a folder without a manifest is no backup.
    replace(&Disk, &to.join(MANIFEST), &manifest).map_err(&copying)?;
    Ok(made)
}

/// Finds the end of the ledger and the documents that it names.
fn survey(from: &Path, state: &State) -> Result<(Walked, BTreeSet<Sha256>), OpenError> {
    let mut tries = 0;
    loop {
        let mut documents = BTreeSet::new();
        let mut unreadable = None;
        let walked = walk(from, state, |_, frame| {
            for write in entry::read_writes(frame.payload) {
                match write {
                    Ok((_, WriteLine::Certificate(line))) => documents.extend(line.pictures()),
                    Ok((_, WriteLine::Annotation(line))) => documents.extend(line.document),
                    Ok((_, WriteLine::Ticket(line))) => documents.extend([line.scan]),
                    Ok((_, WriteLine::PlainCopy(line))) => documents.extend([line.document]),
                    Ok(_) => {}
                    Err(error) => unreadable = Some(io::Error::other(error)),
                }
            }
        });
        tries += 1;
        match (walked, unreadable) {
            (Ok(walked), None) => return Ok((walked, documents)),
            (_, Some(error)) => return Err(failed("reading the ledger")(error)),
            (Err(_), None) if tries < TRIES => {}
            (Err(error), None) => return Err(error),
        }
    }
}

/// Copies the first `limit` bytes of a file to the same place below `to`.
fn copy(path: &Path, from: &Path, to: &Path, limit: u64) -> io::Result<Copied> {
    let within = path.strip_prefix(from).map_err(io::Error::other)?;
    let target = to.join(within);
    let mut source = File::open(path)?.take(limit);
    if let Some(shelf) = target.parent() {
        fs::create_dir_all(shelf)?;
    }
    let mut file = File::create_new(&target)?;
    let mut digest = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
        file.write_all(&buffer[..read])?;
        bytes += read as u64;
    }
    file.sync_all()?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest.finish().as_ref());
    let path = within.to_str().ok_or_else(|| io::Error::other("a file has a strange name"))?.to_owned();
    Ok(Copied { path, bytes, sha256: Sha256::new(sha256) })
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for shelf in fs::read_dir(folder.join("documents"))? {
        Disk.sync_dir(&shelf?.path())?;
    }
    for sub in ["documents", "ledger", checks::FOLDER] {
        Disk.sync_dir(&folder.join(sub))?;
    }
    Disk.sync_dir(folder)
}

pub(crate) fn restore(backup: &Path, folder: &Path) -> Result<Made, OpenError> {
    let restoring = failed("restoring the store");
    let bad = |path: &str, why| OpenError::BadBackup { path: path.to_owned(), why };
    let manifest = fs::read(backup.join(MANIFEST)).map_err(|_| bad(MANIFEST, "is missing"))?;
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|_| bad(MANIFEST, "is damaged"))?;
    if manifest.format != FORMAT {
        return Err(OpenError::Format(manifest.format));
    }
    claim_empty(folder)?;
    let _lock = lock(folder)?;
    make_folders(folder).map_err(&restoring)?;
    let mut made = Made { entries: manifest.end.seq, documents: 0, bytes: 0 };
    for file in &manifest.files {
        let path = inside(backup, &file.path).ok_or_else(|| bad(&file.path, "lies elsewhere"))?;
        let copied = match copy(&path, backup, folder, u64::MAX) {
            Ok(copied) => copied,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(bad(&file.path, "is missing"));
            }
            Err(error) => return Err(restoring(error)),
        };
        if (copied.bytes, copied.sha256) != (file.bytes, file.sha256) {
            return Err(bad(&file.path, "is not as it was copied"));
        }
        made.documents += u64::from(file.path.starts_with("documents/"));
        made.bytes += file.bytes;
    }
    if !segment_path(folder, manifest.end.segment).exists() {
        return Err(bad(MANIFEST, "names no ledger"));
    }
    sync_folders(folder).map_err(&restoring)?;
    let state = State {
        format: FORMAT,
        store: manifest.store,
        key_check: manifest.key_check,
        opened: 0,
        boot: String::new(),
        clean: false,
        end: manifest.end,
        slots: manifest.slots,
    };
    // Last: a folder without STATE is no store.
    state.write(&Disk, folder).map_err(&restoring)?;
    Ok(made)
}

/// A path of the manifest, if it is one that a backup may hold.
fn inside(backup: &Path, path: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = path.split('/').collect();
    let plain = parts.iter().all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'.')
    });
    let known = match parts[..] {
        ["keyring"] | ["ledger" | checks::FOLDER, _] | ["documents", _, _] => plain,
        _ => false,
    };
    known.then(|| backup.join(path))
}
