//! Cases: kept with their revision, listed for whoever holds them in the order in which they are due, and gone with their
//! person.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use chrono::{NaiveDate, TimeDelta};

use crate::domain::event::{Deed, Event};
use crate::domain::ids::CaseId;
use crate::domain::query::{EntryQuery, Page};
use crate::domain::staff::Region;
use crate::registration::case::{Attachment, Case, CaseState, Media, Seat};
use crate::registration::query::{CaseCount, CaseCursor, CaseQuery, CasesOf};
use crate::store::contract::Home;
use crate::store::samples::registration::{
    case, case_event, case_id, case_in, day, open_case, place, states, subject,
};
use crate::store::samples::{at, issuer, opened, person};
use crate::store::{Change, CommitError, Committed, Expect, Revision, Store, Write};

fn assert_conflict(refused: &Result<Committed, CommitError>) {
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
}

async fn write(store: &dyn Store, expects: Vec<Expect>, case: &Case) -> Result<Committed, CommitError> {
    store.commit(Change { expects, writes: vec![Write::Case(case.clone())], events: vec![] }).await
}

/// The case of person `number`, with a seat, due on a day.
fn held(number: u64, seat: Seat, due_on: Option<NaiveDate>) -> Case {
    case_in(number, CaseState::Open(place(seat, due_on)))
}

fn of_seat(seat: Seat, region: Option<Region>) -> CasesOf {
    CasesOf::Seat { seat, region }
}

async fn page(store: &dyn Store, of: CasesOf, after: Option<CaseCursor>, limit: usize) -> Page<Case> {
    store.cases(&CaseQuery { of, regime: None, after, limit }).await.unwrap()
}

async fn listed(store: &dyn Store, of: CasesOf, regime: Option<&str>) -> Vec<CaseId> {
    let regime = regime.map(|regime| regime.parse().unwrap());
    let page = store.cases(&CaseQuery { of, regime, after: None, limit: 500 }).await.unwrap();
    page.items.iter().map(|case| case.id).collect()
}

/// Every list that somebody may ask for.
fn every_list() -> Vec<CasesOf> {
    let regions = [None, Some(Region::of(&issuer(0))), Some(Region::of(&issuer(1)))];
    let seats = Seat::ALL.into_iter().flat_map(|seat| regions.map(|region| of_seat(seat, region)));
    let units = [0, 1]
        .map(issuer)
        .into_iter()
        .flat_map(|uscc| [true, false].map(|held| CasesOf::Unit { uscc, held }));
    seats.chain(units).collect()
}

pub(crate) async fn a_case_in_every_state_outlives_closing(home: &dyn Home) {
    let store = home.open().await;
    let mut cases: Vec<Case> = (1..).zip(states()).map(|(number, state)| case_in(number, state)).collect();
    cases.push(Case { unit: None, ..case(90) });
    for case in &cases {
        store.commit(open_case(case)).await.unwrap();
    }
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        for (case, seq) in cases.iter().zip(1..) {
            assert!(store.case(case.id).await.unwrap() == Some((case.clone(), Revision(seq))), "{case:?}");
        }
        assert_eq!(store.case(case_id(99)).await.unwrap(), None);
        let entries = store.entries(&EntryQuery { limit: 1, ..EntryQuery::default() }).await.unwrap();
        assert_eq!(entries.items[0].events, open_case(&cases[0]).events, "with its reason");
        store.close().await.unwrap();
    }
}

pub(crate) async fn what_was_decided_on_a_stale_case_is_refused(home: &dyn Home) {
    let store = home.open().await;
    let draft = case(1);
    assert_conflict(&write(&*store, vec![Expect::Case(draft.id, Some(Revision(1)))], &draft).await);
    store.commit(open_case(&draft)).await.unwrap();
    assert_conflict(&store.commit(open_case(&draft)).await);
    let known = || vec![Expect::Case(draft.id, Some(Revision(1)))];
    let (here, there) = (held(1, Seat::Unit, None), held(1, Seat::Province, None));
    let (a, b) = tokio::join!(write(&*store, known(), &here), write(&*store, known(), &there));
    let won = match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) => here,
        (Err(CommitError::Conflict), Ok(_)) => there,
        other => panic!("{other:?}"),
    };
    assert_eq!(store.case(draft.id).await.unwrap(), Some((won, Revision(2))));
}

