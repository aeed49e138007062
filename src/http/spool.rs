//! Where an answer waits that may not begin yet: in memory while it is small, then in a file without a name.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use axum::body::{Body, Bytes};

/// What is kept in memory.
const IN_MEMORY: usize = 256 * 1024;

/// Bytes of an answer, appended, then sent.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    recent: Vec<u8>,
    earlier: Option<File>,
    length: u64,
}

impl Spool {
    /// An empty one; `folder` is where the file will be if there is to be one.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, recent: Vec::new(), earlier: None, length: 0 }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(crate) async fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.recent.extend_from_slice(bytes);
        self.length += bytes.len() as u64;
        if self.recent.len() >= IN_MEMORY { self.move_out().await } else { Ok(()) }
    }

    async fn move_out(&mut self) -> io::Result<()> {
        let (folder, earlier, mut recent) =
            (self.folder.clone(), self.earlier.take(), std::mem::take(&mut self.recent));
        let moved = tokio::task::spawn_blocking(move || {
            let mut file = earlier.map_or_else(|| nameless(&folder), Ok)?;
            file.write_all(&recent)?;
            recent.clear();
            Ok::<_, io::Error>((file, recent))
        });
        let (file, recent) = moved.await.map_err(io::Error::other)??;
        (self.earlier, self.recent) = (Some(file), recent);
        Ok(())
    }

    /// How many bytes there are.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes as the body of an answer, read piece by piece.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(crate) async fn into_body(mut self) -> io::Result<Body> {
        if self.earlier.is_none() {
            return Ok(Body::from(self.recent));
        }
        self.move_out().await?;
        let Some(mut file) = self.earlier else { return Ok(Body::empty()) };
        file.seek(SeekFrom::Start(0))?;
        Ok(Body::from_stream(futures_util::stream::try_unfold(file, piece)))
    }
}

async fn piece(mut file: File) -> io::Result<Option<(Bytes, File)>> {
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; 64 * 1024];
        let length = file.read(&mut piece)?;
        piece.truncate(length);
        Ok((length > 0).then(|| (Bytes::from(piece), file)))
    });
    read.await.map_err(io::Error::other)?
}

/// A file that only this process can reach and that vanishes with it.
fn nameless(folder: &std::path::Path) -> io::Result<File> {
    use std::hash::{BuildHasher as _, RandomState};
    let name = format!("vermilion-{}-{:016x}", std::process::id(), RandomState::new().hash_one(()));
    let path = folder.join(name);
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn what_goes_in_comes_out_and_leaves_no_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        for (lines, in_file) in [(3, false), (40_000, true)] {
            let mut spool = Spool::new(folder.path().to_owned());
            let mut whole = Vec::new();
            for line in 0..lines {
                let line = format!("{{\"line\":{line}}}\n");
                spool.append(line.as_bytes()).await.unwrap();
                whole.extend_from_slice(line.as_bytes());
            }
            assert_eq!(spool.earlier.is_some(), in_file);
            assert_eq!(spool.length(), whole.len() as u64);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
            let body = spool.into_body().await.unwrap();
            assert!(body.collect().await.unwrap().to_bytes() == whole, "{lines} lines");
        }
    }
}
