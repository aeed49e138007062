//! Tickets: one open of a person and of a mobile, listed for those who answer, and gone with their person.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use chrono::TimeDelta;

use crate::domain::event::{Deed, Event};
use crate::domain::query::{EntryQuery, TicketQuery};
use crate::domain::ticket::{Scan, ScanKind, Standing, Ticket};
use crate::store::contract::Home;
use crate::store::samples::{
    account_event, answered, at, entered, mobile, open_ticket, opened, person, ticket,
};
use crate::store::{Change, CommitError, Committed, Expect, Revision, Store, Write};

fn assert_conflict(refused: &Result<Committed, CommitError>) {
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
}

async fn write(store: &dyn Store, expects: Vec<Expect>, ticket: &Ticket) -> Result<Committed, CommitError> {
    store.commit(Change { expects, writes: vec![Write::Ticket(ticket.clone())], events: vec![] }).await
}

async fn names(store: &dyn Store, standing: Option<Standing>) -> Vec<Ticket> {
    let query = TicketQuery { standing, limit: 100, ..TicketQuery::default() };
    store.tickets(&query).await.unwrap().items
}

pub(crate) async fn a_ticket_and_its_answer_outlive_closing(home: &dyn Home) {
    let store = home.open().await;
    let (plain, mut silent) = (ticket(1), ticket(2));
    silent.words = None;
    silent.scan.kind = ScanKind::Jpeg;
    for ticket in [&plain, &silent] {
        store.commit(open_ticket(ticket)).await.unwrap();
    }
    write(&*store, vec![], &answered(&silent)).await.unwrap();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(store.ticket(plain.id).await.unwrap(), Some((plain.clone(), Revision(1))));
        assert_eq!(store.ticket(silent.id).await.unwrap(), Some((answered(&silent), Revision(3))));
        assert_eq!(store.ticket(ticket(3).id).await.unwrap(), None);
        assert_eq!(store.open_ticket(&person(1), &mobile(9)).await.unwrap(), Some(plain.id));
        assert_eq!(store.open_ticket(&person(2), &mobile(2)).await.unwrap(), None);
        let entries = store.entries(&EntryQuery { limit: 1, ..EntryQuery::default() }).await.unwrap();
        assert_eq!(entries.items[0].events, open_ticket(&plain).events, "with its reason");
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_person_and_a_mobile_have_one_open_ticket(home: &dyn Home) {
    let store = home.open().await;
    let first = ticket(1);
    let same_person = Ticket { person: first.person.clone(), ..ticket(2) };
    let same_mobile = Ticket { mobile: first.mobile.clone(), ..ticket(3) };
    let (a, b) = tokio::join!(store.commit(open_ticket(&first)), store.commit(open_ticket(&same_person)));
    let (open, shut) = match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) => (first.clone(), same_person.clone()),
        (Err(CommitError::Conflict), Ok(_)) => (same_person.clone(), first.clone()),
        other => panic!("{other:?}"),
    };
    assert_conflict(&write(&*store, vec![], &shut).await);
    if open == first {
        assert_conflict(&store.commit(open_ticket(&same_mobile)).await);
    }
    write(&*store, vec![], &open).await.unwrap();
    // Answered, it is in nobody's way.
    write(&*store, vec![], &answered(&open)).await.unwrap();
    assert_eq!(store.open_ticket(&open.person, &open.mobile).await.unwrap(), None);
    store.commit(open_ticket(&shut)).await.unwrap();
    assert_eq!(store.open_ticket(&person(1), &mobile(7)).await.unwrap(), Some(shut.id));
    assert_conflict(&write(&*store, vec![], &open).await);
    write(&*store, vec![], &answered(&open)).await.unwrap();
    assert_eq!(store.open_ticket(&person(1), &mobile(7)).await.unwrap(), Some(shut.id));
}

pub(crate) async fn what_was_decided_on_a_stale_ticket_is_refused(home: &dyn Home) {
    let store = home.open().await;
    let open = ticket(1);
    let unknown = vec![Expect::Ticket(open.id, Some(Revision(1)))];
    assert_conflict(&write(&*store, unknown, &open).await);
    store.commit(open_ticket(&open)).await.unwrap();
    assert_conflict(&store.commit(open_ticket(&open)).await);
    let known = || vec![Expect::Ticket(open.id, Some(Revision(1)))];
    let answer = answered(&open);
    let (a, b) = tokio::join!(write(&*store, known(), &answer), write(&*store, known(), &answer));
    match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) | (Err(CommitError::Conflict), Ok(_)) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(store.ticket(open.id).await.unwrap().unwrap().1, Revision(2));
}