pub(crate) async fn what_a_seat_holds_is_listed_by_due_day_page_by_page(home: &dyn Home) {
    let store = home.open().await;
    let seat = Seat::Province;
    // Two days that several share, one without any, opened in another order.
    let due = [Some(day(9)), Some(day(3)), Some(day(9)), None, Some(day(3)), Some(day(9)), None];
    let cases: Vec<Case> = (1..).zip(due).map(|(number, due_on)| held(number, seat, due_on)).collect();
    for case in cases.iter().rev() {
        store.commit(open_case(case)).await.unwrap();
    }
    // Held by others: in none of these lists.
    for other in [held(50, Seat::Ministry, Some(day(1))), case_in(51, CaseState::Returned)] {
        store.commit(open_case(&other)).await.unwrap();
    }
    let mut planner = held(8, seat, Some(day(3)));
    planner.subject = subject("planner");
    store.commit(open_case(&planner)).await.unwrap();
    let nobodys = Case { unit: None, ..held(60, seat, Some(day(4))) };
    store.commit(open_case(&nobodys)).await.unwrap();
    let ids = |numbers: &[u64]| numbers.iter().map(|number| case_id(*number)).collect::<Vec<_>>();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        let all = ids(&[2, 5, 8, 60, 1, 3, 6, 4, 7]);
        assert_eq!(listed(&*store, of_seat(seat, None), None).await, all);
        let of_region = |number| of_seat(seat, Some(Region::of(&issuer(number))));
        assert_eq!(listed(&*store, of_region(0), None).await, ids(&[2, 8, 6, 4]));
        assert_eq!(listed(&*store, of_region(1), None).await, ids(&[5, 1, 3, 7]));
        assert_eq!(listed(&*store, of_seat(seat, Some("99".parse().unwrap())), None).await, []);
        assert_eq!(listed(&*store, of_seat(seat, None), Some("planner")).await, ids(&[8]));
        assert_eq!(listed(&*store, of_region(0), Some("planner")).await, ids(&[8]));
        assert_eq!(listed(&*store, of_region(1), Some("planner")).await, []);
        assert_eq!(listed(&*store, of_region(0), Some("constructor")).await, ids(&[2, 6, 4]));
        assert_eq!(listed(&*store, of_seat(seat, None), Some("constructo")).await, []);
        for limit in 1..=10 {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = page(&*store, of_seat(seat, None), after, limit).await;
                assert!(page.items.len() == limit || !page.more, "{limit}");
                seen.extend(page.items.iter().map(|case| case.id));
                after = page.items.last().map(CaseQuery::cursor);
                if !page.more {
                    break;
                }
            }
            assert_eq!(seen, all, "{limit} a page");
        }
        // A cursor outlives its case.
        let page = page(&*store, of_seat(seat, None), Some((Some(day(3)), case_id(6))), 1).await;
        assert_eq!((page.items[0].id, page.more), (case_id(8), true));
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_unit_sees_what_it_holds_and_all_that_it_had(home: &dyn Home) {
    let store = home.open().await;
    let pending = CaseState::WithdrawalPending(place(Seat::Province, Some(day(2))));
    let cases = [
        held(1, Seat::Unit, Some(day(8))),
        held(2, Seat::Unit, Some(day(1))),
        case_in(3, CaseState::Withdrawn),
        held(5, Seat::Unit, Some(day(8))),
        held(7, Seat::Province, Some(day(1))),
        case_in(9, pending),
        held(11, Seat::Unit, None),
    ];
    for case in &cases {
        store.commit(open_case(case)).await.unwrap();
    }
    let of = |number: u64, held: bool| CasesOf::Unit { uscc: issuer(number), held };
    let ids = |numbers: &[u64]| numbers.iter().map(|number| case_id(*number)).collect::<Vec<_>>();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(listed(&*store, of(1, true), None).await, ids(&[9, 1, 5, 11]));
        assert_eq!(listed(&*store, of(0, true), None).await, ids(&[2]));
        assert_eq!(listed(&*store, of(1, false), None).await, ids(&[11, 9, 7, 5, 3, 1]), "newest first");
        assert_eq!(listed(&*store, of(1, false), Some("planner")).await, []);
        assert_eq!(listed(&*store, of(1, true), Some("constructor")).await, ids(&[9, 1, 5, 11]));
        let first = page(&*store, of(1, true), None, 2).await;
        assert_eq!((first.items[1].id, first.more), (case_id(1), true));
        let next = page(&*store, of(1, true), first.items.last().map(CaseQuery::cursor), 2).await;
        assert_eq!((next.items[0].id, next.items[1].id, next.more), (case_id(5), case_id(11), false));
        let first = page(&*store, of(1, false), None, 4).await;
        let next = page(&*store, of(1, false), first.items.last().map(CaseQuery::cursor), 4).await;
        assert_eq!((next.items[0].id, next.items[1].id, next.more), (case_id(3), case_id(1), false));
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_case_leaves_the_lists_when_it_moves_on(home: &dyn Home) {
    let store = home.open().await;
    let province = Seat::Province;
    let other_unit = Case { unit: Some(issuer(0)), ..held(1, province, Some(day(4))) };
    let mut other_regime = held(1, province, Some(day(4)));
    other_regime.subject = subject("planner");
    let steps = [
        case(1),
        held(1, Seat::Unit, Some(day(4))),
        held(1, province, Some(day(4))),
        held(1, province, Some(day(5))),
        held(1, province, None),
        other_unit,
        Case { unit: None, ..held(1, province, Some(day(4))) },
        other_regime,
        held(1, Seat::Ministry, None),
        case_in(1, CaseState::Approved { certificate: None }),
    ];
    for (step, seq) in steps.iter().zip(1..) {
        write(&*store, vec![], step).await.unwrap();
        for regime in [None, Some("constructor"), Some("planner")] {
            for of in every_list() {
                let query =
                    CaseQuery { of, regime: regime.map(|it| it.parse().unwrap()), after: None, limit: 9 };
                let expected: Vec<Case> = query.fits(step).then(|| step.clone()).into_iter().collect();
                assert!(store.cases(&query).await.unwrap().items == expected, "step {seq}: {query:?}");
            }
        }
        for seat in Seat::ALL {
            let counts = store.case_counts(seat, None, day(0)).await.unwrap();
            assert_eq!(counts.len(), usize::from(step.state.seat() == Some(seat)), "step {seq}: {seat:?}");
        }
        assert_eq!(store.case(step.id).await.unwrap().unwrap().1, Revision(seq));
    }
}

pub(crate) async fn cases_are_counted_by_seat_and_region(home: &dyn Home) {
    let store = home.open().await;
    let province = Seat::Province;
    for number in 1..=6 {
        store.commit(open_case(&held(number, province, Some(day(number))))).await.unwrap();
    }
    let mut renewal = held(7, province, None);
    renewal.subject.business = "renewal".parse().unwrap();
    let mut planner = held(8, province, Some(day(1)));
    planner.subject = subject("planner");
    let drafts = [
        case(9),
        case_in(10, CaseState::Returned),
        case_in(11, CaseState::Correction(place(province, None))),
    ];
    for case in [renewal, planner].iter().chain(&drafts) {
        store.commit(open_case(case)).await.unwrap();
    }
    let count = |regime: &str, business: &str, stage: Option<&str>, count, overdue| CaseCount {
        regime: regime.parse().unwrap(),
        business: business.parse().unwrap(),
        stage: stage.map(|stage| stage.parse().unwrap()),
        count,
        overdue,
    };
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        let at_province = Some("province");
        let expected = [
            count("constructor", "initial", at_province, 6, 3),
            count("constructor", "renewal", at_province, 1, 0),
            count("planner", "initial", at_province, 1, 1),
        ];
        assert_eq!(store.case_counts(province, None, day(4)).await.unwrap(), expected);
        let region = Some(Region::of(&issuer(0)));
        let expected = [
            count("constructor", "initial", at_province, 3, 1),
            count("planner", "initial", at_province, 1, 1),
        ];
        assert_eq!(store.case_counts(province, region, day(4)).await.unwrap(), expected);
        let expected =
            [count("constructor", "initial", None, 2, 0), count("constructor", "initial", at_province, 1, 0)];
        assert_eq!(store.case_counts(Seat::Person, None, day(4)).await.unwrap(), expected);
        assert_eq!(store.case_counts(Seat::Department, None, day(4)).await.unwrap(), []);
        store.close().await.unwrap();
    }
    let store = home.open().await;
    assert_eq!(home.erase(8).await, 1);
    assert_eq!(store.case_counts(province, None, day(4)).await.unwrap().len(), 2, "without the erased");
}

