//! The calls of the trait, passed on to those who do the work.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::oneshot;

use crate::domain::account::{Account, LoginName, Mobile, Purpose, Session, VerificationCode};
use crate::domain::annotation::Annotation;
use crate::domain::certificate::{Certificate, CertificateType, ManagementNo};
use crate::domain::contact::Contact;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, Code, Sha256, TicketId};
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
use crate::store::postgres::Postgres;
use crate::store::postgres::arrivals::WAIT;
use crate::store::postgres::committer::{Ready, Request};
use crate::store::postgres::rows::Parts;
use crate::store::{
    Answer, AnswerKey, Change, CommitError, Committed, DocumentOwner, Dossier, Fault, Health, Lease,
    LeaseToken, Revision, Store,
};

/// How long the turn of the daily sweep lasts: less than a day, so that tomorrow's is free.
const SWEEP_TURN: Duration = Duration::from_secs(23 * 3600);

#[async_trait]
impl Store for Postgres {
    async fn certificate(&self, id: CertificateId) -> Result<Option<Certificate>, Fault> {
        self.core()?.certificate(id).await
    }

    async fn newest(
        &self,
        kind: &CertificateType,
        no: &ManagementNo,
    ) -> Result<Option<CertificateId>, Fault> {
        self.core()?.newest(kind, no).await
    }

    async fn certificates(&self, query: &CertificateQuery) -> Result<Page<Certificate>, Fault> {
        self.core()?.certificates(query).await
    }

    async fn dossier(&self, id: CertificateId) -> Result<Option<Dossier>, Fault> {
        self.core()?.dossier(id).await
    }

    async fn annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, Fault> {
        self.core()?.annotation(id).await
    }

    async fn copy_by_code(&self, code: Code) -> Result<Option<(Annotation, Certificate)>, Fault> {
        self.life()?.copy_by_code(code).await
    }

    async fn document_owner(&self, document: Sha256) -> Result<Option<DocumentOwner>, Fault> {
        self.core()?.document_owner(document).await
    }

    async fn plain_copy(&self, id: CertificateId) -> Result<Option<Sha256>, Fault> {
        self.core()?.plain_copy(id).await
    }

    async fn annotations(&self, query: &AnnotationQuery) -> Result<Page<Annotation>, Fault> {
        self.core()?.annotations(query).await
    }

    async fn expiring(&self, query: &ExpiryQuery) -> Result<Page<Annotation>, Fault> {
        self.core()?.expiring(query).await
    }

