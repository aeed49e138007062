//! A disk that fails at a chosen call, that loses what was not synced, and that may be full.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::store::embedded::io::{Disk, Io};

const BLOCK: u64 = 4096;

/// How the chosen call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failing {
    /// Nothing is done.
    NotDone,
    /// It is done, and said to have failed.
    Done,
    /// Nothing is done, then or ever after.
    PowerOff,
}

/// The disk. Remembers what lay below everything that is not yet durable.
#[derive(Debug)]
pub(super) struct Mischief {
    calls: AtomicU64,
    fails_at: u64,
    failing: Failing,
    pub(super) has_failed: AtomicBool,
    pub(super) free: AtomicU64,
    /// Writes to files whose name contains this find the disk full.
    pub(super) full_for: Mutex<Option<&'static str>>,
    lost: Mutex<Lost>,
}

#[derive(Debug, Default)]
struct Lost {
    /// What lay in each block before it was written and not synced.
    blocks: HashMap<PathBuf, BTreeMap<u64, Vec<u8>>>,
    /// Renames not yet durable, oldest first, with what bore the new name before.
    renames: Vec<(PathBuf, PathBuf, Option<Vec<u8>>)>,
}

impl Mischief {
    /// Fails at the `fails_at`-th call; never for none.
    pub(super) fn new(fails_at: Option<u64>, failing: Failing) -> Self {
        Self {
            calls: AtomicU64::new(0),
            fails_at: fails_at.unwrap_or(u64::MAX),
            failing,
            has_failed: AtomicBool::new(false),
            free: AtomicU64::new(u64::MAX),
            full_for: Mutex::default(),
            lost: Mutex::default(),
        }
    }

    fn call<T>(&self, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let name = path.to_string_lossy();
        if self.full_for.lock().unwrap().is_some_and(|full| name.contains(full)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let off = self.failing == Failing::PowerOff && number > self.fails_at;
        if number == self.fails_at || off {
            self.has_failed.store(true, Ordering::SeqCst);
            if self.failing == Failing::Done {
                act()?;
            }
            return Err(io::Error::other("mischief"));
        }
        act()
    }

    fn remember(&self, file: &File, path: &Path, offset: u64, length: u64) -> io::Result<()> {
        let mut lost = self.lost.lock().unwrap();
        let blocks = lost.blocks.entry(path.to_owned()).or_default();
        for block in offset / BLOCK..(offset + length).div_ceil(BLOCK) {
            if let Entry::Vacant(vacant) = blocks.entry(block) {
                let mut before = vec![0; BLOCK as usize];
                let mut at = 0;
                while at < before.len() {
                    match file.read_at(&mut before[at..], block * BLOCK + at as u64)? {
                        0 => break,
                        read => at += read,
                    }
                }
                vacant.insert(before);
            }
        }
        Ok(())
    }

    /// The power fails: each block and each name that is not durable is the old one or the new one, by chance.
    pub(super) fn cut_power(&self, mut chance: impl FnMut() -> bool) {
        let mut lost = self.lost.lock().unwrap();
        for (path, blocks) in lost.blocks.drain() {
            let Ok(file) = File::options().write(true).open(&path) else { continue };
            let length = file.metadata().unwrap().len();
            for (block, before) in blocks {
                if chance() && block * BLOCK < length {
                    let kept = before.len().min((length - block * BLOCK) as usize);
                    file.write_all_at(&before[..kept], block * BLOCK).unwrap();
                }
            }
        }
        // Names become durable in order: a later one never without the earlier.
        while chance() {
            let Some((from, to, before)) = lost.renames.pop() else { break };
            let _ = fs::rename(&to, &from);
            if let Some(before) = before {
                fs::write(&to, before).unwrap();
            }
        }
        lost.renames.clear();
    }
}

impl Io for Mischief {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.call(path, || {
            self.lost.lock().unwrap().blocks.remove(path);
            Disk.create(path)
        })
    }

    fn write(&self, file: &File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.call(path, || {
            self.remember(file, path, offset, bytes.len() as u64)?;
            Disk.write(file, path, offset, bytes)
        })
    }

    fn sync(&self, _: &File, path: &Path) -> io::Result<()> {
        self.call(path, || {
            self.lost.lock().unwrap().blocks.remove(path);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(to, || {
            let before = fs::read(to).ok();
            Disk.rename(from, to)?;
            let mut lost = self.lost.lock().unwrap();
            lost.blocks.remove(to);
            if let Some(blocks) = lost.blocks.remove(from) {
                lost.blocks.insert(to.to_owned(), blocks);
            }
            lost.renames.push((from.to_owned(), to.to_owned(), before));
            Ok(())
        })
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.call(folder, || {
            let mut lost = self.lost.lock().unwrap();
            lost.renames.retain(|(_, to, _)| to.parent() != Some(folder));
            Ok(())
        })
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free.load(Ordering::SeqCst))
    }
}

/// Chance from a seed (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }
}
