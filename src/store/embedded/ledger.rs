//! The ledger: segment files of frames, read by everybody, appended to by one writer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use crate::domain::ids::Sha256;
use crate::store::chain::{Chain, link};
use crate::store::embedded::fold::{Place, Spot};
use crate::store::embedded::frame::{FRAME_HEADER, FrameHead, SEGMENT_HEADER, SegmentHeader};
use crate::store::embedded::io::{Io, fill};
use crate::store::embedded::state::End;
use crate::store::{Fault, Head};

/// Every so many entries one offset is remembered.
const WAYPOINT: u64 = 64;

/// One segment file, open for reading.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    pub(crate) file: File,
}

/// What readers use of the ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    segments: RwLock<BTreeMap<u64, Arc<Segment>>>,
    waypoints: RwLock<Vec<(u64, Spot)>>,
    head: RwLock<Head>,
}

/// An entry as it lies in the ledger, checked.
pub(crate) struct RawEntry {
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    pub(crate) spot: Spot,
    pub(crate) payload: Vec<u8>,
}

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new("reading the ledger", error)
}

/// The name of the segment whose first entry has this number.
pub(crate) fn segment_path(folder: &Path, first: u64) -> PathBuf {
    folder.join("ledger").join(format!("{first:020}.seg"))
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let head = Head { seq: 0, chain: Sha256::new([0; 32]) };
        Self { segments: RwLock::default(), waypoints: RwLock::default(), head: RwLock::new(head) }
    }

    pub(crate) fn add_segment(&self, segment: Segment) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.insert(segment.header.first, Arc::new(segment));
    }

    pub(crate) fn note(&self, seq: u64, spot: Spot) {
        if seq % WAYPOINT == 1 {
            self.waypoints.write().unwrap_or_else(PoisonError::into_inner).push((seq, spot));
        }
    }

    pub(crate) fn set_head(&self, seq: u64, chain: Chain) {
        let mut head = self.head.write().unwrap_or_else(PoisonError::into_inner);
        *head = Head { seq, chain: Sha256::new(chain) };
    }

    pub(crate) fn head(&self) -> Head {
        *self.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn segment(&self, first: u64) -> Result<Arc<Segment>, Fault> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.get(&first).cloned().ok_or_else(|| fault("there is no such segment"))
    }

    /// The line of a record, not checked: what is encrypted checks itself.
    pub(crate) fn line(&self, place: &Place) -> Result<Vec<u8>, Fault> {
        let mut line = vec![0; place.line as usize];
        self.segment(place.segment)?.file.read_exact_at(&mut line, place.line_offset()).map_err(fault)?;
        Ok(line)
    }

    /// The line of a record, after its frame was checked.
    pub(crate) fn checked_line(&self, place: &Place) -> Result<Vec<u8>, Fault> {
        let segment = self.segment(place.segment)?;
        let mut bytes = vec![0; FRAME_HEADER + place.length as usize];
        segment.file.read_exact_at(&mut bytes, place.frame.into()).map_err(fault)?;
        let frame = segment.header.frame(&bytes, place.frame as usize);
        let frame = frame.ok_or_else(|| fault("the frame is damaged"))?;
        let start = place.start as usize;
        let line = frame.payload.get(start..start + place.line as usize);
        Ok(line.ok_or_else(|| fault("the frame is damaged"))?.to_vec())
    }

    /// Reads entries in order from number `from` on, up to the head, until `each` says so.
    pub(crate) fn walk(
        &self,
        from: u64,
        mut each: impl FnMut(RawEntry) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let head = self.head().seq;
        if from == 0 || from > head {
            return Ok(());
        }
        let start = {
            let waypoints = self.waypoints.read().unwrap_or_else(PoisonError::into_inner);
            let at = waypoints.partition_point(|(seq, _)| *seq <= from);
            waypoints.get(at.saturating_sub(1)).map(|(_, spot)| *spot)
        };
        let spot = start.ok_or_else(|| fault("the entry is not where it should be"))?;
        let mut segment = self.segment(spot.segment)?;
        let mut offset = spot.frame;
        loop {
            let mut header = [0; FRAME_HEADER];
            let head_of_frame = match segment.file.read_exact_at(&mut header, offset as u64) {
                Ok(()) => FrameHead::read(&header),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
                Err(error) => return Err(fault(error)),
            };
            let Some(frame) = head_of_frame else {
                // The segment ends here: the next begins with the next entry.
                let next = {
                    let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
                    segments.range(segment.header.first + 1..).next().map(|(_, next)| next.clone())
                };
                segment = next.ok_or_else(|| fault("the ledger ends too early"))?;
                offset = SEGMENT_HEADER;
                continue;
            };
            let end = offset + FRAME_HEADER + frame.length;
            if frame.entry && frame.seq >= from {
                let mut bytes = vec![0; end - offset];
                segment.file.read_exact_at(&mut bytes, offset as u64).map_err(fault)?;
                let whole = segment.header.frame(&bytes, offset);
                let whole = whole.ok_or_else(|| fault("the frame is damaged"))?;
                let entry = RawEntry {
                    seq: frame.seq,
                    chain: frame.chain,
                    spot: Spot { segment: segment.header.first, frame: offset, length: frame.length },
                    payload: whole.payload.to_vec(),
                };
                if !each(entry)? || frame.seq >= head {
                    return Ok(());
                }
            }
            offset = end;
        }
    }

    /// The entry with this number.
    pub(crate) fn entry(&self, seq: u64) -> Result<Option<RawEntry>, Fault> {
        let mut found = None;
        self.walk(seq, |entry| {
            found = Some(entry);
            Ok(false)
        })?;
        Ok(found)
    }
}

