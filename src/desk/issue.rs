//! Making a copy: prepare, write the intent down, seal, check, keep, publish. Any prefix of it may run again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::desk::order::{Document, about, write};
use crate::desk::{Caller, Desk, DeskError, Party, Plan};
use crate::domain::annotation::{Annotation, Failure, Intent, State};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, Status};
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::ids::{CertificateId, Sha256};
use crate::domain::key::Scope;
use crate::domain::queue::Job;
use crate::domain::refusal::Refusal;
use crate::render::photo::Photo;
use crate::render::signature::Signature;
use crate::render::{Block, CopyKind, Sheet, Unprintable, UnsealedPdf, render};
use crate::seal::{SealedPdf, seal};
use crate::store::{Change, Dossier, Expect, Lease, LeaseToken, Write};

/// A job that failed so often waits for a person: something is wrong with it, not with the machine.
const PARK_AFTER: u32 = 8;

/// The longest wait between two tries.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// The copy is ready.
    Ready,
    /// It can never be made; its place is free again.
    Failed,
    /// It will be tried again.
    Postponed,
    /// It waits for a person.
    Parked,
    /// There was nothing left to do.
    Moot,
}

/// Why a copy cannot be made now.
enum Obstacle {
    /// It never can.
    Never {
        /// Stable code.
        code: &'static str,
        /// What the code speaks of.
        about: Option<String>,
    },
    /// A later try may succeed; why, without personal data.
    NotNow(&'static str),
    /// Somebody ended the annotation, or another worker has the job.
    Moot,
    /// The store itself failed.
    Desk(DeskError),
}

impl From<DeskError> for Obstacle {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Unavailable("lease-lost") => Self::Moot,
            other => Self::Desk(other),
        }
    }
}

impl From<crate::store::Fault> for Obstacle {
    fn from(fault: crate::store::Fault) -> Self {
        Self::Desk(fault.into())
    }
}

impl Desk {
    /// The most urgent job that may be done now, in this worker's hands for `ttl`.
    pub(crate) async fn lease(&self, ttl: Duration) -> Result<Option<Lease>, DeskError> {
        Ok(self.store.lease(self.now(), ttl).await?)
    }

    /// Waits until a job may have become ready.
    pub(crate) async fn job_arrived(&self) {
        self.store.job_arrived().await;
    }

    /// Makes the copy of a leased job and settles the lease, whatever happens.
    ///
    /// # Errors
    /// Where the store fails: the lease lapses and the job is tried again.
    pub(crate) async fn issue(&self, lease: Lease) -> Result<Issued, DeskError> {
        let Lease { job, token } = lease;
        let outcome = match self.make(&job, token).await {
            Ok(()) => Ok(Issued::Ready),
            Err(Obstacle::Never { code, about }) => self.give_up(&job, token, code, about).await,
            Err(Obstacle::NotNow(why)) => self.postpone(&job, token, why).await,
            Err(Obstacle::Moot) => self.drop_job(&job, token).await,
            Err(Obstacle::Desk(error)) => Err(error),
        };
        if outcome.is_err() {
            self.store.release(token).await;
        }
        outcome
    }

    async fn make(&self, job: &Job, token: LeaseToken) -> Result<(), Obstacle> {
        let (dossier, annotation) = self.waiting(job).await?.ok_or(Obstacle::Moot)?;
        let now = self.now();
        if now >= job.due_at {
            return Err(Obstacle::Never { code: "deadline-missed", about: None });
        }
        let intent = self.intend(&dossier.certificate, &annotation, now)?;
        let sheet = self.sheet(&dossier.certificate, Some((&annotation, &intent)), now).await?;
        let (unsealed, digest) = self.draw(sheet).await?;
        let intent = Intent { sheet: digest, ..intent };
        self.write_intent(job, token, &intent).await?;
        // From here the key is used: the ledger says so already.
        let sealed = self.stamp(unsealed).await?;
        self.store
            .put_document(&dossier.certificate.details.holder.id, sealed.digest(), sealed.bytes())
            .await?;
        self.publish(job, token, &intent, sealed.digest()).await
    }

