//! Cases, registrants and companies for the tests of stores: each fixed by its number.

use chrono::{NaiveDate, TimeDelta};

use crate::domain::event::{Actor, Deed, Event};
use crate::domain::ids::{AnomalyId, CaseId, Sha256};
use crate::registration::case::{
    Act, Attachment, Case, CaseState, Correction, CorrectionItem, FieldValue, Letter, Media, Move, Place,
    Seat, Subject,
};
use crate::registration::company::{Company, CompanyQualification};
use crate::registration::registrant::{
    Anomaly, AnomalyKind, CaseMention, Defence, Employment, Profile, Qualification, Registrant, Registration,
    Source,
};
use crate::store::samples::{
    NAME, REASON, RECIPIENT, account, account_event, at, certificate_id, chance, issuer, mobile, person,
};
use crate::store::{Change, Expect, Write};

pub(crate) fn case_id(number: u64) -> CaseId {
    CaseId::mint(at(number), chance(13, number))
}

pub(crate) fn day(day: u64) -> NaiveDate {
    at(0).date_naive() + TimeDelta::days(day as i64)
}

pub(crate) fn subject(regime: &str) -> Subject {
    Subject {
        regime: regime.parse().unwrap(),
        class: "first".parse().unwrap(),
        specialty: "建筑工程".parse().unwrap(),
        business: "initial".parse().unwrap(),
    }
}

/// A place of a seat, by whose word its stage is called.
pub(crate) fn place(seat: Seat, due_on: Option<NaiveDate>) -> Place {
    Place { stage: seat.word().parse().unwrap(), seat, since: at(5), due_on }
}

/// A case in every state.
pub(crate) fn states() -> Vec<CaseState> {
    vec![
        CaseState::Draft,
        CaseState::Open(place(Seat::Unit, None)),
        CaseState::Returned,
        CaseState::Correction(place(Seat::Province, Some(day(20)))),
        CaseState::WithdrawalPending(place(Seat::Province, Some(day(20)))),
        CaseState::Withdrawn,
        CaseState::Approved { certificate: None },
        CaseState::Approved { certificate: Some(certificate_id(1)) },
        CaseState::Rejected,
        CaseState::Cancelled,
    ]
}

pub(crate) fn move_of(act: Act, seat: Seat) -> Move {
    Move {
        act,
        by: Actor::Account(account(1).id),
        seat,
        at: at(7),
        opinion: Some(REASON.parse().unwrap()),
        from: Some("unit".parse().unwrap()),
        to: Some("province".parse().unwrap()),
    }
}

/// The digest of file `number` of a case.
pub(crate) fn file_of(case: u64, number: u64) -> Sha256 {
    Sha256::new(chance(14, 8 * case + number))
}

/// The case of person `number` at issuer 0 or 1 by turns, its unit; a draft that was filled in.
pub(crate) fn case(number: u64) -> Case {
    let attachment = |(nth, media): (usize, Media)| {
        let document = file_of(number, nth as u64);
        let kind = ["card_front", "card_back", "contract"][nth].parse().unwrap();
        (kind, Attachment { document, media, bytes: 300_000, added_at: at(number) })
    };
    let fields = [
        ("reason", FieldValue::Text(REASON.parse().unwrap())),
        ("contract_from", FieldValue::Day(day(1))),
        ("new_employer", FieldValue::Unit(issuer(number + 1))),
        ("forced", FieldValue::Flag(true)),
    ];
    let item = |what: Option<&str>| CorrectionItem {
        what: what.map(|what| what.parse().unwrap()),
        content: "重新上传".parse().unwrap(),
        reason: "不清晰".parse().unwrap(),
    };
    Case {
        id: case_id(number),
        person: person(number),
        name: NAME.parse().unwrap(),
        subject: subject("constructor"),
        unit: Some(issuer(number)),
        form: fields.map(|(name, value)| (name.parse().unwrap(), value)).into(),
        attachments: Media::ALL.into_iter().enumerate().map(attachment).collect(),
        letter: Some(Letter { version: 3, opened_at: at(number) }),
        state: CaseState::Draft,
        moves: vec![move_of(Act::Submit, Seat::Person)],
        corrections: vec![
            Correction {
                asked_at: at(8),
                items: vec![item(Some("contract")), item(None)],
                corrected_at: Some(at(9)),
            },
            Correction { asked_at: at(10), items: vec![item(None)], corrected_at: None },
        ],
        opened_at: at(number),
    }
}

