//! The bytes of the ledger: segment headers, frames, and the scan that tells a torn tail from rot.
//!
//! A segment begins with a header of 4096 bytes; frames follow without gaps; zeros follow the last. One entry is one
//! frame. A frame counts only at its own place: its checksum covers store, segment and offset too.

use crate::store::chain::{Chain, PAYLOAD_MAX, StoreId, link, sha256};

/// Bytes of a segment's header.
pub(crate) const SEGMENT_HEADER: usize = 4096;
/// Bytes of a frame's header.
pub(crate) const FRAME_HEADER: usize = 64;

const MAGIC: &[u8; 8] = b"VERMLEDG";
const FORMAT: u16 = 1;
const ENTRY: u16 = 1;
const MARK: u16 = 2;

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) store: StoreId,
    /// Number of its first entry.
    pub(crate) first: u64,
    /// Chain value before its first entry.
    pub(crate) before: Chain,
}

impl SegmentHeader {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&u32::from(FORMAT).to_le_bytes());
        bytes.extend_from_slice(&self.store);
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.before);
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.resize(SEGMENT_HEADER, 0);
        bytes
    }

    /// None where the bytes are no header, or not only a header.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..SEGMENT_HEADER)?;
        let header = Self {
            store: bytes[12..28].try_into().ok()?,
            first: u64::from_le_bytes(bytes[28..36].try_into().ok()?),
            before: bytes[36..68].try_into().ok()?,
        };
        (header.write() == bytes).then_some(header)
    }

    fn checksum(&self, offset: usize, header: &[u8], payload: &[u8]) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let mut place = [0; 32];
        place[..16].copy_from_slice(&self.store);
        place[16..24].copy_from_slice(&self.first.to_le_bytes());
        place[24..].copy_from_slice(&(offset as u64).to_le_bytes());
        crc.update(&place);
        crc.update(&header[..4]);
        crc.update(&header[8..]);
        crc.update(payload);
        crc.finalize()
    }

    /// Appends the frame of an entry to a buffer that will lie at `base` of the segment.
    pub(crate) fn push(
        &self,
        buffer: &mut Vec<u8>,
        base: usize,
        seq: u64,
        durable_to: usize,
        chain: &Chain,
        payload: &[u8],
    ) {
        self.push_kind(ENTRY, buffer, base, seq, durable_to, chain, payload);
    }

    /// The frame of a mark: no entry, it says only that all before it is durable.
    pub(crate) fn mark(&self, offset: usize, seq: u64, chain: &Chain) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(FRAME_HEADER);
        self.push_kind(MARK, &mut buffer, offset, seq, offset, chain, &[]);
        buffer
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of the header, in their order")]
    fn push_kind(
        &self,
        kind: u16,
        buffer: &mut Vec<u8>,
        base: usize,
        seq: u64,
        durable_to: usize,
        chain: &Chain,
        payload: &[u8],
    ) {
        let offset = base + buffer.len();
        let mut header = [0; FRAME_HEADER];
        header[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        header[8..16].copy_from_slice(&seq.to_le_bytes());
        header[16..24].copy_from_slice(&(durable_to as u64).to_le_bytes());
        header[24..26].copy_from_slice(&FORMAT.to_le_bytes());
        header[26..28].copy_from_slice(&kind.to_le_bytes());
        header[32..].copy_from_slice(chain);
        let crc = self.checksum(offset, &header, payload);
        header[4..8].copy_from_slice(&crc.to_le_bytes());
        buffer.extend_from_slice(&header);
        buffer.extend_from_slice(payload);
    }

    /// The whole frame at an offset of the segment, of which `bytes` are what begins there.
    pub(crate) fn frame<'a>(&self, bytes: &'a [u8], offset: usize) -> Option<Frame<'a>> {
        let head = FrameHead::read(bytes)?;
        let payload = bytes.get(FRAME_HEADER..FRAME_HEADER + head.length)?;
        if self.checksum(offset, &bytes[..FRAME_HEADER], payload) != head.crc {
            return None;
        }
        Some(Frame { head, offset, payload })
    }
}

