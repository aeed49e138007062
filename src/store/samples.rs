//! Certificates, annotations and changes for the tests of stores: each fixed by its number.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

pub(crate) mod registration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::account::{
    Account, Invitation, Mobile, Owner, PasswordHash, Purpose, Session, VerificationCode,
};
use crate::domain::annotation::{Annotation, Intent, Order, Queued, State};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, Details, Holder, Issuer, Standing};
use crate::domain::contact::{Contact, Email};
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AccountId, AnnotationId, CertificateId, Code, KeyId, Sha256, TicketId};
use crate::domain::key::ApiKey;
use crate::domain::licence::LicenceId;
use crate::domain::queue::Job;
use crate::domain::staff::{Level, Post, Role};
use crate::domain::ticket::{Outcome, Scan, ScanKind, Ticket, TicketAnswer, TicketState};
use crate::domain::totp::Totp;
use crate::store::{Change, Committed, Dossier, Expect, Revision, Store, Write};

pub(crate) const NAME: &str = "买买提江·吾买尔";
pub(crate) const RECIPIENT: &str = "示例市住房和城乡建设局";
pub(crate) const REASON: &str = "柜台代办:本人到场核验";

pub(crate) fn at(millis: u64) -> DateTime<Utc> {
    let base: DateTime<Utc> = "2026-11-22T01:00:00Z".parse().unwrap();
    base + TimeDelta::milliseconds(millis as i64)
}

pub(crate) fn issuer(number: u64) -> CreditCode {
    ["11430000006122244L", "91110000802100433B"][(number % 2) as usize].parse().unwrap()
}

fn chance<const N: usize>(kind: u8, number: u64) -> [u8; N] {
    let mut bytes = [kind; N];
    // Spread, so that neighbours differ in more than one place.
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number.rotate_left(32);
    bytes[..8].copy_from_slice(&spread.to_be_bytes());
    bytes
}

pub(crate) fn person(number: u64) -> PersonId {
    PersonId::parse("414", &format!("E{number:011}")).unwrap()
}

pub(crate) fn certificate_id(number: u64) -> CertificateId {
    CertificateId::mint(at(number), chance(1, number))
}

/// The certificate of person `number`, of issuer 0 or 1 by turns.
pub(crate) fn certificate(number: u64) -> Certificate {
    let management_no = format!("2024{number:012}").parse().unwrap();
    let uscc = issuer(number);
    Certificate {
        id: certificate_id(number),
        version: 1,
        licence_id: LicenceId::new(&"11100000000013338W011".parse().unwrap(), &uscc, &management_no, 1),
        details: Details {
            kind: "engineer-qualification".parse().unwrap(),
            management_no,
            title: "勘察设计注册工程师资格证书".parse().unwrap(),
            level: Some("一级".parse().unwrap()),
            specialty: Some("结构".parse().unwrap()),
            holder: Holder {
                name: NAME.parse().unwrap(),
                id: person(number),
                sex: Some("男".parse().unwrap()),
                born: Some("1990-08-21".parse().unwrap()),
            },
            issuer: Issuer { name: "示例山东人事考试中心".parse().unwrap(), uscc },
            approved_on: "2024-09-01".parse().unwrap(),
            issued_on: "2024-11-07".parse().unwrap(),
            valid_until: None,
            photo: None,
            signature: None,
        },
        standing: Standing::Valid,
        entered_at: at(number),
    }
}

/// The `number`-th annotation of all, of some certificate.
pub(crate) fn annotation(certificate: &Certificate, number: u64) -> Annotation {
    let requested_at = at(1_000_000 + number);
    Annotation {
        id: AnnotationId::mint(requested_at, chance(2, number)),
        code: Code::mint(chance(3, number)),
        certificate: certificate.id,
        order: Order {
            scenario: "self_use".parse().unwrap(),
            days: 90,
            recipient: Some(RECIPIENT.parse().unwrap()),
            by: Actor::Service,
            on_behalf_reason: None,
            requested_at,
            due_at: requested_at + TimeDelta::hours(24),
        },
        state: State::Queued(Queued {}),
    }
}

