//! The register of certificates: the one narrow door into it, and decisions about what is in it.

use crate::desk::order::end_copies;
use crate::desk::record::Record;
use crate::desk::{Caller, Desk, DeskError, Idempotency, Plan};
use crate::domain::annotation::{Cause, Phase};
use crate::domain::certificate::{Certificate, Decision, Details, Line, Standing};
use crate::domain::event::{Deed, Event};
use crate::domain::ids::CertificateId;
use crate::domain::key::Scope;
use crate::domain::licence::LicenceId;
use crate::domain::policy::Places;
use crate::domain::query::{CertificateQuery, Page};
use crate::domain::refusal::{FieldFault, Refusal};
use crate::store::{Answer, Change, Expect, Outcome, Write};

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The version that now holds.
    pub certificate: CertificateId,
    /// New, changed or the same.
    pub how: How,
}

/// What a record did to the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The first version.
    Created,
    /// A newer version, which supersedes the old one and its copies.
    Updated,
    /// The register says the same already.
    Unchanged,
}

impl How {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }

    fn from_word(word: &str) -> Self {
        [Self::Created, Self::Updated].into_iter().find(|how| how.word() == word).unwrap_or(Self::Unchanged)
    }
}

/// A certificate and what stands around it today.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The certificate.
    pub certificate: Certificate,
    /// Its places.
    pub places: Places,
    /// How many of its annotations are in each phase.
    pub annotations: [(Phase, usize); 6],
}

impl Desk {
    /// Enters a record. Entering the same record twice is entering it once; other data under the same type and
    /// management number make a new version, whose standing is the old one's: a suspended or revoked certificate is
    /// never restored by loading it again.
    ///
    /// # Errors
    /// `foreign-issuer` where the key may not act for the issuer.
    pub async fn enter(
        &self,
        caller: &Caller,
        record: Record,
        idempotency: Option<Idempotency>,
    ) -> Result<Entered, DeskError> {
        caller.needs(Scope::CertificatesWrite)?;
        if !caller.sees(&record.details.issuer.uscc) {
            return Err(Refusal::field("issuer.uscc", FieldFault::ForeignIssuer).into());
        }
        let Record { mut details, photo } = record;
        if let Some(photo) = photo {
            let digest = super::digest(photo.as_bytes());
            self.store.put_document(&details.holder.id, digest, photo.as_bytes()).await?;
            details.photo = Some(digest);
        }
        let (entered, _) =
            self.settle(|| Box::pin(self.plan_entry(caller, &details, idempotency.as_ref()))).await?;
        Ok(entered)
    }

    async fn plan_entry(
        &self,
        caller: &Caller,
        details: &Details,
        idempotency: Option<&Idempotency>,
    ) -> Result<Plan<Entered>, DeskError> {
        let asked =
            idempotency.and_then(|idempotency| Some((idempotency.answer_key(caller)?, idempotency.request)));
        if let Some((key, request)) = &asked
            && let Some(answer) = self.store.answer(key).await?
        {
            return match &answer.outcome {
                Outcome::Entered { certificate, status } if answer.request == *request => {
                    Ok(Plan::Nothing(Entered { certificate: *certificate, how: How::from_word(status) }))
                }
                _ => Err(Refusal::KeyReused.into()),
            };
        }
        let newest = self.store.newest(&details.kind, &details.management_no).await?;
        let mut change = Change {
            expects: vec![Expect::Newest(details.kind.clone(), details.management_no.clone(), newest)],
            ..Change::default()
        };
        let entered = match newest {
            None => self.first_version(caller, details, &mut change)?,
            Some(id) => self.next_version(caller, id, details, &mut change).await?,
        };
        if let Some((key, request)) = asked {
            change.expects.push(Expect::Unanswered(key.clone()));
            let outcome =
                Outcome::Entered { certificate: entered.certificate, status: entered.how.word().to_owned() };
            change.writes.push(Write::Answer(key, Answer { request, outcome, at: self.now() }));
        }
        Ok(if change.writes.is_empty() { Plan::Nothing(entered) } else { Plan::Write(change, entered) })
    }

    fn first_version(
        &self,
        caller: &Caller,
        details: &Details,
        change: &mut Change,
    ) -> Result<Entered, DeskError> {
        let certificate = self.version(details, 1, Standing::Valid)?;
        change.events.push(Event {
            issuer: Some(details.issuer.uscc),
            certificate: Some(certificate.id),
            ..self.event(Deed::CertificateEntered, caller.actor)
        });
        let entered = Entered { certificate: certificate.id, how: How::Created };
        change.writes.push(Write::Certificate(certificate));
        Ok(entered)
    }

