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
use crate::store::embedded::life::closed;
use crate::store::embedded::writer::Request;
use crate::store::embedded::{Embedded, queue};
use crate::store::encoding::{Keys, prepare};
use crate::store::{
    Answer, AnswerKey, Change, CommitError, Committed, DocumentOwner, Dossier, Fault, Health, Lease,
    LeaseToken, Revision, Store,
};

/// Runs what may wait for the disk where waiting is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(act).await {
        Ok(done) => done,
        Err(error) => Err(Fault::new("working in the background", error)),
    }
}

#[async_trait]
impl Store for Embedded {
    // Single records come from memory in a few microseconds: they are read where they are asked for.

    async fn certificate(&self, id: CertificateId) -> Result<Option<Certificate>, Fault> {
        self.core()?.certificate(id)
    }

    async fn newest(
        &self,
        kind: &CertificateType,
        no: &ManagementNo,
    ) -> Result<Option<CertificateId>, Fault> {
        self.core()?.newest(kind, no)
    }

    async fn certificates(&self, query: &CertificateQuery) -> Result<Page<Certificate>, Fault> {
        let (core, query) = (self.core()?, query.clone());
        blocking(move || core.certificates(&query)).await
    }

    async fn dossier(&self, id: CertificateId) -> Result<Option<Dossier>, Fault> {
        self.core()?.dossier(id)
    }

    async fn annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, Fault> {
        self.core()?.annotation(id)
    }

    async fn copy_by_code(&self, code: Code) -> Result<Option<(Annotation, Certificate)>, Fault> {
        self.core()?.copy_by_code(code)
    }

    async fn document_owner(&self, document: Sha256) -> Result<Option<DocumentOwner>, Fault> {
        self.core()?.document_owner(document)
    }

    async fn plain_copy(&self, id: CertificateId) -> Result<Option<Sha256>, Fault> {
        self.core()?.plain_copy(id)
    }

    async fn annotations(&self, query: &AnnotationQuery) -> Result<Page<Annotation>, Fault> {
        let (core, query) = (self.core()?, query.clone());
        blocking(move || core.annotations(&query)).await
    }

    async fn expiring(&self, query: &ExpiryQuery) -> Result<Page<Annotation>, Fault> {
        let (core, query) = (self.core()?, query.clone());
        blocking(move || core.expiring(&query)).await
    }