pub(crate) fn intent(annotation: &Annotation) -> Intent {
    let at = annotation.order.requested_at + TimeDelta::seconds(1);
    let valid_from = calendar::day_of(at);
    Intent {
        sheet: Sha256::new(chance(4, 0)),
        at,
        valid_from,
        valid_until: calendar::last_day(valid_from, annotation.order.days),
    }
}

pub(crate) fn begun(annotation: &Annotation) -> Annotation {
    let state = State::Sealing(Queued {}.begin(intent(annotation)));
    Annotation { state, ..annotation.clone() }
}

pub(crate) fn sealed(annotation: &Annotation, document: Sha256) -> Annotation {
    let state = State::Sealed(Queued {}.begin(intent(annotation)).complete(document));
    Annotation { state, ..annotation.clone() }
}

pub(crate) fn job(annotation: &Annotation, certificate: &Certificate) -> Job {
    Job {
        annotation: annotation.id,
        certificate: certificate.id,
        issuer: certificate.details.issuer.uscc,
        requested_at: annotation.order.requested_at,
        due_at: annotation.order.due_at,
        ready_at: annotation.order.requested_at,
        attempts: 0,
        parked: false,
    }
}

pub(crate) fn event(deed: Deed, certificate: &Certificate, annotation: Option<&Annotation>) -> Event {
    Event {
        deed,
        actor: Actor::Operator,
        at: at(0),
        issuer: Some(certificate.details.issuer.uscc),
        certificate: Some(certificate.id),
        annotation: annotation.map(|annotation| annotation.id),
        key: None,
        account: None,
        ticket: None,
        case: None,
        reason: Some(REASON.parse().unwrap()),
    }
}

pub(crate) fn write(annotation: &Annotation, certificate: &Certificate) -> Write {
    Write::Annotation {
        annotation: annotation.clone(),
        person: certificate.details.holder.id.clone(),
        issuer: certificate.details.issuer.uscc,
    }
}

pub(crate) fn enter(certificate: &Certificate) -> Change {
    let details = &certificate.details;
    Change {
        expects: vec![Expect::Newest(details.kind.clone(), details.management_no.clone(), None)],
        writes: vec![Write::Certificate(certificate.clone())],
        events: vec![event(Deed::CertificateEntered, certificate, None)],
    }
}

pub(crate) fn order(certificate: &Certificate, annotation: &Annotation, revision: Revision) -> Change {
    Change {
        expects: vec![Expect::Dossier(certificate.id, revision)],
        writes: vec![write(annotation, certificate), Write::Job(job(annotation, certificate))],
        events: vec![event(Deed::AnnotationOrdered, certificate, Some(annotation))],
    }
}

/// Enters certificate `number` and gives it back.
pub(crate) async fn entered(store: &dyn Store, number: u64) -> Certificate {
    let certificate = certificate(number);
    store.commit(enter(&certificate)).await.unwrap();
    certificate
}

pub(crate) async fn dossier(store: &dyn Store, certificate: &Certificate) -> Dossier {
    store.dossier(certificate.id).await.unwrap().unwrap()
}

/// Orders annotation `number` of a certificate.
pub(crate) async fn ordered(store: &dyn Store, certificate: &Certificate, number: u64) -> Annotation {
    let annotation = annotation(certificate, number);
    let revision = dossier(store, certificate).await.revision;
    let _: Committed = store.commit(order(certificate, &annotation, revision)).await.unwrap();
    annotation
}

pub(crate) fn key(number: u64) -> ApiKey {
    ApiKey {
        id: KeyId::mint(at(number), chance(5, number)),
        secret: Sha256::new(chance(6, number)),
        scopes: vec!["certificates:read".to_owned()],
        issuer: Some(issuer(number)),
        label: format!("key {number}"),
        created_at: at(number),
        revoked_at: None,
    }
}

pub(crate) const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA";

pub(crate) fn mobile(number: u64) -> Mobile {
    format!("138{number:08}").parse().unwrap()
}

/// The mobile of person `number`, to send codes to.
pub(crate) fn contact(number: u64) -> Contact {
    mobile(number).into()
}

pub(crate) fn email(number: u64) -> Email {
    format!("person.{number}@example.com").parse().unwrap()
}

