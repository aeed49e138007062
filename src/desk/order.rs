//! Ordering, revoking and retrying annotations, and handing out their documents.

use chrono::{NaiveDate, TimeDelta};

use crate::desk::{Caller, Desk, DeskError, Idempotency, Party, Plan};
use crate::domain::annotation::{Annotation, Cause, Order, Phase, Queued, Recipient, Scenario, State};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, Line, Status};
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::ids::{AnnotationId, CertificateId, Code, Sha256};
use crate::domain::key::Scope;
use crate::domain::policy::Places;
use crate::domain::query::{AnnotationQuery, Page};
use crate::domain::queue::{Job, QueueView};
use crate::domain::refusal::Refusal;
use crate::render::{Unprintable, judge_glyphs};
use crate::store::{Answer, Change, Dossier, Expect, Outcome, Write};

/// An order is done within a day.
const DUE_AFTER: TimeDelta = TimeDelta::hours(24);

/// What a caller asks for.
#[derive(Clone, Debug)]
pub struct OrderForm {
    /// Usage scenario.
    pub scenario: Scenario,
    /// Days of validity.
    pub days: u32,
    /// Recipient.
    pub recipient: Option<Recipient>,
    /// Why a clerk orders for the holder.
    pub on_behalf_reason: Option<Line<200>>,
}

/// An accepted order.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// The annotation as ordered.
    pub annotation: Annotation,
    /// How many are due before it.
    pub place: u64,
}

/// A document and what to call it.
#[derive(Clone, Debug)]
pub struct Document {
    /// The sealed file.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: Sha256,
}

impl Desk {
    /// Accepts an order: the record, the job and the event in one durable write.
    ///
    /// # Errors
    /// The rule that says no; `NotFound` for another issuer's certificate.
    pub async fn order(
        &self,
        caller: &Caller,
        certificate: CertificateId,
        form: OrderForm,
        idempotency: Option<Idempotency>,
    ) -> Result<Ordered, DeskError> {
        caller.needs(Scope::AnnotationsWrite)?;
        self.place_order(caller, certificate, form, idempotency).await
    }

    /// Accepts a party's order.
    pub(super) async fn place_order(
        &self,
        party: &dyn Party,
        certificate: CertificateId,
        form: OrderForm,
        idempotency: Option<Idempotency>,
    ) -> Result<Ordered, DeskError> {
        if let Some(recipient) = &form.recipient {
            judge_recipient(recipient)?;
        }
        let (ordered, _) = self
            .settle(|| Box::pin(self.plan_order(party, certificate, &form, idempotency.as_ref())))
            .await?;
        Ok(ordered)
    }

    async fn plan_order(
        &self,
        party: &dyn Party,
        certificate: CertificateId,
        form: &OrderForm,
        idempotency: Option<&Idempotency>,
    ) -> Result<Plan<Ordered>, DeskError> {
        let asked =
            idempotency.and_then(|idempotency| Some((idempotency.answer_key(party)?, idempotency.request)));
        if let Some((key, request)) = &asked
            && let Some(answer) = self.store.answer(key).await?
        {
            return self.repeat(&answer, *request).await.map(Plan::Nothing);
        }
        let dossier = self.dossier(party, certificate).await?;
        let now = self.now();
        let order = Order {
            scenario: form.scenario.clone(),
            days: form.days,
            recipient: form.recipient.clone(),
            by: party.actor(),
            on_behalf_reason: form.on_behalf_reason.clone(),
            requested_at: now,
            due_at: now + DUE_AFTER,
        };
        let details = &dossier.certificate.details;
        self.rules.policies.of(&details.kind).judge(&dossier.certificate, &dossier.annotations, &order)?;

        let annotation = Annotation {
            id: AnnotationId::mint(now, super::chance()?),
            code: Code::mint(super::chance()?),
            certificate,
            order,
            state: State::Queued(Queued {}),
        };
        let job = Job {
            annotation: annotation.id,
            certificate,
            issuer: details.issuer.uscc,
            requested_at: now,
            due_at: annotation.order.due_at,
            ready_at: now,
            attempts: 0,
            parked: false,
        };
        let place = self.store.depth().await?;
        let mut change = Change {
            expects: vec![Expect::Dossier(certificate, dossier.revision)],
            writes: vec![write(&annotation, &dossier.certificate), Write::Job(job)],
            events: vec![Event {
                reason: form.on_behalf_reason.clone(),
                ..about(&annotation, &dossier.certificate, self.event(Deed::AnnotationOrdered, party.actor()))
            }],
        };
        if let Some((key, request)) = asked {
            change.expects.push(Expect::Unanswered(key.clone()));
            let outcome = Outcome::Ordered { annotation: annotation.id, place };
            change.writes.push(Write::Answer(key, Answer { request, outcome, at: now }));
        }
        Ok(Plan::Write(change, Ordered { annotation, place }))
    }

