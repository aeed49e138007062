//! Nothing personal lies in clear, and who is erased is gone while the chain stands.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::domain::account::Purpose;
use crate::domain::query::{CertificateQuery, EntryQuery};
use crate::store::embedded::tests::{Folder, digest, open, options};
use crate::store::embedded::{check, io};
use crate::store::samples::registration::{case, open_case, registrant};
use crate::store::samples::{
    HASH, NAME, REASON, RECIPIENT, annotation, certificate, code, contact, dossier, email, enter, entered,
    event, mobile, opened, ordered, person, sealed, session, write,
};
use crate::store::{Change, Store, Write};

const COPY: &[u8] = b"%PDF-1.7 the sealed copy";

/// A certificate with a sealed annotation; its number names all.
async fn full_life(store: &dyn Store, number: u64) {
    let certificate = entered(store, number).await;
    let annotation = ordered(store, &certificate, number).await;
    let copy = [COPY, &number.to_be_bytes()].concat();
    store.put_document(&certificate.details.holder.id, digest(&copy), &copy).await.unwrap();
    let done = sealed(&annotation, digest(&copy));
    let change = Change {
        expects: vec![],
        writes: vec![write(&done, &certificate), Write::JobDone(done.id)],
        events: vec![event(crate::domain::event::Deed::AnnotationSealed, &certificate, Some(&done))],
    };
    store.commit(change).await.unwrap();
}

fn search(folder: &Path, markers: &[(&str, Vec<u8>)]) -> usize {
    let mut searched = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            searched += search(&path, markers);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        for (what, marker) in markers {
            let found = bytes.windows(marker.len()).any(|window| window == marker);
            assert!(!found, "{what} lies in clear in {}", path.display());
        }
        searched += 1;
    }
    searched
}

#[tokio::test]
async fn no_file_holds_anything_personal_in_clear() {
    let folder = Folder::new();
    let store = open(folder.path());
    full_life(&store, 1).await;
    let (account, _) = opened(&store, 1).await;
    let writes = vec![
        Write::Session(session(&account, 1)),
        Write::VerificationCode(contact(1), code(Purpose::SignUp, 1)),
    ];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    store.commit(open_case(&case(1))).await.unwrap();
    let writes = vec![Write::Registrant(registrant(1))];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    store.close().await.unwrap();
    let certificate = certificate(1);
    let code = annotation(&certificate, 1).code;
    let markers = [
        ("the name", NAME.as_bytes().to_vec()),
        ("the identity number", person(1).number().as_bytes().to_vec()),
        ("the mobile", mobile(1).as_str().as_bytes().to_vec()),
        ("the e-mail address", email(1).as_str().as_bytes().to_vec()),
        ("the password's hash", HASH.as_bytes().to_vec()),
        ("the recipient", RECIPIENT.as_bytes().to_vec()),
        ("the reason", REASON.as_bytes().to_vec()),
        ("the management number", certificate.details.management_no.as_str().as_bytes().to_vec()),
        ("the day of birth", b"1990-08-21".to_vec()),
        ("the ethnicity", "维吾尔族".as_bytes().to_vec()),
        ("the school", "示例大学".as_bytes().to_vec()),
        ("the specialty", "建筑工程".as_bytes().to_vec()),
        ("a correction", "重新上传".as_bytes().to_vec()),
        ("the code", code.to_string().into_bytes()),
        ("the code's bytes", code.to_bytes().to_vec()),
        ("the copy", COPY.to_vec()),
        ("the master key", vec![7; 32]),
    ];
    assert!(search(folder.path(), &markers) > 5);
}

#[tokio::test]
async fn who_is_erased_is_gone_and_the_chain_stands() {
    let folder = Folder::new();
    let store = open(folder.path());
    for number in [1, 2] {
        full_life(&store, number).await;
    }
    let copy = |number: u64| digest(&[COPY, &number.to_be_bytes()].concat());
    for _ in 0..3 {
        // Read often enough to be remembered.
        assert_eq!(dossier(&store, &certificate(1)).await.annotations.len(), 1);
    }
    assert_eq!(store.erase_person(&person(1)).await.unwrap(), 1);
    let head = store.head().await.unwrap();
    for round in 0..3 {
        let store = match round {
            0 => &store,
            _ => &open(folder.path()),
        };
        let gone = certificate(1);
        assert_eq!(store.certificate(gone.id).await.unwrap(), None);
        assert!(store.dossier(gone.id).await.unwrap().is_none());
        let annotation = annotation(&gone, 1);
        assert_eq!(store.annotation(annotation.id).await.unwrap(), None);
        assert_eq!(store.copy_by_code(annotation.code).await.unwrap(), None);
        assert_eq!(store.document(copy(1)).await.unwrap(), None);
        assert!(store.document(copy(2)).await.unwrap().is_some());
        let listed = store.certificates(&CertificateQuery { limit: 9, ..CertificateQuery::default() }).await;
        assert_eq!(listed.unwrap().items, [certificate(2)]);
        let query = EntryQuery { certificate: Some(gone.id), limit: 9, ..EntryQuery::default() };
        let trail = store.entries(&query).await.unwrap().items;
        assert_eq!(trail.len(), 3, "what happened stays, without the words");
        assert!(trail.iter().flat_map(|entry| &entry.events).all(|event| event.reason.is_none()));
        assert_eq!(store.head().await.unwrap(), head);
        store.close().await.unwrap();
        if round == 1 {
            io::remove(&folder.path().join("index")).unwrap();
        }
    }
    let report = check(folder.path(), &options().master).unwrap();
    assert!(report.is_sound(), "{:?}", report.lines());
    assert!(report.erased >= 7);

    // Who comes again is a new person, with a new key.
    let store = open(folder.path());
    let mut again = certificate(1);
    (again.id, again.version) = (certificate(77).id, 2);
    let change = Change { expects: vec![], ..enter(&again) };
    store.commit(change).await.unwrap();
    assert_eq!(dossier(&store, &again).await.certificate, again);
    assert_eq!(store.certificate(certificate(1).id).await.unwrap(), None);
    assert_eq!(store.erase_person(&person(1)).await.unwrap(), 1);
    assert_eq!(store.erase_person(&person(5)).await.unwrap(), 0);
}

#[tokio::test]
async fn files_that_no_record_names_are_swept_after_a_day() {
    let folder = Folder::new();
    let store = open(folder.path());
    full_life(&store, 1).await;
    store.put_document(&person(1), digest(b"orphan"), b"orphan").await.unwrap();
    let far: DateTime<Utc> = "2126-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.sweep_documents(far).await.unwrap(), 0, "it may yet be named");
    store.close().await.unwrap();
    let store = open(folder.path());
    let past: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.sweep_documents(past).await.unwrap(), 0);
    assert_eq!(store.sweep_documents(far).await.unwrap(), 1);
    assert_eq!(store.document(digest(b"orphan")).await.unwrap(), None);
    let copy = [COPY, &1u64.to_be_bytes()].concat();
    assert_eq!(store.document(digest(&copy)).await.unwrap(), Some(copy));
}
