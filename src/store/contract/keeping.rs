//! Answers, keys, documents, the ledger, and the end of a store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use crate::domain::annotation::Annotation;
use crate::domain::event::{Deed, Event};
use crate::domain::ids::{AnnotationId, CertificateId, KeyId, Sha256};
use crate::domain::ledger::{Link, Proof};
use crate::domain::query::EntryQuery;
use crate::domain::tally::{Door, Heading, Hour, Subject, Tallies};
use crate::store::contract::Home;
use crate::store::samples::{
    REASON, annotation, at, certificate, dossier, enter, entered, event, issuer, key, order, ordered, person,
};
use crate::store::{Answer, AnswerKey, Change, CommitError, Expect, Health, Outcome, Write};

pub(crate) async fn an_answer_is_kept_and_given_once(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let answer_key = AnswerKey { caller: key(1).id, key: home.digest(b"idempotency key") };
    let answer = |request: &[u8]| Answer {
        request: home.digest(request),
        outcome: Outcome::Entered { certificate: certificate.id, status: "created".to_owned() },
        at: at(5),
    };
    let change = |request: &[u8]| Change {
        expects: vec![Expect::Unanswered(answer_key.clone())],
        writes: vec![Write::Answer(answer_key.clone(), answer(request))],
        events: vec![],
    };
    assert_eq!(store.answer(&answer_key).await.unwrap(), None);
    let (a, b) = tokio::join!(store.commit(change(b"a")), store.commit(change(b"b")));
    let given = match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) => answer(b"a"),
        (Err(CommitError::Conflict), Ok(_)) => answer(b"b"),
        other => panic!("{other:?}"),
    };
    assert_eq!(store.answer(&answer_key).await.unwrap(), Some(given.clone()));
    let other = AnswerKey { caller: key(2).id, ..answer_key.clone() };
    assert_eq!(store.answer(&other).await.unwrap(), None);
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.answer(&answer_key).await.unwrap(), Some(given));
    assert!(matches!(store.commit(change(b"a")).await, Err(CommitError::Conflict)));
}

pub(crate) async fn an_order_and_its_answer_are_one_change(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let answer_key = AnswerKey { caller: key(1).id, key: home.digest(b"idempotency key") };
    let change = |annotation: &Annotation, revision| {
        let outcome = Outcome::Ordered { annotation: annotation.id, place: 3 };
        let answer = Answer { request: home.digest(b"request"), outcome, at: at(5) };
        let mut change = order(&certificate, annotation, revision);
        change.expects.push(Expect::Unanswered(answer_key.clone()));
        change.writes.push(Write::Answer(answer_key.clone(), answer));
        change
    };
    let (first, second) = (annotation(&certificate, 1), annotation(&certificate, 2));
    store.commit(change(&first, dossier(&*store, &certificate).await.revision)).await.unwrap();
    // Asked again with the same key, decided on what is: it is the key that stands in the way.
    let again = store.commit(change(&second, dossier(&*store, &certificate).await.revision)).await;
    assert!(matches!(again, Err(CommitError::Conflict)), "{again:?}");
    assert_eq!(dossier(&*store, &certificate).await.annotations, std::slice::from_ref(&first));
    assert_eq!(store.job(second.id).await.unwrap(), None);
    let known = store.answer(&answer_key).await.unwrap().unwrap();
    assert_eq!(known.outcome, Outcome::Ordered { annotation: first.id, place: 3 });
    assert_eq!(store.head().await.unwrap().seq, 2);
}

pub(crate) async fn api_keys_are_found_by_their_secret(home: &dyn Home) {
    let store = home.open().await;
    let mut keys = [key(1), key(2)];
    for key in keys.iter().rev() {
        store.commit(Change { writes: vec![Write::Key(key.clone())], ..Change::default() }).await.unwrap();
    }
    assert_eq!(store.keys().await.unwrap(), keys);
    keys[0].revoked_at = Some(at(77));
    store.commit(Change { writes: vec![Write::Key(keys[0].clone())], ..Change::default() }).await.unwrap();
    assert_eq!(store.key_by_secret(keys[0].secret).await.unwrap(), Some(keys[0].clone()));
    assert_eq!(store.key_by_secret(key(3).secret).await.unwrap(), None);
    assert_eq!(store.keys().await.unwrap(), keys);
}

