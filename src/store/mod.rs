//! Where everything is kept: one trait, and the promises that every home of it makes.
//!
//! Every change is one entry of one ledger: the events (who, when, what, why) together with the record writes that
//! they cause, atomic, numbered without a gap, hash-chained over ciphertext. What is answered with `Ok` is durable.
//!
//! A certificate and its annotations are one *dossier* with one revision. Whoever decides about any of them reads the
//! dossier, decides, and commits expecting the revision that was read: so the quota, the standing of the certificate
//! and the states of its annotations can never contradict each other, however many decide at once.

pub(crate) mod chain;
pub mod cipher;
#[cfg(test)]
pub(crate) mod contract;
pub mod embedded;
pub(crate) mod encoding;
pub(crate) mod entry;
pub(crate) mod envelope;
pub mod inspection;
pub(crate) mod migrate;
pub mod postgres;
pub(crate) mod recent;
pub(crate) mod record;
#[cfg(test)]
pub(crate) mod samples;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::account::{Account, LoginName, Mobile, Purpose, Session, VerificationCode};
use crate::domain::annotation::Annotation;
use crate::domain::certificate::{Certificate, CertificateType, ManagementNo};
use crate::domain::contact::Contact;
use crate::domain::event::Event;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, Code, KeyId, Sha256, TicketId};
use crate::domain::key::ApiKey;
use crate::domain::ledger::{Entry, Head, Proof};
use crate::domain::query::{AnnotationQuery, CertificateQuery, EntryQuery, ExpiryQuery, Page, TicketQuery};
use crate::domain::queue::{Job, QueueView};
use crate::domain::spending::Spending;
use crate::domain::staff::Region;
use crate::domain::tally::{Subject, Tallies};
use crate::domain::ticket::Ticket;
use crate::registration::case::{Case, Seat};
use crate::registration::company::Company;
use crate::registration::query::{CaseCount, CaseQuery};
use crate::registration::registrant::Registrant;

