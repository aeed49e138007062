//! Backups of a running store, and what comes back from them.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::annotation::Annotation;
use crate::domain::tally::{Door, Heading, Hour, Subject, Tallies};
use crate::domain::ticket::{Scan, ScanKind, Ticket};
use crate::store::embedded::tests::{Folder, digest, open, options};
use crate::store::embedded::{Embedded, OpenError, Options, backup, check, restore};
use crate::store::samples::{
    annotation, at, certificate, certificate_id, enter, entered, open_ticket, ordered, sealed, ticket, write,
};
use crate::store::{Change, Store, Write};

async fn life(store: &dyn Store, number: u64) {
    let certificate = entered(store, number).await;
    let annotation = ordered(store, &certificate, number).await;
    let copy = format!("copy {number}").into_bytes();
    store.put_document(&certificate.details.holder.id, digest(&copy), &copy).await.unwrap();
    let done = sealed(&annotation, digest(&copy));
    let writes = vec![write(&done, &certificate), Write::JobDone(done.id)];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    store.count_checks(&checks(&done)).await.unwrap();
}

/// A copy that was looked at.
fn checks(of: &Annotation) -> Tallies {
    let heading = Heading { subject: Subject::Annotation(of.id), hour: Hour::of(at(0)), door: Door::Link };
    [(heading, 7)].into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_of_a_running_store_answers_the_same() {
    let (folder, copies) = (Folder::new(), Folder::new());
    let options = || Options { segment_bytes: 32 * 1024, ..options() };
    let store = Arc::new(Embedded::open(folder.path(), options()).unwrap());
    life(&*store, 0).await;
    let stop = Arc::new(AtomicBool::new(false));
    let working = {
        let (store, stop) = (store.clone(), stop.clone());
        tokio::spawn(async move {
            let mut number = 1;
            while !stop.load(Ordering::SeqCst) {
                life(&*store, number).await;
                number += 1;
            }
        })
    };
    let mut last = 0;
    for round in 0..5 {
        let (from, to) = (folder.path().to_owned(), copies.path().join(format!("backup-{round}")));
        let target = to.clone();
        let made = tokio::task::spawn_blocking(move || backup(&from, &target)).await.unwrap().unwrap();
        assert!(made.entries > last, "the store went on");
        last = made.entries;
        let restored = copies.path().join(format!("restored-{round}"));
        assert_eq!(restore(&to, &restored).unwrap(), made);
        let again = Embedded::open(&restored, options()).unwrap();
        let head = again.head().await.unwrap();
        assert_eq!(head.seq, made.entries);
        for number in 0..made.entries / 3 {
            let code = annotation(&certificate(number), number).code;
            let copy = again.copy_by_code(code).await.unwrap().unwrap();
            assert_eq!(Some(&copy), store.copy_by_code(code).await.unwrap().as_ref());
            if number == 0 {
                let counted = again.checks(Subject::Annotation(copy.0.id)).await.unwrap();
                assert_eq!(counted, checks(&copy.0));
            }
            let document = copy.0.sealed().unwrap().document;
            assert_eq!(again.document(document).await.unwrap(), store.document(document).await.unwrap());
        }
        again.close().await.unwrap();
        let report = check(&restored, &options().master).unwrap();
        assert!(report.is_sound(), "{:?}", report.lines());
        assert_eq!((report.entries, report.documents), (made.entries, made.documents));
    }
    stop.store(true, Ordering::SeqCst);
    working.await.unwrap();
    assert!(last > 30, "several segments were copied");
}

#[tokio::test]
async fn photos_signatures_and_scans_are_backed_up_too() {
    let (folder, copies) = (Folder::new(), Folder::new());
    let store = open(folder.path());
    let files = [b"a photo".to_vec(), b"a signature".to_vec(), b"a scan".to_vec()];
    let mut one = certificate(1);
    for file in &files {
        store.put_document(&one.details.holder.id, digest(file), file).await.unwrap();
    }
    one.details.photo = Some(digest(&files[0]));
    one.details.signature = Some(digest(&files[1]));
    store.commit(enter(&one)).await.unwrap();
    let scan = Scan { document: digest(&files[2]), kind: ScanKind::Pdf };
    store.commit(open_ticket(&Ticket { scan, ..ticket(1) })).await.unwrap();
    let (kept, restored) = (copies.path().join("kept"), copies.path().join("restored"));
    assert_eq!(backup(folder.path(), &kept).unwrap().documents, 3);
    restore(&kept, &restored).unwrap();
    let again = open(&restored);
    for file in files {
        assert_eq!(again.document(digest(&file)).await.unwrap(), Some(file));
    }
}

#[tokio::test]
async fn a_restored_store_goes_on_by_itself() {
    let (folder, copies) = (Folder::new(), Folder::new());
    let store = open(folder.path());
    life(&store, 1).await;
    let (kept, restored) = (copies.path().join("kept"), copies.path().join("restored"));
    backup(folder.path(), &kept).unwrap();
    restore(&kept, &restored).unwrap();
    let again = open(&restored);
    life(&again, 2).await;
    assert_eq!(again.head().await.unwrap().seq, 6);
    assert_eq!(store.head().await.unwrap().seq, 3);
    assert_eq!(store.certificate(certificate_id(2)).await.unwrap(), None);
}

#[tokio::test]
async fn a_backup_that_is_not_whole_is_refused() {
    let (folder, copies) = (Folder::new(), Folder::new());
    let store = open(folder.path());
    life(&store, 1).await;
    let kept = copies.path().join("kept");
    let made = backup(folder.path(), &kept).unwrap();
    assert_eq!((made.entries, made.documents), (3, 1));
    assert!(matches!(backup(folder.path(), &kept), Err(OpenError::NotEmpty)));
    assert!(matches!(restore(&kept, folder.path()), Err(OpenError::NotEmpty)));

    let document = crate::store::embedded::documents::document_path(&kept, digest(b"copy 1"));
    for (number, file) in [kept.join("keyring"), document].into_iter().enumerate() {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[20] ^= 4;
        fs::write(&file, flipped).unwrap();
        let refused = restore(&kept, &copies.path().join(format!("flipped-{number}"))).unwrap_err();
        assert!(refused.to_string().contains("is not as it was copied"), "{refused}");
        fs::remove_file(&file).unwrap();
        let refused = restore(&kept, &copies.path().join(format!("missing-{number}"))).unwrap_err();
        assert!(refused.to_string().contains("is missing"), "{refused}");
        fs::write(&file, whole).unwrap();
    }
    let manifest = fs::read_to_string(kept.join("MANIFEST")).unwrap();
    fs::write(kept.join("MANIFEST"), manifest.replace("\"keyring\"", "\"../keyring\"")).unwrap();
    let refused = restore(&kept, &copies.path().join("outside")).unwrap_err();
    assert!(refused.to_string().contains("lies elsewhere"), "{refused}");
    fs::remove_file(kept.join("MANIFEST")).unwrap();
    assert!(matches!(restore(&kept, &copies.path().join("none")), Err(OpenError::BadBackup { .. })));
    // What failed left no store behind.
    assert!(matches!(check(&copies.path().join("outside"), &options().master), Err(OpenError::NoState)));
}
