//! Certificates, policies and annotations to test the rules with: one of each, changed where a test says so.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::annotation::{
    Annotation, Cause, Failure, Intent, Order, Queued, Revocation, Sealed, State,
};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, Details, Holder, Issuer, Standing};
use crate::domain::event::Actor;
use crate::domain::identity::PersonId;
use crate::domain::ids::{AnnotationId, CertificateId, Code, Sha256};
use crate::domain::licence::LicenceId;
use crate::domain::policy::{Counting, Policy, ScenarioText};

/// The day that `text` names.
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Noon of a day in Shanghai.
pub(crate) fn noon(day: NaiveDate) -> DateTime<Utc> {
    calendar::start_of(day) + TimeDelta::hours(12)
}

/// The national policy: 90 days, three places within 90 days, one scenario.
pub(crate) fn policy() -> Policy {
    Policy {
        max_days: 90,
        default_days: 90,
        quota: 3,
        window_days: 90,
        counting: Counting::Active,
        scenarios: vec![ScenarioText {
            key: "self_use".parse().unwrap(),
            chinese: "本人调用".to_owned(),
            english: "Self use".to_owned(),
        }],
        caps: Vec::new(),
        exempt_before: Some(day("2021-12-17")),
        licence_type: "11100000000013338W011".parse().unwrap(),
        hand_signature: false,
    }
}

/// A certificate in force, issued on 2024-11-01 to a woman born on 1949-12-31.
pub(crate) fn certificate() -> Certificate {
    Certificate {
        id: CertificateId::from_bytes([1; 16]),
        version: 1,
        licence_id: "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
            .parse::<LicenceId>()
            .unwrap(),
        details: Details {
            kind: "planner-qualification".parse().unwrap(),
            management_no: "2024092211000000".parse().unwrap(),
            title: "注册城乡规划师职业资格证书".parse().unwrap(),
            level: None,
            specialty: Some("城乡规划".parse().unwrap()),
            holder: Holder {
                name: "甯彧".parse().unwrap(),
                id: PersonId::parse("111", "11010519491231002X").unwrap(),
                sex: None,
                born: Some(day("1949-12-31")),
            },
            issuer: Issuer {
                name: "示例省人事考试中心".parse().unwrap(),
                uscc: "11430000006122244L".parse().unwrap(),
            },
            approved_on: day("2024-09-22"),
            issued_on: day("2024-11-01"),
            valid_until: None,
            photo: None,
            signature: None,
        },
        standing: Standing::Valid,
        entered_at: noon(day("2024-11-02")),
    }
}

/// An order for so many days, made on a day at noon.
pub(crate) fn order(on: NaiveDate, days: u32) -> Order {
    Order {
        scenario: "self_use".parse().unwrap(),
        days,
        recipient: None,
        by: Actor::Operator,
        on_behalf_reason: None,
        requested_at: noon(on),
        due_at: noon(on) + TimeDelta::hours(24),
    }
}

/// A queued annotation of [`certificate`].
pub(crate) fn queued(on: NaiveDate, days: u32) -> Annotation {
    Annotation {
        id: AnnotationId::from_bytes([2; 16]),
        code: Code::mint([3; 16]),
        certificate: certificate().id,
        order: order(on, days),
        state: State::Queued(Queued {}),
    }
}

/// One whose intent is written down, to be sealed on the day of its order.
pub(crate) fn sealing(on: NaiveDate, days: u32) -> Annotation {
    let annotation = queued(on, days);
    Annotation { state: State::Sealing(Queued {}.begin(intent(on, days))), ..annotation }
}

/// One sealed on the day of its order.
pub(crate) fn sealed(on: NaiveDate, days: u32) -> Annotation {
    Annotation { state: State::Sealed(copy(on, days)), ..queued(on, days) }
}

/// One sealed on the day of its order, and revoked.
pub(crate) fn revoked(on: NaiveDate, days: u32, cause: Cause) -> Annotation {
    let revocation = Revocation { at: noon(on), cause };
    Annotation { state: State::Revoked(copy(on, days).revoke(revocation)), ..queued(on, days) }
}

/// One revoked before there was a copy.
pub(crate) fn withdrawn_unsealed(on: NaiveDate, days: u32) -> Annotation {
    let revocation = Revocation { at: noon(on), cause: Cause::Withdrawn };
    Annotation { state: State::Revoked(Queued {}.revoke(revocation)), ..queued(on, days) }
}

/// One that could not be made.
pub(crate) fn failed(on: NaiveDate, days: u32) -> Annotation {
    let failure = Failure { at: noon(on), code: "unprintable-character".to_owned(), about: None };
    Annotation { state: State::Failed(Queued {}.fail(failure)), ..queued(on, days) }
}

fn intent(on: NaiveDate, days: u32) -> Intent {
    Intent {
        sheet: Sha256::new([4; 32]),
        at: noon(on),
        valid_from: on,
        valid_until: calendar::last_day(on, days),
    }
}

fn copy(on: NaiveDate, days: u32) -> Sealed {
    Queued {}.begin(intent(on, days)).complete(Sha256::new([5; 32]))
}
