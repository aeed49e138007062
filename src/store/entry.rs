//! The payload of a ledger entry: lines of JSON. The first holds the events, each further line one record write.
//!
//! What is personal stands in it as ciphertext (base64); in clear are names of things, the issuer's code, words of
//! state, times, digests of files, and blind keys: keyed hashes by which a person, a number or a code is found by
//! whoever holds the master key and by nobody else.

pub(crate) mod account;
pub(crate) mod registration;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::event::Actor;
use crate::domain::identity::CreditCode;
use crate::domain::ids::{
    AccountId, AnnotationId, CaseId, CertificateId, KeyId, Malformed, Sha256, TicketId,
};
use crate::domain::key::ApiKey;
use crate::domain::queue::Job;
use crate::store::entry::account::{AccountLine, CodeLine, SessionLine, TicketLine};
use crate::store::entry::registration::{CaseLine, RegistrantLine};
use crate::store::record::company::CompanyShape;
use crate::store::record::{Unreadable, text, text_option};
use crate::store::{Answer, AnswerKey, Outcome};

const VERSION: u32 = 1;

/// Bytes printed as base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Bytes<const N: usize>(pub(crate) [u8; N]);

/// A keyed hash of something personal.
pub(crate) type Blind = Bytes<16>;

/// Blind management number (16 bytes), then blind type and number (8): found by either.
pub(crate) type NumberKey = Bytes<24>;

impl<const N: usize> fmt::Display for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        base64::display::Base64Display::new(&self.0, &BASE64).fmt(f)
    }
}

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes(…)")
    }
}

impl<const N: usize> FromStr for Bytes<N> {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut bytes = [0; N];
        match BASE64.decode_slice(text, &mut bytes) {
            Ok(length) if length == N => Ok(Self(bytes)),
            _ => Err(Malformed("blind key")),
        }
    }
}

/// Ciphertext printed as base64.
pub(crate) fn print_sealed(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Reads what [`print_sealed`] gave.
pub(crate) fn parse_sealed(text: &str) -> Result<Vec<u8>, Malformed> {
    BASE64.decode(text).map_err(|_| Malformed("ciphertext"))
}

/// The first line.
#[derive(Serialize, Deserialize)]
pub(crate) struct EventsLine {
    pub(crate) v: u32,
    pub(crate) events: Vec<EventShape>,
}

/// One event.
#[derive(Serialize, Deserialize)]
pub(crate) struct EventShape {
    pub(crate) deed: String,
    #[serde(with = "text")]
    pub(crate) actor: Actor,
    pub(crate) at: DateTime<Utc>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<CreditCode>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<CertificateId>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotation: Option<AnnotationId>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<KeyId>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountId>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<TicketId>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) case: Option<CaseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<ReasonShape>,
}

impl EventShape {
    /// The accounts whose trail it belongs to: the one that it is about, and the one that did it.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let actor = match self.actor {
            Actor::Account(account) => Some(account),
            Actor::Agency(_) | Actor::Service | Actor::Operator => None,
        };
        self.account.into_iter().chain(actor)
    }
}

/// Why, encrypted: with a person's key where a slot is named, with the service's own where none is.
#[derive(Serialize, Deserialize)]
pub(crate) struct ReasonShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slot: Option<u32>,
    pub(crate) sealed: String,
}

