//! How the store comes up: the ledger is checked whole, a torn tail is cut off, rot is refused, and the index is taken
//! up or made anew.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::domain::ids::Sha256;
use crate::store::chain::StoreId;
use crate::store::cipher::{Master, key_check};
use crate::store::embedded::accounts::{account_key, session_key};
use crate::store::embedded::cases::case_key;
use crate::store::embedded::companies::company_key;
use crate::store::embedded::fold::{FoldError, Place, Spot, annotation_key, certificate_key, fold};
use crate::store::embedded::frame::{Extent, Frame, SEGMENT_HEADER, SegmentHeader, Tail, scan};
use crate::store::embedded::index::{self, Index, View};
use crate::store::embedded::io::{Io, fill, remove};
use crate::store::embedded::ledger::{Ledger, Pen, Segment, segment_path};
use crate::store::embedded::registrants::registrant_key;
use crate::store::embedded::state::{End, FORMAT, State, boot_id};
use crate::store::embedded::tickets::ticket_key;
use crate::store::embedded::{OpenError, checks, keyring};
use crate::store::entry::{self, Bytes, WriteLine};

/// Keys of the index that are gathered before they are written, in order, when it is rebuilt.
const REBUILD_KEYS: usize = 150_000;
/// Entries whose records are looked up before an index is believed.
const SAMPLED: u64 = 32;

/// A store whose ledger is good.
pub(crate) struct Recovered {
    pub(crate) state: State,
    pub(crate) ledger: Ledger,
    pub(crate) pen: Pen,
    pub(crate) index_may_be_trusted: bool,
}

/// Where the ledger stops being good.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) header: SegmentHeader,
    pub(crate) extent: Extent,
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { doing, source }
}

/// Brings the ledger of a folder up; makes a new store where there is none.
pub(crate) fn recover(
    io: &Arc<dyn Io>,
    folder: &Path,
    master: &Master,
    segment_bytes: usize,
) -> Result<Recovered, OpenError> {
    recover_as(io, folder, master, segment_bytes, None)
}

/// The same, where a new store gets the name of one that moves here.
pub(crate) fn recover_as(
    io: &Arc<dyn Io>,
    folder: &Path,
    master: &Master,
    segment_bytes: usize,
    store: Option<StoreId>,
) -> Result<Recovered, OpenError> {
    remove_unfinished(folder).map_err(failed("clearing unfinished files"))?;
    let old = match State::read(folder).map_err(failed("reading STATE"))? {
        Some(state) => state,
        None => create(io, folder, master, segment_bytes, store)?,
    };
    judge(&old, folder, master)?;

    let ledger = Ledger::new();
    let Walked { header, extent } =
        walk(folder, &old, |header, frame| ledger.note(frame.head.seq, Spot::of(header, frame)))?;
    let end = End {
        segment: header.first,
        offset: extent.end as u64,
        seq: extent.seq,
        chain: Sha256::new(extent.chain),
    };
    let closed = old.clean && old.end == end;
    if !closed || extent.tail != Tail::Blank {
        if extent.tail == Tail::Torn {
            tracing::warn!(segment = header.first, offset = extent.end, "cut off an unfinished entry");
        }
        rewrite(&**io, folder, &header, extent.end, segment_bytes).map_err(failed("rewriting the tail"))?;
    }
    open_segments(folder, &ledger)?;
    ledger.set_head(extent.seq, extent.chain);

    let boot = boot_id();
    let same_boot = !boot.is_empty() && boot == old.boot;
    let index_may_be_trusted =
        (closed || same_boot) && !index::is_suspect(folder) && folder.join("index").is_dir();
    // From here on the store counts as in use: an index that was good until now is good no longer.
    let state = State { opened: old.opened.wrapping_add(1), boot, clean: false, end, ..old };
    state.write(&**io, folder).map_err(failed("writing STATE"))?;

    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(segment_path(folder, header.first))
        .map_err(failed("opening the ledger"))?;
    let pen = Pen::new(io.clone(), folder, segment_bytes, header, file, end)
        .map_err(failed("opening the ledger"))?;
    Ok(Recovered { state, ledger, pen, index_may_be_trusted })
}

