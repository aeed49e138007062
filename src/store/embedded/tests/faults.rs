//! Every call to the disk fails, one after the other, in each way; then the process dies; then the store is opened
//! again and must hold all that was answered with success, each change whole or not at all, and go on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::annotation::Annotation;
use crate::domain::certificate::Certificate;
use crate::domain::event::Deed;
use crate::store::embedded::tests::disk::{Dice, Failing, Mischief};
use crate::store::embedded::tests::{Folder, digest, options};
use crate::store::embedded::{Embedded, Options, check, io};
use crate::store::samples::{annotation, certificate, enter, entered, event, order, sealed, write};
use crate::store::{Change, CommitError, Expect, Health, Store, Write};

const PEOPLE: u64 = 5;

fn small(io: Arc<Mischief>) -> Options {
    Options { segment_bytes: 16 * 1024, free_floor_bytes: 1, io, ..options() }
}

/// One thing done to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Enter(u64),
    Order(u64),
    Seal(u64),
}

fn steps() -> Vec<Step> {
    (0..PEOPLE).flat_map(|n| [Step::Enter(n), Step::Order(n), Step::Seal(n)]).collect()
}

fn copy_of(n: u64) -> Vec<u8> {
    format!("the sealed copy of {n}").into_bytes()
}

fn about(n: u64) -> (Certificate, Annotation) {
    let certificate = certificate(n);
    let annotation = annotation(&certificate, n);
    (certificate, annotation)
}

/// Whether a step was done: wholly, or not at all.
async fn is_done(store: &dyn Store, step: Step) -> bool {
    match step {
        Step::Enter(n) => {
            let certificate = certificate(n);
            let found = store.certificate(certificate.id).await.unwrap();
            let newest =
                store.newest(&certificate.details.kind, &certificate.details.management_no).await.unwrap();
            assert_eq!(newest, found.as_ref().map(|found| found.id), "{step:?} is half done");
            found.is_some_and(|found| found == certificate)
        }
        Step::Order(n) => {
            let (_, annotation) = about(n);
            let found = store.annotation(annotation.id).await.unwrap();
            let job = store.job(annotation.id).await.unwrap();
            let done = matches!(&found, Some(found) if found.sealed().is_some());
            assert_eq!(found.is_some(), job.is_some() || done, "{step:?} is half done");
            found.is_some()
        }
        Step::Seal(n) => {
            let (certificate, annotation) = about(n);
            let found = store.annotation(annotation.id).await.unwrap();
            let Some(sealed) = found.as_ref().and_then(|found| found.sealed()) else { return false };
            assert_eq!(store.job(annotation.id).await.unwrap(), None, "{step:?} is half done");
            assert_eq!(store.document(sealed.document).await.unwrap(), Some(copy_of(n)));
            let copy = store.copy_by_code(annotation.code).await.unwrap().unwrap();
            assert_eq!(copy.1, certificate);
            true
        }
    }
}

async fn take(store: &dyn Store, step: Step) -> Result<(), CommitError> {
    let change = match step {
        Step::Enter(n) => enter(&certificate(n)),
        Step::Order(n) => {
            let (certificate, annotation) = about(n);
            let dossier = store.dossier(certificate.id).await?.unwrap();
            order(&certificate, &annotation, dossier.revision)
        }
        Step::Seal(n) => {
            let (certificate, annotation) = about(n);
            let copy = copy_of(n);
            store.put_document(&certificate.details.holder.id, digest(&copy), &copy).await?;
            let done = sealed(&annotation, digest(&copy));
            let dossier = store.dossier(certificate.id).await?.unwrap();
            Change {
                expects: vec![Expect::Dossier(certificate.id, dossier.revision)],
                writes: vec![write(&done, &certificate), Write::JobDone(done.id)],
                events: vec![event(Deed::AnnotationSealed, &certificate, Some(&done))],
            }
        }
    };
    store.commit(change).await.map(|_| ())
}

/// Takes step after step until one fails. Gives back those done and the one in doubt.
async fn run(folder: &Path, disk: &Arc<Mischief>) -> (Vec<Step>, Option<Step>) {
    let mut done = Vec::new();
    let Ok(store) = Embedded::open(folder, small(disk.clone())) else { return (done, None) };
    for step in steps() {
        match take(&store, step).await {
            Ok(()) => done.push(step),
            Err(CommitError::Fault(_)) => {
                if matches!(store.health().await, Health::Broken(_)) {
                    let again = take(&store, Step::Enter(99)).await;
                    assert!(again.is_err(), "after a failed write nothing more is written");
                }
                return (done, Some(step));
            }
            Err(CommitError::ReadOnly(_)) => return (done, None),
            Err(error) => panic!("{step:?}: {error}"),
        }
    }
    let _ = store.close().await;
    (done, None)
}