    async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        let life = self.life("writing the ledger")?;
        if life.core.condition.broken().is_some() {
            return Err(Fault::new("writing the ledger", "the store is broken").into());
        }
        let permit = life.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|error| Fault::new("writing the ledger", error))?;
        let change = prepare(&*life.core, &change)?;
        let (answer, answered) = oneshot::channel();
        life.send(Request { change, answer, permit })?;
        // Who waits here must not keep a closing store from ending.
        drop(life);
        answered.await.map_err(|_| closed("writing the ledger"))?
    }

    async fn put_document(&self, person: &PersonId, digest: Sha256, bytes: &[u8]) -> Result<(), Fault> {
        let core = self.core()?;
        if let Some(why) = core.condition.broken().or_else(|| core.condition.read_only()) {
            return Err(Fault::new("keeping a document", why));
        }
        let person = core.vault.blind_person(person);
        let bytes = bytes.to_vec();
        blocking(move || {
            let slot = core.slot_of(person)?;
            core.documents.put(&core.vault, slot, digest, &bytes)
        })
        .await
    }

    async fn document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        let core = self.core()?;
        blocking(move || core.documents.read(&core.vault, digest)).await
    }

    async fn lease(&self, now: DateTime<Utc>, ttl: Duration) -> Result<Option<Lease>, Fault> {
        Ok(self.core()?.queue.lease(now, ttl))
    }

    async fn release(&self, lease: LeaseToken) {
        if let Ok(core) = self.core() {
            core.queue.release(lease);
        }
    }

    async fn job_arrived(&self) {
        match self.core() {
            Ok(core) => core.queue.arrived().await,
            Err(_) => tokio::time::sleep(queue::WAIT).await,
        }
    }

    async fn queue(&self, issuer: Option<&CreditCode>) -> Result<QueueView, Fault> {
        Ok(self.core()?.queue.view(issuer))
    }

    async fn parked(&self, issuer: Option<&CreditCode>, limit: usize) -> Result<Vec<Job>, Fault> {
        Ok(self.core()?.queue.parked(issuer, limit))
    }

    async fn depth(&self) -> Result<u64, Fault> {
        Ok(self.core()?.queue.depth())
    }

    async fn place_in_queue(&self, annotation: AnnotationId) -> Result<Option<u64>, Fault> {
        Ok(self.core()?.queue.place(annotation))
    }

    async fn job(&self, annotation: AnnotationId) -> Result<Option<Job>, Fault> {
        Ok(self.core()?.queue.job(annotation))
    }

    async fn key_by_secret(&self, secret: Sha256) -> Result<Option<ApiKey>, Fault> {
        self.core()?.key_by_secret(secret)
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, Fault> {
        self.core()?.keys()
    }

    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, Fault> {
        self.core()?.answer(key)
    }

    async fn account(&self, id: AccountId) -> Result<Option<(Account, Revision)>, Fault> {
        self.core()?.account(id)
    }

    async fn account_by_login(&self, login: &LoginName) -> Result<Option<(Account, Revision)>, Fault> {
        self.core()?.account_by_login(login)
    }

    async fn staff(&self) -> Result<Vec<Account>, Fault> {
        self.core()?.staff()
    }

    async fn session(&self, token: Sha256) -> Result<Option<(Session, Revision, Account)>, Fault> {
        self.core()?.session(token)
    }

    async fn verification_code(
        &self,
        purpose: Purpose,
        to: &Contact,
    ) -> Result<Option<(VerificationCode, Revision)>, Fault> {
        self.core()?.verification_code(purpose, to)
    }

    async fn ticket(&self, id: TicketId) -> Result<Option<(Ticket, Revision)>, Fault> {
        self.core()?.ticket(id)
    }

    async fn tickets(&self, query: &TicketQuery) -> Result<Page<Ticket>, Fault> {
        let (core, query) = (self.core()?, query.clone());
        blocking(move || core.tickets(&query)).await
    }

    async fn open_ticket(&self, person: &PersonId, mobile: &Mobile) -> Result<Option<TicketId>, Fault> {
        self.core()?.open_ticket(person, mobile)
    }

    async fn case(&self, id: CaseId) -> Result<Option<(Case, Revision)>, Fault> {
        self.core()?.case(id)
    }

    async fn cases(&self, query: &CaseQuery) -> Result<Page<Case>, Fault> {
        let (core, query) = (self.core()?, query.clone());
        blocking(move || core.cases(&query)).await
    }

    async fn case_counts(
        &self,
        seat: Seat,
        region: Option<Region>,
        today: NaiveDate,
    ) -> Result<Vec<CaseCount>, Fault> {
        let core = self.core()?;
        blocking(move || core.case_counts(seat, region, today)).await
    }

    async fn registrant(&self, person: &PersonId) -> Result<Option<(Registrant, Revision)>, Fault> {
        self.core()?.registrant(person)
    }

    async fn company(&self, uscc: &CreditCode) -> Result<Option<(Company, Revision)>, Fault> {
        self.core()?.company(uscc)
    }

    async fn companies(&self, part: &str, limit: usize) -> Result<Vec<Company>, Fault> {
        let (core, part) = (self.core()?, part.to_owned());
        blocking(move || core.companies(&part, limit)).await
    }

    async fn spend(&self, _: &[Spending]) -> Result<Vec<Duration>, Fault> {
        Ok(Vec::new())
    }

    async fn count_checks(&self, tallies: &Tallies) -> Result<(), Fault> {
        let core = self.core()?;
        if let Some(why) = core.condition.broken().or_else(|| core.condition.read_only()) {
            return Err(Fault::new("counting checks", why));
        }
        let tallies = tallies.clone();
        blocking(move || core.checks.add(&tallies).map_err(|error| Fault::new("counting checks", error)))
            .await
    }

    async fn checks(&self, subject: Subject) -> Result<Tallies, Fault> {
        let core = self.core()?;
        let reading = |error| Fault::new("reading the counts of checks", error);
        blocking(move || core.checks.of(subject).map_err(reading)).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Page<Entry>, Fault> {
        let (core, query) = (self.core()?, query.clone());
        blocking(move || core.entries(&query)).await
    }

    async fn proof(&self, seqs: &[u64]) -> Result<Proof, Fault> {
        let (core, seqs) = (self.core()?, seqs.to_vec());
        blocking(move || core.proof(&seqs)).await
    }

    async fn head(&self) -> Result<Head, Fault> {
        Ok(self.core()?.ledger.head())
    }

    async fn health(&self) -> Health {
        match self.core() {
            Ok(core) => core.condition.health(),
            Err(_) => Health::Broken("the store is closed"),
        }
    }

    async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, Fault> {
        self.sweep_documents(now).await
    }

    async fn reset(&self) -> Result<(), Fault> {
        let life = self.take_life().ok_or_else(|| closed("resetting the store"))?;
        let (folder, options) = (self.folder.clone(), self.options.clone());
        let fresh = blocking(move || life.reset(&folder, &options)).await?;
        self.set_life(fresh);
        Ok(())
    }

    async fn close(&self) -> Result<(), Fault> {
        let Some(life) = self.take_life() else { return Ok(()) };
        let (folder, options) = (self.folder.clone(), self.options.clone());
        let closed = blocking(move || life.close(&folder, &options)).await;
        self.unlock();
        closed
    }
}
