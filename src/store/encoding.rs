//! From a change to the bytes of an entry: done by the caller, many at once, before the writer sees it.

use crate::domain::account::{Owner, Purpose};
use crate::domain::annotation::{Phase, State};
use crate::domain::certificate::Line;
use crate::domain::event::Event;
use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, CaseId, CertificateId, Malformed, Sha256, TicketId};
use crate::domain::ticket::TicketState;
use crate::store::chain::sha256;
use crate::store::cipher::{Cipher, DataKey, Kind, VaultError};
use crate::store::entry::account::{AccountLine, CodeLine, TicketLine};
use crate::store::entry::registration::{CaseLine, RegistrantLine};
use crate::store::entry::{
    self, AnnotationLine, AnswerLine, Blind, CertificateLine, EventShape, JobDoneLine, NumberKey,
    PlainCopyLine, ReasonShape, WriteLine, parse_sealed, print_sealed,
};
use crate::store::record::account::write_account;
use crate::store::record::case::write_case;
use crate::store::record::registrant::write_registrant;
use crate::store::record::ticket::write_ticket;
use crate::store::record::{Unreadable, write_annotation, write_certificate};
use crate::store::{AnswerKey, Change, Expect, Fault, LeaseToken, Revision, Write};

/// The word of a copy that is sealed and not revoked.
pub(crate) const SEALED: &str = "sealed";

/// What a home finds out for the encoding: which key is whose.
pub(crate) trait Keys {
    fn cipher(&self) -> &Cipher;

    /// The slot of a person: as the records know it, or a new one.
    fn slot_of(&self, person: Blind) -> Result<u32, Fault>;

    /// The slot of the person whom an event is about, where it is known and not erased: by its certificate, else its
    /// annotation, else its account, else its case.
    fn slot_about(&self, event: &Event) -> Result<Option<u32>, Fault>;

    /// The key of a slot; none where it was erased.
    fn key(&self, slot: u32) -> Result<Option<DataKey>, Fault>;
}

/// What must hold, in blind words.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    Dossier(CertificateId, Revision),
    Newest(NumberKey, Option<CertificateId>),
    Unanswered(AnswerKey),
    Lease(LeaseToken),
    Account(Blind, Option<Revision>),
    /// The login name is free, or is this account's.
    Login(Blind, AccountId),
    Session(Sha256, Revision),
    Code(Purpose, Blind, Option<Revision>),
    Ticket(TicketId, Option<Revision>),
    /// No other ticket is open of this person or this mobile.
    OnlyTicket {
        person: Blind,
        mobile: Blind,
        ticket: TicketId,
    },
    Case(CaseId, Option<Revision>),
    /// None: not known, or erased.
    Registrant(Blind, Option<Revision>),
    Company(CreditCode, Option<Revision>),
}

/// A change ready to be written.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) checks: Vec<Check>,
    pub(crate) payload: Vec<u8>,
    pub(crate) digest: [u8; 32],
}

fn encoding(error: Unreadable) -> Fault {
    Fault::new("encoding a change", error)
}

/// Encrypts and writes down a change.
pub(crate) fn prepare(keys: &impl Keys, change: &Change) -> Result<Prepared, Fault> {
    let cipher = keys.cipher();
    // Two accounts of one login name would be two ways into one, two open tickets of one person would be answered
    // twice: nobody has to think of expecting that.
    let own = change.writes.iter().filter_map(|write| match write {
        Write::Account(account) => Some(Check::Login(cipher.blind_login(&account.owner.login()), account.id)),
        Write::Ticket(ticket) if ticket.state == TicketState::Open => Some(Check::OnlyTicket {
            person: cipher.blind_person(&ticket.person),
            mobile: cipher.blind_contact(&ticket.mobile.clone().into()),
            ticket: ticket.id,
        }),
        _ => None,
    });
    let checks = change.expects.iter().map(|expect| check(cipher, expect)).chain(own).collect();
    let sealed = change
        .writes
        .iter()
        .map(|write| seal(keys, write))
        .collect::<Result<Vec<Option<Sealed>>, Fault>>()?;
    let lines: Vec<WriteLine<'_>> =
        change.writes.iter().zip(&sealed).filter_map(|(write, sealed)| line(cipher, write, sealed)).collect();
    let events = change
        .events
        .iter()
        .map(|event| event_shape(keys, change, &sealed, event))
        .collect::<Result<Vec<EventShape>, Fault>>()?;
    let payload = entry::write(events, &lines).map_err(encoding)?;
    let digest = sha256(&payload);
    Ok(Prepared { checks, payload, digest })
}