pub(crate) async fn documents_are_kept_under_their_digest(home: &dyn Home) {
    let store = home.open().await;
    let bytes = vec![7; 60_000];
    let digest = home.digest(&bytes);
    assert_eq!(store.document(digest).await.unwrap(), None);
    store.put_document(&person(1), digest, &bytes).await.unwrap();
    store.put_document(&person(1), digest, &bytes).await.unwrap();
    assert_eq!(store.document(digest).await.unwrap(), Some(bytes.clone()));
    assert!(store.put_document(&person(1), digest, b"something else").await.is_err());
    assert_eq!(store.document(digest).await.unwrap(), Some(bytes.clone()));
    let mut certificate = certificate(1);
    certificate.details.photo = Some(digest);
    let signature = vec![3; 6_000];
    store.put_document(&person(1), home.digest(&signature), &signature).await.unwrap();
    certificate.details.signature = Some(home.digest(&signature));
    store.commit(enter(&certificate)).await.unwrap();
    assert_eq!(store.document_owner(digest).await.unwrap(), None, "a photo is no copy");
    store.close().await.unwrap();
    let store = home.open().await;
    // However late they are looked for: the certificate names them.
    for day in ["2126-01-01T00:00:00Z", "2126-01-03T00:00:00Z"] {
        assert_eq!(store.sweep(day.parse().unwrap()).await.unwrap(), 0);
    }
    assert_eq!(store.document(digest).await.unwrap(), Some(bytes));
    assert_eq!(store.document(home.digest(&signature)).await.unwrap(), Some(signature));
    assert_eq!(store.certificate(certificate.id).await.unwrap(), Some(certificate));
}

