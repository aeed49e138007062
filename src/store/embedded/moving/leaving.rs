//! A folder that a store leaves, served or not. Of a served one only those entries are read that a later frame vouches
//! for: what the disk might still lose must not be copied, or the copy would go its own way.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::domain::tally::Tallies;
use crate::store::Fault;
use crate::store::chain::{Chain, StoreId, link, sha256};
use crate::store::cipher::Master;
use crate::store::embedded::calls::blocking;
use crate::store::embedded::checks;
use crate::store::embedded::frame::{FRAME_HEADER, FrameHead, SEGMENT_HEADER, SegmentHeader};
use crate::store::embedded::io::{Disk, replace};
use crate::store::embedded::keyring::Keyring;
use crate::store::embedded::moving::{MOVED, RECEIVING, TRIES, document_in, erased_in, moving, slots_of};
use crate::store::embedded::recovery::{Walked, judge, segments, walk_from};
use crate::store::embedded::state::State;
use crate::store::embedded::{OpenError, lock};
use crate::store::migrate::mentions::Counts;
use crate::store::migrate::{Holding, RawEntry, RawSlot, Source, Tenure};

/// A folder that a store leaves.
#[derive(Debug)]
pub(crate) struct Leaving(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    state: State,
    ring: Keyring,
    /// Where the next entries are read, most likely.
    cursor: Mutex<Option<Cursor>>,
    lock: Mutex<Option<File>>,
}

/// A place in the ledger, after an entry.
#[derive(Debug, Clone)]
struct Cursor {
    header: SegmentHeader,
    file: Arc<File>,
    offset: usize,
    seq: u64,
    chain: Chain,
}

impl Leaving {
    /// Looks at a folder; whoever serves it is not disturbed.
    pub(crate) fn open(path: &Path, master: &Master) -> Result<Self, OpenError> {
        let failed = |doing| move |source| OpenError::Io { doing, source };
        let state = State::read(path).map_err(failed("reading STATE"))?.ok_or(OpenError::Nothing)?;
        judge(&state, path, master)?;
        let ring = Keyring::open(Arc::new(Disk), path).map_err(failed("opening the key ring"))?;
        let (cursor, lock) = (Mutex::default(), Mutex::default());
        Ok(Self(Arc::new(Folder { path: path.to_owned(), state, ring, cursor, lock })))
    }
}

impl Cursor {
    /// The beginning of a segment.
    fn at(path: &Path, first: u64) -> Result<Self, Fault> {
        let file = File::open(path).map_err(moving)?;
        let mut bytes = vec![0; SEGMENT_HEADER];
        file.read_exact_at(&mut bytes, 0).map_err(moving)?;
        let header = SegmentHeader::read(&bytes).filter(|header| header.first == first);
        let header = header.ok_or_else(|| moving("the header of a segment is damaged"))?;
        let (seq, chain) = (first - 1, header.before);
        Ok(Self { header, file: Arc::new(file), offset: SEGMENT_HEADER, seq, chain })
    }

    /// The frame here; none where no whole one lies here.
    fn frame(&self) -> Result<Option<(FrameHead, Vec<u8>)>, Fault> {
        let read = |bytes: &mut [u8]| match self.file.read_exact_at(bytes, self.offset as u64) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(moving(error)),
        };
        let mut bytes = vec![0; FRAME_HEADER];
        if !read(&mut bytes)? {
            return Ok(None);
        }
        let Some(head) = FrameHead::read(&bytes) else { return Ok(None) };
        bytes.resize(FRAME_HEADER + head.length, 0);
        if !read(&mut bytes)? {
            return Ok(None);
        }
        let whole = self.header.frame(&bytes, self.offset).map(|frame| (frame.head, frame.payload.to_vec()));
        Ok(whole)
    }
}

impl Folder {
    fn is_locked(&self) -> bool {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// A place before the entry after `after`.
    fn seek(&self, after: u64) -> Result<Cursor, Fault> {
        let known = self.cursor.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.seq == after) {
            return Ok(known);
        }
        let paths = segments(&self.path).map_err(moving)?;
        let (first, path) =
            paths.range(..=after + 1).next_back().ok_or_else(|| moving("the first segment is missing"))?;
        Cursor::at(path, *first)
    }

    fn next_segment(&self, seq: u64) -> Result<Option<Cursor>, Fault> {
        let paths = segments(&self.path).map_err(moving)?;
        paths.get(&(seq + 1)).map(|path| Cursor::at(path, seq + 1)).transpose()
    }

