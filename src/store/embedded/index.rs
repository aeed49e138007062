//! sled as the index of the ledger: small keys to small values, thrown away and rebuilt whenever it cannot be trusted.
//!
//! One thread writes, by plain `insert` and `remove` only: batches and transactions of sled 0.34.7 can hang for ever.
//! Readers see whole groups of changes: the newest group lies over the tree until the tree has taken it up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread;
use std::time::Duration;
use std::{fs, io};

use crate::store::Fault;
use crate::store::embedded::io::remove;

/// Key of the number up to which entries are surely in the tree. Sorts after all others and is written last.
const APPLIED: &[u8] = b"~applied";
const CACHE_BYTES: u64 = 24 << 20;
const OPENING_LIMIT: Duration = Duration::from_secs(180);

/// Writes of one or more entries: key to value, or to nothing where it is removed.
pub(crate) type Group = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// The open index.
pub(crate) struct Index {
    tree: sled::Db,
    recent: RwLock<Arc<Group>>,
    /// Counts groups: whoever reads several keys reads them again if it moved.
    generation: AtomicU64,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Index(…)")
    }
}

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new("reading the index", error)
}

/// What readers see.
pub(crate) trait View {
    /// The value of a key.
    fn find(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault>;
}

/// The index at one moment.
pub(crate) struct Moment<'a> {
    tree: &'a sled::Tree,
    recent: Arc<Group>,
}

impl View for Moment<'_> {
    fn find(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        match self.recent.get(key) {
            Some(value) => Ok(value.clone()),
            None => Ok(self.tree.get(key).map_err(fault)?.map(|value| value.to_vec())),
        }
    }
}

impl Moment<'_> {
    /// Walks the keys that begin with `prefix` and come after `after` (a whole key), in order, until `each` says so.
    pub(crate) fn walk(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let from = match after {
            Some(after) if after >= prefix => Excluded(after),
            _ => Included(prefix),
        };
        let mut above = self.recent.range::<[u8], _>((from, Unbounded)).peekable();
        let mut below = self.tree.range::<&[u8], _>((from, Unbounded)).peekable();
        loop {
            let over = above.peek().filter(|(key, _)| key.starts_with(prefix));
            let under = match below.peek() {
                Some(Ok((key, _))) if key.starts_with(prefix) => Some(key.clone()),
                Some(Err(error)) => return Err(fault(error.clone())),
                _ => None,
            };
            let go_on = match (over, under) {
                (None, None) => return Ok(()),
                (Some((key, value)), under)
                    if under.as_ref().is_none_or(|low| key.as_slice() <= &low[..]) =>
                {
                    if under.is_some_and(|low| low == key.as_slice()) {
                        below.next();
                    }
                    let go_on = match value {
                        Some(value) => each(key, value)?,
                        None => true,
                    };
                    above.next();
                    go_on
                }
                _ => match below.next() {
                    Some(item) => {
                        let (key, value) = item.map_err(fault)?;
                        each(&key, &value)?
                    }
                    None => return Ok(()),
                },
            };
            if !go_on {
                return Ok(());
            }
        }
    }

    /// The last key that begins with `prefix`.
    pub(crate) fn last(&self, prefix: &[u8]) -> Result<Option<Pair>, Fault> {
        let above = self
            .recent
            .range::<[u8], _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter_map(|(key, value)| Some((key, value.as_ref()?)))
            .last();
        let mut below = None;
        for item in self.tree.scan_prefix(prefix).rev() {
            let (key, value) = item.map_err(fault)?;
            if self.recent.get(&key[..]) != Some(&None) {
                below = Some((key.to_vec(), value.to_vec()));
                break;
            }
        }
        Ok(match (above, below) {
            (Some((key, value)), below) if below.as_ref().is_none_or(|(low, _)| low <= key) => {
                Some((key.clone(), value.clone()))
            }
            (_, below) => below,
        })
    }
}

/// A group being made, over the index.
pub(crate) struct Draft<'a> {
    index: &'a Index,
    pub(crate) group: Group,
}

impl View for Draft<'_> {
    fn find(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        match self.group.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.index.now().find(key),
        }
    }
}

impl Draft<'_> {
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.group.insert(key, Some(value));
    }

    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.group.insert(key, None);
    }

    /// The last key that begins with `prefix`.
    pub(crate) fn last(&self, prefix: &[u8]) -> Result<Option<Pair>, Fault> {
        Moment { tree: &self.index.tree, recent: Arc::new(Group::new()) }.last(prefix).map(|below| {
            let above = self
                .group
                .range::<[u8], _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
                .last();
            above.max(below)
        })
    }
}