pub(crate) async fn the_trail_is_found_by_certificate_annotation_and_issuer(home: &dyn Home) {
    let store = home.open().await;
    let (one, two) = (entered(&*store, 1).await, entered(&*store, 2).await);
    let annotation = ordered(&*store, &one, 1).await;
    ordered(&*store, &one, 2).await;
    let mut read = event(Deed::DocumentRead, &one, Some(&annotation));
    read.certificate = None;
    store.commit(Change { events: vec![read.clone()], ..Change::default() }).await.unwrap();
    let made = Event {
        deed: Deed::KeyCreated,
        certificate: None,
        key: Some(KeyId::from_bytes([1; 16])),
        ..read.clone()
    };
    let made = Event { annotation: None, issuer: None, ..made };
    store.commit(Change { events: vec![made.clone()], ..Change::default() }).await.unwrap();

    let list = async |query: EntryQuery| {
        let (mut seqs, mut after) = (Vec::new(), query.after);
        loop {
            let page = store.entries(&EntryQuery { after, limit: 2, ..query.clone() }).await.unwrap();
            after = page.items.last().map(|last| last.seq);
            seqs.extend(page.items.iter().map(|entry| entry.seq));
            if !page.more {
                return seqs;
            }
        }
    };
    let any = EntryQuery::default;
    assert_eq!(list(any()).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(list(EntryQuery { after: Some(4), ..any() }).await, [5, 6]);
    assert_eq!(list(EntryQuery { certificate: Some(one.id), ..any() }).await, [1, 3, 4, 5]);
    assert_eq!(list(EntryQuery { certificate: Some(one.id), after: Some(3), ..any() }).await, [4, 5]);
    assert_eq!(list(EntryQuery { certificate: Some(two.id), ..any() }).await, [2]);
    assert_eq!(list(EntryQuery { annotation: Some(annotation.id), ..any() }).await, [3, 5]);
    assert_eq!(list(EntryQuery { issuer: Some(issuer(1)), ..any() }).await, [1, 3, 4, 5]);
    let foreign = EntryQuery { issuer: Some(issuer(2)), certificate: Some(one.id), ..any() };
    assert!(list(foreign).await.is_empty());
    let entries = store.entries(&EntryQuery { limit: 10, ..any() }).await.unwrap();
    assert!(!entries.more);
    assert_eq!(entries.items[0].events, [event(Deed::CertificateEntered, &one, None)]);
    assert_eq!(entries.items[0].events[0].reason.as_ref().unwrap().as_str(), REASON);
    assert_eq!(entries.items[4].events, [read]);
    assert_eq!(entries.items[5].events, [made]);
    assert_eq!(entries.items[5].chain, store.head().await.unwrap().chain);
}

pub(crate) async fn a_proof_joins_entries_to_the_head(home: &dyn Home) {
    let store = home.open().await;
    for number in 0..6 {
        entered(&*store, number).await;
    }
    let Proof { before, links, head } = store.proof(&[5, 3]).await.unwrap();
    assert_eq!(head, store.head().await.unwrap());
    let entries = store.entries(&EntryQuery { limit: 10, ..EntryQuery::default() }).await.unwrap().items;
    assert_eq!(before, entries[1].chain);
    let mut chain = before;
    let mut whole = Vec::new();
    for (link, expected) in links.iter().zip(3..) {
        let (seq, digest) = match link {
            Link::Whole { seq, payload } => {
                whole.push(*seq);
                (*seq, home.digest(payload))
            }
            Link::Digest { seq, digest } => (*seq, *digest),
        };
        assert_eq!(seq, expected);
        assert_eq!(digest, entries[seq as usize - 1].digest);
        chain = home.digest(&[&chain.as_bytes()[..], digest.as_bytes()].concat());
    }
    assert_eq!(links.len(), 4);
    assert_eq!(whole, [3, 5]);
    assert_eq!(chain, head.chain);
    let first = store.proof(&[1]).await.unwrap();
    assert_eq!((first.before, first.links.len()), (Sha256::new([0; 32]), 6));
    assert!(store.proof(&[]).await.unwrap().links.is_empty());
}

pub(crate) async fn checks_are_counted_beside_the_ledger_and_outlive_closing(home: &dyn Home) {
    let store = home.open().await;
    let subjects = [
        Subject::Annotation(AnnotationId::from_bytes([0xA7; 16])),
        Subject::Certificate(CertificateId::from_bytes([0xB7; 16])),
    ];
    let tallies = |counts: &[(usize, u32, Door, u64)]| -> Tallies {
        let of = |(which, hour, door, count): &(usize, u32, Door, u64)| {
            (Heading { subject: subjects[*which], hour: Hour::from_number(*hour), door: *door }, *count)
        };
        counts.iter().map(of).collect()
    };
    store.count_checks(&Tallies::new()).await.unwrap();
    store.count_checks(&tallies(&[(0, 7, Door::Link, 2), (1, 7, Door::Query, 1)])).await.unwrap();
    store
        .count_checks(&tallies(&[(0, 7, Door::Link, 3), (0, 7, Door::File, 1), (0, 9, Door::Typed, 4)]))
        .await
        .unwrap();
    let of_copy = tallies(&[(0, 7, Door::Link, 5), (0, 7, Door::File, 1), (0, 9, Door::Typed, 4)]);
    assert_eq!(store.checks(subjects[0]).await.unwrap(), of_copy);
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.checks(subjects[0]).await.unwrap(), of_copy);
    assert_eq!(store.checks(subjects[1]).await.unwrap(), tallies(&[(1, 7, Door::Query, 1)]));
    let unknown = Subject::Annotation(AnnotationId::from_bytes([0xC7; 16]));
    assert!(store.checks(unknown).await.unwrap().is_empty());
    assert_eq!(store.head().await.unwrap().seq, 0, "no entry tells of it");
    store.reset().await.unwrap();
    assert!(store.checks(subjects[0]).await.unwrap().is_empty());
}

pub(crate) async fn a_reset_forgets_everything(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    ordered(&*store, &certificate, 1).await;
    let bytes = b"a document".to_vec();
    store.put_document(&person(1), home.digest(&bytes), &bytes).await.unwrap();
    store.reset().await.unwrap();
    assert_eq!(store.head().await.unwrap().seq, 0);
    assert_eq!(store.certificate(certificate.id).await.unwrap(), None);
    assert_eq!(store.document(home.digest(&bytes)).await.unwrap(), None);
    assert_eq!(store.queue(None).await.unwrap().depth, 0);
    entered(&*store, 1).await;
    assert_eq!(store.head().await.unwrap().seq, 1);
}

pub(crate) async fn nothing_succeeds_after_closing(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(store.certificate(certificate.id).await.is_err());
    assert!(matches!(store.commit(enter(&certificate)).await, Err(CommitError::Fault(_))));
    assert!(store.head().await.is_err());
    assert!(matches!(store.health().await, Health::Broken(_)));
}