pub(crate) fn case_in(number: u64, state: CaseState) -> Case {
    Case { state, ..case(number) }
}

/// Everything that may be known of person `number`.
pub(crate) fn registrant(number: u64) -> Registrant {
    let qualification = |source: Source, class: Option<&str>| Qualification {
        regime: "constructor".parse().unwrap(),
        class: class.map(|class| class.parse().unwrap()),
        specialty: "建筑工程".parse().unwrap(),
        management_no: class.map(|_| format!("2024{number:012}").parse().unwrap()),
        entered_at: at(number),
        source,
    };
    let anomaly = |nth: u64, kind: AnomalyKind| Anomaly {
        id: AnomalyId::mint(at(number), chance(15, 2 * number + nth)),
        kind,
        noticed_at: at(number),
        case: (nth == 0).then(|| case_id(number)),
        defence: (nth == 0).then(|| Defence { words: REASON.parse().unwrap(), at: at(11) }),
    };
    let registration = |cancelled: bool| Registration {
        regime: "constructor".parse().unwrap(),
        class: if cancelled { "interim" } else { "first" }.parse().unwrap(),
        specialty: "建筑工程".parse().unwrap(),
        certificate: certificate_id(number),
        management_no: format!("2024{number:012}").parse().unwrap(),
        employer: issuer(number),
        valid_until: day(1000),
        cancelled,
        category: cancelled.then(|| "公务员".parse().unwrap()),
    };
    Registrant {
        person: person(number),
        profile: Profile {
            ethnicity: Some("维吾尔族".parse().unwrap()),
            education: Some("本科".parse().unwrap()),
            degree: Some("学士".parse().unwrap()),
            school: Some("示例大学".parse().unwrap()),
            employment: Some(Employment {
                uscc: issuer(number),
                name: RECIPIENT.parse().unwrap(),
                qualifications: vec!["A137000001".parse().unwrap()],
                contact: Some(mobile(number)),
                from: day(0),
                until: Some(day(365)),
            }),
            photo: Some(Sha256::new(chance(16, number))),
            signature: Some(Sha256::new(chance(17, number))),
        },
        qualifications: vec![
            qualification(Source::Examination, Some("first")),
            qualification(Source::Enrolment, None),
        ],
        registrations: vec![registration(false), registration(true)],
        cases: vec![CaseMention {
            id: case_id(number),
            subject: subject("constructor"),
            live: true,
            approved: false,
        }],
        anomalies: vec![anomaly(0, AnomalyKind::SocialInsurance), anomaly(1, AnomalyKind::Duplicate)],
    }
}

/// The company of issuer 0 or 1.
pub(crate) fn company(number: u64) -> Company {
    Company {
        uscc: issuer(number),
        name: format!("示例第{number}建筑工程有限公司").parse().unwrap(),
        former_names: vec![
            "旧名100%_设计院".parse().unwrap(),
            format!("更早的第{number}公司").parse().unwrap(),
        ],
        qualifications: vec![CompanyQualification {
            industry: "建筑".parse().unwrap(),
            number: "A137000001".parse().unwrap(),
        }],
    }
}

pub(crate) fn case_event(deed: Deed, case: CaseId) -> Event {
    Event { account: None, case: Some(case), ..account_event(deed, account(0).id) }
}

/// Opens a case, as it is.
pub(crate) fn open_case(case: &Case) -> Change {
    Change {
        expects: vec![Expect::Case(case.id, None)],
        writes: vec![Write::Case(case.clone())],
        events: vec![case_event(Deed::CaseOpened, case.id)],
    }
}

/// As many companies, each with a code of its own.
pub(crate) fn companies(many: usize) -> Vec<Company> {
    let code = |number: usize, check: char| format!("91110000{number:09}{check}").parse().ok();
    let codes = (0..)
        .filter_map(|number| "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().find_map(|check| code(number, check)));
    codes.take(many).map(|uscc| Company { uscc, ..company(1) }).collect()
}