impl Index {
    /// Opens or makes the tree in `folder/index`.
    ///
    /// # Errors
    /// The tree cannot be read, panicked or hung: throw it away.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("index");
        discard_unfinished_snapshots(&path)?;
        let marker = folder.join("index.opening");
        fs::write(&marker, b"")?;
        let (send, opened) = mpsc::channel();
        // sled panics on some damage and hangs on other: both happen to a thread that nobody needs.
        thread::Builder::new().name("index-opening".to_owned()).spawn(move || {
            let config = sled::Config::new()
                .path(path)
                .cache_capacity(CACHE_BYTES)
                .flush_every_ms(Some(1000))
                .print_profile_on_drop(false);
            let _ = send.send(config.open());
        })?;
        let tree = match opened.recv_timeout(OPENING_LIMIT) {
            Ok(opened) => opened.map_err(io::Error::other)?,
            Err(mpsc::RecvTimeoutError::Timeout) => return Err(io::Error::other("opening the index hangs")),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("opening the index panicked"));
            }
        };
        Ok(Self { tree, recent: RwLock::default(), generation: AtomicU64::new(0) })
    }

    /// The number up to which entries are surely in the tree.
    pub(crate) fn applied(&self) -> io::Result<u64> {
        let value = self.tree.get(APPLIED).map_err(io::Error::other)?;
        Ok(value.and_then(|value| value.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    pub(crate) fn draft(&self) -> Draft<'_> {
        Draft { index: self, group: Group::new() }
    }

    /// The index as it is now, for reading one key or walking one range.
    pub(crate) fn now(&self) -> Moment<'_> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner).clone();
        Moment { tree: &self.tree, recent }
    }

    /// Reads any number of keys as they were at one moment.
    pub(crate) fn read<T>(&self, look: impl Fn(&Moment<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        loop {
            let before = self.generation.load(Ordering::Acquire);
            let found = look(&self.now());
            if self.generation.load(Ordering::Acquire) == before {
                return found;
            }
        }
    }

    /// Shows a group to readers at once.
    pub(crate) fn show(&self, group: Group) -> Arc<Group> {
        let group = Arc::new(group);
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        *recent = group.clone();
        group
    }

    /// Takes a group up into the tree, then notes that all entries up to `applied` are there.
    pub(crate) fn absorb(&self, group: &Group, applied: u64) -> io::Result<()> {
        for (key, value) in group {
            match value {
                Some(value) => self.tree.insert(key.as_slice(), value.as_slice()),
                None => self.tree.remove(key.as_slice()),
            }
            .map_err(io::Error::other)?;
        }
        self.tree.insert(APPLIED, &applied.to_be_bytes()).map_err(io::Error::other)?;
        *self.recent.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        Ok(())
    }

    /// Writes everything out; the folder may be trusted after this and [`sync_folder`].
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.tree.flush().map(|_| ()).map_err(io::Error::other)
    }

    /// Every key but the applied number, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = io::Result<(Vec<u8>, Vec<u8>)>> {
        self.tree
            .iter()
            .map(|item| item.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(io::Error::other))
            .filter(|item| !matches!(item, Ok((key, _)) if key == APPLIED))
    }
}

/// Syncs the files of a closed index.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let path = folder.join("index");
    for file in fs::read_dir(&path)? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::File::open(file.path())?.sync_all()?;
        }
    }
    fs::File::open(&path)?.sync_all()
}

/// Whether the last opening did not end well, or something was said against the index.
pub(crate) fn is_suspect(folder: &Path) -> bool {
    ["index.opening", "index.suspect"].iter().any(|name| folder.join(name).exists())
}

/// Says that the index must not be trusted again.
pub(crate) fn suspect(folder: &Path) {
    let _ = fs::write(folder.join("index.suspect"), b"");
}

/// The index was opened and looks right.
pub(crate) fn acquit(folder: &Path) -> io::Result<()> {
    remove(&folder.join("index.opening"))?;
    remove(&folder.join("index.suspect"))
}

/// Throws the index away. Renamed first: a half-deleted index never looks like one.
pub(crate) fn discard(folder: &Path) -> io::Result<()> {
    let path = folder.join("index");
    for number in 0.. {
        let dead = folder.join(format!("index.dead-{number}"));
        if dead.exists() {
            remove(&dead)?;
        }
        match fs::rename(&path, &dead) {
            Ok(()) => return remove(&dead),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) if number < 8 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn discard_unfinished_snapshots(index: &Path) -> io::Result<()> {
    // sled takes the highest name for the newest snapshot, also one that it had not finished.
    let files = match fs::read_dir(index) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for file in files {
        let file = file?;
        if file.file_name().to_string_lossy().ends_with(".generating") {
            remove(&file.path())?;
        }
    }
    Ok(())
}
