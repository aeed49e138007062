//! What is verified while the source is served, and what is left to the pause.

use std::collections::BTreeSet;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, mpsc};

use futures_util::FutureExt as _;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::store::Store;
use crate::store::embedded::moving::arriving::Arriving;
use crate::store::embedded::moving::leaving::Leaving;
use crate::store::embedded::{self, Embedded};
use crate::store::migrate::course::{Course, Slots};
use crate::store::migrate::mentions::Counts;
use crate::store::migrate::tests::{
    answers, assert_same, cipher, fill, followed, master, options, postgres, scratch, switched, unseen,
};
use crate::store::migrate::verification::verify;
use crate::store::migrate::verified::Verified;
use crate::store::migrate::{Holding, MoveError, Source, Step, Target, Watch, follow, remembered};
use crate::store::postgres::tests::Cluster;
use crate::store::postgres::{Documents, Options, Postgres, Purpose};
use crate::store::samples::{entered, ordered, person};

/// The documents of a folder.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let shelves = fs::read_dir(folder.join("documents")).unwrap();
    shelves
        .flat_map(|shelf| fs::read_dir(shelf.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

/// Copies what is new, and is killed before any of it is verified.
async fn copied(source: &dyn Source, target: &dyn Target) {
    let mut course = Course::begin(source, target, Slots::All).await.unwrap();
    while course.batch().await.unwrap() {}
}

/// Copies all, and is killed while documents are verified.
async fn cut_off(source: &dyn Source, target: &dyn Target) {
    let watch: Watch = Arc::new(|step| {
        if matches!(step, Step::Verifying { .. }) {
            panic!("killed");
        }
    });
    let cipher = cipher(source);
    let done = AssertUnwindSafe(follow(source, target, &cipher, &watch)).catch_unwind().await;
    assert!(done.is_err(), "it came to its end: {done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_came_since_is_verified_in_the_pause() {
    let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    let mut made = fill(&old, 0..40).await;
    let source = Leaving::open(here.path(), &master()).unwrap();
    let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
    let first = followed(&source, &target).await.unwrap().verified;
    assert!(first.head.seq > 0 && first.report.documents > 0, "{first:?}");
    // One is erased who was verified, one who was verified orders again, and others come for the first time.
    old.erase_person(&person(4)).await.unwrap();
    ordered(&old, &made[5].0, 905).await;
    made.extend(fill(&old, 40..50).await);
    let before = answers(&old, &made).await;
    old.close().await.unwrap();

    let done = switched(&source, &target).await.unwrap();
    assert_eq!(done.before, first.head.seq);
    assert!(done.copied.entries >= 10 && done.copied.entries <= done.verified.head.seq - first.head.seq);
    assert_eq!(done.verified.report.entries, done.verified.head.seq, "every entry once");
    let counts = Counts {
        certificates: 50,
        annotations: 51,
        accounts: 10,
        sessions: 10,
        codes: 10,
        tickets: 10,
        cases: 10,
        registrants: 10,
        companies: 2,
        documents: 63,
    };
    assert_eq!(done.verified.counts, counts);
    assert_eq!(source.erased_slots().await.unwrap(), target.erased_slots().await.unwrap());
    let new = cluster.node().await;
    assert_same(&before, &answers(&*new, &made).await);
    assert!(new.dossier(made[4].0.id).await.unwrap().is_none(), "erased after it was verified");

    // And back, out of a database that is served until the switch.
    let source = postgres(&cluster, Purpose::Look).await.unwrap();
    assert_eq!(source.verified().await.unwrap(), None, "a store that has arrived remembers nothing");
    let target = Arriving::open(there.path(), &options(), source.id().unwrap()).unwrap();
    let first = followed(&source, &target).await.unwrap().verified;
    new.erase_person(&person(7)).await.unwrap();
    made.extend(fill(&*new, 60..65).await);
    let before = answers(&*new, &made).await;
    let done = switched(&source, &target).await.unwrap();
    assert_eq!(done.before, first.head.seq);
    assert_eq!(done.verified.counts.certificates, 55);
    drop(target);
    let home = Embedded::open(there.path(), options()).unwrap();
    assert_same(&before, &answers(&home, &made).await);
    assert!(home.dossier(made[7].0.id).await.unwrap().is_none(), "erased after it was verified");
    home.close().await.unwrap();
    let report = embedded::check(there.path(), &master()).unwrap();
    assert!(report.is_sound(), "{:?}", report.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_during_the_verification_is_verified_too() {
    let (here, cluster) = (scratch(), Cluster::new());
    let old = Arc::new(Embedded::open(here.path(), options()).unwrap());
    fill(&*old, 0..110).await;
    let known = old.head().await.unwrap().seq;
    let source = Leaving::open(here.path(), &master()).unwrap();
    let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
    let asked = Arc::new(Notify::new());
    let (done, written) = mpsc::channel();
    let (ask, written, once) = (asked.clone(), Mutex::new(written), Once::new());
    let watch: Watch = Arc::new(move |step| {
        if matches!(step, Step::Verifying { .. }) {
            once.call_once(|| {
                ask.notify_one();
                written.lock().unwrap().recv().unwrap();
            });
        }
    });
    let writing = tokio::spawn(async move {
        asked.notified().await;
        fill(&*old, 110..120).await;
        done.send(()).unwrap();
    });
    let followed = follow(&source, &target, &cipher(&source), &watch).await.unwrap();
    writing.await.unwrap();
    assert!(followed.verified.head.seq > known, "{followed:?}");
    assert_eq!(followed.verified.head, followed.copied.head);
    assert_eq!(followed.copied.entries, followed.copied.head.seq);
    assert_eq!(followed.verified.report.entries, followed.copied.head.seq);
    assert_eq!(followed.verified.counts, target.counts().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_verified_before_all_is_verified_in_the_pause() {
    let (here, cluster) = (scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    fill(&old, 0..10).await;
    old.close().await.unwrap();
    let source = Leaving::open(here.path(), &master()).unwrap();
    let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
    let done = switched(&source, &target).await.unwrap();
    assert_eq!((done.before, done.verified.report.entries), (0, done.copied.entries));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_what_was_verified_is_left_to_the_check() {
    let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    fill(&old, 0..6).await;
    old.close().await.unwrap();
    let source = Leaving::open(here.path(), &master()).unwrap();
    let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
    followed(&source, &target).await.unwrap();
    cluster.tamper("update ledger set payload = substr(payload, 1, 200) where seq = 4").await;
    switched(&source, &target).await.unwrap();
    let report = verify(&target, &target.cipher().unwrap(), &unseen()).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.starts_with("entry 4")), "{report:?}");

    let cluster = Cluster::new();
    let node = cluster.node().await;
    fill(&*node, 0..6).await;
    let source = postgres(&cluster, Purpose::Look).await.unwrap();
    let target = Arriving::open(there.path(), &options(), source.id().unwrap()).unwrap();
    followed(&source, &target).await.unwrap();
    spoil(&documents(there.path())[0]);
    switched(&source, &target).await.unwrap();
    drop(target);
    let report = embedded::check(there.path(), &master()).unwrap();
    assert_eq!(report.faults.len(), 1, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_the_rest_is_found_in_the_pause_and_the_source_stays_in_use() {
    let (there, cluster) = (scratch(), Cluster::new());
    let node = cluster.node().await;
    fill(&*node, 0..6).await;
    let source = postgres(&cluster, Purpose::Look).await.unwrap();
    let target = Arriving::open(there.path(), &options(), source.id().unwrap()).unwrap();
    followed(&source, &target).await.unwrap();
    let verified: BTreeSet<PathBuf> = documents(there.path()).into_iter().collect();
    fill(&*node, 10..12).await;
    copied(&source, &target).await;
    let rest = documents(there.path()).into_iter().find(|path| !verified.contains(path)).unwrap();
    spoil(&rest);
    let refused = switched(&source, &target).await;
    let Err(MoveError::Unlike(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(faults.len(), 1, "{faults:?}");
    let refused = followed(&source, &target).await;
    assert!(matches!(refused, Err(MoveError::Unlike(_))), "{refused:?}");
    entered(&*node, 77).await;
    drop(target);
    assert!(Embedded::open(there.path(), options()).is_err());

    let (here, cluster) = (scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    fill(&old, 0..6).await;
    let source = Leaving::open(here.path(), &master()).unwrap();
    let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
    followed(&source, &target).await.unwrap();
    fill(&old, 10..12).await;
    old.close().await.unwrap();
    copied(&source, &target).await;
    for (harm, fault) in [
        (
            "delete from documents where digest = (select document from annotations where document is not null \
          order by decided_on desc limit 1)",
            "of that are there",
        ),
        (
            "update ledger set payload = substr(payload, 1, 200) where seq = (select seq - 1 from head)",
            "does not continue",
        ),
        ("delete from ledger where seq = (select seq - 2 from head)", "is missing"),
    ] {
        cluster.tamper(harm).await;
        let refused = switched(&source, &target).await;
        let Err(MoveError::Unlike(faults)) = refused else { panic!("{harm}: {refused:?}") };
        assert!(faults.iter().any(|found| found.contains(fault)), "{harm}: {faults:?}");
    }
    Embedded::open(here.path(), options()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verification_that_was_cut_off_is_done_again_from_where_the_last_one_ended() {
    let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    let mut made = fill(&old, 0..60).await;
    let source = Leaving::open(here.path(), &master()).unwrap();
    let id = source.id().unwrap();
    let target = postgres(&cluster, Purpose::Receive(id)).await.unwrap();
    cut_off(&source, &target).await;
    assert_eq!(target.verified().await.unwrap(), None);
    let first = followed(&source, &target).await.unwrap();
    assert!(first.copied.entries < 60, "the copy is not done again: {first:?}");
    assert_eq!(first.verified.report.entries, first.verified.head.seq);

    made.extend(fill(&old, 60..120).await);
    cut_off(&source, &target).await;
    assert_eq!(target.verified().await.unwrap().as_ref(), Some(&first.verified));
    let before = answers(&old, &made).await;
    old.close().await.unwrap();
    let done = switched(&source, &target).await.unwrap();
    assert_eq!(done.before, first.verified.head.seq);
    assert!(done.copied.entries < 60, "{done:?}");
    assert_eq!(done.verified.counts, target.counts().await.unwrap());
    let node = cluster.node().await;
    assert_same(&before, &answers(&*node, &made).await);

    // The same into a folder that is opened anew after the kill.
    let source = postgres(&cluster, Purpose::Look).await.unwrap();
    let target = Arriving::open(there.path(), &options(), id).unwrap();
    let first = followed(&source, &target).await.unwrap();
    made.extend(fill(&*node, 120..170).await);
    cut_off(&source, &target).await;
    drop(target);
    let target = Arriving::open(there.path(), &options(), id).unwrap();
    assert_eq!(target.verified().await.unwrap().as_ref(), Some(&first.verified));
    let before = answers(&*node, &made).await;
    let done = switched(&source, &target).await.unwrap();
    assert_eq!((done.before, done.copied.entries), (first.verified.head.seq, 0));
    assert_eq!(done.verified.counts, target.counts().await.unwrap());
    drop(target);
    let home = Embedded::open(there.path(), options()).unwrap();
    assert_same(&before, &answers(&home, &made).await);
}

/// Documents in a folder.
async fn with_documents(cluster: &Cluster, purpose: Purpose, folder: &TempDir) -> Postgres {
    let documents = Documents::Folder(folder.path().to_owned());
    let options = Options { purpose, documents, ..cluster.options().await };
    Postgres::open(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_verified_elsewhere_counts_for_nothing() {
    let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    fill(&old, 0..8).await;
    let source = Leaving::open(here.path(), &master()).unwrap();
    let purpose = Purpose::Receive(source.id().unwrap());

    // Documents that are looked for in another place.
    let (bucket, empty) = (scratch(), scratch());
    let target = with_documents(&cluster, purpose, &bucket).await;
    let known = followed(&source, &target).await.unwrap().verified;
    assert_eq!(target.verified().await.unwrap(), Some(known.clone()));
    let elsewhere = with_documents(&cluster, purpose, &empty).await;
    assert_eq!(elsewhere.verified().await.unwrap(), None);
    old.close().await.unwrap();
    let refused = switched(&source, &elsewhere).await;
    let Err(MoveError::Unlike(faults)) = refused else { panic!("{refused:?}") };
    assert!(faults[0].contains("missing"), "{faults:?}");

    // A database that was brought back to an earlier state, but for the mark.
    cluster.tamper("update ledger set chain = sha256(chain) where seq = (select seq from head)").await;
    let refused = switched(&source, &target).await;
    assert!(matches!(refused, Err(MoveError::Unlike(_))), "all is verified: {refused:?}");
    cluster.tamper("truncate ledger; update head set seq = 0, chain = decode(repeat('00', 32), 'hex')").await;
    assert!(target.verified().await.unwrap().is_some(), "as it stands there");
    assert_eq!(remembered(&target).await.unwrap(), None, "but the ledger does not");

    // A folder that was emptied, and one that holds another's mark.
    let id = source.id().unwrap();
    let target = Arriving::open(there.path(), &options(), id).unwrap();
    let known = followed(&source, &target).await.unwrap().verified;
    drop(target);
    let mark = fs::read_to_string(there.path().join("RECEIVING")).unwrap();
    fs::remove_dir_all(there.path()).unwrap();
    let target = Arriving::open(there.path(), &options(), id).unwrap();
    assert_eq!(target.verified().await.unwrap(), None);
    fs::write(there.path().join("RECEIVING"), &mark).unwrap();
    assert_eq!(target.verified().await.unwrap(), Some(known.clone()), "as it stands there");
    let done = switched(&source, &target).await.unwrap();
    assert_eq!((done.before, done.verified.report.entries), (0, known.head.seq), "but the ledger does not");

    let printed = known.print(&id, "a place");
    assert_eq!(Verified::parse(&printed, &id, "a place"), Some(known));
    assert_eq!(Verified::parse(&printed, &[9; 16], "a place"), None);
    assert_eq!(Verified::parse(&printed, &id, "another place"), None);
    assert_eq!(Verified::parse("receiving\n", &id, "a place"), None);
}

/// Changes the last byte of a file.
fn spoil(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(file, bytes).unwrap();
}