fn live(keys: &impl Keys, slot: u32) -> Result<DataKey, Fault> {
    Ok(keys.key(slot)?.ok_or(VaultError::NoKey(slot))?)
}

fn check(cipher: &Cipher, expect: &Expect) -> Check {
    match expect {
        Expect::Dossier(id, revision) => Check::Dossier(*id, *revision),
        Expect::Newest(kind, no, id) => Check::Newest(cipher.number_key(kind, no), *id),
        Expect::Unanswered(key) => Check::Unanswered(key.clone()),
        Expect::Lease(token) => Check::Lease(*token),
        Expect::Account(login, revision) => Check::Account(cipher.blind_login(login), *revision),
        Expect::Session(token, revision) => Check::Session(*token, *revision),
        Expect::VerificationCode(purpose, to, revision) => {
            Check::Code(*purpose, cipher.blind_contact(to), *revision)
        }
        Expect::Ticket(id, revision) => Check::Ticket(*id, *revision),
        Expect::Case(id, revision) => Check::Case(*id, *revision),
        Expect::Registrant(person, revision) => Check::Registrant(cipher.blind_person(person), *revision),
        Expect::Company(uscc, revision) => Check::Company(*uscc, *revision),
    }
}

/// A personal record, encrypted.
struct Sealed {
    person: Blind,
    slot: u32,
    text: String,
}

/// Whose key a record is encrypted with, where it is encrypted at all.
pub(crate) fn person_of(cipher: &Cipher, write: &Write) -> Option<Blind> {
    match write {
        Write::Certificate(certificate) => Some(cipher.blind_person(&certificate.details.holder.id)),
        Write::Annotation { person, .. } => Some(cipher.blind_person(person)),
        Write::Account(account) => Some(cipher.blind_owner(account)),
        Write::Ticket(ticket) => Some(cipher.blind_person(&ticket.person)),
        Write::Case(case) => Some(cipher.blind_person(&case.person)),
        Write::Registrant(registrant) => Some(cipher.blind_person(&registrant.person)),
        _ => None,
    }
}

fn seal(keys: &impl Keys, write: &Write) -> Result<Option<Sealed>, Fault> {
    let Some(person) = person_of(keys.cipher(), write) else { return Ok(None) };
    let (kind, name, plain): (Kind, &[u8], _) = match write {
        Write::Certificate(certificate) => {
            (Kind::Certificate, certificate.id.as_bytes(), write_certificate(certificate))
        }
        Write::Annotation { annotation, .. } => {
            (Kind::Annotation, annotation.id.as_bytes(), write_annotation(annotation))
        }
        Write::Account(account) => (Kind::Account, account.id.as_bytes(), write_account(account)),
        Write::Ticket(ticket) => (Kind::Ticket, ticket.id.as_bytes(), write_ticket(ticket)),
        Write::Case(case) => (Kind::Case, case.id.as_bytes(), write_case(case)),
        // A person has one: it is bound to their blind key.
        Write::Registrant(registrant) => (Kind::Registrant, &person.0, write_registrant(registrant)),
        _ => return Ok(None),
    };
    let slot = keys.slot_of(person)?;
    let bytes = keys.cipher().seal(&live(keys, slot)?, kind, name, &plain.map_err(encoding)?)?;
    Ok(Some(Sealed { person, slot, text: print_sealed(&bytes) }))
}