/// A further line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WriteLine<'a> {
    #[serde(borrow)]
    Certificate(CertificateLine<'a>),
    #[serde(borrow)]
    Annotation(AnnotationLine<'a>),
    Job(JobLine),
    JobDone(JobDoneLine),
    PlainCopy(PlainCopyLine),
    Key(KeyLine),
    Answer(AnswerLine),
    #[serde(borrow)]
    Account(AccountLine<'a>),
    Session(SessionLine),
    Code(CodeLine),
    #[serde(borrow)]
    Ticket(TicketLine<'a>),
    #[serde(borrow)]
    Case(CaseLine<'a>),
    #[serde(borrow)]
    Registrant(RegistrantLine<'a>),
    Company(CompanyShape),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CertificateLine<'a> {
    #[serde(with = "text")]
    pub(crate) id: CertificateId,
    pub(crate) version: u16,
    #[serde(with = "text")]
    pub(crate) issuer: CreditCode,
    #[serde(with = "text")]
    pub(crate) number: NumberKey,
    #[serde(with = "text")]
    pub(crate) person: Blind,
    pub(crate) slot: u32,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) photo: Option<Sha256>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<Sha256>,
    pub(crate) sealed: &'a str,
}

impl CertificateLine<'_> {
    /// The documents that the certificate names: its photo, its holder's signature.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = Sha256> + use<> {
        self.photo.into_iter().chain(self.signature)
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AnnotationLine<'a> {
    #[serde(with = "text")]
    pub(crate) id: AnnotationId,
    #[serde(with = "text")]
    pub(crate) certificate: CertificateId,
    #[serde(with = "text")]
    pub(crate) issuer: CreditCode,
    #[serde(with = "text")]
    pub(crate) code: Blind,
    pub(crate) slot: u32,
    pub(crate) state: &'a str,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<Sha256>,
    /// The last day of what was sealed; lines written before there were reminders have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<NaiveDate>,
    pub(crate) sealed: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct JobLine {
    #[serde(with = "text")]
    pub(crate) annotation: AnnotationId,
    #[serde(with = "text")]
    pub(crate) certificate: CertificateId,
    #[serde(with = "text")]
    pub(crate) issuer: CreditCode,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) ready_at: DateTime<Utc>,
    pub(crate) attempts: u32,
    pub(crate) parked: bool,
}

impl From<&Job> for JobLine {
    fn from(job: &Job) -> Self {
        let Job { annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, parked } =
            job.clone();
        Self { annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, parked }
    }
}

impl From<JobLine> for Job {
    fn from(line: JobLine) -> Self {
        let JobLine { annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, parked } =
            line;
        Self { annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, parked }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct JobDoneLine {
    #[serde(with = "text")]
    pub(crate) annotation: AnnotationId,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct PlainCopyLine {
    #[serde(with = "text")]
    pub(crate) certificate: CertificateId,
    #[serde(with = "text")]
    pub(crate) document: Sha256,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeyLine {
    #[serde(with = "text")]
    pub(crate) id: KeyId,
    #[serde(with = "text")]
    pub(crate) secret: Sha256,
    pub(crate) scopes: Vec<String>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<CreditCode>,
    pub(crate) label: String,
    pub(crate) created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

impl From<&ApiKey> for KeyLine {
    fn from(key: &ApiKey) -> Self {
        let ApiKey { id, secret, scopes, issuer, label, created_at, revoked_at } = key.clone();
        Self { id, secret, scopes, issuer, label, created_at, revoked_at }
    }
}

impl From<KeyLine> for ApiKey {
    fn from(line: KeyLine) -> Self {
        let KeyLine { id, secret, scopes, issuer, label, created_at, revoked_at } = line;
        Self { id, secret, scopes, issuer, label, created_at, revoked_at }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AnswerLine {
    #[serde(with = "text")]
    pub(crate) caller: KeyId,
    #[serde(with = "text")]
    pub(crate) key: Sha256,
    #[serde(with = "text")]
    request: Sha256,
    at: DateTime<Utc>,
    outcome: OutcomeShape,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeShape {
    Ordered {
        #[serde(with = "text")]
        annotation: AnnotationId,
        place: u64,
    },
    Entered {
        #[serde(with = "text")]
        certificate: CertificateId,
        status: String,
    },
}

impl AnswerLine {
    pub(crate) fn new(key: &AnswerKey, answer: &Answer) -> Self {
        let outcome = match answer.outcome.clone() {
            Outcome::Ordered { annotation, place } => OutcomeShape::Ordered { annotation, place },
            Outcome::Entered { certificate, status } => OutcomeShape::Entered { certificate, status },
        };
        Self { caller: key.caller, key: key.key, request: answer.request, at: answer.at, outcome }
    }
}

impl From<AnswerLine> for Answer {
    fn from(line: AnswerLine) -> Self {
        let outcome = match line.outcome {
            OutcomeShape::Ordered { annotation, place } => Outcome::Ordered { annotation, place },
            OutcomeShape::Entered { certificate, status } => Outcome::Entered { certificate, status },
        };
        Self { request: line.request, outcome, at: line.at }
    }
}

/// Puts the lines together.
pub(crate) fn write(events: Vec<EventShape>, lines: &[WriteLine<'_>]) -> Result<Vec<u8>, Unreadable> {
    let mut payload = Vec::with_capacity(1536);
    serde_json::to_writer(&mut payload, &EventsLine { v: VERSION, events })?;
    for line in lines {
        payload.push(b'\n');
        serde_json::to_writer(&mut payload, line)?;
    }
    Ok(payload)
}

/// Reads the events of a payload.
pub(crate) fn read_events(payload: &[u8]) -> Result<Vec<EventShape>, Unreadable> {
    let line = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line: EventsLine = serde_json::from_slice(line)?;
    if line.v == VERSION { Ok(line.events) } else { Err(Unreadable::Version(line.v)) }
}

/// Reads the record writes of a payload and where in it each lies.
pub(crate) fn read_writes(
    payload: &[u8],
) -> impl Iterator<Item = Result<(Range<usize>, WriteLine<'_>), Unreadable>> {
    let mut start = 0;
    payload
        .split(|byte| *byte == b'\n')
        .map(move |line| {
            let range = start..start + line.len();
            start = range.end + 1;
            (range, line)
        })
        .skip(1)
        .map(|(range, line)| Ok((range, read_write(line)?)))
}

/// The personal part of a record write: all that is read where its place is known.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SealedLine<'a> {
    #[serde(borrow)]
    Certificate(SealedPart<'a>),
    #[serde(borrow)]
    Annotation(SealedPart<'a>),
    #[serde(borrow)]
    Account(SealedPart<'a>),
    #[serde(borrow)]
    Ticket(SealedPart<'a>),
    #[serde(borrow)]
    Case(SealedPart<'a>),
    #[serde(borrow)]
    Registrant(SealedPart<'a>),
}

#[derive(Deserialize)]
pub(crate) struct SealedPart<'a> {
    pub(crate) slot: u32,
    pub(crate) sealed: &'a str,
}

/// Reads the personal part of one record write, passing over the rest: verification does this twice a question.
pub(crate) fn read_sealed(line: &[u8]) -> Result<SealedLine<'_>, Unreadable> {
    Ok(serde_json::from_slice(line)?)
}

/// Reads one record write.
pub(crate) fn read_write(line: &[u8]) -> Result<WriteLine<'_>, Unreadable> {
    Ok(serde_json::from_slice(line)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn an_entry_from_before_there_were_accounts_is_written_as_it_was() {
        let entry = "{\"v\":1,\"events\":[{\"deed\":\"document-read\",\"actor\":\"operator\",\
            \"at\":\"2026-11-22T01:00:00Z\",\"certificate\":\"019aa9b1-7480-7101-8101-010101010101\",\
            \"reason\":{\"slot\":3,\"sealed\":\"AAAA\"}}]}\n{\"job_done\":\
            {\"annotation\":\"019aa9b1-7480-7101-8101-010101010102\"}}";
        let events = read_events(entry.as_bytes()).unwrap();
        assert!(events[0].account.is_none() && events[0].accounts().next().is_none());
        let lines: Vec<_> = read_writes(entry.as_bytes()).map(|line| line.unwrap().1).collect();
        assert_eq!(String::from_utf8(write(events, &lines).unwrap()).unwrap(), entry);
    }
}
