//! What entries do to the rows: the one way in which the ledger becomes look-ups, used when an entry is made and when
//! a ledger moves in.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::account::{Session, VerificationCode};
use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, Malformed, Sha256, TicketId};
use crate::domain::key::ApiKey;
use crate::domain::queue::Job;
use crate::store::chain::Chain;
use crate::store::entry::{self, WriteLine, parse_sealed};
use crate::store::record::{Text, Unreadable};
use crate::store::{Answer, AnswerKey};

/// A moment as the database keeps it.
pub(crate) fn nanos(at: DateTime<Utc>) -> i64 {
    at.timestamp_nanos_opt().unwrap_or(if at.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

/// A moment that the database kept.
pub(crate) fn moment(nanos: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(nanos)
}

/// A day as the database keeps it: counted from 1970-01-01.
pub(crate) fn day_number(day: NaiveDate) -> i32 {
    // The calendar of chrono is far shorter than the number.
    i32::try_from((day - NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

pub(crate) fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}

/// A certificate's row, but for its revision.
#[derive(Debug, Clone)]
pub(crate) struct CertificateRow {
    pub(crate) id: CertificateId,
    pub(crate) version: u16,
    pub(crate) issuer: CreditCode,
    pub(crate) number: [u8; 24],
    pub(crate) person: [u8; 16],
    pub(crate) slot: u32,
    pub(crate) photo: Option<Sha256>,
    /// Not in a column of its own: the entry has it, and `documents` its name.
    pub(crate) signature: Option<Sha256>,
    pub(crate) sealed: Vec<u8>,
}

/// An annotation's row, but for what it was decided on.
#[derive(Debug, Clone)]
pub(crate) struct AnnotationRow {
    pub(crate) id: AnnotationId,
    pub(crate) certificate: CertificateId,
    pub(crate) issuer: CreditCode,
    pub(crate) code: [u8; 16],
    pub(crate) slot: u32,
    pub(crate) state: String,
    pub(crate) document: Option<Sha256>,
    pub(crate) valid_until: Option<NaiveDate>,
    pub(crate) sealed: Vec<u8>,
}

/// An account's row, but for its revision.
#[derive(Debug, Clone)]
pub(crate) struct AccountRow {
    pub(crate) id: AccountId,
    pub(crate) login: [u8; 16],
    pub(crate) slot: u32,
    pub(crate) staff: bool,
    pub(crate) sealed: Vec<u8>,
}

/// A ticket's row, but for its revision.
#[derive(Debug, Clone)]
pub(crate) struct TicketRow {
    pub(crate) id: TicketId,
    pub(crate) slot: u32,
    pub(crate) person: [u8; 16],
    pub(crate) mobile: [u8; 16],
    pub(crate) open: bool,
    pub(crate) scan: Sha256,
    pub(crate) sealed: Vec<u8>,
}

/// A case's row, but for its revision.
#[derive(Debug, Clone)]
pub(crate) struct CaseRow {
    pub(crate) id: CaseId,
    pub(crate) slot: u32,
    pub(crate) unit: Option<CreditCode>,
    pub(crate) regime: String,
    pub(crate) business: String,
    pub(crate) stage: Option<String>,
    pub(crate) seat: Option<String>,
    pub(crate) due_on: Option<NaiveDate>,
    pub(crate) state: String,
    pub(crate) documents: Vec<Sha256>,
    pub(crate) sealed: Vec<u8>,
}

/// A registrant's row, but for its revision.
#[derive(Debug, Clone)]
pub(crate) struct RegistrantRow {
    pub(crate) person: [u8; 16],
    pub(crate) slot: u32,
    pub(crate) documents: Vec<Sha256>,
    pub(crate) sealed: Vec<u8>,
}

/// A company's row, but for its revision.
#[derive(Debug, Clone)]
pub(crate) struct CompanyRow {
    pub(crate) uscc: CreditCode,
    pub(crate) names: String,
    pub(crate) record: Vec<u8>,
}

/// A purpose and a blind mobile or address.
pub(crate) type CodeKey = (&'static str, [u8; 16]);

/// What happens to a job.
#[derive(Debug, Clone)]
pub(crate) enum JobWrite {
    Put(Job),
    Done(AnnotationId),
}

impl JobWrite {
    pub(crate) fn annotation(&self) -> AnnotationId {
        match self {
            Self::Put(job) => job.annotation,
            Self::Done(id) => *id,
        }
    }
}

/// A lease as it lies in the row of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) fence: i64,
    pub(crate) until: i64,
    pub(crate) holder: Uuid,
}

/// What an event is about.
#[derive(Debug, Clone)]
pub(crate) struct About {
    issuer: Option<CreditCode>,
    certificate: Option<CertificateId>,
    annotation: Option<AnnotationId>,
    accounts: Vec<AccountId>,
}

/// An entry, read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) certificates: Vec<CertificateRow>,
    pub(crate) annotations: Vec<AnnotationRow>,
    pub(crate) jobs: Vec<JobWrite>,
    pub(crate) plain_copies: Vec<(CertificateId, Sha256)>,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) answers: Vec<(AnswerKey, Answer)>,
    pub(crate) accounts: Vec<AccountRow>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) codes: Vec<(CodeKey, VerificationCode)>,
    pub(crate) tickets: Vec<TicketRow>,
    pub(crate) cases: Vec<CaseRow>,
    pub(crate) registrants: Vec<RegistrantRow>,
    pub(crate) companies: Vec<CompanyRow>,
    pub(crate) events: Vec<About>,
    /// Slots whose keys something in it was encrypted with.
    pub(crate) slots: BTreeSet<u32>,
}

/// An entry that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartsError {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("an entry holds a value that is none")]
    Value(#[from] Malformed),
}

impl Parts {
    /// Reads the payload of an entry.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, PartsError> {
        let mut parts = Self::default();
        for write in entry::read_writes(payload) {
            match write?.1 {
                WriteLine::Certificate(line) => {
                    parts.slots.insert(line.slot);
                    parts.certificates.push(CertificateRow {
                        id: line.id,
                        version: line.version,
                        issuer: line.issuer,
                        number: line.number.0,
                        person: line.person.0,
                        slot: line.slot,
                        photo: line.photo,
                        signature: line.signature,
                        sealed: parse_sealed(line.sealed)?,
                    });
                }
                WriteLine::Annotation(line) => {
                    parts.slots.insert(line.slot);
                    parts.annotations.push(AnnotationRow {
                        id: line.id,
                        certificate: line.certificate,
                        issuer: line.issuer,
                        code: line.code.0,
                        slot: line.slot,
                        state: line.state.to_owned(),
                        document: line.document,
                        valid_until: line.valid_until,
                        sealed: parse_sealed(line.sealed)?,
                    });
                }
                WriteLine::Job(line) => parts.jobs.push(JobWrite::Put(line.into())),
                WriteLine::JobDone(line) => parts.jobs.push(JobWrite::Done(line.annotation)),
                WriteLine::PlainCopy(line) => parts.plain_copies.push((line.certificate, line.document)),
                WriteLine::Key(line) => parts.keys.push(line.into()),
                WriteLine::Answer(line) => {
                    parts.answers.push((AnswerKey { caller: line.caller, key: line.key }, line.into()));
                }
                WriteLine::Account(line) => {
                    parts.slots.insert(line.slot);
                    parts.accounts.push(AccountRow {
                        id: line.id,
                        login: line.login.0,
                        slot: line.slot,
                        staff: line.staff,
                        sealed: parse_sealed(line.sealed)?,
                    });
                }
                WriteLine::Session(line) => parts.sessions.push(line.into()),
                WriteLine::Code(line) => {
                    let mobile = line.mobile.0;
                    let code = line.code()?;
                    parts.codes.push(((code.purpose.word(), mobile), code));
                }
                WriteLine::Ticket(line) => {
                    parts.slots.insert(line.slot);
                    parts.tickets.push(TicketRow {
                        id: line.id,
                        slot: line.slot,
                        person: line.person.0,
                        mobile: line.mobile.0,
                        open: line.open,
                        scan: line.scan,
                        sealed: parse_sealed(line.sealed)?,
                    });
                }
                WriteLine::Case(line) => {
                    parts.slots.insert(line.slot);
                    parts.cases.push(CaseRow {
                        id: line.id,
                        slot: line.slot,
                        unit: line.unit,
                        regime: line.regime.to_string(),
                        business: line.business.to_string(),
                        stage: line.stage.map(|stage| stage.to_string()),
                        seat: line.seat.map(str::to_owned),
                        due_on: line.due_on,
                        state: line.state.to_owned(),
                        documents: line.documents.into_iter().map(|Text(digest)| digest).collect(),
                        sealed: parse_sealed(line.sealed)?,
                    });
                }
                WriteLine::Registrant(line) => {
                    parts.slots.insert(line.slot);
                    parts.registrants.push(RegistrantRow {
                        person: line.person.0,
                        slot: line.slot,
                        documents: line.documents.into_iter().map(|Text(digest)| digest).collect(),
                        sealed: parse_sealed(line.sealed)?,
                    });
                }
                WriteLine::Company(line) => parts.companies.push(CompanyRow {
                    uscc: line.uscc,
                    names: line.names(),
                    record: line.write()?,
                }),
            }
        }
        for event in entry::read_events(payload)? {
            let accounts = event.accounts().collect();
            parts.slots.extend(event.reason.and_then(|reason| reason.slot));
            let (issuer, certificate, annotation) = (event.issuer, event.certificate, event.annotation);
            parts.events.push(About { issuer, certificate, annotation, accounts });
        }
        Ok(parts)
    }

    /// The dossiers that it writes about.
    pub(crate) fn dossiers(&self) -> impl Iterator<Item = CertificateId> {
        let certificates = self.certificates.iter().map(|row| row.id);
        let annotations = self.annotations.iter().map(|row| row.certificate);
        certificates.chain(annotations).chain(self.plain_copies.iter().map(|(id, _)| *id))
    }
}