/// Opens the segment files for reading.
pub(crate) fn open_segments(folder: &Path, ledger: &Ledger) -> Result<(), OpenError> {
    for first in segments(folder).map_err(failed("listing the ledger"))?.into_keys() {
        let path = segment_path(folder, first);
        let bytes = read_header(&path).map_err(failed("opening the ledger"))?;
        let header = SegmentHeader::read(&bytes).ok_or(OpenError::Rotten {
            segment: first,
            offset: 0,
            seq: first,
            why: "the segment's header is damaged",
        })?;
        let file = File::open(&path).map_err(failed("opening the ledger"))?;
        ledger.add_segment(Segment { header, file });
    }
    Ok(())
}

/// Refuses a folder of another format or with another master key.
pub(crate) fn judge(state: &State, folder: &Path, master: &Master) -> Result<(), OpenError> {
    if state.format != FORMAT {
        return Err(OpenError::Format(state.format));
    }
    let check = key_check(master, &state.store.0)
        .map_err(|error| OpenError::Io { doing: "deriving keys", source: io::Error::other(error) })?;
    if check != state.key_check {
        return Err(OpenError::WrongMaster);
    }
    let slots = fs::metadata(folder.join("keyring")).map_or(0, |meta| meta.len()) / keyring::SLOT as u64;
    if slots < u64::from(state.slots) {
        return Err(OpenError::KeyringShort { found: slots, needed: state.slots });
    }
    Ok(())
}

fn create(
    io: &Arc<dyn Io>,
    folder: &Path,
    master: &Master,
    segment_bytes: usize,
    store: Option<StoreId>,
) -> Result<State, OpenError> {
    let making = failed("making a new store");
    for path in segments(folder).map_err(&making)?.into_values() {
        // An earlier attempt to make the store may have ended before its last step, which is STATE.
        let bytes = fs::read(&path).map_err(&making)?;
        if bytes.iter().skip(SEGMENT_HEADER).any(|byte| *byte != 0) {
            return Err(OpenError::NoState);
        }
        remove(&path).map_err(&making)?;
    }
    index::discard(folder).map_err(&making)?;
    make_folders(folder).map_err(&making)?;
    let ring = folder.join("keyring");
    let file = io.create(&ring).map_err(&making)?;
    io.sync(&file, &ring).map_err(&making)?;

    let store = store.map_or_else(random, Ok).map_err(&making)?;
    let header = SegmentHeader { store, first: 1, before: [0; 32] };
    write_segment(&**io, folder, &header, &header.write(), segment_bytes).map_err(&making)?;
    io.sync_dir(folder).map_err(&making)?;
    let key_check = key_check(master, &store).map_err(io::Error::other).map_err(&making)?;
    let state = State {
        format: FORMAT,
        store: Bytes(store),
        key_check,
        opened: 0,
        boot: String::new(),
        clean: false,
        end: End { segment: 1, offset: SEGMENT_HEADER as u64, seq: 0, chain: Sha256::new([0; 32]) },
        slots: 0,
    };
    state.write(&**io, folder).map_err(&making)?;
    Ok(state)
}

/// Makes the folders of a store.
pub(crate) fn make_folders(folder: &Path) -> io::Result<()> {
    for sub in ["ledger", "documents", checks::FOLDER, "tmp"] {
        fs::create_dir_all(folder.join(sub))?;
    }
    Ok(())
}

fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| io::Error::other("the system gives no randomness"))?;
    Ok(bytes)
}

/// The segment files, by first number.
pub(crate) fn segments(folder: &Path) -> io::Result<BTreeMap<u64, std::path::PathBuf>> {
    let mut found = BTreeMap::new();
    let files = match fs::read_dir(folder.join("ledger")) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|ext| ext == "seg") {
            let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            found.insert(first.ok_or_else(|| io::Error::other("a segment has a strange name"))?, path);
        }
    }
    Ok(found)
}

fn read_header(path: &Path) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; SEGMENT_HEADER];
    File::open(path)?.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Reads and checks the whole ledger, entry by entry.
