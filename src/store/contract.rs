//! The contract of [`Store`] as tests, for every home of it: a home says how it is opened, and gets all of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;

use crate::domain::annotation::{Failure, Phase, Queued, State};
use crate::domain::calendar::day_of;
use crate::domain::certificate::{Standing, Status};
use crate::domain::event::{Deed, Event};
use crate::domain::ids::{KeyId, Sha256};
use crate::domain::ledger::{Link, Proof};
use crate::domain::query::{AnnotationQuery, CertificateQuery, EntryQuery};
use crate::domain::queue::Job;
use crate::store::samples::{
    REASON, at, begun, certificate, certificate_id, dossier, enter, entered, event, issuer, job, key, order,
    ordered, person, sealed, write,
};
use crate::store::{
    Answer, AnswerKey, Change, CommitError, DocumentOwner, Expect, Health, Outcome, Revision, Store, Write,
};

const TTL: Duration = Duration::from_secs(60);

/// A home of the store.
#[async_trait]
pub(crate) trait Home: Send + Sync {
    /// Opens it, or opens it again after it was closed.
    async fn open(&self) -> Arc<dyn Store>;

    /// SHA-256, which the contract may not compute.
    fn digest(&self, bytes: &[u8]) -> Sha256;
}

/// Makes a test of every rule of the contract.
macro_rules! contract {
    ($home:expr) => {
        $crate::store::contract::contract! { $home;
            what_is_committed_is_read_back_and_outlives_closing
            a_change_that_expects_a_stale_revision_is_refused_whole
            the_same_change_made_twice_is_made_once
            fifty_orders_at_once_fill_the_quota_exactly
            a_newer_version_takes_the_place_of_the_older
            a_copy_is_found_by_its_code_and_by_its_file
            certificates_are_listed_by_every_filter_page_by_page
            annotations_are_listed_by_every_filter_page_by_page
            the_most_urgent_job_comes_first_and_two_workers_never_share_one
            a_lapsed_lease_goes_to_another_and_the_first_is_fenced_off
            a_job_put_off_ends_its_lease_and_a_parked_one_waits
            the_queue_outlives_closing_and_its_leases_do_not
            the_queue_counts_by_issuer
            a_waiting_worker_hears_of_a_new_job
            an_answer_is_kept_and_given_once
            api_keys_are_found_by_their_secret
            documents_are_kept_under_their_digest
            the_trail_is_found_by_certificate_annotation_and_issuer
            a_proof_joins_entries_to_the_head
            a_reset_forgets_everything
            nothing_succeeds_after_closing
        }
    };
    ($home:expr; $($rule:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                $crate::store::contract::$rule(&$home).await;
            }
        )+
    };
}
pub(crate) use contract;

pub(crate) async fn what_is_committed_is_read_back_and_outlives_closing(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let annotation = ordered(&*store, &certificate, 1).await;
    let head = store.head().await.unwrap();
    assert_eq!(head.seq, 2);
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(store.certificate(certificate.id).await.unwrap(), Some(certificate.clone()));
        assert_eq!(store.annotation(annotation.id).await.unwrap(), Some(annotation.clone()));
        let dossier = dossier(&*store, &certificate).await;
        assert_eq!(dossier.certificate, certificate);
        assert_eq!(dossier.annotations, std::slice::from_ref(&annotation));
        assert_eq!(dossier.revision, Revision(2));
        assert_eq!(store.head().await.unwrap(), head);
        assert_eq!(store.health().await, Health::Ready);
        assert_eq!(store.certificate(certificate_id(99)).await.unwrap(), None);
        assert!(store.dossier(certificate_id(99)).await.unwrap().is_none());
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_change_that_expects_a_stale_revision_is_refused_whole(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let stale = dossier(&*store, &certificate).await.revision;
    ordered(&*store, &certificate, 1).await;
    let late = crate::store::samples::annotation(&certificate, 2);
    let mut change = order(&certificate, &late, stale);
    change.writes.push(Write::Certificate(crate::store::samples::certificate(7)));
    let refused = store.commit(change).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
    assert_eq!(store.annotation(late.id).await.unwrap(), None);
    assert_eq!(store.job(late.id).await.unwrap(), None);
    assert_eq!(store.certificate(certificate_id(7)).await.unwrap(), None);
    assert_eq!(store.head().await.unwrap().seq, 2, "a refused change has no number");

    let unknown =
        Change { expects: vec![Expect::Dossier(certificate_id(9), Revision(1))], ..Change::default() };
    assert!(matches!(store.commit(unknown).await, Err(CommitError::Conflict)));
}

pub(crate) async fn the_same_change_made_twice_is_made_once(home: &dyn Home) {
    let store = home.open().await;
    let certificate = certificate(1);
    let (first, second) = tokio::join!(store.commit(enter(&certificate)), store.commit(enter(&certificate)));
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1);
    assert!(matches!(store.commit(enter(&certificate)).await, Err(CommitError::Conflict)));
    assert_eq!(store.head().await.unwrap().seq, 1);
}