/// An entry with its number and chain value.
#[derive(Debug)]
pub(crate) struct EntryRow {
    pub(crate) seq: u64,
    pub(crate) payload: Vec<u8>,
    pub(crate) digest: [u8; 32],
    pub(crate) chain: Chain,
}

/// Rows that one statement writes: what the entries of a group come to, each row once.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) certificates: BTreeMap<CertificateId, (CertificateRow, u64)>,
    /// Revisions of dossiers whose certificate is not written itself.
    pub(crate) revisions: BTreeMap<CertificateId, u64>,
    /// With the revision that a new one was decided on, and which of its change it is.
    pub(crate) annotations: BTreeMap<AnnotationId, (AnnotationRow, u64, usize)>,
    /// Jobs to put, with the lease that stays, and jobs that are settled.
    pub(crate) jobs: BTreeMap<AnnotationId, Option<(Job, Option<Held>)>>,
    pub(crate) plain_copies: BTreeMap<CertificateId, Sha256>,
    pub(crate) documents: BTreeMap<Sha256, (Option<AnnotationId>, Option<CertificateId>)>,
    pub(crate) keys: BTreeMap<[u8; 16], ApiKey>,
    pub(crate) answers: BTreeMap<([u8; 16], Sha256), Answer>,
    /// By login name, with their revisions.
    pub(crate) accounts: BTreeMap<[u8; 16], (AccountRow, u64)>,
    /// Whatever accounts and login names were written, if only for a while.
    pub(crate) account_names: BTreeSet<(AccountId, [u8; 16])>,
    pub(crate) sessions: BTreeMap<Sha256, (Session, u64)>,
    pub(crate) codes: BTreeMap<CodeKey, (VerificationCode, u64)>,
    pub(crate) tickets: BTreeMap<TicketId, (TicketRow, u64)>,
    pub(crate) cases: BTreeMap<CaseId, (CaseRow, u64)>,
    /// By blind person.
    pub(crate) registrants: BTreeMap<[u8; 16], (RegistrantRow, u64)>,
    pub(crate) companies: BTreeMap<CreditCode, (CompanyRow, u64)>,
    pub(crate) about_certificates: BTreeSet<(CertificateId, u64)>,
    pub(crate) about_annotations: BTreeSet<(AnnotationId, u64)>,
    /// Annotations whose certificate the database knows.
    pub(crate) about_owners: BTreeSet<(AnnotationId, u64)>,
    pub(crate) about_issuers: BTreeSet<(String, u64)>,
    pub(crate) about_accounts: BTreeSet<(AccountId, u64)>,
}