/// The writing end. After an error nothing may be appended any more.
pub(crate) struct Pen {
    io: Arc<dyn Io>,
    folder: PathBuf,
    /// Bytes of the present segment.
    capacity: usize,
    /// Bytes of the next.
    segment_bytes: usize,
    header: SegmentHeader,
    file: File,
    path: PathBuf,
    offset: usize,
    seq: u64,
    chain: Chain,
    buffer: Vec<u8>,
    spots: Vec<(u64, Spot)>,
    marked: bool,
    preparing: Option<JoinHandle<io::Result<File>>>,
}

/// No room for another entry: the next segment cannot be prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Pen {
    /// Takes up the tail segment at `end`.
    pub(crate) fn new(
        io: Arc<dyn Io>,
        folder: &Path,
        segment_bytes: usize,
        header: SegmentHeader,
        file: File,
        end: End,
    ) -> io::Result<Self> {
        Ok(Self {
            io,
            folder: folder.to_owned(),
            capacity: file.metadata()?.len() as usize,
            segment_bytes,
            header,
            file,
            path: segment_path(folder, header.first),
            offset: end.offset as usize,
            seq: end.seq,
            chain: *end.chain.as_bytes(),
            buffer: Vec::new(),
            spots: Vec::new(),
            marked: true,
            preparing: None,
        })
    }

    pub(crate) fn end(&self) -> End {
        End {
            segment: self.header.first,
            offset: self.offset as u64,
            seq: self.seq,
            chain: Sha256::new(self.chain),
        }
    }

    /// The longest payload that a segment takes.
    pub(crate) fn longest(&self) -> usize {
        self.segment_bytes - SEGMENT_HEADER - 2 * FRAME_HEADER
    }

    /// Whether an entry fits into the present segment, with a mark after it.
    pub(crate) fn fits(&self, payload: usize) -> bool {
        self.offset + self.buffer.len() + 2 * FRAME_HEADER + payload <= self.capacity
    }

    /// Adds an entry to the group.
    pub(crate) fn add(&mut self, payload: &[u8], digest: &[u8; 32]) -> (u64, Spot) {
        self.seq += 1;
        self.chain = link(&self.chain, digest);
        let frame = self.offset + self.buffer.len();
        let spot = Spot { segment: self.header.first, frame, length: payload.len() };
        self.header.push(&mut self.buffer, self.offset, self.seq, self.offset, &self.chain, payload);
        self.spots.push((self.seq, spot));
        (self.seq, spot)
    }

    /// Writes the group and makes it durable, then shows it to readers.
    pub(crate) fn commit(&mut self, ledger: &Ledger) -> io::Result<()> {
        self.io.write(&self.file, &self.path, self.offset as u64, &self.buffer)?;
        self.io.sync(&self.file, &self.path)?;
        self.offset += self.buffer.len();
        self.buffer.clear();
        self.marked = false;
        for (seq, spot) in self.spots.drain(..) {
            ledger.note(seq, spot);
        }
        ledger.set_head(self.seq, self.chain);
        if self.offset > self.capacity / 2 && self.preparing.is_none() {
            self.prepare();
        }
        Ok(())
    }

    /// Whether the last entries are not yet vouched for by a later frame.
    pub(crate) fn wants_mark(&self) -> bool {
        !self.marked
    }

    /// Writes a mark: from now on damage to what precedes it is known for what it is.
    pub(crate) fn mark(&mut self) -> io::Result<()> {
        let mark = self.header.mark(self.offset, self.seq, &self.chain);
        if self.offset + mark.len() <= self.capacity {
            self.io.write(&self.file, &self.path, self.offset as u64, &mark)?;
            self.io.sync(&self.file, &self.path)?;
            self.offset += mark.len();
        }
        self.marked = true;
        Ok(())
    }

    /// Begins the next segment; nothing may be in the group.
    ///
    /// # Errors
    /// The inner one where the next segment could not be prepared: nothing has happened. The outer one is final.
    pub(crate) fn turn(&mut self, ledger: &Ledger) -> io::Result<Result<(), NoRoom>> {
        if self.preparing.is_none() {
            self.prepare();
        }
        let prepared = match self.preparing.take().map(JoinHandle::join) {
            Some(Ok(Ok(file))) => file,
            Some(Ok(Err(error))) => {
                tracing::error!(%error, "the next segment of the ledger cannot be prepared");
                return Ok(Err(NoRoom));
            }
            Some(Err(_)) | None => return Ok(Err(NoRoom)),
        };
        let header = SegmentHeader { store: self.header.store, first: self.seq + 1, before: self.chain };
        let unfinished = unfinished_path(&self.folder);
        self.io.write(&prepared, &unfinished, 0, &header.write())?;
        self.io.sync(&prepared, &unfinished)?;
        let path = segment_path(&self.folder, header.first);
        self.io.rename(&unfinished, &path)?;
        self.io.sync_dir(&self.folder.join("ledger"))?;
        ledger.add_segment(Segment { header, file: prepared.try_clone()? });
        (self.header, self.file, self.path, self.offset) = (header, prepared, path, SEGMENT_HEADER);
        self.capacity = self.segment_bytes;
        Ok(Ok(()))
    }

    fn prepare(&mut self) {
        let (io, path, capacity) =
            (self.io.clone(), unfinished_path(&self.folder), self.segment_bytes as u64);
        let preparing = move || {
            let file = io.create(&path)?;
            fill(&*io, &file, &path, 0, capacity)?;
            io.sync(&file, &path)?;
            Ok(file)
        };
        self.preparing = thread::Builder::new().name("ledger-ahead".to_owned()).spawn(preparing).ok();
    }
}

fn unfinished_path(folder: &Path) -> PathBuf {
    folder.join("ledger").join("next.tmp")
}

impl Drop for Pen {
    fn drop(&mut self) {
        // Nobody may write into the folder once the lock is gone.
        if let Some(preparing) = self.preparing.take() {
            let _ = preparing.join();
        }
    }
}
