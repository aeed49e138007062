//! From a change to the bytes of an entry: done by the caller, many at once, before the writer sees it.

use crate::domain::annotation::{Phase, State};
use crate::domain::certificate::Line;
use crate::domain::event::Event;
use crate::domain::identity::PersonId;
use crate::domain::ids::{CertificateId, Malformed};
use crate::store::embedded::fold::{certificate_key, certificate_of, revision_and_slot};
use crate::store::embedded::frame::sha256;
use crate::store::embedded::index::{Index, View};
use crate::store::embedded::vault::{Kind, Vault};
use crate::store::entry::{
    self, AnnotationLine, AnswerLine, Blind, CertificateLine, EventShape, JobDoneLine, NumberKey,
    PlainCopyLine, ReasonShape, WriteLine, parse_sealed, print_sealed,
};
use crate::store::record::{Unreadable, write_annotation, write_certificate};
use crate::store::{AnswerKey, Change, Expect, Fault, LeaseToken, Revision, Write};

/// What must hold, in the words of the index.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    Dossier(CertificateId, Revision),
    Newest(NumberKey, Option<CertificateId>),
    Unanswered(AnswerKey),
    Lease(LeaseToken),
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

/// The slot of a person: as the records know it, or a new one.
pub(crate) fn slot_of(vault: &Vault, index: &Index, person: Blind) -> Result<u32, Fault> {
    vault.slot_of(person, || {
        let last = index.read(|now| now.last(&[b"p", &person.0[..]].concat()))?;
        Ok(last.and_then(|(_, slot)| slot.try_into().ok()).map(u32::from_be_bytes))
    })
}

/// Encrypts and writes down a change.
pub(crate) fn prepare(vault: &Vault, index: &Index, change: &Change) -> Result<Prepared, Fault> {
    let checks = change.expects.iter().map(|expect| check(vault, expect)).collect();
    let sealed = change
        .writes
        .iter()
        .map(|write| seal(vault, index, write))
        .collect::<Result<Vec<Option<Sealed>>, Fault>>()?;
    let lines: Vec<WriteLine<'_>> =
        change.writes.iter().zip(&sealed).filter_map(|(write, sealed)| line(vault, write, sealed)).collect();
    let events = change
        .events
        .iter()
        .map(|event| event_shape(vault, index, change, &sealed, event))
        .collect::<Result<Vec<EventShape>, Fault>>()?;
    let payload = entry::write(events, &lines).map_err(encoding)?;
    let digest = sha256(&payload);
    Ok(Prepared { checks, payload, digest })
}

fn check(vault: &Vault, expect: &Expect) -> Check {
    match expect {
        Expect::Dossier(id, revision) => Check::Dossier(*id, *revision),
        Expect::Newest(kind, no, id) => Check::Newest(vault.number_key(kind, no), *id),
        Expect::Unanswered(key) => Check::Unanswered(key.clone()),
        Expect::Lease(token) => Check::Lease(*token),
    }
}

/// A personal record, encrypted.
struct Sealed {
    person: Blind,
    slot: u32,
    text: String,
}

fn seal(vault: &Vault, index: &Index, write: &Write) -> Result<Option<Sealed>, Fault> {
    let (person, kind, name, plain): (&PersonId, Kind, &[u8], _) = match write {
        Write::Certificate(certificate) => (
            &certificate.details.holder.id,
            Kind::Certificate,
            certificate.id.as_bytes(),
            write_certificate(certificate),
        ),
        Write::Annotation { annotation, person, .. } => {
            (person, Kind::Annotation, annotation.id.as_bytes(), write_annotation(annotation))
        }
        _ => return Ok(None),
    };
    let person = vault.blind_person(person);
    let slot = slot_of(vault, index, person)?;
    let bytes = vault.seal(Some(slot), kind, name, &plain.map_err(encoding)?)?;
    Ok(Some(Sealed { person, slot, text: print_sealed(&bytes) }))
}