/// Opens the store again, holds it against what was answered, finishes the work and checks the whole.
async fn hold_to_account(folder: &Path, done: &[Step], doubtful: Option<Step>, what: &str) {
    let store = Embedded::open(folder, Options { segment_bytes: 16 * 1024, ..options() })
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    for step in steps() {
        let is_done = is_done(&store, step).await;
        if done.contains(&step) {
            assert!(is_done, "{what}: {step:?} was answered and is missing");
        } else if doubtful != Some(step) {
            assert!(!is_done, "{what}: {step:?} was never made");
        }
    }
    for step in steps() {
        if !is_done(&store, step).await {
            take(&store, step).await.unwrap_or_else(|error| panic!("{what}: {step:?}: {error}"));
        }
        assert!(is_done(&store, step).await);
    }
    assert_eq!(store.head().await.unwrap().seq, 3 * PEOPLE, "{what}: nothing was made twice");
    store.close().await.unwrap();
    let report = check(folder, &options().master).unwrap();
    assert!(report.is_sound(), "{what}: {:?}", report.lines());
    assert_eq!((report.entries, report.documents), (3 * PEOPLE, PEOPLE), "{what}");
}

#[tokio::test]
async fn any_failing_call_loses_nothing_that_was_answered() {
    for failing in [Failing::NotDone, Failing::Done] {
        let mut number = 0;
        loop {
            let folder = Folder::new();
            let disk = Arc::new(Mischief::new(Some(number), failing));
            let (done, doubtful) = run(folder.path(), &disk).await;
            hold_to_account(folder.path(), &done, doubtful, &format!("call {number} {failing:?}")).await;
            if !disk.has_failed.load(Ordering::SeqCst) {
                break;
            }
            number += 1;
        }
        assert!(number > 100, "the work makes only {number} calls");
    }
}

#[tokio::test]
async fn losing_power_at_any_call_loses_nothing_that_was_answered() {
    for (failing, seed) in [(Failing::PowerOff, 1), (Failing::NotDone, 2)] {
        let mut dice = Dice(seed);
        let mut number = 0;
        loop {
            let folder = Folder::new();
            let disk = Arc::new(Mischief::new(Some(number), failing));
            let (done, doubtful) = run(folder.path(), &disk).await;
            disk.cut_power(|| dice.next() & 1 == 0);
            // Another life of the kernel would not trust it; this one must be told.
            io::remove(&folder.path().join("index")).unwrap();
            let what = format!("call {number} {failing:?} seed {seed}");
            hold_to_account(folder.path(), &done, doubtful, &what).await;
            if !disk.has_failed.load(Ordering::SeqCst) {
                break;
            }
            number += 1;
        }
    }
}

#[tokio::test]
async fn a_failed_write_breaks_the_store_once_and_says_so() {
    let (folder, told) = (Folder::new(), Arc::new(AtomicUsize::new(0)));
    let disk = Arc::new(Mischief::new(None, Failing::NotDone));
    let hook = told.clone();
    let on_broken = Arc::new(move |_| {
        hook.fetch_add(1, Ordering::SeqCst);
    });
    let store = Embedded::open(folder.path(), Options { on_broken, ..small(disk.clone()) }).unwrap();
    entered(&store, 1).await;
    *disk.full_for.lock().unwrap() = Some("ledger");
    for number in 2..4 {
        let failed = store.commit(enter(&certificate(number))).await;
        assert!(matches!(failed, Err(CommitError::Fault(_))), "{failed:?}");
    }
    *disk.full_for.lock().unwrap() = None;
    assert!(matches!(store.commit(enter(&certificate(4))).await, Err(CommitError::Fault(_))));
    assert!(matches!(store.health().await, Health::Broken(_)));
    assert_eq!(told.load(Ordering::SeqCst), 1);
    assert!(store.certificate(certificate(1).id).await.unwrap().is_some(), "reading goes on");
    assert!(store.close().await.is_err());
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_makes_the_store_read_only_and_back() {
    let folder = Folder::new();
    let disk = Arc::new(Mischief::new(None, Failing::NotDone));
    let floor = 1 << 20;
    let store =
        Embedded::open(folder.path(), Options { free_floor_bytes: floor, ..small(disk.clone()) }).unwrap();
    let first = entered(&store, 1).await;
    disk.free.store(floor - 1, Ordering::SeqCst);
    assert!(matches!(store.commit(enter(&certificate(2))).await, Err(CommitError::ReadOnly(_))));
    assert!(store.put_document(&first.details.holder.id, digest(b"x"), b"x").await.is_err());
    assert!(matches!(store.health().await, Health::ReadOnly(_)));
    assert_eq!(store.certificate(first.id).await.unwrap(), Some(first));
    disk.free.store(floor, Ordering::SeqCst);
    assert_eq!(store.health().await, Health::Ready);
    entered(&store, 2).await;
}

#[tokio::test]
async fn without_room_for_the_next_segment_the_store_is_read_only_before_a_commit_fails() {
    let folder = Folder::new();
    let disk = Arc::new(Mischief::new(None, Failing::NotDone));
    let store = Embedded::open(folder.path(), small(disk.clone())).unwrap();
    *disk.full_for.lock().unwrap() = Some("next.tmp");
    let mut number = 0;
    loop {
        match store.commit(enter(&certificate(number))).await {
            Ok(_) => number += 1,
            Err(CommitError::ReadOnly(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(number > 3, "the present segment was used to its end");
    assert!(matches!(store.health().await, Health::ReadOnly(_)));
    *disk.full_for.lock().unwrap() = None;
    entered(&store, number).await;
    assert_eq!(store.health().await, Health::Ready);
    store.close().await.unwrap();
    let report = check(folder.path(), &options().master).unwrap();
    assert!(report.is_sound() && report.entries == number + 1, "{:?}", report.lines());
}