/// The one way to read and write. Any number of callers at once.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    // ---- the register -------------------------------------------------------------------------------------------

    /// One version of a certificate.
    async fn certificate(&self, id: CertificateId) -> Result<Option<Certificate>, Fault>;

    /// The newest version of the certificate with this type and management number.
    async fn newest(&self, kind: &CertificateType, no: &ManagementNo)
    -> Result<Option<CertificateId>, Fault>;

    /// Certificates in the order in which they entered.
    async fn certificates(&self, query: &CertificateQuery) -> Result<Page<Certificate>, Fault>;

    /// A certificate, all its annotations (oldest first) and the revision to expect when committing about them.
    async fn dossier(&self, id: CertificateId) -> Result<Option<Dossier>, Fault>;

    /// One annotation.
    async fn annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, Fault>;

    /// The annotation with this public code, and its certificate: what verification needs, in one call.
    async fn copy_by_code(&self, code: Code) -> Result<Option<(Annotation, Certificate)>, Fault>;

    /// Whose document this is.
    async fn document_owner(&self, document: Sha256) -> Result<Option<DocumentOwner>, Fault>;

    /// The plain copy of an exempt certificate, where one was kept (`Write::PlainCopy`).
    async fn plain_copy(&self, id: CertificateId) -> Result<Option<Sha256>, Fault>;

    /// Annotations in the order in which they were ordered.
    async fn annotations(&self, query: &AnnotationQuery) -> Result<Page<Annotation>, Fault>;

    /// Sealed annotations that were not revoked, by their last day and then in the order in which they were ordered.
    async fn expiring(&self, query: &ExpiryQuery) -> Result<Page<Annotation>, Fault>;

    // ---- writing ------------------------------------------------------------------------------------------------

    /// The one way to write. On `Ok` all of the change is durable; on `Conflict`, `LeaseLost` and `ReadOnly` none of it
    /// is. After a `Fault` it is unknown: read again before deciding anew.
    async fn commit(&self, change: Change) -> Result<Committed, CommitError>;

    /// Keeps a file (a sealed copy, a photo) under its digest, durably, encrypted with its person's key. Keeping it twice is keeping it
    /// once. A file that no change names later is swept after a day.
    async fn put_document(&self, person: &PersonId, digest: Sha256, bytes: &[u8]) -> Result<(), Fault>;

    /// A kept file, decrypted, its digest checked.
    async fn document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault>;

    // ---- the queue ----------------------------------------------------------------------------------------------

    /// Takes the most urgent job that may be done at `now` (`ready_at <= now`; earliest `due_at` first) and is not
    /// leased to anyone; for `ttl` nobody else gets it.
    async fn lease(&self, now: DateTime<Utc>, ttl: Duration) -> Result<Option<Lease>, Fault>;

    /// Gives a lease back unsettled.
    async fn release(&self, lease: LeaseToken);

    /// Waits until a job may have become ready: on a commit that wrote one, or a short while.
    async fn job_arrived(&self);

    /// The queue as an issuer sees it; the whole of it for none.
    async fn queue(&self, issuer: Option<&CreditCode>) -> Result<QueueView, Fault>;

    /// The parked jobs that an issuer sees; of all for none. The most urgent first, at most so many (1 to 500).
    async fn parked(&self, issuer: Option<&CreditCode>, limit: usize) -> Result<Vec<Job>, Fault>;

    /// How many jobs wait or are being done. Takes no longer for a long queue: every order asks.
    async fn depth(&self) -> Result<u64, Fault>;

    /// How many jobs are due before this one; none where it has no job.
    async fn place_in_queue(&self, annotation: AnnotationId) -> Result<Option<u64>, Fault>;

    /// The job of an annotation, if it has one.
    async fn job(&self, annotation: AnnotationId) -> Result<Option<Job>, Fault>;

    // ---- keys and answers ---------------------------------------------------------------------------------------

    /// The API key whose secret has this digest, revoked or not.
    async fn key_by_secret(&self, secret: Sha256) -> Result<Option<ApiKey>, Fault>;

    /// Every API key, oldest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, Fault>;

    /// What a caller was answered under an idempotency key.
    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, Fault>;

    // ---- accounts -----------------------------------------------------------------------------------------------

    /// One account, and the revision to expect when writing it.
    async fn account(&self, id: AccountId) -> Result<Option<(Account, Revision)>, Fault>;

    /// The account that logs in with this name; none where its person was erased.
    async fn account_by_login(&self, login: &LoginName) -> Result<Option<(Account, Revision)>, Fault>;

    /// The accounts of staff, ended ones too, oldest first. They are few.
    async fn staff(&self) -> Result<Vec<Account>, Fault>;

    /// The session whose token has this digest, ended or not, with the revision to expect when writing it, and its
    /// account: what every call of somebody logged in needs, at once.
    async fn session(&self, token: Sha256) -> Result<Option<(Session, Revision, Account)>, Fault>;

    /// The last code sent to somebody for a purpose, and the revision to expect when writing it.
    async fn verification_code(
        &self,
        purpose: Purpose,
        to: &Contact,
    ) -> Result<Option<(VerificationCode, Revision)>, Fault>;

    // ---- tickets ------------------------------------------------------------------------------------------------

    /// One ticket, and the revision to expect when writing it; none where its person was erased.
    async fn ticket(&self, id: TicketId) -> Result<Option<(Ticket, Revision)>, Fault>;

    /// Tickets in the order in which they were opened, without those of erased persons.
    async fn tickets(&self, query: &TicketQuery) -> Result<Page<Ticket>, Fault>;

    /// An open ticket of this person, or sent from this mobile.
    async fn open_ticket(&self, person: &PersonId, mobile: &Mobile) -> Result<Option<TicketId>, Fault>;

    // ---- registration -------------------------------------------------------------------------------------------

    /// One case, and the revision to expect when writing it; none where its person was erased.
    async fn case(&self, id: CaseId) -> Result<Option<(Case, Revision)>, Fault>;

    /// Cases in the order that the query says, without those of erased persons.
    async fn cases(&self, query: &CaseQuery) -> Result<Page<Case>, Fault>;

    /// How many cases a seat holds, in this region or in all, of each regime, business and stage, in this order; those
    /// that were due before `today` counted besides. Those of erased persons are not counted.
    async fn case_counts(
        &self,
        seat: Seat,
        region: Option<Region>,
        today: NaiveDate,
    ) -> Result<Vec<CaseCount>, Fault>;

    /// What registration knows of a person, and the revision to expect when writing it; none where they were erased.
    async fn registrant(&self, person: &PersonId) -> Result<Option<(Registrant, Revision)>, Fault>;

    /// One company of the company register, and the revision to expect when writing it.
    async fn company(&self, uscc: &CreditCode) -> Result<Option<(Company, Revision)>, Fault>;

    /// Companies whose name contains this part, or a former name, by credit code; at most so many (1 to 50).
    async fn companies(&self, part: &str, limit: usize) -> Result<Vec<Company>, Fault>;

    // ---- rates --------------------------------------------------------------------------------------------------

    /// Tells the other nodes what callers spent of their rates here, each bucket once, and learns how far ahead of now
    /// each of these buckets is full again, by what was spent at any node. A store that no other node can share has
    /// nothing to say. What was told may be forgotten with a crash of the database.
    async fn spend(&self, spendings: &[Spending]) -> Result<Vec<Duration>, Fault>;

    // ---- statistics ---------------------------------------------------------------------------------------------

    /// Adds to how often things were verified. No entry of the ledger tells of it. After a `Fault` some of it may have
    /// been added, or all.
    async fn count_checks(&self, tallies: &Tallies) -> Result<(), Fault>;

    /// How often something was verified.
    async fn checks(&self, subject: Subject) -> Result<Tallies, Fault>;

    // ---- the ledger ---------------------------------------------------------------------------------------------

    /// Entries in order, oldest first.
    async fn entries(&self, query: &EntryQuery) -> Result<Page<Entry>, Fault>;

    /// The raw entries with these numbers, and the links between the first and the head: what an outsider needs to
    /// check that they stand in the chain.
    async fn proof(&self, seqs: &[u64]) -> Result<Proof, Fault>;

    /// Number and chain value of the last durable entry.
    async fn head(&self) -> Result<Head, Fault>;

    /// How the store is.
    async fn health(&self) -> Health;

    /// What is due once a day: deletes kept files that no change names and that are older than a day at `now`. Many
    /// nodes may ask; one of them does it. Says how many were deleted.
    async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, Fault>;

    /// Development only: forgets everything, ledger, documents and keys.
    async fn reset(&self) -> Result<(), Fault>;

    /// Writes down a clean stop; no call succeeds after it.
    async fn close(&self) -> Result<(), Fault>;
}