fn line<'a>(vault: &Vault, write: &'a Write, sealed: &'a Option<Sealed>) -> Option<WriteLine<'a>> {
    Some(match (write, sealed) {
        (Write::Certificate(certificate), Some(sealed)) => WriteLine::Certificate(CertificateLine {
            id: certificate.id,
            version: certificate.version,
            issuer: certificate.details.issuer.uscc,
            number: vault.number_key(&certificate.details.kind, &certificate.details.management_no),
            person: sealed.person,
            slot: sealed.slot,
            photo: certificate.details.photo,
            sealed: &sealed.text,
        }),
        (Write::Annotation { annotation, issuer, .. }, Some(sealed)) => {
            WriteLine::Annotation(AnnotationLine {
                id: annotation.id,
                certificate: annotation.certificate,
                issuer: *issuer,
                code: vault.blind_code(annotation.code),
                slot: sealed.slot,
                state: state_word(&annotation.state),
                document: annotation.sealed().map(|sealed| sealed.document),
                sealed: &sealed.text,
            })
        }
        (Write::Certificate(_) | Write::Annotation { .. }, None) => return None,
        (Write::Job(job), _) => WriteLine::Job(job.into()),
        (Write::JobDone(id), _) => WriteLine::JobDone(JobDoneLine { annotation: *id }),
        (Write::PlainCopy(id, document), _) => {
            WriteLine::PlainCopy(PlainCopyLine { certificate: *id, document: *document })
        }
        (Write::Key(key), _) => WriteLine::Key(key.into()),
        (Write::Answer(key, answer), _) => WriteLine::Answer(AnswerLine::new(key, answer)),
    })
}

fn state_word(state: &State) -> &'static str {
    match state {
        State::Queued(_) => Phase::Queued.word(),
        State::Sealing(_) => Phase::Sealing.word(),
        State::Sealed(_) => "sealed",
        State::Revoked(_) => Phase::Revoked.word(),
        State::Failed(_) => Phase::Failed.word(),
    }
}

fn event_shape(
    vault: &Vault,
    index: &Index,
    change: &Change,
    sealed: &[Option<Sealed>],
    event: &Event,
) -> Result<EventShape, Fault> {
    let reason = match &event.reason {
        Some(reason) => {
            let slot = slot_of_event(vault, index, change, sealed, event)?;
            let bytes = vault.seal(slot, Kind::Reason, &reason_name(event), reason.as_str().as_bytes())?;
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
        reason,
    })
}

/// What a reason is bound to: the deed, and the certificate and annotation that it speaks of.
fn reason_name(event: &Event) -> Vec<u8> {
    let mut name = event.deed.word().as_bytes().to_vec();
    for id in [event.certificate.map(|id| *id.as_bytes()), event.annotation.map(|id| *id.as_bytes())] {
        name.extend_from_slice(&id.unwrap_or_default());
    }
    name
}

/// Whose key keeps an event's reason: that of the person whose certificate or annotation it speaks of.
fn slot_of_event(
    vault: &Vault,
    index: &Index,
    change: &Change,
    sealed: &[Option<Sealed>],
    event: &Event,
) -> Result<Option<u32>, Fault> {
    let mut certificate = event.certificate;
    for (write, sealed) in change.writes.iter().zip(sealed) {
        let about = match write {
            Write::Certificate(written) => certificate == Some(written.id),
            Write::Annotation { annotation, .. } => {
                event.annotation == Some(annotation.id) || certificate == Some(annotation.certificate)
            }
            _ => false,
        };
        if let (true, Some(sealed)) = (about, sealed) {
            return Ok(Some(sealed.slot));
        }
    }
    if let (None, Some(annotation)) = (certificate, event.annotation) {
        certificate = index.read(|now| certificate_of(now, annotation))?;
    }
    let Some(id) = certificate else { return Ok(None) };
    let value = index.now().find(&certificate_key(id))?;
    let slot = value.and_then(|value| revision_and_slot(&value)).map(|(_, slot)| slot);
    match slot {
        Some(slot) if !vault.is_erased(slot)? => Ok(Some(slot)),
        _ => Ok(None),
    }
}

fn reading(error: Malformed) -> Fault {
    Fault::new("reading an event", error)
}

impl Vault {
    /// An event with its reason decrypted; without it where the person was erased.
    pub(crate) fn read_event(&self, shape: EventShape) -> Result<Event, Fault> {
        let mut event = Event {
            deed: shape.deed.parse().map_err(reading)?,
            actor: shape.actor,
            at: shape.at,
            issuer: shape.issuer,
            certificate: shape.certificate,
            annotation: shape.annotation,
            key: shape.key,
            reason: None,
        };
        if let Some(reason) = shape.reason {
            let mut sealed = parse_sealed(&reason.sealed).map_err(reading)?;
            let name = reason_name(&event);
            let plain = self.open(reason.slot, Kind::Reason, &name, &mut sealed)?;
            let text = plain.and_then(|plain| std::str::from_utf8(plain).ok());
            event.reason = text.and_then(|text| text.parse::<Line<200>>().ok());
        }
        Ok(event)
    }
}