pub(crate) async fn fifty_orders_at_once_fill_the_quota_exactly(home: &dyn Home) {
    const QUOTA: usize = 3;
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let orders: Vec<_> = (0..50)
        .map(|number| {
            let (store, certificate) = (store.clone(), certificate.clone());
            tokio::spawn(async move {
                loop {
                    let dossier = dossier(&*store, &certificate).await;
                    if dossier.annotations.len() >= QUOTA {
                        return false;
                    }
                    let annotation = crate::store::samples::annotation(&certificate, number);
                    match store.commit(order(&certificate, &annotation, dossier.revision)).await {
                        Ok(_) => return true,
                        Err(CommitError::Conflict) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    let mut granted = 0;
    for order in orders {
        granted += usize::from(order.await.unwrap());
    }
    assert_eq!(granted, QUOTA);
    assert_eq!(dossier(&*store, &certificate).await.annotations.len(), QUOTA);
    assert_eq!(store.queue(None).await.unwrap().depth, QUOTA as u64);
    assert_eq!(store.head().await.unwrap().seq, 1 + QUOTA as u64);
}

pub(crate) async fn a_newer_version_takes_the_place_of_the_older(home: &dyn Home) {
    let store = home.open().await;
    let old = entered(&*store, 1).await;
    let (kind, no) = (old.details.kind.clone(), old.details.management_no.clone());
    assert_eq!(store.newest(&kind, &no).await.unwrap(), Some(old.id));
    let mut new = old.clone();
    (new.id, new.version, new.entered_at) = (certificate_id(500), 2, at(500));
    let mut superseded = old.clone();
    superseded.standing = Standing::Superseded { by: new.id };
    let change = |expected| Change {
        expects: vec![Expect::Newest(kind.clone(), no.clone(), expected)],
        // The older one last: what is written last is not what is newest.
        writes: vec![Write::Certificate(new.clone()), Write::Certificate(superseded.clone())],
        events: vec![event(Deed::CertificateUpdated, &new, None)],
    };
    assert!(matches!(store.commit(change(None)).await, Err(CommitError::Conflict)));
    store.commit(change(Some(old.id))).await.unwrap();
    assert!(matches!(store.commit(change(Some(old.id))).await, Err(CommitError::Conflict)));
    assert_eq!(store.newest(&kind, &no).await.unwrap(), Some(new.id));
    assert_eq!(store.newest(&"architect".parse().unwrap(), &no).await.unwrap(), None);
    assert_eq!(store.certificate(old.id).await.unwrap(), Some(superseded.clone()));
    let both = CertificateQuery { management_no: Some(no), limit: 10, ..CertificateQuery::default() };
    assert_eq!(store.certificates(&both).await.unwrap().items, [superseded, new]);
}

pub(crate) async fn a_copy_is_found_by_its_code_and_by_its_file(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let annotation = ordered(&*store, &certificate, 1).await;
    let file = home.digest(b"a sealed copy");
    assert_eq!(store.document_owner(file).await.unwrap(), None);
    let done = sealed(&annotation, file);
    let change = Change {
        expects: vec![Expect::Dossier(certificate.id, Revision(2))],
        writes: vec![write(&done, &certificate), Write::JobDone(done.id)],
        events: vec![event(Deed::AnnotationSealed, &certificate, Some(&done))],
    };
    store.commit(change).await.unwrap();
    let found = store.copy_by_code(annotation.code).await.unwrap();
    assert_eq!(found, Some((done.clone(), certificate.clone())));
    let other = crate::store::samples::annotation(&certificate, 2);
    assert_eq!(store.copy_by_code(other.code).await.unwrap(), None);
    assert_eq!(store.document_owner(file).await.unwrap(), Some(DocumentOwner::Annotation(done.id)));

    let plain = home.digest(b"a plain copy");
    assert_eq!(store.plain_copy(certificate.id).await.unwrap(), None);
    let change = Change {
        expects: vec![Expect::Dossier(certificate.id, Revision(3))],
        writes: vec![Write::PlainCopy(certificate.id, plain)],
        events: vec![],
    };
    store.commit(change.clone()).await.unwrap();
    assert!(matches!(store.commit(change).await, Err(CommitError::Conflict)), "it is of the dossier");
    assert_eq!(store.plain_copy(certificate.id).await.unwrap(), Some(plain));
    assert_eq!(store.document_owner(plain).await.unwrap(), Some(DocumentOwner::Certificate(certificate.id)));
}

pub(crate) async fn certificates_are_listed_by_every_filter_page_by_page(home: &dyn Home) {
    let store = home.open().await;
    let mut all = Vec::new();
    for number in 0..25 {
        all.push(entered(&*store, number).await);
    }
    all[4].standing = Standing::Suspended;
    store
        .commit(Change { writes: vec![Write::Certificate(all[4].clone())], ..Change::default() })
        .await
        .unwrap();
    let list = async |query: CertificateQuery| {
        let (mut items, mut after) = (Vec::new(), query.after);
        loop {
            let page =
                store.certificates(&CertificateQuery { after, limit: 4, ..query.clone() }).await.unwrap();
            assert!(page.items.len() <= 4);
            after = page.items.last().map(|last| last.id);
            items.extend(page.items);
            if !page.more {
                return items;
            }
        }
    };
    let any = CertificateQuery::default;
    assert_eq!(list(any()).await, all);
    assert_eq!(list(CertificateQuery { after: Some(all[9].id), ..any() }).await, all[10..]);
    let of_one: Vec<_> = all.iter().filter(|one| one.details.issuer.uscc == issuer(1)).cloned().collect();
    assert_eq!(list(CertificateQuery { issuer: Some(issuer(1)), ..any() }).await, of_one);
    let of_person = list(CertificateQuery { person: Some(person(8)), ..any() }).await;
    assert_eq!(of_person, [all[8].clone()]);
    let foreign = CertificateQuery { person: Some(person(8)), issuer: Some(issuer(1)), ..any() };
    assert!(list(foreign).await.is_empty());
    let suspended = CertificateQuery { status: Some((Status::Suspended, day_of(at(0)))), ..any() };
    assert_eq!(list(suspended).await, [all[4].clone()]);
    let numbered = CertificateQuery {
        management_no: Some(all[3].details.management_no.clone()),
        kind: Some(all[3].details.kind.clone()),
        ..any()
    };
    assert_eq!(list(numbered).await, [all[3].clone()]);
    assert!(list(CertificateQuery { kind: Some("architect".parse().unwrap()), ..any() }).await.is_empty());
}

pub(crate) async fn annotations_are_listed_by_every_filter_page_by_page(home: &dyn Home) {
    let store = home.open().await;
    let (one, two) = (entered(&*store, 1).await, entered(&*store, 2).await);
    let mut all = Vec::new();
    for number in 0..12 {
        all.push(ordered(&*store, if number % 3 == 0 { &one } else { &two }, number).await);
    }
    let failure = Failure { at: at(9), code: "does-not-fit".to_owned(), about: Some("recipient".to_owned()) };
    all[3].state = State::Failed(Queued {}.fail(failure));
    store.commit(Change { writes: vec![write(&all[3], &one)], ..Change::default() }).await.unwrap();
    let list = async |query: AnnotationQuery| {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let page =
                store.annotations(&AnnotationQuery { after, limit: 5, ..query.clone() }).await.unwrap();
            after = page.items.last().map(|last| last.id);
            items.extend(page.items);
            if !page.more {
                return items;
            }
        }
    };
    let any = AnnotationQuery::default;
    assert_eq!(list(any()).await, all);
    let ones: Vec<_> = all.iter().step_by(3).cloned().collect();
    assert_eq!(list(AnnotationQuery { certificate: Some(one.id), ..any() }).await, ones);
    assert_eq!(list(AnnotationQuery { issuer: Some(issuer(1)), ..any() }).await, ones);
    let foreign = AnnotationQuery { issuer: Some(issuer(2)), certificate: Some(one.id), ..any() };
    assert!(list(foreign).await.is_empty());
    for issuer in [None, Some(issuer(1))] {
        let failed = AnnotationQuery { phase: Some((Phase::Failed, day_of(at(0)))), issuer, ..any() };
        assert_eq!(list(failed).await, [all[3].clone()]);
    }
    assert_eq!(store.queue(None).await.unwrap().failed, 1);
    assert_eq!(store.queue(Some(&issuer(1))).await.unwrap().failed, 1);
    assert_eq!(store.queue(Some(&issuer(2))).await.unwrap().failed, 0);
}

pub(crate) async fn the_most_urgent_job_comes_first_and_two_workers_never_share_one(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let mut ids = Vec::new();
    for number in [7, 3, 5] {
        ids.push(ordered(&*store, &certificate, number).await.id);
    }
    let soon = at(1_000_000);
    assert!(store.lease(soon, TTL).await.unwrap().is_none(), "none is ready yet");
    let now = at(2_000_000);
    assert_eq!(store.place_in_queue(ids[0]).await.unwrap(), Some(2));
    assert_eq!(store.place_in_queue(ids[1]).await.unwrap(), Some(0));
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(store.lease(now, TTL).await.unwrap().unwrap());
    }
    let order: Vec<_> = taken.iter().map(|lease| lease.job.annotation).collect();
    assert_eq!(order, [ids[1], ids[2], ids[0]]);
    assert!(store.lease(now, TTL).await.unwrap().is_none(), "all are in somebody's hands");
    store.release(taken[1].token).await;
    let again = store.lease(now, TTL).await.unwrap().unwrap();
    assert_eq!(again.job.annotation, ids[2]);
    assert_ne!(again.token, taken[1].token);
    store.release(taken[1].token).await;
    assert!(store.lease(now, TTL).await.unwrap().is_none(), "an old token releases nothing");
    assert_eq!(
        store.place_in_queue(crate::store::samples::annotation(&certificate, 99).id).await.unwrap(),
        None
    );
}

fn settle(token: crate::store::LeaseToken) -> Change {
    Change {
        expects: vec![Expect::Lease(token)],
        writes: vec![Write::JobDone(token.annotation)],
        events: vec![],
    }
}

pub(crate) async fn a_lapsed_lease_goes_to_another_and_the_first_is_fenced_off(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let annotation = ordered(&*store, &certificate, 1).await;
    let now = at(2_000_000);
    let first = store.lease(now, TTL).await.unwrap().unwrap();
    // Writing the job down as begun keeps the lease.
    let begin = Change {
        expects: vec![Expect::Lease(first.token)],
        writes: vec![
            write(&begun(&annotation), &certificate),
            Write::Job(Job { attempts: 1, ..first.job.clone() }),
        ],
        events: vec![],
    };
    store.commit(begin).await.unwrap();
    assert!(store.lease(now, TTL).await.unwrap().is_none());
    let later = now + TTL;
    let second = store.lease(later, TTL).await.unwrap().unwrap();
    assert_eq!(second.job.attempts, 1);
    let lost = store.commit(settle(first.token)).await;
    assert!(matches!(lost, Err(CommitError::LeaseLost)), "{lost:?}");
    assert!(store.job(annotation.id).await.unwrap().is_some());
    store.commit(settle(second.token)).await.unwrap();
    assert_eq!(store.job(annotation.id).await.unwrap(), None);
    assert!(matches!(store.commit(settle(second.token)).await, Err(CommitError::LeaseLost)));
    assert!(store.lease(later + 2 * TTL, TTL).await.unwrap().is_none());
}

pub(crate) async fn a_job_put_off_ends_its_lease_and_a_parked_one_waits(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let annotation = ordered(&*store, &certificate, 1).await;
    let now = at(2_000_000);
    let first = store.lease(now, TTL).await.unwrap().unwrap();
    let ready_at = now + TimeDelta::seconds(5);
    let put_off = |job: &Job, token, ready_at, parked| Change {
        expects: vec![Expect::Lease(token)],
        writes: vec![Write::Job(Job { ready_at, parked, ..job.clone() })],
        events: vec![],
    };
    store.commit(put_off(&first.job, first.token, ready_at, false)).await.unwrap();
    assert!(store.lease(now, TTL).await.unwrap().is_none());
    let second = store.lease(ready_at, TTL).await.unwrap().unwrap();
    store.commit(put_off(&second.job, second.token, second.job.due_at, true)).await.unwrap();
    assert!(store.lease(ready_at + 2 * TTL, TTL).await.unwrap().is_none());
    let view = store.queue(None).await.unwrap();
    assert_eq!((view.depth, view.parked), (1, 1));
    // The clock may be moved back by hand.
    let third = store.lease(second.job.due_at, TTL).await.unwrap().unwrap();
    store.release(third.token).await;
    assert!(store.lease(now, TTL).await.unwrap().is_none());
    assert_eq!(third.job.annotation, annotation.id);
}

pub(crate) async fn the_queue_outlives_closing_and_its_leases_do_not(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let (one, two) = (ordered(&*store, &certificate, 1).await, ordered(&*store, &certificate, 2).await);
    let now = at(2_000_000);
    let held = store.lease(now, TTL).await.unwrap().unwrap();
    let view = store.queue(None).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.queue(None).await.unwrap(), view);
    assert_eq!(store.job(two.id).await.unwrap(), Some(job(&two, &certificate)));
    assert!(matches!(store.commit(settle(held.token)).await, Err(CommitError::LeaseLost)));
    let again = store.lease(now, TTL).await.unwrap().unwrap();
    assert_eq!(again.job.annotation, one.id);
    assert_ne!(again.token.fence, held.token.fence);
    assert!(matches!(store.commit(settle(held.token)).await, Err(CommitError::LeaseLost)));
}

pub(crate) async fn the_queue_counts_by_issuer(home: &dyn Home) {
    let store = home.open().await;
    let (one, two) = (entered(&*store, 1).await, entered(&*store, 2).await);
    let first = ordered(&*store, &one, 1).await;
    ordered(&*store, &one, 2).await;
    ordered(&*store, &two, 3).await;
    let all = store.queue(None).await.unwrap();
    assert_eq!((all.depth, all.due.len(), all.parked), (3, 3, 0));
    assert_eq!(all.oldest_requested_at, Some(first.order.requested_at));
    assert_eq!(all.next_due_at, Some(first.order.due_at));
    assert_eq!(store.queue(Some(&issuer(1))).await.unwrap().depth, 2);
    assert_eq!(store.queue(Some(&issuer(2))).await.unwrap().depth, 1);
    store.commit(Change { writes: vec![Write::JobDone(first.id)], ..Change::default() }).await.unwrap();
    assert_eq!(store.queue(Some(&issuer(1))).await.unwrap().depth, 1);
}

pub(crate) async fn a_waiting_worker_hears_of_a_new_job(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                if let Some(lease) = store.lease(at(2_000_000), TTL).await.unwrap() {
                    return lease;
                }
                store.job_arrived().await;
            }
        })
    };
    let annotation = ordered(&*store, &certificate, 1).await;
    assert_eq!(waiting.await.unwrap().job.annotation, annotation.id);
}

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
    store.commit(enter(&certificate)).await.unwrap();
    assert_eq!(store.document_owner(digest).await.unwrap(), None, "a photo is no copy");
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.document(digest).await.unwrap(), Some(bytes));
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