/// The number of the entry that last changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// A certificate, its annotations, and their common revision.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// The certificate.
    pub certificate: Certificate,
    /// All its annotations, oldest first.
    pub annotations: Vec<Annotation>,
    /// What to expect when committing about any of them.
    pub revision: Revision,
}

/// Whose document a digest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentOwner {
    /// An annotated copy.
    Annotation(AnnotationId),
    /// The plain copy of a certificate exempt from annotation.
    Certificate(CertificateId),
}

/// What must hold for a change to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing about this dossier was written since.
    Dossier(CertificateId, Revision),
    /// The newest version under this type and number is this one, or none is known.
    Newest(CertificateType, ManagementNo, Option<CertificateId>),
    /// Nothing was answered under this idempotency key.
    Unanswered(AnswerKey),
    /// This lease still holds.
    Lease(LeaseToken),
    /// The account with this login name was last written so; none: there is no such account, or its person was erased.
    Account(LoginName, Option<Revision>),
    /// This session was last written so.
    Session(Sha256, Revision),
    /// This ticket was last written so, or is not known.
    Ticket(TicketId, Option<Revision>),
    /// This case was last written so, or is not known.
    Case(CaseId, Option<Revision>),
    /// What is known of this registrant was last written so; none: nothing is known, or they were erased.
    Registrant(PersonId, Option<Revision>),
    /// This company was last written so, or is not known.
    Company(CreditCode, Option<Revision>),
    /// The code for this purpose to this contact was last written so, or was never sent.
    VerificationCode(Purpose, Contact, Option<Revision>),
}

