//! Torn tails are cut off, rot is refused, and an index that is gone or damaged is made anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::cipher::Master;
use crate::store::embedded::frame::{FRAME_HEADER, SEGMENT_HEADER, SegmentHeader, scan};
use crate::store::embedded::io::Disk;
use crate::store::embedded::ledger::segment_path;
use crate::store::embedded::recovery::{recover, walk};
use crate::store::embedded::state::State;
use crate::store::embedded::tests::disk::Dice;
use crate::store::embedded::tests::{Folder, open, options};
use crate::store::embedded::{Embedded, OpenError, Options, check, io};
use crate::store::samples::{certificate, certificate_id, dossier, entered, ordered};
use crate::store::{Health, Store};

/// Where the entries of the first segment begin and end.
fn frames(folder: &Path) -> Vec<(usize, usize)> {
    let bytes = fs::read(segment_path(folder, 1)).unwrap();
    let mut frames = Vec::new();
    scan(&SegmentHeader::read(&bytes).unwrap(), &bytes, |frame| frames.push((frame.offset, frame.end())));
    frames
}

fn open_small(folder: &Path) -> Embedded {
    Embedded::open(folder, Options { segment_bytes: 16 * 1024, ..options() }).unwrap()
}

/// A store of a few entries that was killed (but for the mark after the last entry).
async fn killed() -> Folder {
    let folder = Folder::new();
    let store = open_small(folder.path());
    for number in 0..3 {
        let certificate = entered(&store, number).await;
        ordered(&store, &certificate, number).await;
    }
    folder
}

async fn closed() -> Folder {
    let folder = killed().await;
    open(folder.path()).close().await.unwrap();
    folder
}

fn recovered(folder: &Path) -> Result<u64, OpenError> {
    let io: Arc<dyn crate::store::embedded::io::Io> = Arc::new(Disk);
    recover(&io, folder, &options().master, 16 * 1024).map(|up| up.ledger.head().seq)
}

#[tokio::test]
async fn a_ledger_cut_anywhere_in_its_last_entry_starts_at_the_entry_before() {
    let folder = killed().await;
    let (path, state) = (segment_path(folder.path(), 1), folder.path().join("STATE"));
    let (whole, before) = (fs::read(&path).unwrap(), fs::read(&state).unwrap());
    let (start, end) = *frames(folder.path()).last().unwrap();
    let blank = |cut: usize| [&whole[..cut], &vec![0; whole.len() - cut]].concat();
    for cut in start..end {
        for torn in [whole[..cut].to_vec(), blank(cut)] {
            fs::write(&path, &torn).unwrap();
            fs::write(&state, &before).unwrap();
            assert_eq!(recovered(folder.path()).unwrap(), 5, "cut at {cut}");
            if cut % 16 == 0 {
                assert_eq!(recovered(folder.path()).unwrap(), 5, "and again");
            }
        }
    }
    fs::write(&path, &whole[..start]).unwrap();
    fs::write(&state, &before).unwrap();
    let store = open(folder.path());
    assert_eq!(dossier(&store, &certificate(2)).await.annotations.len(), 0);
    ordered(&store, &certificate(2), 2).await;
    assert_eq!(store.head().await.unwrap().seq, 6);
}

#[tokio::test]
async fn a_byte_flipped_in_an_acknowledged_entry_is_refused_and_located() {
    let folder = closed().await;
    let path = segment_path(folder.path(), 1);
    let whole = fs::read(&path).unwrap();
    let state = State::read(folder.path()).unwrap().unwrap();
    let frames = frames(folder.path());
    let mut dice = Dice(20261122);
    for (at, _) in whole.iter().enumerate().take(state.end.offset as usize) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (dice.next() % 8);
        fs::write(&path, &bytes).unwrap();
        let refused = walk(folder.path(), &state, |_, _| {}).expect_err("a flipped byte was believed");
        let OpenError::Rotten { segment: 1, offset, seq, .. } = refused else { panic!("{refused}") };
        let hit = frames.iter().position(|(start, end)| (*start..*end).contains(&at));
        match hit {
            Some(hit) => {
                assert_eq!(offset, frames[hit].0 as u64, "byte {at}");
                assert_eq!(seq, hit as u64 + 1, "byte {at}");
            }
            None if at < SEGMENT_HEADER => assert_eq!(offset, 0, "byte {at}"),
            // The mark: all before it is good.
            None => assert_eq!((offset, seq), (frames[5].1 as u64, 7), "byte {at}"),
        }
    }
    fs::write(&path, &whole).unwrap();
    let mut bytes = whole.clone();
    bytes[frames[2].0 + FRAME_HEADER + 40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let refused = Embedded::open(folder.path(), options()).expect_err("a damaged ledger was opened");
    assert!(refused.to_string().contains("segment 1 at byte"), "{refused}");
    assert!(!check(folder.path(), &options().master).unwrap().is_sound());
}

