//! Cases, registrants and companies of a store that moves.

use crate::domain::staff::Region;
use crate::registration::case::{Attachment, Case, CaseState, Media, Seat};
use crate::registration::query::{CaseQuery, CasesOf};
use crate::registration::registrant::Registrant;
use crate::store::migrate::tests::digest;
use crate::store::samples::registration::{case, case_in, company, day, open_case, place, registrant};
use crate::store::samples::{at, issuer};
use crate::store::{Change, Store, Write};

fn contract(number: u64) -> Vec<u8> {
    format!("the contract of person {number} ").repeat(40).into_bytes()
}

fn signature(number: u64) -> Vec<u8> {
    format!("the signature of person {number} ").repeat(40).into_bytes()
}

/// The case of person `number`, with a file; held by the one seat or the other.
fn filed(number: u64) -> Case {
    let state = match number % 3 {
        0 => CaseState::Returned,
        1 => CaseState::Open(place(Seat::Unit, None)),
        _ => CaseState::Open(place(Seat::Province, Some(day(number % 7)))),
    };
    let document = digest(&contract(number));
    let file = Attachment { document, media: Media::Pdf, bytes: 1000, added_at: at(number) };
    Case { attachments: [("contract".parse().unwrap(), file)].into(), ..case_in(number, state) }
}

fn known(number: u64) -> Registrant {
    let mut registrant = registrant(number);
    (registrant.profile.photo, registrant.profile.signature) = (None, Some(digest(&signature(number))));
    registrant
}

/// Person `number` registers: opens a case, and files it. Their company is entered.
pub(super) async fn fill(store: &dyn Store, number: u64) {
    let (filed, known) = (filed(number), known(number));
    for file in [contract(number), signature(number)] {
        store.put_document(&filed.person, digest(&file), &file).await.unwrap();
    }
    let drafted = Case { attachments: filed.attachments.clone(), ..case(number) };
    store.commit(open_case(&drafted)).await.unwrap();
    let writes = vec![Write::Case(filed), Write::Registrant(known), Write::Company(company(number % 2))];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
}

/// What a store answers about person `number`.
pub(super) async fn answers(store: &dyn Store, number: u64) -> Vec<String> {
    let (filed, known) = (filed(number), known(number));
    let mut answers = Vec::new();
    let case = store.case(filed.id).await.unwrap();
    answers.push(format!("{:?}", case.map(|(case, revision)| (case.state.clone(), case == filed, revision))));
    let found = store.registrant(&filed.person).await.unwrap();
    answers.push(format!("{:?}", found.map(|(found, revision)| (found == known, revision))));
    for file in [contract(number), signature(number)] {
        answers.push(format!("{:?}", store.document(digest(&file)).await.unwrap()));
    }
    answers
}

/// What a store answers about all of them.
pub(super) async fn lists(store: &dyn Store) -> Vec<String> {
    let mut answers = Vec::new();
    let units = [0, 1]
        .map(issuer)
        .into_iter()
        .flat_map(|uscc| [true, false].map(|held| CasesOf::Unit { uscc, held }));
    let regions = [None, Some(Region::of(&issuer(0)))];
    let seats = Seat::ALL.into_iter().flat_map(|seat| regions.map(|region| CasesOf::Seat { seat, region }));
    for of in units.chain(seats) {
        let page = store.cases(&CaseQuery { of, regime: None, after: None, limit: 500 }).await.unwrap();
        answers.push(format!("{page:?}"));
    }
    for seat in Seat::ALL {
        answers.push(format!("{:?}", store.case_counts(seat, None, day(3)).await.unwrap()));
    }
    for number in [0, 1] {
        let found = store.company(&issuer(number)).await.unwrap();
        answers.push(format!("{:?}", found.map(|(found, revision)| (found == company(number), revision))));
    }
    answers.push(format!("{:?}", store.companies("第1", 50).await.unwrap()));
    answers
}