    /// The annotation of a job, while it still waits for its copy.
    async fn waiting(&self, job: &Job) -> Result<Option<(Dossier, Annotation)>, DeskError> {
        let Some(dossier) = self.store.dossier(job.certificate).await? else { return Ok(None) };
        let mine = |annotation: &&Annotation| {
            annotation.id == job.annotation
                && matches!(annotation.state, State::Queued(_) | State::Sealing(_))
        };
        let annotation = dossier.annotations.iter().find(mine).cloned();
        Ok(annotation.map(|annotation| (dossier, annotation)))
    }

    /// What would be sealed now; the sheet's digest is filled in once it is drawn.
    fn intend(
        &self,
        certificate: &Certificate,
        annotation: &Annotation,
        now: DateTime<Utc>,
    ) -> Result<Intent, Obstacle> {
        let today = calendar::day_of(now);
        match certificate.status_on(today) {
            Status::Valid => {}
            Status::Suspended => return Err(Obstacle::NotNow("the certificate is suspended")),
            status => {
                return Err(Obstacle::Never {
                    code: "certificate-not-valid",
                    about: Some(status.word().into()),
                });
            }
        }
        let policy = self.rules.policies.of(&certificate.details.kind);
        let last = policy.last_day(certificate, today, annotation.order.days);
        let lapsed =
            Obstacle::Never { code: "certificate-not-valid", about: Some(Status::Lapsed.word().into()) };
        let valid_until = last.ok_or(lapsed)?;
        Ok(Intent { sheet: Sha256::new([0; 32]), at: now, valid_from: today, valid_until })
    }

    /// Everything that stands on the page.
    async fn sheet(
        &self,
        certificate: &Certificate,
        annotated: Option<(&Annotation, &Intent)>,
        now: DateTime<Utc>,
    ) -> Result<Sheet, Obstacle> {
        let details = &certificate.details;
        let photo = match details.photo {
            Some(digest) => Some(self.picture(digest, Photo::from_stored, "the photo cannot be read").await?),
            None => None,
        };
        let signature = match details.signature {
            Some(digest) => {
                Some(self.picture(digest, Signature::from_stored, "the signature cannot be read").await?)
            }
            None => None,
        };
        let text = |line: Option<&dyn ToString>| line.map(ToString::to_string);
        let born = details.holder.born.or_else(|| details.holder.id.citizen().map(|citizen| citizen.born()));
        let sex = details.holder.sex.or_else(|| details.holder.id.citizen().map(|citizen| citizen.sex()));
        Ok(Sheet {
            title: details.title.to_string(),
            holder_name: details.holder.name.to_string(),
            id_number: details.holder.id.number().to_owned(),
            sex: sex.map(|sex| sex.word().to_owned()),
            born,
            level: text(details.level.as_ref().map(|line| line as &dyn ToString)),
            specialty: text(details.specialty.as_ref().map(|line| line as &dyn ToString)),
            approved_on: details.approved_on,
            issued_on: details.issued_on,
            valid_until: details.valid_until,
            management_no: details.management_no.to_string(),
            licence_id: certificate.licence_id.to_string(),
            issuer: details.issuer.name.to_string(),
            photo,
            signature,
            hand_signature: self.rules.policies.of(&details.kind).hand_signature,
            stamp: self.rules.stamps.of(&details.issuer),
            copy: match annotated {
                Some((annotation, intent)) => {
                    CopyKind::Annotated(self.block(certificate, annotation, intent))
                }
                None => CopyKind::Plain,
            },
            made_at: now,
        })
    }