pub(crate) async fn tickets_are_listed_by_state_page_by_page(home: &dyn Home) {
    let store = home.open().await;
    entered(&*store, 1).await;
    let tickets: Vec<Ticket> = (1..=5).map(ticket).collect();
    for ticket in tickets.iter().rev() {
        store.commit(open_ticket(ticket)).await.unwrap();
    }
    let done = [answered(&tickets[1]), answered(&tickets[3])];
    for ticket in &done {
        write(&*store, vec![], ticket).await.unwrap();
    }
    let open = [&tickets[0], &tickets[2], &tickets[4]].map(Clone::clone);
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(names(&*store, Some(Standing::Open)).await, open);
        assert_eq!(names(&*store, Some(Standing::Answered)).await, done);
        assert_eq!(names(&*store, None).await.len(), 5);
        let query = TicketQuery { standing: Some(Standing::Open), after: Some(open[0].id), limit: 1 };
        let page = store.tickets(&query).await.unwrap();
        assert_eq!((&page.items[..], page.more), (&open[1..2], true));
        let query = TicketQuery { after: Some(open[1].id), limit: 9, ..query };
        let page = store.tickets(&query).await.unwrap();
        assert_eq!((&page.items[..], page.more), (&open[2..], false));
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_scan_is_kept_as_long_as_a_ticket_names_it(home: &dyn Home) {
    let store = home.open().await;
    let (scan, other) = (b"%PDF-1.7 a scan", b"%PDF-1.7 a scan that nobody sent");
    for bytes in [&scan[..], &other[..]] {
        store.put_document(&person(1), home.digest(bytes), bytes).await.unwrap();
    }
    let document = home.digest(scan);
    let sent = Ticket { scan: Scan { document, kind: ScanKind::Pdf }, ..ticket(1) };
    store.commit(open_ticket(&sent)).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    // Long after, whatever the machine's clock says; a home may first doom a file and delete it the next day.
    let swept = [36_500, 36_502].map(|days| store.sweep(at(0) + TimeDelta::days(days)));
    let mut deleted = 0;
    for swept in swept {
        deleted += swept.await.unwrap();
    }
    assert_eq!(deleted, 1);
    assert_eq!(store.document(document).await.unwrap().unwrap(), scan);
    assert_eq!(store.document(home.digest(other)).await.unwrap(), None);
    assert_eq!(store.document_owner(document).await.unwrap(), None, "no copy of a certificate");
    assert_eq!(home.erase(1).await, 1, "scan and ticket have one key");
    assert_eq!(store.document(document).await.unwrap(), None);
    assert_eq!(store.ticket(sent.id).await.unwrap(), None);
}

pub(crate) async fn who_is_erased_has_no_ticket_and_may_open_another(home: &dyn Home) {
    let store = home.open().await;
    let old = ticket(1);
    store.commit(open_ticket(&old)).await.unwrap();
    let (account, _) = opened(&*store, 1).await;
    assert_eq!(home.erase(1).await, 1, "ticket and account have one key");
    assert_eq!(store.account(account.id).await.unwrap(), None);
    assert_eq!(store.ticket(old.id).await.unwrap(), None);
    assert_eq!(store.open_ticket(&old.person, &old.mobile).await.unwrap(), None);
    assert!(names(&*store, None).await.is_empty() && names(&*store, Some(Standing::Open)).await.is_empty());
    let new = Ticket { id: ticket(2).id, ..old.clone() };
    store.commit(open_ticket(&new)).await.unwrap();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(names(&*store, Some(Standing::Open)).await, std::slice::from_ref(&new));
        assert_eq!(store.ticket(old.id).await.unwrap(), None);
        let entries = store.entries(&EntryQuery { limit: 1, ..EntryQuery::default() }).await.unwrap();
        let blank = account_event(Deed::TicketOpened, account.id);
        let event = Event { account: None, ticket: Some(old.id), reason: None, ..blank };
        assert_eq!(entries.items[0].events, [event], "what it said of them is gone");
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_reset_forgets_tickets_too(home: &dyn Home) {
    let store = home.open().await;
    let open = ticket(1);
    store.commit(open_ticket(&open)).await.unwrap();
    store.reset().await.unwrap();
    assert_eq!(store.ticket(open.id).await.unwrap(), None);
    assert!(names(&*store, None).await.is_empty());
    assert_eq!(store.open_ticket(&open.person, &open.mobile).await.unwrap(), None);
    store.commit(open_ticket(&open)).await.unwrap();
    assert_eq!(store.ticket(open.id).await.unwrap(), Some((open.clone(), Revision(1))));
    assert_eq!(open.opened_at, at(1));
}
