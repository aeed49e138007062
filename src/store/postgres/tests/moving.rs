//! A ledger that moves in from another home comes to the same store.

use std::sync::Arc;

use tempfile::tempdir;

use crate::domain::query::EntryQuery;
use crate::store::Store;
use crate::store::migrate::verification::verify;
use crate::store::migrate::{Holding, Target, Watch};
use crate::store::postgres::tests::nodes::assert_chained;
use crate::store::postgres::tests::{Cluster, digest};
use crate::store::postgres::{Documents, Options, Postgres, Purpose};
use crate::store::samples::{certificate, dossier, entered, ordered, person, sealed, write};
use crate::store::{Change, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_replayed_elsewhere_is_the_same_store() {
    let (here, there) = (Cluster::new(), Cluster::new());
    let old = here.node().await;
    let (one, two, gone) = (entered(&*old, 1).await, entered(&*old, 2).await, entered(&*old, 3).await);
    let (first, second) = (ordered(&*old, &one, 1).await, ordered(&*old, &two, 2).await);
    ordered(&*old, &gone, 3).await;
    let file = b"a sealed copy".to_vec();
    old.put_document(&person(1), digest(&file), &file).await.unwrap();
    let done = sealed(&first, digest(&file));
    let change = Change { writes: vec![write(&done, &one), Write::JobDone(first.id)], ..Change::default() };
    old.commit(change).await.unwrap();
    old.erase_person(&person(3)).await.unwrap();

    let folder = tempdir().unwrap();
    let documents = Documents::Folder(folder.path().to_owned());
    let purpose = Purpose::Receive(old.id().unwrap());
    let options = Options { documents, purpose, ..there.options().await };
    let new = Postgres::open(options).await.unwrap();
    let slots = old.raw_slots(0, 1000).await.unwrap();
    // Twice: a move that was interrupted is taken up again.
    new.put_raw_slots(&slots).await.unwrap();
    new.put_raw_slots(&slots).await.unwrap();
    loop {
        let entries = old.raw_entries(new.head().await.unwrap().seq, 3).await.unwrap();
        if entries.is_empty() {
            break;
        }
        let head = new.replay(entries.clone()).await.unwrap();
        assert_eq!(head, new.head().await.unwrap());
        assert!(new.replay(entries).await.is_err(), "what was made is not made again");
    }
    let raw = old.raw_document(digest(&file)).await.unwrap().unwrap();
    new.put_raw_document(digest(&file), &raw).await.unwrap();
    new.go_live().await.unwrap();

    assert_eq!(new.head().await.unwrap(), old.head().await.unwrap());
    assert_chained(&new).await;
    for one in [&one, &two] {
        let (here, there) = (dossier(&*old, one).await, dossier(&new, one).await);
        assert_eq!(here.certificate, there.certificate);
        assert_eq!(here.annotations, there.annotations);
        assert_eq!(here.revision, there.revision);
    }
    assert!(new.dossier(gone.id).await.unwrap().is_none(), "erased there too");
    assert_eq!(new.copy_by_code(done.code).await.unwrap(), Some((done, one)));
    assert_eq!(new.document(digest(&file)).await.unwrap(), Some(file));
    assert_eq!(new.queue(None).await.unwrap(), old.queue(None).await.unwrap());
    assert_eq!(new.depth().await.unwrap(), old.depth().await.unwrap());
    assert_eq!(new.job(second.id).await.unwrap(), old.job(second.id).await.unwrap());
    let all = EntryQuery { limit: 100, ..EntryQuery::default() };
    assert_eq!(new.entries(&all).await.unwrap(), old.entries(&all).await.unwrap());

    // It goes on from there, with the persons' keys that it brought.
    ordered(&new, &two, 9).await;
    let other = certificate(2);
    assert_eq!(new.certificate(other.id).await.unwrap(), Some(other));
    assert_eq!(new.raw_slots(0, 1000).await.unwrap().len(), slots.len());
    entered(&new, 8).await;
    assert_chained(&new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_finds_what_is_wrong() {
    let (cluster, folder) = (Cluster::new(), tempdir().unwrap());
    let documents = Documents::Folder(folder.path().to_owned());
    let store = Postgres::open(Options { documents, ..cluster.options().await }).await.unwrap();
    let mut files = Vec::new();
    for number in 1..=3 {
        let certificate = entered(&store, number).await;
        let annotation = ordered(&store, &certificate, number).await;
        let file = format!("sealed copy {number}").into_bytes();
        store.put_document(&person(number), digest(&file), &file).await.unwrap();
        let done = sealed(&annotation, digest(&file));
        let writes = vec![write(&done, &certificate), Write::JobDone(annotation.id)];
        store.commit(Change { writes, ..Change::default() }).await.unwrap();
        files.push(digest(&file));
    }
    store.erase_person(&person(3)).await.unwrap();
    let watch: Watch = Arc::new(|_| {});
    let cipher = store.cipher().unwrap();
    let report = verify(&store, &cipher, &watch).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.lines());
    assert_eq!((report.entries, report.documents), (9, 2));
    assert!(report.erased > 0);

    let mut beside = cluster.scratch().await.connect().await;
    for spoiling in [
        "update ledger set chain = sha256(chain) where seq = 2",
        "update ledger set payload = substr(payload, 1, 200) where seq = 4",
        "delete from ledger where seq = 6",
        "delete from plain_copies; delete from documents where annotation = (select id from annotations limit 1)",
    ] {
        sqlx::raw_sql(spoiling).execute(&mut beside).await.unwrap();
    }
    let name = files[0].to_string();
    std::fs::remove_file(folder.path().join("documents").join(&name[..2]).join(&name)).unwrap();
    let report = verify(&store, &cipher, &watch).await.unwrap();
    let faults = report.faults.join("\n");
    for fault in [
        "entry 2 does not continue the chain",
        "entry 4 does not continue the chain",
        "entry 4: reading",
        "entry 6 is missing",
        "the ledger tells of",
        &format!("document {name} is missing"),
    ] {
        assert!(faults.contains(fault), "{fault:?} is not in:\n{faults}");
    }
}