    /// A kept photo or signature. One that cannot be read is its own job's trouble: it is tried again, then parked.
    async fn picture<P, E>(
        &self,
        digest: Sha256,
        read: impl Fn(Vec<u8>) -> Result<P, E>,
        refusal: &'static str,
    ) -> Result<P, Obstacle>
    where
        E: std::error::Error + 'static,
    {
        let unreadable = |error: &(dyn std::error::Error + 'static)| {
            tracing::error!(%error, %digest, "{refusal}");
            Obstacle::NotNow(refusal)
        };
        let kept = self.fetch(digest).await.map_err(|error| unreadable(&error))?;
        read(kept.bytes).map_err(|error| unreadable(&error))
    }

    fn block(&self, certificate: &Certificate, annotation: &Annotation, intent: &Intent) -> Block {
        let order = &annotation.order;
        let policy = self.rules.policies.of(&certificate.details.kind);
        let scenario = policy.scenario(&order.scenario).map(|text| text.chinese.clone());
        Block {
            scenario: scenario.unwrap_or_else(|| order.scenario.to_string()),
            recipient: order.recipient.as_ref().map(ToString::to_string),
            valid_from: intent.valid_from,
            valid_until: intent.valid_until,
            code: annotation.code.grouped(),
            verify_url: format!("{}/v/{}", self.rules.public_url, annotation.code),
        }
    }

    /// Draws off the async threads; a panic there is an obstacle, not the end of the service.
    async fn draw(&self, sheet: Sheet) -> Result<(UnsealedPdf, Sha256), Obstacle> {
        let drawn = tokio::task::spawn_blocking(move || {
            render(&sheet).map(|pdf| {
                let digest = super::digest(pdf.as_bytes());
                (pdf, digest)
            })
        });
        match drawn.await {
            Ok(Ok(drawn)) => Ok(drawn),
            Ok(Err(Unprintable::NoGlyph { character, field })) => Err(Obstacle::Never {
                code: "unprintable-character",
                about: Some(format!("{field}: {character} (U+{:04X})", u32::from(character))),
            }),
            Ok(Err(Unprintable::TooLong { field })) => {
                Err(Obstacle::Never { code: "does-not-fit", about: Some(field.to_owned()) })
            }
            Ok(Err(_)) => Err(Obstacle::NotNow("the page could not be drawn")),
            Err(_) => Err(Obstacle::NotNow("drawing the page panicked")),
        }
    }

    /// Seals off the async threads: the key may be a device that blocks.
    async fn stamp(&self, unsealed: UnsealedPdf) -> Result<SealedPdf, Obstacle> {
        let key = self.key.clone();
        match tokio::task::spawn_blocking(move || seal(unsealed, &*key)).await {
            Ok(Ok(sealed)) => Ok(sealed),
            Ok(Err(error)) => {
                tracing::error!(error = %error, "sealing failed");
                Err(Obstacle::NotNow("sealing failed"))
            }
            Err(_) => Err(Obstacle::NotNow("sealing panicked")),
        }
    }

    async fn write_intent(&self, job: &Job, token: LeaseToken, intent: &Intent) -> Result<(), Obstacle> {
        let begin = |annotation: Annotation| {
            let state = match annotation.state {
                State::Queued(queued) => queued.begin(intent.clone()),
                State::Sealing(sealing) => sealing.begin(intent.clone()),
                _ => return None,
            };
            Some(Annotation { state: State::Sealing(state), ..annotation })
        };
        let job_write = Write::Job(Job { attempts: job.attempts + 1, ..job.clone() });
        self.advance(job, token, Deed::SealingBegun, None, job_write, begin).await
    }

    async fn publish(
        &self,
        job: &Job,
        token: LeaseToken,
        intent: &Intent,
        document: Sha256,
    ) -> Result<(), Obstacle> {
        let complete = |annotation: Annotation| match annotation.state {
            // Only what this intent announced is published.
            State::Sealing(sealing) if sealing.intent == *intent => {
                Some(Annotation { state: State::Sealed(sealing.complete(document)), ..annotation })
            }
            _ => None,
        };
        self.advance(job, token, Deed::AnnotationSealed, None, Write::JobDone(job.annotation), complete).await
    }