    fn entries(&self, after: u64, limit: u32) -> Result<Vec<RawEntry>, Fault> {
        let mut at = self.seek(after)?;
        let mut found: Vec<(RawEntry, Cursor)> = Vec::new();
        let mut vouched = 0;
        let durable_at_start = |at: &Cursor| match self.state.end.segment == at.header.first {
            true => self.state.end.offset as usize,
            false => 0,
        };
        let mut durable = durable_at_start(&at);
        while vouched < limit as usize {
            let Some((head, payload)) = at.frame()? else {
                match self.next_segment(at.seq)?.filter(|next| next.header.first > at.header.first) {
                    // It was begun when all before it was durable.
                    Some(next) => {
                        vouched = found.len();
                        durable = durable_at_start(&next);
                        at = next;
                        continue;
                    }
                    None => break,
                }
            };
            at.offset += FRAME_HEADER + payload.len();
            durable = durable.max(head.durable_to);
            if head.entry {
                let chain = link(&at.chain, &sha256(&payload));
                if (head.seq, head.chain) != (at.seq + 1, chain) {
                    return Err(moving("an entry does not continue the chain"));
                }
                (at.seq, at.chain) = (head.seq, chain);
                if head.seq > after {
                    found.push((RawEntry { seq: head.seq, chain, payload }, at.clone()));
                }
            }
            while found.get(vouched).is_some_and(|(_, end)| end.offset <= durable) {
                vouched += 1;
            }
        }
        if self.is_locked() {
            vouched = found.len();
        }
        found.truncate(vouched.min(limit as usize));
        if let Some((_, end)) = found.last() {
            *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = Some(end.clone());
        }
        Ok(found.into_iter().map(|(entry, _)| entry).collect())
    }

    /// Looks from the segment on that was the last when the service was last started or closed.
    fn end(&self) -> Result<Head, Fault> {
        // As it is now: the service may have been closed since, and said how far the ledger reaches.
        let state = State::read(&self.path).map_err(moving)?.unwrap_or_else(|| self.state.clone());
        let mut tries = 1;
        loop {
            match walk_from(&self.path, &state, state.end.segment, |_, _| {}) {
                Ok(Walked { extent, .. }) => {
                    return Ok(Head { seq: extent.seq, chain: Sha256::new(extent.chain) });
                }
                Err(_) if tries < TRIES => tries += 1,
                Err(error) => return Err(moving(error)),
            }
        }
    }
}

#[async_trait]
impl Holding for Leaving {
    fn id(&self) -> Result<StoreId, Fault> {
        Ok(self.0.state.store.0)
    }

    async fn end(&self) -> Result<Head, Fault> {
        let folder = self.0.clone();
        blocking(move || folder.end()).await
    }

    async fn row_counts(&self) -> Result<Option<Counts>, Fault> {
        Ok(None)
    }

    async fn raw_entries(&self, after: u64, limit: u32) -> Result<Vec<RawEntry>, Fault> {
        let folder = self.0.clone();
        blocking(move || folder.entries(after, limit)).await
    }

    async fn raw_slots(&self, from: u32, limit: u32) -> Result<Vec<RawSlot>, Fault> {
        let folder = self.0.clone();
        blocking(move || slots_of(&folder.ring, from, limit)).await
    }

    async fn erased_slots(&self) -> Result<Vec<u32>, Fault> {
        let folder = self.0.clone();
        blocking(move || erased_in(&folder.ring)).await
    }

    async fn raw_document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        let folder = self.0.clone();
        blocking(move || document_in(&folder.path, digest)).await
    }
}

#[async_trait]
impl Source for Leaving {
    async fn standing(&self) -> Result<Tenure, Fault> {
        Ok(if self.0.path.join(RECEIVING).exists() {
            Tenure::Receiving
        } else if self.0.path.join(MOVED).exists() {
            Tenure::Moved
        } else {
            Tenure::Live
        })
    }

    async fn halt(&self) -> Result<(), Fault> {
        let folder = self.0.clone();
        blocking(move || {
            let taken = lock(&folder.path).map_err(moving)?;
            *folder.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
            // A service that was started and stopped since may have put another file in the place of the last.
            *folder.cursor.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Ok(())
        })
        .await
    }

    async fn resume(&self) -> Result<(), Fault> {
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
    }

    async fn tallies(&self, digit: u8) -> Result<Tallies, Fault> {
        let folder = self.0.clone();
        blocking(move || checks::in_file(&folder.path, digit).map_err(moving)).await
    }

    async fn retire(&self) -> Result<(), Fault> {
        let folder = self.0.clone();
        blocking(move || replace(&Disk, &folder.path.join(MOVED), b"moved\n").map_err(moving)).await?;
        // The mark keeps everybody out from now on.
        self.resume().await
    }
}