/// The account of person `number`; every second has an e-mail address.
pub(crate) fn account(number: u64) -> Account {
    Account {
        id: AccountId::mint(at(number), chance(7, number)),
        owner: Owner::Holder(person(number)),
        name: NAME.parse().unwrap(),
        mobile: mobile(number),
        email: (number % 2 == 1).then(|| email(number)),
        password: PasswordHash(HASH.to_owned()),
        totp: None,
        invitation: None,
        ended_at: None,
        notice: None,
        created_at: at(number),
        sessions_since: at(number),
    }
}

/// The account of an employer.
pub(crate) fn unit(number: u64) -> Account {
    Account { owner: Owner::Unit { uscc: issuer(number), former_names: vec![] }, ..account(number) }
}

/// The account of a staff member, of one region.
pub(crate) fn staff(number: u64, level: Level) -> Account {
    let login = format!("STAFF{number}").parse().unwrap();
    let region = Some("37".parse().unwrap());
    let post = Post { login, level, region, role: Role::Registrar, issuer: Some(issuer(number)) };
    let totp = Some(Totp { secret: chance(8, number), last_step: 7 });
    let invitation = Invitation { token: Sha256::new(chance(9, number)), expires_at: at(number) };
    Account {
        owner: Owner::Staff(post),
        totp,
        invitation: Some(invitation),
        ended_at: Some(at(9)),
        ..account(number)
    }
}

pub(crate) fn account_event(deed: Deed, account: AccountId) -> Event {
    Event {
        deed,
        actor: Actor::Service,
        at: at(0),
        issuer: None,
        certificate: None,
        annotation: None,
        key: None,
        account: Some(account),
        ticket: None,
        case: None,
        reason: Some(REASON.parse().unwrap()),
    }
}

pub(crate) fn open_account(account: &Account) -> Change {
    Change {
        expects: vec![Expect::Account(account.owner.login(), None)],
        writes: vec![Write::Account(account.clone())],
        events: vec![account_event(Deed::AccountOpened, account.id)],
    }
}

/// Opens the account of person `number` and gives it back.
pub(crate) async fn opened(store: &dyn Store, number: u64) -> (Account, Revision) {
    let account = account(number);
    let seq = store.commit(open_account(&account)).await.unwrap().seq;
    (account, Revision(seq))
}

/// The `number`-th session of all, just begun.
pub(crate) fn session(account: &Account, number: u64) -> Session {
    Session {
        token: Sha256::new(chance(8, number)),
        account: account.id,
        began_at: at(number),
        seen_at: at(number),
        ended_at: None,
    }
}

pub(crate) fn code(purpose: Purpose, number: u64) -> VerificationCode {
    VerificationCode {
        purpose,
        digest: Sha256::new(chance(9, number)),
        salt: chance(10, number),
        sent_at: at(number),
        mistyped: 0,
        used: false,
    }
}

/// The ticket of person `number`, from a mobile of the same number.
pub(crate) fn ticket(number: u64) -> Ticket {
    Ticket {
        id: TicketId::mint(at(number), chance(11, number)),
        person: person(number),
        name: NAME.parse().unwrap(),
        management_no: format!("2024{number:012}").parse().unwrap(),
        mobile: mobile(number),
        scan: Scan { document: Sha256::new(chance(12, number)), kind: ScanKind::Pdf },
        words: Some(REASON.parse().unwrap()),
        opened_at: at(number),
        state: TicketState::Open,
    }
}

pub(crate) fn answered(ticket: &Ticket) -> Ticket {
    let (by, words) = (Actor::Operator, "已补录".parse().unwrap());
    let answer = TicketAnswer { outcome: Outcome::Accepted, words, by, at: at(99) };
    Ticket { state: TicketState::Answered(answer), ..ticket.clone() }
}

pub(crate) fn open_ticket(ticket: &Ticket) -> Change {
    let blank = account_event(Deed::TicketOpened, account(0).id);
    Change {
        expects: vec![Expect::Ticket(ticket.id, None)],
        writes: vec![Write::Ticket(ticket.clone())],
        events: vec![Event { account: None, ticket: Some(ticket.id), ..blank }],
    }
}