    async fn next_version(
        &self,
        caller: &Caller,
        old: CertificateId,
        details: &Details,
        change: &mut Change,
    ) -> Result<Entered, DeskError> {
        let dossier = self.store.dossier(old).await?.ok_or(DeskError::NotFound)?;
        if !caller.sees(&dossier.certificate.details.issuer.uscc) {
            // The number is another issuer's; nothing of its record is told.
            return Err(Refusal::field("management_no", FieldFault::ForeignIssuer).into());
        }
        if dossier.certificate.details == *details {
            return Ok(Entered { certificate: old, how: How::Unchanged });
        }
        let version = dossier.certificate.version + 1;
        if version > 999 {
            return Err(Refusal::field("management_no", FieldFault::OutOfRange("1–999")).into());
        }
        let new = self.version(details, version, dossier.certificate.standing.clone())?;
        let superseded =
            Certificate { standing: Standing::Superseded { by: new.id }, ..dossier.certificate.clone() };
        let about = |id, deed| Event {
            issuer: Some(details.issuer.uscc),
            certificate: Some(id),
            ..self.event(deed, caller.actor)
        };
        change.expects.push(Expect::Dossier(old, dossier.revision));
        change.events.push(about(new.id, Deed::CertificateUpdated));
        change.events.push(about(old, Deed::CertificateSuperseded));
        let entered = Entered { certificate: new.id, how: How::Updated };
        change.writes.push(Write::Certificate(superseded));
        change.writes.push(Write::Certificate(new));
        end_copies(self, caller.actor, &dossier, Cause::CertificateSuperseded, change);
        Ok(entered)
    }

    pub(super) fn version(
        &self,
        details: &Details,
        version: u16,
        standing: Standing,
    ) -> Result<Certificate, DeskError> {
        let now = self.now();
        let licence_type = &self.rules.policies.of(&details.kind).licence_type;
        Ok(Certificate {
            id: CertificateId::mint(now, super::chance()?),
            version,
            licence_id: LicenceId::new(licence_type, &details.issuer.uscc, &details.management_no, version),
            details: details.clone(),
            standing,
            entered_at: now,
        })
    }

    /// One version of a certificate.
    pub async fn certificate(&self, caller: &Caller, id: CertificateId) -> Result<Certificate, DeskError> {
        caller.needs(Scope::CertificatesRead)?;
        Ok(self.dossier(caller, id).await?.certificate)
    }

    /// One version of a certificate, with its places today and how its annotations stand, read at one moment.
    pub async fn overview(&self, caller: &Caller, id: CertificateId) -> Result<Overview, DeskError> {
        caller.needs(Scope::CertificatesRead)?;
        let dossier = self.dossier(caller, id).await?;
        let today = self.today();
        let policy = self.rules.policies.of(&dossier.certificate.details.kind);
        let count = |phase| {
            dossier.annotations.iter().filter(|annotation| annotation.phase_on(today) == phase).count()
        };
        Ok(Overview {
            places: policy.places(&dossier.certificate, &dossier.annotations, today),
            annotations: Phase::ALL.map(|phase| (phase, count(phase))),
            certificate: dossier.certificate,
        })
    }

    /// Certificates of the caller's issuer.
    pub async fn certificates(
        &self,
        caller: &Caller,
        query: CertificateQuery,
    ) -> Result<Page<Certificate>, DeskError> {
        caller.needs(Scope::CertificatesRead)?;
        let issuer = caller.issuer.or(query.issuer);
        Ok(self.store.certificates(&CertificateQuery { issuer, ..query }).await?)
    }

    /// Decides how a certificate stands. Revocation and cancellation end its live copies for good; a suspension holds
    /// them; only a suspension can be lifted. Deciding the same twice is deciding it once.
    ///
    /// # Errors
    /// `status-final` for a certificate that was revoked, cancelled or superseded.
    pub async fn decide_status(
        &self,
        caller: &Caller,
        id: CertificateId,
        decision: Decision,
        reason: Line<200>,
    ) -> Result<Certificate, DeskError> {
        caller.needs(Scope::CertificatesWrite)?;
        let (certificate, _) =
            self.settle(|| Box::pin(self.plan_decision(caller, id, decision, reason.clone()))).await?;
        Ok(certificate)
    }

    async fn plan_decision(
        &self,
        caller: &Caller,
        id: CertificateId,
        decision: Decision,
        reason: Line<200>,
    ) -> Result<Plan<Certificate>, DeskError> {
        let dossier = self.dossier(caller, id).await?;
        let standing = decision.standing();
        if dossier.certificate.standing == standing {
            return Ok(Plan::Nothing(dossier.certificate));
        }
        if !matches!(dossier.certificate.standing, Standing::Valid | Standing::Suspended) {
            return Err(Refusal::StatusFinal { status: dossier.certificate.status_on(self.today()) }.into());
        }
        let certificate = Certificate { standing, ..dossier.certificate.clone() };
        let mut change = Change {
            expects: vec![Expect::Dossier(id, dossier.revision)],
            writes: vec![Write::Certificate(certificate.clone())],
            events: vec![Event {
                issuer: Some(certificate.details.issuer.uscc),
                certificate: Some(id),
                reason: Some(reason),
                ..self.event(Deed::StatusDecided, caller.actor)
            }],
        };
        if decision.ends_copies() {
            end_copies(self, caller.actor, &dossier, Cause::CertificateEnded, &mut change);
        }
        Ok(Plan::Write(change, certificate))
    }
}