///
/// # Errors
/// Rot: something that had been acknowledged is damaged or missing.
pub(crate) fn walk(
    folder: &Path,
    state: &State,
    each: impl FnMut(&SegmentHeader, &Frame<'_>),
) -> Result<Walked, OpenError> {
    walk_from(folder, state, 1, each)
}

/// The same from a segment on; what comes before it is taken as its header says.
pub(crate) fn walk_from(
    folder: &Path,
    state: &State,
    beginning: u64,
    mut each: impl FnMut(&SegmentHeader, &Frame<'_>),
) -> Result<Walked, OpenError> {
    let paths = segments(folder).map_err(failed("listing the ledger"))?.split_off(&beginning);
    let mut walked: Option<Walked> = None;
    for (first, path) in paths {
        let rotten = |offset: usize, seq: u64, why| OpenError::Rotten {
            segment: first,
            offset: offset as u64,
            seq,
            why,
        };
        let bytes = fs::read(&path).map_err(failed("reading the ledger"))?;
        let header = SegmentHeader::read(&bytes).filter(|header| header.first == first).ok_or(rotten(
            0,
            first,
            "the segment's header is damaged",
        ))?;
        if header.store != state.store.0 {
            return Err(rotten(0, first, "the segment belongs to another store"));
        }
        let (seq, chain) = match &walked {
            Some(last) => (last.extent.seq, last.extent.chain),
            None if beginning > 1 => (beginning - 1, header.before),
            None => (0, [0; 32]),
        };
        if let Some(Walked { header: before, extent }) = &walked
            && first != seq + 1
        {
            // A segment is begun only when all before it is durable.
            return Err(OpenError::Rotten {
                segment: before.first,
                offset: extent.end as u64,
                seq: seq + 1,
                why: "the segment ends before the next begins",
            });
        }
        if first != seq + 1 {
            return Err(rotten(0, seq + 1, "the first segment is missing"));
        }
        if header.before != chain {
            return Err(rotten(0, first, "the segment does not continue the chain"));
        }
        let extent = scan(&header, &bytes, |frame| each(&header, frame));
        match extent.tail {
            Tail::Blank | Tail::Torn => {}
            Tail::Rotten => {
                return Err(rotten(extent.end, extent.seq + 1, "an acknowledged entry is damaged"));
            }
            Tail::Foreign => {
                return Err(rotten(extent.end, extent.seq + 1, "an entry does not continue the chain"));
            }
        }
        walked = Some(Walked { header, extent });
    }
    let walked = walked.ok_or(OpenError::Rotten {
        segment: beginning,
        offset: 0,
        seq: beginning,
        why: "the first segment is missing",
    })?;
    let (first, extent) = (walked.header.first, &walked.extent);
    let known = &state.end;
    let short = (first, extent.end as u64) < (known.segment, known.offset)
        || (first == known.segment
            && extent.end as u64 == known.offset
            && (extent.seq, Sha256::new(extent.chain)) != (known.seq, known.chain));
    if short {
        return Err(OpenError::Rotten {
            segment: first,
            offset: extent.end as u64,
            seq: extent.seq + 1,
            why: "an acknowledged entry is damaged or missing",
        });
    }
    Ok(walked)
}

/// Copies the good part of the tail segment into a new file in its place: after a failed sync the page cache may show
/// bytes that the disk does not hold.
fn rewrite(
    io: &dyn Io,
    folder: &Path,
    header: &SegmentHeader,
    end: usize,
    segment_bytes: usize,
) -> io::Result<()> {
    let mut bytes = fs::read(segment_path(folder, header.first))?;
    bytes.truncate(end);
    write_segment(io, folder, header, &bytes, segment_bytes)
}

fn write_segment(
    io: &dyn Io,
    folder: &Path,
    header: &SegmentHeader,
    bytes: &[u8],
    segment_bytes: usize,
) -> io::Result<()> {
    let path = segment_path(folder, header.first);
    let unfinished = path.with_extension("tmp");
    let file = io.create(&unfinished)?;
    io.write(&file, &unfinished, 0, bytes)?;
    fill(io, &file, &unfinished, bytes.len() as u64, segment_bytes as u64)?;
    io.sync(&file, &unfinished)?;
    io.rename(&unfinished, &path)?;
    io.sync_dir(&folder.join("ledger"))
}

fn remove_unfinished(folder: &Path) -> io::Result<()> {
    remove(&folder.join("STATE.tmp"))?;
    for sub in ["ledger", "tmp"] {
        let files = match fs::read_dir(folder.join(sub)) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for file in files {
            let path = file?.path();
            if sub == "tmp" || path.extension().is_some_and(|ext| ext == "tmp") {
                remove(&path)?;
            }
        }
    }
    Ok(())
}

/// Opens the index, makes it anew where it cannot be trusted, and brings it up to the ledger's head.
pub(crate) fn raise_index(folder: &Path, ledger: &Ledger, trusted: bool) -> Result<Index, OpenError> {
    let opening = failed("opening the index");
    if trusted {
        match Index::open(folder).and_then(|index| Ok((index.applied()?, index))) {
            Ok((applied, index)) => match believe(&index, ledger, applied) {
                Ok(()) => {
                    replay(&index, ledger, applied + 1, false)?;
                    index::acquit(folder).map_err(&opening)?;
                    return Ok(index);
                }
                Err(why) => tracing::warn!(why, "the index is made anew"),
            },
            Err(error) => tracing::warn!(%error, "the index cannot be opened and is made anew"),
        }
    }
    index::discard(folder).map_err(&opening)?;
    let index = Index::open(folder).map_err(&opening)?;
    replay(&index, ledger, 1, true)?;
    index::acquit(folder).map_err(&opening)?;
    Ok(index)
}

/// Looks up the records of some entries, spread over the ledger.
fn believe(index: &Index, ledger: &Ledger, applied: u64) -> Result<(), &'static str> {
    if applied > ledger.head().seq {
        return Err("it is ahead of the ledger");
    }
    for sample in 1..=SAMPLED.min(applied) {
        let seq = applied * sample / SAMPLED.min(applied);
        let entry = ledger.entry(seq).ok().flatten().ok_or("an entry cannot be read")?;
        for write in entry::read_writes(&entry.payload) {
            let (_, write) = write.map_err(|_| "an entry cannot be read")?;
            let key = match write {
                WriteLine::Certificate(line) => certificate_key(line.id),
                WriteLine::Annotation(line) => annotation_key(line.id),
                WriteLine::Account(line) => account_key(line.id),
                WriteLine::Session(line) => session_key(line.token),
                WriteLine::Ticket(line) => ticket_key(line.id),
                WriteLine::Case(line) => case_key(line.id),
                WriteLine::Registrant(line) => registrant_key(line.person),
                WriteLine::Company(line) => company_key(&line.uscc),
                _ => continue,
            };
            let value = index.now().find(&key).map_err(|_| "it cannot be read")?;
            let place = value.and_then(|value| Place::read(&value)).ok_or("a record is missing")?;
            if (place.segment, place.frame as usize) < (entry.spot.segment, entry.spot.frame) {
                return Err("a record is older than its last entry");
            }
        }
    }
    Ok(())
}

pub(crate) fn replay(index: &Index, ledger: &Ledger, from: u64, whole: bool) -> Result<(), OpenError> {
    let head = ledger.head().seq;
    if from > head {
        return Ok(());
    }
    if whole && head > 10_000 {
        tracing::info!(entries = head, "the index is being made from the ledger");
    }
    let replaying = |error: FoldError| OpenError::Io {
        doing: "making the index from the ledger",
        source: io::Error::other(error),
    };
    let mut draft = index.draft();
    let mut broken = None;
    ledger
        .walk(from, |entry| {
            if let Err(error) = fold(&mut draft, entry.seq, entry.spot, &entry.payload, true) {
                broken = Some(replaying(error));
                return Ok(false);
            }
            if draft.group.len() >= REBUILD_KEYS || entry.seq == head {
                let group = std::mem::take(&mut draft.group);
                if let Err(source) = index.absorb(&group, entry.seq) {
                    broken = Some(OpenError::Io { doing: "writing the index", source });
                    return Ok(false);
                }
                if whole && head > 10_000 {
                    tracing::info!(done = entry.seq, of = head, "making the index");
                }
            }
            Ok(true)
        })
        .map_err(|fault| replaying(fault.into()))?;
    broken.map_or(Ok(()), Err)
}