fn line<'a>(cipher: &Cipher, write: &'a Write, sealed: &'a Option<Sealed>) -> Option<WriteLine<'a>> {
    Some(match (write, sealed) {
        (Write::Certificate(certificate), Some(sealed)) => WriteLine::Certificate(CertificateLine {
            id: certificate.id,
            version: certificate.version,
            issuer: certificate.details.issuer.uscc,
            number: cipher.number_key(&certificate.details.kind, &certificate.details.management_no),
            person: sealed.person,
            slot: sealed.slot,
            photo: certificate.details.photo,
            signature: certificate.details.signature,
            sealed: &sealed.text,
        }),
        (Write::Annotation { annotation, issuer, .. }, Some(sealed)) => {
            WriteLine::Annotation(AnnotationLine {
                id: annotation.id,
                certificate: annotation.certificate,
                issuer: *issuer,
                code: cipher.blind_code(annotation.code),
                slot: sealed.slot,
                state: state_word(&annotation.state),
                document: annotation.sealed().map(|sealed| sealed.document),
                valid_until: annotation.sealed().map(|sealed| sealed.intent.valid_until),
                sealed: &sealed.text,
            })
        }
        (Write::Account(account), Some(sealed)) => WriteLine::Account(AccountLine {
            id: account.id,
            login: cipher.blind_login(&account.owner.login()),
            person: sealed.person,
            slot: sealed.slot,
            staff: matches!(account.owner, Owner::Staff(_)),
            sealed: &sealed.text,
        }),
        (Write::Case(case), Some(sealed)) => {
            WriteLine::Case(CaseLine::new(case, sealed.person, sealed.slot, &sealed.text))
        }
        (Write::Registrant(registrant), Some(sealed)) => {
            WriteLine::Registrant(RegistrantLine::new(registrant, sealed.person, sealed.slot, &sealed.text))
        }
        (
            Write::Certificate(_)
            | Write::Annotation { .. }
            | Write::Account(_)
            | Write::Ticket(_)
            | Write::Case(_)
            | Write::Registrant(_),
            None,
        ) => return None,
        (Write::Job(job), _) => WriteLine::Job(job.into()),
        (Write::JobDone(id), _) => WriteLine::JobDone(JobDoneLine { annotation: *id }),
        (Write::PlainCopy(id, document), _) => {
            WriteLine::PlainCopy(PlainCopyLine { certificate: *id, document: *document })
        }
        (Write::Key(key), _) => WriteLine::Key(key.into()),
        (Write::Answer(key, answer), _) => WriteLine::Answer(AnswerLine::new(key, answer)),
        (Write::Session(session), _) => WriteLine::Session(session.into()),
        (Write::Company(company), _) => WriteLine::Company(company.into()),
        (Write::VerificationCode(to, code), _) => {
            WriteLine::Code(CodeLine::new(cipher.blind_contact(to), code))
        }
        (Write::Ticket(ticket), Some(sealed)) => WriteLine::Ticket(TicketLine {
            id: ticket.id,
            person: sealed.person,
            mobile: cipher.blind_contact(&ticket.mobile.clone().into()),
            slot: sealed.slot,
            open: ticket.state == TicketState::Open,
            scan: ticket.scan.document,
            sealed: &sealed.text,
        }),
    })
}

fn state_word(state: &State) -> &'static str {
    match state {
        State::Queued(_) => Phase::Queued.word(),
        State::Sealing(_) => Phase::Sealing.word(),
        State::Sealed(_) => SEALED,
        State::Revoked(_) => Phase::Revoked.word(),
        State::Failed(_) => Phase::Failed.word(),
    }
}