pub(crate) async fn the_files_of_a_case_are_kept(home: &dyn Home) {
    let store = home.open().await;
    let (named, other) = (b"a contract", b"a file that no case names");
    for bytes in [&named[..], &other[..]] {
        store.put_document(&person(1), home.digest(bytes), bytes).await.unwrap();
    }
    let document = home.digest(named);
    let file = Attachment { document, media: Media::Pdf, bytes: named.len() as u64, added_at: at(1) };
    let filled = Case { attachments: [("contract".parse().unwrap(), file)].into(), ..case(1) };
    store.commit(open_case(&filled)).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    let mut deleted = 0;
    // Long after, whatever the machine's clock says; a home may first doom a file and delete it the next day.
    for days in [36_500, 36_502] {
        deleted += store.sweep(at(0) + TimeDelta::days(days)).await.unwrap();
    }
    assert_eq!(deleted, 1);
    assert_eq!(store.document(document).await.unwrap().unwrap(), named);
    assert_eq!(store.document_owner(document).await.unwrap(), None, "no copy of a certificate");
    assert_eq!(home.erase(1).await, 1, "file and case have one key");
    assert_eq!(store.document(document).await.unwrap(), None);
}

pub(crate) async fn who_is_erased_has_no_case_and_is_in_no_list(home: &dyn Home) {
    let store = home.open().await;
    for number in 1..=3 {
        store.commit(open_case(&held(number, Seat::Unit, Some(day(number))))).await.unwrap();
    }
    let (account, _) = opened(&*store, 2).await;
    assert_eq!(home.erase(2).await, 1, "case and account have one key");
    assert_eq!(store.account(account.id).await.unwrap(), None);
    assert_eq!(store.case(case_id(2)).await.unwrap(), None);
    let seat = || of_seat(Seat::Unit, None);
    assert_eq!(listed(&*store, seat(), None).await, [1, 3].map(case_id));
    let rest = page(&*store, seat(), Some((Some(day(1)), case_id(1))), 1).await;
    assert_eq!((rest.items[0].id, rest.more), (case_id(3), false));
    for held in [true, false] {
        assert_eq!(listed(&*store, CasesOf::Unit { uscc: issuer(0), held }, None).await, []);
    }
    assert_eq!(store.case_counts(Seat::Unit, None, day(9)).await.unwrap()[0].count, 2);
    // The person comes again.
    let new = Case { id: case_id(20), ..held(2, Seat::Unit, None) };
    store.commit(open_case(&new)).await.unwrap();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(listed(&*store, seat(), None).await, [1, 3, 20].map(case_id));
        assert_eq!(store.case(case_id(2)).await.unwrap(), None);
        let query = EntryQuery { after: Some(1), limit: 1, ..EntryQuery::default() };
        let entries = store.entries(&query).await.unwrap();
        let event = Event { reason: None, ..case_event(Deed::CaseOpened, case_id(2)) };
        assert_eq!(entries.items[0].events, [event], "what it said of them is gone");
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_reset_forgets_cases_too(home: &dyn Home) {
    let store = home.open().await;
    let one = held(1, Seat::Unit, None);
    store.commit(open_case(&one)).await.unwrap();
    store.reset().await.unwrap();
    assert_eq!(store.case(one.id).await.unwrap(), None);
    for of in every_list() {
        assert_eq!(listed(&*store, of, None).await, []);
    }
    store.commit(open_case(&one)).await.unwrap();
    assert_eq!(store.case(one.id).await.unwrap(), Some((one, Revision(1))));
}