/// One record to write, whole.
#[derive(Clone, Debug)]
pub enum Write {
    /// A certificate: new, or as it stands now.
    Certificate(Certificate),
    /// An annotation and the person it is about (the holder of its certificate) and their issuer.
    Annotation {
        /// The annotation as it stands now.
        annotation: Annotation,
        /// Whose it is: chooses the encryption key.
        person: PersonId,
        /// The issuer of its certificate.
        issuer: CreditCode,
    },
    /// A job: new, or as it stands now.
    Job(Job),
    /// The job of this annotation is settled.
    JobDone(AnnotationId),
    /// The plain copy of an exempt certificate.
    PlainCopy(CertificateId, Sha256),
    /// An API key.
    Key(ApiKey),
    /// What a caller was answered.
    Answer(AnswerKey, Answer),
    /// An account: new, or as it stands now. Encrypted with the key of its person; a unit's or a staff member's with one
    /// of its own. It conflicts where its login name is another's, whatever is expected; an erased person's is free.
    Account(Account),
    /// A session: new, or as it stands now.
    Session(Session),
    /// A ticket: new, or as it stands now. Encrypted with the key of its person; its scan is kept as long as it names it.
    /// An open one conflicts where another is open of the same person or mobile, whatever is expected; an erased
    /// person's is in nobody's way.
    Ticket(Ticket),
    /// A case: new, or as it stands now. Encrypted with the key of its person; the files that it names are kept.
    Case(Case),
    /// What registration knows of a person: new, or as it is now. Encrypted with their key; the photo and the signature
    /// that it names are kept.
    Registrant(Registrant),
    /// A company: new, or as it is now. In clear.
    Company(Company),
    /// The code last sent to somebody for a purpose.
    VerificationCode(Contact, VerificationCode),
}

/// Expectations, writes and events: all or nothing.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What must hold.
    pub expects: Vec<Expect>,
    /// What is written.
    pub writes: Vec<Write>,
    /// What is remembered.
    pub events: Vec<Event>,
}

/// The entry that a change became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its number; also the new revision of every dossier it wrote about.
    pub seq: u64,
}

/// A job in one worker's hands.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The job.
    pub job: Job,
    /// Proof of the lease, for `Expect::Lease` and `release`.
    pub token: LeaseToken,
}

/// Names one lease; no two leases have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseToken {
    /// Of which annotation.
    pub annotation: AnnotationId,
    /// Which lease of it.
    pub fence: u64,
}

/// A caller and the idempotency key that it chose.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnswerKey {
    /// The caller's API key.
    pub caller: KeyId,
    /// SHA-256 of the idempotency key.
    pub key: Sha256,
}

/// What was asked and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// SHA-256 of method, path and body.
    pub request: Sha256,
    /// What became of it.
    pub outcome: Outcome,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of a creating call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An annotation was ordered, at this place in the queue.
    Ordered {
        /// Which.
        annotation: AnnotationId,
        /// Its place.
        place: u64,
    },
    /// A certificate entered or was updated or unchanged (`created`, `updated`, `unchanged`).
    Entered {
        /// Which version.
        certificate: CertificateId,
        /// The word.
        status: String,
    },
}

/// How the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// All is well.
    Ready,
    /// Reads only; why.
    ReadOnly(&'static str),
    /// A write failed in a way that cannot be trusted: the process must end.
    Broken(&'static str),
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// An expectation no longer holds: read again and decide anew.
    #[error("somebody else wrote first")]
    Conflict,
    /// The lease went to somebody else.
    #[error("the lease is lost")]
    LeaseLost,
    /// Nothing is written now; why.
    #[error("the store is read-only: {0}")]
    ReadOnly(&'static str),
    /// The machine failed; whether the change was made is unknown.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The machine failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct Fault {
    /// What was being done, without personal data.
    pub doing: &'static str,
    /// Where nothing is wrong but that something beyond this machine does not answer: what. It may be asked again.
    pub away: Option<&'static str>,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Fault {
    /// Says what was being done when it failed.
    pub fn new(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { doing, away: None, source: source.into() }
    }

    /// Says what was being done, and what did not answer.
    pub fn away(
        doing: &'static str,
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { away: Some(what), ..Self::new(doing, source) }
    }
}