    /// The same answer as the first time.
    async fn repeat(&self, answer: &Answer, request: Sha256) -> Result<Ordered, DeskError> {
        match &answer.outcome {
            Outcome::Ordered { annotation, place } if answer.request == request => {
                let annotation = self.store.annotation(*annotation).await?.ok_or(DeskError::NotFound)?;
                Ok(Ordered { annotation: annotation.as_ordered(), place: *place })
            }
            _ => Err(Refusal::KeyReused.into()),
        }
    }

    /// Ends a live annotation before its time.
    ///
    /// # Errors
    /// `annotation-not-live` where it has ended already.
    pub async fn revoke(
        &self,
        caller: &Caller,
        id: AnnotationId,
        reason: Option<Line<200>>,
    ) -> Result<Annotation, DeskError> {
        caller.needs(Scope::AnnotationsWrite)?;
        self.withdraw(caller, id, reason).await
    }

    /// Ends a live annotation for a party.
    pub(super) async fn withdraw(
        &self,
        party: &dyn Party,
        id: AnnotationId,
        reason: Option<Line<200>>,
    ) -> Result<Annotation, DeskError> {
        let (annotation, _) =
            self.settle(|| Box::pin(self.plan_revocation(party, id, reason.clone()))).await?;
        Ok(annotation)
    }

    async fn plan_revocation(
        &self,
        party: &dyn Party,
        id: AnnotationId,
        reason: Option<Line<200>>,
    ) -> Result<Plan<Annotation>, DeskError> {
        let (dossier, annotation) = self.annotated(party, id).await?;
        let phase = annotation.phase_on(self.today());
        let revoked = annotation
            .revoke_if_live(self.now(), Cause::Withdrawn)
            .ok_or(Refusal::AnnotationNotLive { phase })?;
        let event = about(&revoked, &dossier.certificate, self.event(Deed::AnnotationRevoked, party.actor()));
        let change = Change {
            expects: vec![Expect::Dossier(dossier.certificate.id, dossier.revision)],
            writes: vec![write(&revoked, &dossier.certificate), Write::JobDone(id)],
            events: vec![Event { reason, ..event }],
        };
        Ok(Plan::Write(change, revoked))
    }

    /// Sends a parked job back to the queue.
    ///
    /// # Errors
    /// `not-parked` where it is in the queue or has ended.
    pub async fn retry(&self, caller: &Caller, id: AnnotationId) -> Result<Annotation, DeskError> {
        caller.needs(Scope::AnnotationsWrite)?;
        let (annotation, _) = self.settle(|| Box::pin(self.plan_retry(caller, id))).await?;
        Ok(annotation)
    }

    async fn plan_retry(&self, caller: &Caller, id: AnnotationId) -> Result<Plan<Annotation>, DeskError> {
        let (dossier, annotation) = self.annotated(caller, id).await?;
        let job = self.store.job(id).await?.filter(|job| job.parked).ok_or(Refusal::NotParked)?;
        let job = Job { parked: false, attempts: 0, ready_at: self.now(), ..job };
        let change = Change {
            expects: vec![Expect::Dossier(dossier.certificate.id, dossier.revision)],
            writes: vec![Write::Job(job)],
            events: vec![about(
                &annotation,
                &dossier.certificate,
                self.event(Deed::JobRetried, caller.actor),
            )],
        };
        Ok(Plan::Write(change, annotation))
    }

    /// One annotation.
    pub async fn annotation(&self, caller: &Caller, id: AnnotationId) -> Result<Annotation, DeskError> {
        caller.needs(Scope::AnnotationsRead)?;
        Ok(self.annotated(caller, id).await?.1)
    }

    /// How many jobs are due before this annotation's; none where it waits no more.
    pub async fn place_in_queue(&self, id: AnnotationId) -> Result<Option<u64>, DeskError> {
        Ok(self.store.place_in_queue(id).await?)
    }

    /// Annotations of the caller's certificates.
    pub async fn annotations(
        &self,
        caller: &Caller,
        query: AnnotationQuery,
    ) -> Result<Page<Annotation>, DeskError> {
        caller.needs(Scope::AnnotationsRead)?;
        if let Some(certificate) = query.certificate {
            self.dossier(caller, certificate).await?;
        }
        Ok(self.store.annotations(&AnnotationQuery { issuer: caller.issuer, ..query }).await?)
    }

    /// The queue as the caller may see it.
    pub async fn queue(&self, caller: &Caller) -> Result<QueueView, DeskError> {
        caller.needs(Scope::AnnotationsRead)?;
        Ok(self.store.queue(caller.issuer()).await?)
    }

    /// The parked jobs that the caller may see, the most urgent first, at most so many.
    pub async fn parked(&self, caller: &Caller, limit: usize) -> Result<Vec<Job>, DeskError> {
        caller.needs(Scope::AnnotationsRead)?;
        Ok(self.store.parked(caller.issuer(), limit).await?)
    }