#[tokio::test]
async fn after_a_kill_a_flipped_byte_is_refused_or_changes_nothing() {
    let folder = Folder::new();
    let store = open_small(folder.path());
    for number in 0..4 {
        entered(&store, number).await;
    }
    // Dropped: killed, with a mark after the last entry as after a second of rest.
    let state = State::read(folder.path()).unwrap().unwrap();
    assert_eq!((state.clean, state.end.seq), (false, 0));
    drop(store);
    let path = segment_path(folder.path(), 1);
    let whole = fs::read(&path).unwrap();
    assert_eq!(frames(folder.path()).len(), 4);
    let mut dice = Dice(7);
    // Each byte of the entries and the mark, and some of the zeros.
    let end = frames(folder.path())[3].1 + FRAME_HEADER;
    for at in (0..end).chain((end..whole.len()).step_by(97)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (dice.next() % 8);
        fs::write(&path, &bytes).unwrap();
        match walk(folder.path(), &state, |_, _| {}) {
            Ok(walked) => assert_eq!(walked.extent.seq, 4, "byte {at} took entries away"),
            Err(OpenError::Rotten { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_segment_that_is_gone_is_missed() {
    let folder = Folder::new();
    let store = open_small(folder.path());
    for number in 0..40 {
        entered(&store, number).await;
    }
    store.close().await.unwrap();
    let state = State::read(folder.path()).unwrap().unwrap();
    let segments = crate::store::embedded::recovery::segments(folder.path()).unwrap();
    assert!(segments.len() > 3);
    for path in segments.values() {
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        let missed = walk(folder.path(), &state, |_, _| {});
        assert!(matches!(missed, Err(OpenError::Rotten { .. })), "{}", path.display());
        fs::write(path, bytes).unwrap();
    }
    assert!(walk(folder.path(), &state, |_, _| {}).is_ok());
}

async fn answers(store: &dyn Store) -> String {
    let mut answers = String::new();
    for number in 0..4 {
        let certificate = store.certificate(certificate_id(number)).await.unwrap();
        let dossier = store.dossier(certificate_id(number)).await.unwrap();
        answers += &format!("{certificate:?} {dossier:?}\n");
    }
    answers + &format!("{:?} {:?}", store.head().await.unwrap(), store.queue(None).await.unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn an_index_that_is_deleted_or_damaged_is_made_anew() {
    let folder = killed().await;
    let store = open(folder.path());
    let expected = answers(&store).await;
    store.close().await.unwrap();
    let index = folder.path().join("index");
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 6] = [
        ("deleted", |index| io::remove(index).unwrap()),
        ("emptied", |index| files(index).iter().for_each(|file| fs::write(file, b"").unwrap())),
        ("overwritten", |index| {
            for file in files(index) {
                let length = fs::metadata(&file).unwrap().len() as usize;
                fs::write(&file, vec![0xA5; length]).unwrap();
            }
        }),
        ("cut", |index| {
            for file in files(index) {
                let bytes = fs::read(&file).unwrap();
                fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
            }
        }),
        ("left half opened", |index| fs::write(index.with_file_name("index.opening"), b"").unwrap()),
        ("with an unfinished snapshot", |index| {
            fs::write(index.join("snap.00000FFFFFFFFFFF.generating"), b"").unwrap();
        }),
    ];
    for (what, damage) in damages {
        damage(&index);
        let store = open(folder.path());
        assert_eq!(answers(&store).await, expected, "{what}");
        assert_eq!(store.health().await, Health::Ready);
        store.close().await.unwrap();
        let report = check(folder.path(), &options().master).unwrap();
        assert!(report.is_sound(), "{what}: {:?}", report.lines());
    }
}

#[tokio::test]
async fn an_index_of_an_earlier_ledger_is_not_believed() {
    let folder = killed().await;
    open(folder.path()).close().await.unwrap();
    let path = segment_path(folder.path(), 1);
    let (ledger, state) = (fs::read(&path).unwrap(), fs::read(folder.path().join("STATE")).unwrap());
    let store = open(folder.path());
    entered(&store, 3).await;
    store.close().await.unwrap();
    // The ledger is put back by hand, the index is not.
    fs::write(&path, ledger).unwrap();
    fs::write(folder.path().join("STATE"), state).unwrap();
    let store = open(folder.path());
    assert_eq!(store.certificate(certificate_id(3)).await.unwrap(), None);
    assert_eq!(store.head().await.unwrap().seq, 6);
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let folder = Folder::new();
    let store = open(folder.path());
    let refused = Embedded::open(folder.path(), options()).expect_err("two at once");
    assert!(matches!(refused, OpenError::Locked));
    assert!(refused.to_string().contains("another process works on this folder"));
    assert!(matches!(check(folder.path(), &options().master), Err(OpenError::Locked)));
    drop(store);
    open(folder.path());
}

#[tokio::test]
async fn another_master_key_a_lost_key_ring_or_a_lost_state_is_refused() {
    let folder = closed().await;
    let wrong = Options { master: Master::new([8; 32]), ..options() };
    assert!(matches!(Embedded::open(folder.path(), wrong), Err(OpenError::WrongMaster)));
    let ring = fs::read(folder.path().join("keyring")).unwrap();
    fs::remove_file(folder.path().join("keyring")).unwrap();
    let refused = Embedded::open(folder.path(), options());
    assert!(matches!(refused, Err(OpenError::KeyringShort { needed: 3, .. })));
    fs::write(folder.path().join("keyring"), vec![0; ring.len()]).unwrap();
    assert!(matches!(Embedded::open(folder.path(), options()), Err(OpenError::KeyringShort { .. })));
    fs::write(folder.path().join("keyring"), ring).unwrap();
    open(folder.path()).close().await.unwrap();
    fs::remove_file(folder.path().join("STATE")).unwrap();
    assert!(matches!(Embedded::open(folder.path(), options()), Err(OpenError::NoState)));
}
