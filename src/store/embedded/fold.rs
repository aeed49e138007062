//! What an entry does to the index and to the queue: the one way in which the ledger becomes look-ups, used when an
//! entry is made and when the index is rebuilt.
//!
//! | key | value |
//! | --- | --- |
//! | `a` annotation | place of its record, certificate |
//! | `b` issuer, annotation | |
//! | `c` certificate | place of its record, revision of the dossier, slot |
//! | `d` certificate, annotation | |
//! | `ea` seat, region or every, regime or every, due day, case | slot, regime, business, stage (the seat holds it) |
//! | `eb` unit, due day, case | the same (the unit holds it) |
//! | `ec` case | place of its record, its revision, slot, and what its other keys are made of |
//! | `ed` last day, annotation | (it is sealed) |
//! | `ef` unit, case in reverse order | slot, regime, business, stage |
//! | `eg` blind person | place of the registrant, its revision, slot |
//! | `em` blind mobile | the ticket that waits |
//! | `eo` ticket | (it waits) |
//! | `ep` blind person | the ticket that waits |
//! | `et` ticket | place of its record, its revision, slot |
//! | `ey` credit code | place of the company, its revision, its names |
//! | `f` issuer, annotation | (it failed) |
//! | `g` certificate | digest of its plain copy |
//! | `h` digest of a secret | key id |
//! | `i` issuer, certificate | |
//! | `j` annotation | place of its job |
//! | `k` key id | place of its record |
//! | `l` blind login name | account |
//! | `m` blind mobile or address, purpose | place of the verification code, its revision |
//! | `n` blind number, blind type and number, version | certificate |
//! | `o` blind code | annotation |
//! | `p` blind person, certificate | slot |
//! | `q` digest of a photo, a signature, a scan or a file of a case | |
//! | `r` caller, idempotency key | place of the answer |
//! | `s` digest of a copy | whose |
//! | `t` digest of a token | place of the session, its revision |
//! | `u` account | place of its record, its revision, slot, blind login name |
//! | `v` blind person | slot of their account, ticket, cases or registrant |
//! | `x` certificate, number / 1024 | low parts of the numbers of its entries |
//! | `y` account, number / 1024 | low parts of the numbers of its entries |
//! | `z` issuer, number / 1024 | low parts of the numbers of its entries |

use std::ops::Range;

use chrono::{Datelike as _, NaiveDate};

use crate::domain::annotation::Phase;
use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, AnnotationId, CertificateId, KeyId, Sha256};
use crate::domain::queue::Job;
use crate::store::embedded::accounts::{account_trail, fold_account, fold_code, fold_session};
use crate::store::embedded::cases::fold_case;
use crate::store::embedded::companies::fold_company;
use crate::store::embedded::frame::{FRAME_HEADER, Frame, SegmentHeader};
use crate::store::embedded::index::{Draft, View};
use crate::store::embedded::registrants::fold_registrant;
use crate::store::embedded::tickets::fold_ticket;
use crate::store::encoding::SEALED;
use crate::store::entry::{self, Blind, WriteLine};
use crate::store::record::{Text, Unreadable};
use crate::store::{AnswerKey, DocumentOwner, Fault};

/// Where a record lies in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// First number of the segment.
    pub(crate) segment: u64,
    /// Offset of the frame in the segment.
    pub(crate) frame: u32,
    /// Length of the frame's payload.
    pub(crate) length: u32,
    /// Where in the payload the record's line begins.
    pub(crate) start: u32,
    /// Length of that line.
    pub(crate) line: u32,
}

/// Appends a number in as many bytes as it needs (LEB128): sled keeps short values in its nodes.
pub(crate) fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes what [`push_number`] appended from the beginning of some bytes.
pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

impl Place {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        push_number(&mut bytes, self.segment);
        for number in [self.frame, self.length, self.start, self.line] {
            push_number(&mut bytes, number.into());
        }
        bytes
    }

    /// Reads a place from the beginning of a value.
    pub(crate) fn read(mut bytes: &[u8]) -> Option<Self> {
        Self::take(&mut bytes)
    }

    /// Takes a place from the beginning of some bytes.
    pub(crate) fn take(bytes: &mut &[u8]) -> Option<Self> {
        let segment = take_number(bytes)?;
        let mut number = || u32::try_from(take_number(bytes)?).ok();
        Some(Self { segment, frame: number()?, length: number()?, start: number()?, line: number()? })
    }

    /// Offset of the line in the segment.
    pub(crate) fn line_offset(&self) -> u64 {
        u64::from(self.frame) + FRAME_HEADER as u64 + u64::from(self.start)
    }
}