/// A frame's header, not yet checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameHead {
    pub(crate) length: usize,
    pub(crate) seq: u64,
    /// Everything of the segment before this offset was durable when the frame was written.
    pub(crate) durable_to: usize,
    pub(crate) chain: Chain,
    /// Whether it is an entry; else a mark.
    pub(crate) entry: bool,
    crc: u32,
}

impl FrameHead {
    /// None where the bytes cannot be a frame's.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..FRAME_HEADER)?;
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(number(at)) | u64::from(number(at + 4)) << 32;
        let kind = match number(24) {
            word if word == u32::from(FORMAT) | u32::from(ENTRY) << 16 => ENTRY,
            word if word == u32::from(FORMAT) | u32::from(MARK) << 16 => MARK,
            _ => return None,
        };
        let length = number(0) as usize;
        let sane = length <= PAYLOAD_MAX && number(28) == 0 && (kind == ENTRY) == (length > 0);
        if !sane {
            return None;
        }
        Some(Self {
            length,
            seq: long(8),
            durable_to: usize::try_from(long(16)).ok()?,
            chain: bytes[32..64].try_into().ok()?,
            entry: kind == ENTRY,
            crc: number(4),
        })
    }
}

/// A checked frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) head: FrameHead,
    pub(crate) offset: usize,
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    /// Where the next frame begins.
    pub(crate) fn end(&self) -> usize {
        self.offset + FRAME_HEADER + self.payload.len()
    }
}

/// How far a segment is good, and what comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The offset after the last good frame.
    pub(crate) end: usize,
    /// Number of the last entry before `end`.
    pub(crate) seq: u64,
    /// Chain value there.
    pub(crate) chain: Chain,
    /// What lies after `end`.
    pub(crate) tail: Tail,
}

/// What lies after the last good frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Zeros or nothing.
    Blank,
    /// The beginning of something that was never acknowledged.
    Torn,
    /// A frame further on says that this place had been durable: it has rotted since.
    Rotten,
    /// The frame is whole, but does not continue the chain.
    Foreign,
}

/// Walks the frames of a segment, in order, checking checksums, numbers and the chain. `bytes` is the whole segment.
pub(crate) fn scan(header: &SegmentHeader, bytes: &[u8], mut each: impl FnMut(&Frame<'_>)) -> Extent {
    let (mut end, mut seq, mut chain) = (SEGMENT_HEADER, header.first - 1, header.before);
    while let Some(frame) = header.frame(bytes.get(end..).unwrap_or_default(), end) {
        if frame.head.entry {
            let next = link(&chain, &sha256(frame.payload));
            if frame.head.seq != seq + 1 || frame.head.chain != next {
                return Extent { end, seq, chain, tail: Tail::Foreign };
            }
            (seq, chain) = (seq + 1, next);
            each(&frame);
        } else if frame.head.seq != seq || frame.head.chain != chain {
            return Extent { end, seq, chain, tail: Tail::Foreign };
        }
        end = frame.end();
    }
    Extent { end, seq, chain, tail: tail(header, bytes, end) }
}

fn tail(header: &SegmentHeader, bytes: &[u8], end: usize) -> Tail {
    let rest = bytes.get(end..).unwrap_or_default();
    if rest.iter().all(|byte| *byte == 0) {
        return Tail::Blank;
    }
    // Blocks of a group reach the disk in any order, so a whole frame after a broken one proves nothing by itself:
    // only one that was written after this place had been synced does.
    let proven = (end + 1..bytes.len()).any(|at| {
        FrameHead::read(&bytes[at..]).is_some_and(|head| head.durable_to > end)
            && header.frame(&bytes[at..], at).is_some()
    });
    if proven { Tail::Rotten } else { Tail::Torn }
}
