//! The register: what is written is read back, and decisions never contradict each other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::sync::Arc;

use crate::domain::annotation::{Annotation, Cause, Failure, Phase, Queued, State};
use crate::domain::calendar::day_of;
use crate::domain::certificate::{Certificate, Standing, Status};
use crate::domain::event::Deed;
use crate::domain::query::{AnnotationQuery, CertificateQuery, ExpiryQuery};
use crate::store::contract::Home;
use crate::store::samples::{
    at, certificate, certificate_id, dossier, enter, entered, event, issuer, order, ordered, person, sealed,
    write,
};
use crate::store::{Change, CommitError, DocumentOwner, Expect, Health, Revision, Store, Write};

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

/// Annotations of one certificate that the orders of these tests stop at.
pub(crate) const QUOTA: usize = 3;

/// Fifty orders of one certificate at once, through the nodes in turn; says how many were granted.
pub(crate) async fn fifty_orders(nodes: &[Arc<dyn Store>], certificate: &Certificate) -> usize {
    let orders: Vec<_> = (0..50)
        .map(|number: usize| {
            let (node, certificate) = (nodes[number % nodes.len()].clone(), certificate.clone());
            tokio::spawn(async move {
                loop {
                    let dossier = dossier(&*node, &certificate).await;
                    if dossier.annotations.len() >= QUOTA {
                        return false;
                    }
                    let annotation = crate::store::samples::annotation(&certificate, number as u64);
                    match node.commit(order(&certificate, &annotation, dossier.revision)).await {
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
    granted
}

pub(crate) async fn fifty_orders_at_once_fill_the_quota_exactly(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    assert_eq!(fifty_orders(std::slice::from_ref(&store), &certificate).await, QUOTA);
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

/// A copy of a certificate that was ordered for so many days, sealed and written.
async fn copy(
    store: &dyn Store,
    home: &dyn Home,
    certificate: &Certificate,
    number: u64,
    days: u32,
) -> Annotation {
    let mut annotation = ordered(store, certificate, number).await;
    annotation.order.days = days;
    let done = sealed(&annotation, home.digest(&number.to_be_bytes()));
    store.commit(Change { writes: vec![write(&done, certificate)], ..Change::default() }).await.unwrap();
    done
}

pub(crate) async fn copies_are_found_by_their_last_day(home: &dyn Home) {
    let store = home.open().await;
    let (one, two) = (entered(&*store, 1).await, entered(&*store, 2).await);
    let mut all = Vec::new();
    for number in 0..12 {
        // The last days of one after the other; each third day has two.
        let days = u32::try_from(3 + number % 9).unwrap();
        all.push(copy(&*store, home, if number % 2 == 0 { &one } else { &two }, number, days).await);
    }
    // Only ordered, or revoked: neither expires any more.
    ordered(&*store, &one, 50).await;
    let gone = all.remove(4).revoke_if_live(at(2_000_000), Cause::Withdrawn).unwrap();
    store.commit(Change { writes: vec![write(&gone, &one)], ..Change::default() }).await.unwrap();
    // Written again, as when its holder was told: it stays what it is, once.
    let State::Sealed(known) = all[1].state.clone() else { panic!("it is sealed") };
    all[1].state = State::Sealed(known.remind(7));
    store.commit(Change { writes: vec![write(&all[1], &two)], ..Change::default() }).await.unwrap();

    let last_day = |annotation: &Annotation| annotation.sealed().unwrap().intent.valid_until;
    all.sort_by_key(|annotation| (last_day(annotation), annotation.id));
    let (first, last) = (last_day(&all[0]), last_day(all.last().unwrap()));
    let list = async |store: &dyn Store, from, until| {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let page = store.expiring(&ExpiryQuery { from, until, after, limit: 2 }).await.unwrap();
            assert!(page.items.len() <= 2);
            after = page.items.last().map(|last| (last_day(last), last.id));
            items.extend(page.items);
            if !page.more {
                return items;
            }
        }
    };
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(list(&*store, first, last).await, all);
        let (from, until) = (first.succ_opt().unwrap(), last.pred_opt().unwrap());
        let within: Vec<_> =
            all.iter().filter(|one| (from..=until).contains(&last_day(one))).cloned().collect();
        assert!(within.len() < all.len() - 1);
        assert_eq!(list(&*store, from, until).await, within);
        assert!(list(&*store, last.succ_opt().unwrap(), last.succ_opt().unwrap()).await.is_empty());
        store.close().await.unwrap();
    }
    let store = home.open().await;
    home.erase(1).await;
    let of_two: Vec<_> = all.iter().filter(|one| one.certificate == two.id).cloned().collect();
    assert_eq!(list(&*store, first, last).await, of_two, "who is erased is told nothing");
}