impl Rows {
    fn revise(&mut self, id: CertificateId, seq: u64) {
        match self.certificates.get_mut(&id) {
            Some((_, revision)) => *revision = seq,
            None => drop(self.revisions.insert(id, seq)),
        }
        self.about_certificates.insert((id, seq));
    }

    /// Keeps a photo, a scan or another file that a record names.
    fn name(&mut self, digest: Sha256) {
        self.documents.entry(digest).or_insert((None, None));
    }

    /// Takes up an entry but for its jobs. `decided_on` says the revision that each of its dossiers had before.
    pub(crate) fn take(&mut self, entry: EntryRow, parts: Parts, decided_on: impl Fn(CertificateId) -> u64) {
        let seq = entry.seq;
        self.entries.push(entry);
        for row in parts.certificates {
            for picture in row.photo.into_iter().chain(row.signature) {
                self.name(picture);
            }
            self.revisions.remove(&row.id);
            let id = row.id;
            self.certificates.insert(id, (row, seq));
            self.revise(id, seq);
        }
        let mut nth = BTreeMap::<CertificateId, usize>::new();
        for row in parts.annotations {
            let (id, certificate) = (row.id, row.certificate);
            if let Some(document) = row.document {
                self.documents.insert(document, (Some(id), None));
            }
            match self.annotations.get_mut(&id) {
                Some((known, ..)) => *known = row,
                None => {
                    let nth = nth.entry(certificate).or_default();
                    self.annotations.insert(id, (row, decided_on(certificate), *nth));
                    *nth += 1;
                }
            }
            self.revise(certificate, seq);
            self.about_annotations.insert((id, seq));
        }
        for (certificate, document) in parts.plain_copies {
            self.documents.insert(document, (None, Some(certificate)));
            self.plain_copies.insert(certificate, document);
            self.revise(certificate, seq);
        }
        for key in parts.keys {
            self.keys.insert(*key.id.as_bytes(), key);
        }
        for (key, answer) in parts.answers {
            self.answers.insert((*key.caller.as_bytes(), key.key), answer);
        }
        for row in parts.accounts {
            // A row is written once: an account that changed its login name leaves the other.
            self.accounts.retain(|_, (known, _)| known.id != row.id);
            self.account_names.insert((row.id, row.login));
            self.accounts.insert(row.login, (row, seq));
        }
        for session in parts.sessions {
            self.sessions.insert(session.token, (session, seq));
        }
        for (key, code) in parts.codes {
            self.codes.insert(key, (code, seq));
        }
        for row in parts.tickets {
            self.name(row.scan);
            self.tickets.insert(row.id, (row, seq));
        }
        for row in parts.cases {
            row.documents.iter().for_each(|document| self.name(*document));
            self.cases.insert(row.id, (row, seq));
        }
        for row in parts.registrants {
            row.documents.iter().for_each(|document| self.name(*document));
            self.registrants.insert(row.person, (row, seq));
        }
        for row in parts.companies {
            self.companies.insert(row.uscc, (row, seq));
        }
        for About { issuer, certificate, annotation, accounts } in parts.events {
            self.about_accounts.extend(accounts.into_iter().map(|account| (account, seq)));
            if let Some(issuer) = issuer {
                self.about_issuers.insert((issuer.as_str().to_owned(), seq));
            }
            if let Some(annotation) = annotation {
                self.about_annotations.insert((annotation, seq));
            }
            match (certificate, annotation) {
                (Some(id), _) => drop(self.about_certificates.insert((id, seq))),
                (None, Some(annotation)) => match self.annotations.get(&annotation) {
                    Some((row, ..)) => drop(self.about_certificates.insert((row.certificate, seq))),
                    None => drop(self.about_owners.insert((annotation, seq))),
                },
                (None, None) => {}
            }
        }
    }
}