    async fn give_up(
        &self,
        job: &Job,
        token: LeaseToken,
        code: &'static str,
        what: Option<String>,
    ) -> Result<Issued, DeskError> {
        let failure = Failure { at: self.now(), code: code.to_owned(), about: what };
        let fail = |annotation: Annotation| {
            let state = match annotation.state {
                State::Queued(queued) => queued.fail(failure.clone()),
                State::Sealing(sealing) => sealing.fail(failure.clone()),
                _ => return None,
            };
            Some(Annotation { state: State::Failed(state), ..annotation })
        };
        let done = Write::JobDone(job.annotation);
        match self.advance(job, token, Deed::AnnotationFailed, Some(code), done, fail).await {
            Ok(()) => Ok(Issued::Failed),
            Err(Obstacle::Desk(error)) => Err(error),
            Err(_) => self.drop_job(job, token).await,
        }
    }

    async fn postpone(&self, job: &Job, token: LeaseToken, why: &'static str) -> Result<Issued, DeskError> {
        let attempts = job.attempts + 1;
        let parked = attempts >= PARK_AFTER && why != "the certificate is suspended";
        let ready_at = if parked { job.due_at } else { self.next_try(attempts)?.min(job.due_at) };
        let next = Write::Job(Job { attempts, ready_at, parked, ..job.clone() });
        let deed = if parked { Deed::JobParked } else { Deed::SealingPostponed };
        match self.advance(job, token, deed, Some(why), next, Some).await {
            Ok(()) => Ok(if parked { Issued::Parked } else { Issued::Postponed }),
            Err(Obstacle::Desk(error)) => Err(error),
            Err(_) => self.drop_job(job, token).await,
        }
    }

    /// Doubling waits from a second on, with half of each left to chance, so that many jobs do not come back at once.
    fn next_try(&self, attempts: u32) -> Result<DateTime<Utc>, DeskError> {
        let wait = TimeDelta::seconds(1 << attempts.min(10)).min(LONGEST_WAIT);
        let [share] = super::chance::<1>()?;
        Ok(self.now() + wait / 2 + wait * i32::from(share) / 512)
    }

    /// The annotation needs no copy any more.
    async fn drop_job(&self, job: &Job, token: LeaseToken) -> Result<Issued, DeskError> {
        let change = Change {
            expects: vec![Expect::Lease(token)],
            writes: vec![Write::JobDone(job.annotation)],
            ..Change::default()
        };
        match self.write(change).await {
            Ok(()) | Err(DeskError::Unavailable("lease-lost")) => Ok(Issued::Moot),
            Err(error) => Err(error),
        }
    }

    /// Writes the next state of a waiting annotation and of its job, expecting the lease.
    async fn advance(
        &self,
        job: &Job,
        token: LeaseToken,
        deed: Deed,
        reason: Option<&'static str>,
        job_write: Write,
        step: impl Fn(Annotation) -> Option<Annotation> + Sync,
    ) -> Result<(), Obstacle> {
        let step = &step;
        let job_write = &job_write;
        let plan = || {
            Box::pin(async move {
                let Some((dossier, annotation)) = self.waiting(job).await? else {
                    return Ok(Plan::Nothing(false));
                };
                let Some(annotation) = step(annotation) else { return Ok(Plan::Nothing(false)) };
                let event = about(&annotation, &dossier.certificate, self.event(deed, Actor::Service));
                let change = Change {
                    expects: vec![
                        Expect::Lease(token),
                        Expect::Dossier(dossier.certificate.id, dossier.revision),
                    ],
                    writes: vec![write(&annotation, &dossier.certificate), job_write.clone()],
                    events: vec![Event { reason: reason.and_then(|reason| reason.parse().ok()), ..event }],
                };
                Ok(Plan::Write(change, true))
            }) as super::Decision<'_, bool>
        };
        match self.settle(plan).await? {
            (true, _) => Ok(()),
            (false, _) => Err(Obstacle::Moot),
        }
    }