    async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        let writing = |error| CommitError::from(Fault::new("writing the ledger", error));
        let life = self.life()?;
        let core = &life.core;
        let encoded = async {
            core.refresh().await?;
            core.encode(&change).await
        };
        // Nothing is made yet, so the database that is away is no doubt but a plain no.
        let prepared = encoded.await.map_err(|fault| match fault.away {
            Some(what) => CommitError::ReadOnly(what),
            None => fault.into(),
        })?;
        let parts =
            Parts::read(&prepared.payload).map_err(|error| Fault::new("writing the ledger", error))?;
        let (answer, answered) = oneshot::channel();
        let change = Ready { prepared, parts, moved: false };
        life.requests.send(Request { change, answer }).await.map_err(|_| writing("the store is closed"))?;
        // Who waits here must not keep a closing store from ending.
        drop(life);
        answered.await.map_err(|_| writing("the store is closed"))?
    }

    async fn put_document(&self, person: &PersonId, digest: Sha256, bytes: &[u8]) -> Result<(), Fault> {
        let core = self.core()?;
        core.refresh().await?;
        core.put_document(person, digest, bytes).await
    }

    async fn document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        self.core()?.document(digest).await
    }

    async fn lease(&self, now: DateTime<Utc>, ttl: Duration) -> Result<Option<Lease>, Fault> {
        self.core()?.lease(now, ttl).await
    }

    async fn release(&self, lease: LeaseToken) {
        if let Ok(core) = self.core() {
            core.release(lease).await;
        }
    }

    async fn job_arrived(&self) {
        match self.core() {
            Ok(core) => core.arrivals.arrived().await,
            Err(_) => tokio::time::sleep(WAIT).await,
        }
    }

    async fn queue(&self, issuer: Option<&CreditCode>) -> Result<QueueView, Fault> {
        self.core()?.queue(issuer).await
    }

    async fn parked(&self, issuer: Option<&CreditCode>, limit: usize) -> Result<Vec<Job>, Fault> {
        self.core()?.parked(issuer, limit).await
    }

    async fn depth(&self) -> Result<u64, Fault> {
        self.core()?.depth().await
    }

    async fn place_in_queue(&self, annotation: AnnotationId) -> Result<Option<u64>, Fault> {
        self.core()?.place(annotation).await
    }

    async fn job(&self, annotation: AnnotationId) -> Result<Option<Job>, Fault> {
        self.core()?.job(annotation).await
    }

    async fn key_by_secret(&self, secret: Sha256) -> Result<Option<ApiKey>, Fault> {
        self.core()?.key_by_secret(secret).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, Fault> {
        self.core()?.keys().await
    }

    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, Fault> {
        self.core()?.answer(key).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<(Account, Revision)>, Fault> {
        self.core()?.account(id).await
    }

    async fn account_by_login(&self, login: &LoginName) -> Result<Option<(Account, Revision)>, Fault> {
        self.core()?.account_by_login(login).await
    }

    async fn staff(&self) -> Result<Vec<Account>, Fault> {
        self.core()?.staff().await
    }

    async fn session(&self, token: Sha256) -> Result<Option<(Session, Revision, Account)>, Fault> {
        self.core()?.session(token).await
    }

    async fn verification_code(
        &self,
        purpose: Purpose,
        to: &Contact,
    ) -> Result<Option<(VerificationCode, Revision)>, Fault> {
        self.core()?.verification_code(purpose, to).await
    }

    async fn ticket(&self, id: TicketId) -> Result<Option<(Ticket, Revision)>, Fault> {
        self.core()?.ticket(id).await
    }

    async fn tickets(&self, query: &TicketQuery) -> Result<Page<Ticket>, Fault> {
        self.core()?.tickets(query).await
    }

    async fn open_ticket(&self, person: &PersonId, mobile: &Mobile) -> Result<Option<TicketId>, Fault> {
        self.core()?.open_ticket(person, mobile).await
    }

    async fn case(&self, id: CaseId) -> Result<Option<(Case, Revision)>, Fault> {
        self.core()?.case(id).await
    }

    async fn cases(&self, query: &CaseQuery) -> Result<Page<Case>, Fault> {
        self.core()?.cases(query).await
    }

    async fn case_counts(
        &self,
        seat: Seat,
        region: Option<Region>,
        today: NaiveDate,
    ) -> Result<Vec<CaseCount>, Fault> {
        self.core()?.case_counts(seat, region, today).await
    }

    async fn registrant(&self, person: &PersonId) -> Result<Option<(Registrant, Revision)>, Fault> {
        self.core()?.registrant(person).await
    }

    async fn company(&self, uscc: &CreditCode) -> Result<Option<(Company, Revision)>, Fault> {
        self.core()?.company(uscc).await
    }

    async fn companies(&self, part: &str, limit: usize) -> Result<Vec<Company>, Fault> {
        self.core()?.companies(part, limit).await
    }

    async fn spend(&self, spendings: &[Spending]) -> Result<Vec<Duration>, Fault> {
        self.core()?.spend(spendings).await
    }

    async fn count_checks(&self, tallies: &Tallies) -> Result<(), Fault> {
        self.core()?.count_checks(tallies).await
    }

    async fn checks(&self, subject: Subject) -> Result<Tallies, Fault> {
        self.core()?.checks(subject).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Page<Entry>, Fault> {
        self.core()?.entries(query).await
    }

    async fn proof(&self, seqs: &[u64]) -> Result<Proof, Fault> {
        self.core()?.proof(seqs).await
    }

    async fn head(&self) -> Result<Head, Fault> {
        self.core()?.head().await
    }

    async fn health(&self) -> Health {
        match self.core() {
            Ok(core) => core.health().await,
            Err(_) => Health::Broken("the store is closed"),
        }
    }

    async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, Fault> {
        match self.take_turn("sweep", now, SWEEP_TURN).await? {
            true => self.sweep_documents(now).await,
            false => Ok(0),
        }
    }

    async fn reset(&self) -> Result<(), Fault> {
        self.core()?.reset().await
    }

    async fn close(&self) -> Result<(), Fault> {
        match self.take_life() {
            Some(life) => life.close().await,
            None => Ok(()),
        }
    }
}