fn event_shape(
    keys: &impl Keys,
    change: &Change,
    sealed: &[Option<Sealed>],
    event: &Event,
) -> Result<EventShape, Fault> {
    let reason = match &event.reason {
        Some(reason) => {
            let slot = slot_of_event(keys, change, sealed, event)?;
            let key = match slot {
                Some(slot) => live(keys, slot)?,
                None => keys.cipher().service().clone(),
            };
            let bytes =
                keys.cipher().seal(&key, Kind::Reason, &reason_name(event), reason.as_str().as_bytes())?;
            Some(ReasonShape { slot, sealed: print_sealed(&bytes) })
        }
        None => None,
    };
    Ok(EventShape {
        deed: event.deed.word().to_owned(),
        actor: event.actor,
        at: event.at,
        issuer: event.issuer,
        certificate: event.certificate,
        annotation: event.annotation,
        key: event.key,
        account: event.account,
        ticket: event.ticket,
        case: event.case,
        reason,
    })
}

/// What a reason is bound to: the deed, the certificate and annotation that it speaks of, and the account where it speaks of
/// one.
fn reason_name(event: &Event) -> Vec<u8> {
    let mut name = event.deed.word().as_bytes().to_vec();
    for id in [event.certificate.map(|id| *id.as_bytes()), event.annotation.map(|id| *id.as_bytes())] {
        name.extend_from_slice(&id.unwrap_or_default());
    }
    // Not where there is none: so it was before there were accounts.
    name.extend(event.account.iter().flat_map(|id| *id.as_bytes()));
    name.extend(event.ticket.iter().flat_map(|id| *id.as_bytes()));
    name.extend(event.case.iter().flat_map(|id| *id.as_bytes()));
    name
}

/// Whose key keeps an event's reason: that of the person whose certificate, annotation, account or case it speaks of, or who
/// is written about as a registrant.
fn slot_of_event(
    keys: &impl Keys,
    change: &Change,
    sealed: &[Option<Sealed>],
    event: &Event,
) -> Result<Option<u32>, Fault> {
    for (write, sealed) in change.writes.iter().zip(sealed) {
        let about = match write {
            Write::Certificate(written) => event.certificate == Some(written.id),
            Write::Annotation { annotation, .. } => {
                event.annotation == Some(annotation.id) || event.certificate == Some(annotation.certificate)
            }
            Write::Account(written) => event.account == Some(written.id),
            Write::Ticket(written) => event.ticket == Some(written.id),
            Write::Case(written) => event.case == Some(written.id),
            _ => false,
        };
        if let (true, Some(sealed)) = (about, sealed) {
            return Ok(Some(sealed.slot));
        }
    }
    let known = keys.slot_about(event)?;
    let registrant =
        change.writes.iter().zip(sealed).find(|(write, _)| matches!(write, Write::Registrant(_)));
    Ok(known.or_else(|| registrant.and_then(|(_, sealed)| sealed.as_ref()).map(|sealed| sealed.slot)))
}

fn reading(error: Malformed) -> Fault {
    Fault::new("reading an event", error)
}

/// An event with its reason decrypted by what `key` gives for its slot; without it where the person was erased.
pub(crate) fn read_event(
    cipher: &Cipher,
    shape: EventShape,
    key: impl FnOnce(u32) -> Result<Option<DataKey>, Fault>,
) -> Result<Event, Fault> {
    let mut event = Event {
        deed: shape.deed.parse().map_err(reading)?,
        actor: shape.actor,
        at: shape.at,
        issuer: shape.issuer,
        certificate: shape.certificate,
        annotation: shape.annotation,
        key: shape.key,
        account: shape.account,
        ticket: shape.ticket,
        case: shape.case,
        reason: None,
    };
    if let Some(reason) = shape.reason {
        let mut sealed = parse_sealed(&reason.sealed).map_err(reading)?;
        let key = match reason.slot {
            Some(slot) => key(slot)?,
            None => Some(cipher.service().clone()),
        };
        if let Some(key) = key {
            let plain = cipher.open(&key, Kind::Reason, &reason_name(&event), &mut sealed)?;
            event.reason = std::str::from_utf8(plain).ok().and_then(|text| text.parse::<Line<200>>().ok());
        }
    }
    Ok(event)
}
