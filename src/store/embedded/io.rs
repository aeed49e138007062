//! The few calls by which the store changes the disk, behind a trait, so that tests can make each of them fail and
//! can take back what was not synced.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the store asks of the disk.
pub(crate) trait Io: fmt::Debug + Send + Sync {
    /// Makes an empty file, or empties one.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Writes all bytes at an offset.
    fn write(&self, file: &File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file's content durable.
    fn sync(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Gives a file another name in the same file system, replacing what bore it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;

    /// Bytes that may still be written.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// The real disk.
#[derive(Debug)]
pub(crate) struct Disk;

impl Io for Disk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
    }

    fn write(&self, file: &File, _: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File, _: &Path) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let space = rustix::fs::statvfs(folder)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}

/// Puts a whole file in its place, durably: the old content or the new, never a part of it.
pub(crate) fn replace(io: &dyn Io, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let file = io.create(&unfinished)?;
    io.write(&file, &unfinished, 0, bytes)?;
    io.sync(&file, &unfinished)?;
    io.rename(&unfinished, path)?;
    io.sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Fills a file with zeros from an offset up to a length, so that later writes change no metadata.
pub(crate) fn fill(io: &dyn Io, file: &File, path: &Path, from: u64, upto: u64) -> io::Result<()> {
    const STEP: u64 = 1 << 20;
    let zeros = vec![0; STEP as usize];
    let mut at = from;
    while at < upto {
        let step = (upto - at).min(STEP);
        io.write(file, path, at, &zeros[..step as usize])?;
        at += step;
    }
    Ok(())
}

/// Removes a file or folder that may be absent.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