    /// The plain sealed copy of a certificate exempt from annotation: made at the first call, kept, and handed out.
    ///
    /// # Errors
    /// `annotation-required` for others, `certificate-not-valid` where it is not in force.
    pub async fn plain_document(&self, caller: &Caller, id: CertificateId) -> Result<Document, DeskError> {
        caller.needs(Scope::AnnotationsRead)?;
        let (document, event) = self.plain(caller, id).await?;
        self.remember(event).await?;
        Ok(document)
    }

    /// The plain sealed copy, and the event of handing it out.
    pub(super) async fn plain(
        &self,
        party: &dyn Party,
        id: CertificateId,
    ) -> Result<(Document, Event), DeskError> {
        let dossier = self.dossier(party, id).await?;
        let certificate = &dossier.certificate;
        if !self.rules.policies.of(&certificate.details.kind).exempts(certificate) {
            return Err(Refusal::AnnotationRequired.into());
        }
        match certificate.status_on(self.today()) {
            Status::Valid => {}
            status => return Err(Refusal::CertificateNotValid { status }.into()),
        }
        let digest = match self.store.plain_copy(id).await? {
            Some(digest) => digest,
            None => self.make_plain(party, certificate).await?,
        };
        let event = self.about_certificate(Deed::DocumentRead, party.actor(), certificate);
        Ok((self.fetch(digest).await?, event))
    }

    async fn make_plain(&self, party: &dyn Party, certificate: &Certificate) -> Result<Sha256, DeskError> {
        let sheet = self.sheet(certificate, None, self.now()).await.map_err(plain_obstacle)?;
        let (unsealed, _) = self.draw(sheet).await.map_err(plain_obstacle)?;
        self.remember(self.about_certificate(Deed::SealingBegun, party.actor(), certificate)).await?;
        // From here the key is used: the ledger says so already.
        let sealed = self.stamp(unsealed).await.map_err(plain_obstacle)?;
        self.store.put_document(&certificate.details.holder.id, sealed.digest(), sealed.bytes()).await?;
        let (digest, _) =
            self.settle(|| Box::pin(self.plan_plain(party, certificate.id, sealed.digest()))).await?;
        Ok(digest)
    }

    /// Publishes a plain copy unless another call published one first.
    async fn plan_plain(
        &self,
        party: &dyn Party,
        id: CertificateId,
        digest: Sha256,
    ) -> Result<Plan<Sha256>, DeskError> {
        let dossier = self.dossier(party, id).await?;
        if let Some(first) = self.store.plain_copy(id).await? {
            return Ok(Plan::Nothing(first));
        }
        let change = Change {
            expects: vec![Expect::Dossier(id, dossier.revision)],
            writes: vec![Write::PlainCopy(id, digest)],
            events: vec![self.about_certificate(Deed::PlainCopySealed, party.actor(), &dossier.certificate)],
        };
        Ok(Plan::Write(change, digest))
    }

    fn about_certificate(&self, deed: Deed, actor: Actor, certificate: &Certificate) -> Event {
        Event {
            issuer: Some(certificate.details.issuer.uscc),
            certificate: Some(certificate.id),
            ..self.event(deed, actor)
        }
    }
}

/// A plain copy is made while its caller waits, so every obstacle is an answer.
fn plain_obstacle(obstacle: Obstacle) -> DeskError {
    match obstacle {
        Obstacle::Desk(error) => error,
        Obstacle::Never { .. } => Refusal::AnnotationFailed.into(),
        Obstacle::NotNow(why) => DeskError::Unavailable(why),
        Obstacle::Moot => DeskError::Unavailable("busy"),
    }
}