/// A frame's place: where its records' places begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) segment: u64,
    pub(crate) frame: usize,
    pub(crate) length: usize,
}

impl Spot {
    pub(crate) fn of(header: &SegmentHeader, frame: &Frame<'_>) -> Self {
        Self { segment: header.first, frame: frame.offset, length: frame.payload.len() }
    }

    fn place(&self, range: &Range<usize>) -> Place {
        // Frames are far shorter than 4 GiB, and so are segments: both are checked when the store is opened.
        Place {
            segment: self.segment,
            frame: self.frame as u32,
            length: self.length as u32,
            start: range.start as u32,
            line: range.len() as u32,
        }
    }
}

/// What an entry does besides the index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    /// Jobs written.
    pub(crate) jobs: Vec<Job>,
    /// Jobs settled.
    pub(crate) done: Vec<AnnotationId>,
    /// Issuers of annotations that failed now.
    pub(crate) failed: Vec<CreditCode>,
    /// Persons whose slot is now named by a record.
    pub(crate) persons: Vec<Blind>,
    /// Files now named by a record.
    pub(crate) documents: Vec<Sha256>,
}

/// An entry of the ledger that cannot be folded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    #[error("the entry cannot be read")]
    Entry(#[from] Unreadable),
    #[error(transparent)]
    Index(#[from] Fault),
}

/// Folds one entry into a draft. With `thorough`, keys are written even where an earlier entry must have written them:
/// after a crash the index may hold a part of what follows.
pub(crate) fn fold(
    draft: &mut Draft<'_>,
    seq: u64,
    spot: Spot,
    payload: &[u8],
    thorough: bool,
) -> Result<Effects, FoldError> {
    let mut effects = Effects::default();
    let mut touched: Vec<CertificateId> = Vec::new();
    let touch = |touched: &mut Vec<CertificateId>, id| {
        if !touched.contains(&id) {
            touched.push(id);
        }
    };
    for write in entry::read_writes(payload) {
        let (range, line) = write?;
        let place = spot.place(&range);
        match line {
            WriteLine::Certificate(line) => {
                draft.put(certificate_key(line.id), certificate_value(&place, seq, line.slot));
                let slot = line.slot.to_be_bytes().to_vec();
                draft.put([b"p", &line.person.0[..], line.id.as_bytes()].concat(), slot);
                let number = [b"n", &line.number.0[..], &line.version.to_be_bytes()].concat();
                draft.put(number, line.id.as_bytes().to_vec());
                draft.put([b"i", line.issuer.as_str().as_bytes(), line.id.as_bytes()].concat(), Vec::new());
                for picture in line.pictures() {
                    draft.put(photo_key(picture), Vec::new());
                    effects.documents.push(picture);
                }
                effects.persons.push(line.person);
                touch(&mut touched, line.id);
            }
            WriteLine::Annotation(line) => {
                let key = annotation_key(line.id);
                let new = thorough || draft.find(&key)?.is_none();
                draft.put(key, [&place.write()[..], line.certificate.as_bytes()].concat());
                let issuer = line.issuer.as_str().as_bytes();
                if new {
                    draft.put([b"b", issuer, line.id.as_bytes()].concat(), Vec::new());
                    draft.put(
                        [b"d", &line.certificate.as_bytes()[..], line.id.as_bytes()].concat(),
                        Vec::new(),
                    );
                    draft.put([b"o", &line.code.0[..]].concat(), line.id.as_bytes().to_vec());
                }
                if let Some(document) = line.document {
                    draft.put(document_key(document), [b"a", &line.id.as_bytes()[..]].concat());
                    effects.documents.push(document);
                }
                if let Some(day) = line.valid_until {
                    let expiry = [&expiry_prefix(day)[..], line.id.as_bytes()].concat();
                    if line.state == SEALED { draft.put(expiry, Vec::new()) } else { draft.remove(expiry) }
                }
                if line.state == Phase::Failed.word() {
                    let failed = [b"f", issuer, line.id.as_bytes()].concat();
                    if draft.find(&failed)?.is_none() {
                        draft.put(failed, Vec::new());
                        effects.failed.push(line.issuer);
                    }
                }
                revise(draft, line.certificate, seq)?;
                touch(&mut touched, line.certificate);
            }
            WriteLine::Job(line) => {
                draft.put(job_key(line.annotation), place.write());
                effects.jobs.push(line.into());
            }
            WriteLine::JobDone(line) => {
                draft.remove(job_key(line.annotation));
                effects.done.push(line.annotation);
            }
            WriteLine::PlainCopy(line) => {
                draft.put(document_key(line.document), [b"c", &line.certificate.as_bytes()[..]].concat());
                draft.put(plain_copy_key(line.certificate), line.document.as_bytes().to_vec());
                effects.documents.push(line.document);
                revise(draft, line.certificate, seq)?;
                touch(&mut touched, line.certificate);
            }
            WriteLine::Key(line) => {
                draft.put(key_key(line.id), place.write());
                draft.put(secret_key(line.secret), line.id.as_bytes().to_vec());
            }
            WriteLine::Answer(line) => {
                let key = AnswerKey { caller: line.caller, key: line.key };
                draft.put(answer_key(&key), place.write());
            }
            WriteLine::Account(line) => {
                fold_account(draft, &line, place, seq)?;
                effects.persons.push(line.person);
            }
            WriteLine::Session(line) => fold_session(draft, &line, place, seq),
            WriteLine::Code(line) => fold_code(draft, &line, place, seq),
            WriteLine::Ticket(line) => {
                fold_ticket(draft, &line, place, seq)?;
                effects.persons.push(line.person);
                effects.documents.push(line.scan);
            }
            WriteLine::Case(line) => {
                fold_case(draft, &line, place, seq)?;
                effects.persons.push(line.person);
                effects.documents.extend(line.documents.iter().map(|Text(digest)| *digest));
            }
            WriteLine::Registrant(line) => {
                fold_registrant(draft, &line, place, seq);
                effects.persons.push(line.person);
                effects.documents.extend(line.documents.iter().map(|Text(digest)| *digest));
            }
            WriteLine::Company(line) => fold_company(draft, &line, place, seq),
        }
    }
    let mut issuers: Vec<CreditCode> = Vec::new();
    let mut accounts: Vec<AccountId> = Vec::new();
    for event in entry::read_events(payload)? {
        let certificate = match (event.certificate, event.annotation) {
            (Some(id), _) => Some(id),
            (None, Some(annotation)) => certificate_of(draft, annotation)?,
            (None, None) => None,
        };
        if let Some(id) = certificate {
            touch(&mut touched, id);
        }
        if let Some(issuer) = event.issuer.filter(|issuer| !issuers.contains(issuer)) {
            issuers.push(issuer);
        }
        for account in event.accounts() {
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
    }
    for id in touched {
        note(draft, certificate_trail(id), seq)?;
    }
    for issuer in issuers {
        note(draft, issuer_trail(&issuer), seq)?;
    }
    for account in accounts {
        note(draft, account_trail(account), seq)?;
    }
    Ok(effects)
}

fn revise(draft: &mut Draft<'_>, id: CertificateId, seq: u64) -> Result<(), Fault> {
    let key = certificate_key(id);
    if let Some(value) = draft.find(&key)?
        && let (Some(place), Some((_, slot))) = (Place::read(&value), revision_and_slot(&value))
    {
        draft.put(key, certificate_value(&place, seq, slot));
    }
    Ok(())
}

/// The certificate of an annotation.
pub(crate) fn certificate_of(
    view: &impl View,
    annotation: AnnotationId,
) -> Result<Option<CertificateId>, Fault> {
    let value = view.find(&annotation_key(annotation))?;
    Ok(value.and_then(|value| certificate_in(&value)))
}

/// Numbers of entries are kept in blocks of so many.
pub(crate) const TRAIL_BLOCK: u64 = 1024;

fn note(draft: &mut Draft<'_>, trail: Vec<u8>, seq: u64) -> Result<(), Fault> {
    let key = [&trail[..], &(seq / TRAIL_BLOCK).to_be_bytes()].concat();
    let low = ((seq % TRAIL_BLOCK) as u16).to_be_bytes();
    let mut value = draft.find(&key)?.unwrap_or_default();
    // Replay may note a number again, below later ones.
    let later = value.chunks_exact(2).rev().take_while(|known| **known >= low[..]).count();
    let at = value.len() - 2 * later;
    if value.get(at..at + 2) != Some(&low[..]) {
        value.splice(at..at, low);
        draft.put(key, value);
    }
    Ok(())
}

/// The numbers in a block of a trail.
pub(crate) fn trail_numbers(key: &[u8], value: &[u8]) -> Vec<u64> {
    let block = key.last_chunk().copied().map_or(0, u64::from_be_bytes);
    let low = |pair: &[u8]| u64::from(u16::from_be_bytes([pair[0], pair[1]]));
    value.chunks_exact(2).map(|pair| block * TRAIL_BLOCK + low(pair)).collect()
}

pub(crate) fn certificate_trail(id: CertificateId) -> Vec<u8> {
    [b"x", &id.as_bytes()[..]].concat()
}

pub(crate) fn issuer_trail(issuer: &CreditCode) -> Vec<u8> {
    [b"z", issuer.as_str().as_bytes()].concat()
}

pub(crate) fn certificate_key(id: CertificateId) -> Vec<u8> {
    [b"c", &id.as_bytes()[..]].concat()
}

pub(crate) fn certificate_value(place: &Place, revision: u64, slot: u32) -> Vec<u8> {
    let mut value = place.write();
    push_number(&mut value, revision);
    push_number(&mut value, slot.into());
    value
}

/// The revision and the slot in the value of a certificate, a ticket, a case or a registrant.
pub(crate) fn revision_and_slot(mut value: &[u8]) -> Option<(u64, u32)> {
    Place::take(&mut value)?;
    Some((take_number(&mut value)?, u32::try_from(take_number(&mut value)?).ok()?))
}

pub(crate) fn annotation_key(id: AnnotationId) -> Vec<u8> {
    [b"a", &id.as_bytes()[..]].concat()
}

/// The certificate in an annotation's value.
pub(crate) fn certificate_in(value: &[u8]) -> Option<CertificateId> {
    value.last_chunk().copied().map(CertificateId::from_bytes)
}

pub(crate) fn code_key(code: Blind) -> Vec<u8> {
    [b"o", &code.0[..]].concat()
}

/// Copies whose last day is this one. Sorted as days are: those of our copies begin long after the year 0.
pub(crate) fn expiry_prefix(day: NaiveDate) -> [u8; 6] {
    let [a, b, c, d] = day.num_days_from_ce().to_be_bytes();
    [b'e', b'd', a, b, c, d]
}

pub(crate) fn job_key(annotation: AnnotationId) -> Vec<u8> {
    [b"j", &annotation.as_bytes()[..]].concat()
}

pub(crate) fn key_key(id: KeyId) -> Vec<u8> {
    [b"k", &id.as_bytes()[..]].concat()
}

pub(crate) fn secret_key(secret: Sha256) -> Vec<u8> {
    [b"h", &secret.as_bytes()[..]].concat()
}

pub(crate) fn answer_key(key: &AnswerKey) -> Vec<u8> {
    [b"r", &key.caller.as_bytes()[..], key.key.as_bytes()].concat()
}

pub(crate) fn document_key(digest: Sha256) -> Vec<u8> {
    [b"s", &digest.as_bytes()[..]].concat()
}

pub(crate) fn plain_copy_key(id: CertificateId) -> Vec<u8> {
    [b"g", &id.as_bytes()[..]].concat()
}

pub(crate) fn photo_key(digest: Sha256) -> Vec<u8> {
    [b"q", &digest.as_bytes()[..]].concat()
}

/// Whose a document is, by its value.
pub(crate) fn owner_in(value: &[u8]) -> Option<DocumentOwner> {
    let (kind, id) = value.split_first()?;
    let id = id.try_into().ok()?;
    match kind {
        b'a' => Some(DocumentOwner::Annotation(AnnotationId::from_bytes(id))),
        b'c' => Some(DocumentOwner::Certificate(CertificateId::from_bytes(id))),
        _ => None,
    }
}

/// The name at the end of a key.
pub(crate) fn id_at_end(key: &[u8]) -> Option<[u8; 16]> {
    key.last_chunk().copied()
}