    /// The sealed copy, while it may be used; that it was handed out is remembered.
    ///
    /// # Errors
    /// The state that forbids it.
    pub async fn document(&self, caller: &Caller, id: AnnotationId) -> Result<Document, DeskError> {
        caller.needs(Scope::AnnotationsRead)?;
        let (document, event) = self.copy(caller, id).await?;
        self.remember(event).await?;
        Ok(document)
    }

    /// The sealed copy, while it may be used, and the event of handing it out.
    pub(super) async fn copy(
        &self,
        party: &dyn Party,
        id: AnnotationId,
    ) -> Result<(Document, Event), DeskError> {
        let (dossier, annotation) = self.annotated(party, id).await?;
        let digest = usable(&annotation, &dossier.certificate, self.today())?;
        let event = about(&annotation, &dossier.certificate, self.event(Deed::DocumentRead, party.actor()));
        Ok((self.fetch(digest).await?, event))
    }

    /// The places of a certificate today.
    pub async fn places(&self, caller: &Caller, id: CertificateId) -> Result<Places, DeskError> {
        caller.needs(Scope::CertificatesRead)?;
        let dossier = self.dossier(caller, id).await?;
        let policy = self.rules.policies.of(&dossier.certificate.details.kind);
        Ok(policy.places(&dossier.certificate, &dossier.annotations, self.today()))
    }

    /// A kept file that the register says exists.
    pub(super) async fn fetch(&self, digest: Sha256) -> Result<Document, DeskError> {
        let missing =
            || crate::store::Fault::new("reading a document", "a document of the register is missing");
        let bytes = self.store.document(digest).await?.ok_or_else(missing)?;
        Ok(Document { bytes, digest })
    }

    /// Writes down what happened where nothing else is written.
    pub(super) async fn remember(&self, event: Event) -> Result<(), DeskError> {
        self.write(Change { events: vec![event], ..Change::default() }).await
    }

    /// An annotation that is the party's business, with its dossier.
    pub(super) async fn annotated(
        &self,
        party: &dyn Party,
        id: AnnotationId,
    ) -> Result<(Dossier, Annotation), DeskError> {
        let certificate = self.store.annotation(id).await?.ok_or(DeskError::NotFound)?.certificate;
        let dossier = self.dossier(party, certificate).await?;
        // Taken from the dossier: as of its revision.
        let annotation = dossier.annotations.iter().find(|annotation| annotation.id == id).cloned();
        Ok((dossier, annotation.ok_or(DeskError::NotFound)?))
    }
}

/// The digest of a copy that may be used on a day, or why it may not.
fn usable(annotation: &Annotation, certificate: &Certificate, today: NaiveDate) -> Result<Sha256, Refusal> {
    match (annotation.phase_on(today), &annotation.state) {
        (Phase::Ready, State::Sealed(sealed)) => match certificate.status_on(today) {
            Status::Valid => Ok(sealed.document),
            status => Err(Refusal::CertificateNotValid { status }),
        },
        (Phase::Expired, State::Sealed(sealed)) => {
            Err(Refusal::AnnotationExpired { valid_until: sealed.intent.valid_until })
        }
        (Phase::Revoked, _) => Err(Refusal::AnnotationRevoked),
        (Phase::Failed, _) => Err(Refusal::AnnotationFailed),
        _ => Err(Refusal::AnnotationNotReady),
    }
}

fn judge_recipient(recipient: &Recipient) -> Result<(), Refusal> {
    match judge_glyphs("recipient", recipient.as_str()) {
        Err(Unprintable::NoGlyph { character, field }) => Err(Refusal::Unprintable { field, character }),
        _ => Ok(()),
    }
}

/// An annotation's record.
pub(super) fn write(annotation: &Annotation, certificate: &Certificate) -> Write {
    Write::Annotation {
        annotation: annotation.clone(),
        person: certificate.details.holder.id.clone(),
        issuer: certificate.details.issuer.uscc,
    }
}

/// An event about an annotation.
pub(super) fn about(annotation: &Annotation, certificate: &Certificate, event: Event) -> Event {
    Event {
        issuer: Some(certificate.details.issuer.uscc),
        certificate: Some(certificate.id),
        annotation: Some(annotation.id),
        ..event
    }
}

/// Ends every live annotation of a dossier with its certificate: the writes and events of it.
pub(super) fn end_copies(desk: &Desk, actor: Actor, dossier: &Dossier, cause: Cause, change: &mut Change) {
    let now = desk.now();
    let today = calendar::day_of(now);
    for annotation in dossier.annotations.iter().filter(|annotation| annotation.is_live_on(today)) {
        if let Some(revoked) = annotation.clone().revoke_if_live(now, cause) {
            change.writes.push(write(&revoked, &dossier.certificate));
            change.writes.push(Write::JobDone(revoked.id));
            let event = about(&revoked, &dossier.certificate, desk.event(Deed::AnnotationRevoked, actor));
            change.events.push(Event { reason: cause.word().parse().ok(), ..event });
        }
    }
}
