//! Registrants: one of a person, found by who they are, and gone with them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use chrono::TimeDelta;

use crate::domain::event::{Deed, Event};
use crate::domain::query::EntryQuery;
use crate::registration::registrant::Registrant;
use crate::store::contract::Home;
use crate::store::samples::registration::{case, case_event, registrant};
use crate::store::samples::{at, opened, person};
use crate::store::{Change, CommitError, Committed, Expect, Revision, Store, Write};

fn assert_conflict(refused: &Result<Committed, CommitError>) {
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
}

async fn write(
    store: &dyn Store,
    expected: Option<Revision>,
    registrant: &Registrant,
) -> Result<Committed, CommitError> {
    let expects = vec![Expect::Registrant(registrant.person.clone(), expected)];
    store
        .commit(Change { expects, writes: vec![Write::Registrant(registrant.clone())], events: vec![] })
        .await
}

pub(crate) async fn what_is_known_of_a_registrant_outlives_closing(home: &dyn Home) {
    let store = home.open().await;
    let (full, bare) = (registrant(1), Registrant::new(person(2)));
    for registrant in [&full, &bare] {
        write(&*store, None, registrant).await.unwrap();
    }
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert!(store.registrant(&full.person).await.unwrap() == Some((full.clone(), Revision(1))));
        assert!(store.registrant(&bare.person).await.unwrap() == Some((bare.clone(), Revision(2))));
        assert_eq!(store.registrant(&person(3)).await.unwrap(), None);
        store.close().await.unwrap();
    }
}

pub(crate) async fn what_was_decided_on_a_stale_registrant_is_refused(home: &dyn Home) {
    let store = home.open().await;
    let first = Registrant::new(person(1));
    assert_conflict(&write(&*store, Some(Revision(1)), &first).await);
    write(&*store, None, &first).await.unwrap();
    assert_conflict(&write(&*store, None, &first).await);
    let full = registrant(1);
    let known = Some(Revision(1));
    let (a, b) = tokio::join!(write(&*store, known, &full), write(&*store, known, &full));
    match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) | (Err(CommitError::Conflict), Ok(_)) => {}
        other => panic!("{other:?}"),
    }
    assert!(store.registrant(&full.person).await.unwrap() == Some((full, Revision(2))));
}

pub(crate) async fn photo_and_signature_are_kept(home: &dyn Home) {
    let store = home.open().await;
    let (photo, signature, other) = (b"a portrait", b"a signature", b"a portrait that was not taken");
    for bytes in [&photo[..], &signature[..], &other[..]] {
        store.put_document(&person(1), home.digest(bytes), bytes).await.unwrap();
    }
    let mut pictured = registrant(1);
    pictured.profile.photo = Some(home.digest(photo));
    pictured.profile.signature = Some(home.digest(signature));
    write(&*store, None, &pictured).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    let mut deleted = 0;
    for days in [36_500, 36_502] {
        deleted += store.sweep(at(0) + TimeDelta::days(days)).await.unwrap();
    }
    assert_eq!(deleted, 1);
    assert_eq!(store.document(home.digest(photo)).await.unwrap().unwrap(), photo);
    assert_eq!(store.document(home.digest(signature)).await.unwrap().unwrap(), signature);
    assert_eq!(store.document(home.digest(other)).await.unwrap(), None);
}

pub(crate) async fn who_is_erased_is_unknown_and_may_come_again(home: &dyn Home) {
    let store = home.open().await;
    let old = registrant(1);
    write(&*store, None, &old).await.unwrap();
    let (account, _) = opened(&*store, 1).await;
    assert_eq!(home.erase(1).await, 1, "registrant and account have one key");
    assert_eq!(store.account(account.id).await.unwrap(), None);
    assert_eq!(store.registrant(&old.person).await.unwrap(), None);
    assert_conflict(&write(&*store, Some(Revision(1)), &old).await);
    let new = Registrant::new(old.person.clone());
    write(&*store, None, &new).await.unwrap();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert!(store.registrant(&new.person).await.unwrap() == Some((new.clone(), Revision(3))));
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_case_its_registrant_and_what_is_remembered_are_one_change(home: &dyn Home) {
    let store = home.open().await;
    let (case, registrant) = (case(1), registrant(1));
    let both = || Change {
        expects: vec![Expect::Case(case.id, None), Expect::Registrant(registrant.person.clone(), None)],
        writes: vec![Write::Registrant(registrant.clone()), Write::Case(case.clone())],
        events: vec![case_event(Deed::CaseOpened, case.id)],
    };
    store.commit(both()).await.unwrap();
    // One of two expectations that fails refuses both.
    let stale = Change {
        expects: vec![Expect::Case(case.id, Some(Revision(1))), both().expects[1].clone()],
        ..both()
    };
    assert_conflict(&store.commit(stale).await);
    // Said of a case that is not written itself, and of a registrant where nothing else is named.
    let alone = Event { case: None, ..case_event(Deed::QualificationEntered, case.id) };
    let later = [
        Change { events: vec![case_event(Deed::AnomalyNoticed, case.id)], ..Change::default() },
        Change {
            writes: vec![Write::Registrant(registrant.clone())],
            events: vec![alone.clone()],
            ..Change::default()
        },
    ];
    for change in &later {
        store.commit(change.clone()).await.unwrap();
    }
    let trail = async || {
        let page = store.entries(&EntryQuery { limit: 9, ..EntryQuery::default() }).await.unwrap();
        page.items.into_iter().flat_map(|entry| entry.events).collect::<Vec<_>>()
    };
    let told = [case_event(Deed::CaseOpened, case.id), case_event(Deed::AnomalyNoticed, case.id), alone];
    assert_eq!(trail().await, told);
    assert_eq!(home.erase(1).await, 1);
    assert_eq!(trail().await, told.map(|event| Event { reason: None, ..event }), "each reason had their key");
}
