//! Cases, registrants and companies in the index.

use crate::registration::case::{Case, CaseState, Seat};
use crate::registration::query::{CaseQuery, CasesOf};
use crate::registration::registrant::Registrant;
use crate::store::embedded::recovery::replay;
use crate::store::embedded::tests::disk::Dice;
use crate::store::embedded::tests::{Folder, open, options};
use crate::store::embedded::{Embedded, check, io};
use crate::store::samples::registration::{case, case_id, company, day, place, registrant, states, subject};
use crate::store::samples::{issuer, person};
use crate::store::{Change, Store, Write};

async fn write(store: &Embedded, write: Write) {
    store.commit(Change { writes: vec![write], ..Change::default() }).await.unwrap();
}

/// A case at a station of its life that dice choose.
fn somewhere(number: u64, dice: &mut Dice) -> Case {
    let mut any = |sides: usize| (dice.next() % sides as u64) as usize;
    let due_on = [None, Some(day(3)), Some(day(3)), Some(day(9))][any(4)];
    let mut states = states();
    states.extend(Seat::ALL.map(|seat| CaseState::Open(place(seat, due_on))));
    Case {
        unit: [None, Some(issuer(0)), Some(issuer(1))][any(3)],
        subject: subject(["planner", "constructor"][any(2)]),
        state: states.swap_remove(any(16)),
        ..case(number)
    }
}

/// Everything that is answered about the cases of these tests.
async fn answers(store: &Embedded) -> Vec<String> {
    let mut answers = Vec::new();
    let units = [0, 1]
        .map(issuer)
        .into_iter()
        .flat_map(|uscc| [true, false].map(|held| CasesOf::Unit { uscc, held }));
    let seats = Seat::ALL.into_iter().map(|seat| CasesOf::Seat { seat, region: None });
    for of in units.chain(seats) {
        let found = store.cases(&CaseQuery { of, regime: None, after: None, limit: 99 }).await.unwrap();
        answers.push(format!("{found:?}"));
    }
    for seat in Seat::ALL {
        answers.push(format!("{:?}", store.case_counts(seat, None, day(5)).await.unwrap()));
    }
    for number in 0..9 {
        answers.push(format!("{:?}", store.case(case_id(number)).await.unwrap()));
        let found = store.registrant(&person(number)).await.unwrap();
        answers.push(format!("{:?}", found.map(|(found, revision)| (found.anomalies, revision))));
    }
    answers.push(format!("{:?}", store.company(&issuer(1)).await.unwrap()));
    answers.push(format!("{:?}", store.companies("公司", 9).await.unwrap()));
    answers
}

/// Five persons whose cases wander about; one is erased and comes again.
async fn wander(store: &Embedded, dice: &mut Dice) {
    for number in 0..60 {
        write(store, Write::Case(somewhere(number % 5, dice))).await;
    }
    write(store, Write::Registrant(registrant(1))).await;
    write(store, Write::Registrant(registrant(2))).await;
    write(store, Write::Company(company(1))).await;
    write(store, Write::Company(company(0))).await;
    write(store, Write::Company(company(1))).await;
    assert_eq!(store.erase_person(&person(2)).await.unwrap(), 1);
    write(store, Write::Registrant(Registrant::new(person(2)))).await;
    write(store, Write::Case(somewhere(2, dice))).await;
}

#[tokio::test]
async fn an_index_made_anew_tells_the_same_of_registration() {
    let folder = Folder::new();
    let store = open(folder.path());
    wander(&store, &mut Dice(20261124)).await;
    let expected = answers(&store).await;
    for round in 0..3 {
        store.close().await.unwrap();
        let report = check(folder.path(), &options().master).unwrap();
        assert!(
            report.faults.iter().all(|fault| fault.contains("is missing")),
            "only the files that were never put"
        );
        assert!(report.notes.is_empty() && report.erased > 0, "{:?}", report.lines());
        if round == 1 {
            io::remove(&folder.path().join("index")).unwrap();
        }
        let store = open(folder.path());
        assert_eq!(answers(&store).await, expected, "round {round}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn whatever_the_index_took_up_before_a_crash_replaying_leaves_nothing_behind() {
    for seed in 20261124..20261128 {
        let folder = Folder::new();
        let store = open(folder.path());
        wander(&store, &mut Dice(seed)).await;
        let core = store.core().unwrap();
        let all = || core.index.all().collect::<Result<Vec<_>, _>>().unwrap();
        // The writer may still be taking up the last group: it is one that a replay ends with too.
        write(&store, Write::Company(company(1))).await;
        core.index.flush().unwrap();
        replay(&core.index, &core.ledger, 1, true).unwrap();
        let expected = all();
        for from in 1..=store.head().await.unwrap().seq {
            replay(&core.index, &core.ledger, from, true).unwrap();
            assert!(all() == expected, "seed {seed}, from entry {from}");
        }
    }
}
