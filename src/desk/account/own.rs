//! A holder's own certificates and their annotations. The rules are those of every order; here stands only whose they
//! are.

use std::time::Duration;

use tokio::sync::broadcast;

use crate::desk::account::session::Holder;
use crate::desk::order::{Document, OrderForm, Ordered};
use crate::desk::{Desk, DeskError, Idempotency};
use crate::domain::annotation::{Annotation, Phase};
use crate::domain::certificate::Certificate;
use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::policy::{Places, Policy};
use crate::domain::query::CertificateQuery;
use crate::store::Dossier;

/// How long a watcher waits before it looks for itself: another node may have made the copy.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One of a holder's own certificates, and what may be done with it today.
#[derive(Clone, Debug)]
pub struct Own {
    /// The certificate.
    pub certificate: Certificate,
    /// Its annotations, newest first.
    pub annotations: Vec<Annotation>,
    /// Its places.
    pub places: Places,
    /// Whether it may be seen without an annotation.
    pub exempt: bool,
    /// The rules of its type.
    pub policy: Policy,
}

impl Own {
    /// How its annotations stand, in one word: the copy that may be used, else the one being made, else what became
    /// of the last one; none where there never was one.
    pub fn phase_on(&self, day: chrono::NaiveDate) -> Option<Phase> {
        let phases = || self.annotations.iter().map(|annotation| annotation.phase_on(day));
        let best = |wanted: Phase| phases().find(|phase| *phase == wanted);
        best(Phase::Ready)
            .or_else(|| best(Phase::Sealing))
            .or_else(|| best(Phase::Queued))
            .or_else(|| phases().next())
    }
}

/// Tells when an annotation may have changed.
#[derive(Debug)]
pub struct Watch {
    annotation: AnnotationId,
    changes: broadcast::Receiver<AnnotationId>,
}

impl Watch {
    /// Waits until the annotation may have changed: at once when this process changed it, else a short while.
    pub async fn changed(&mut self) {
        let seen = async {
            loop {
                match self.changes.recv().await {
                    Ok(id) if id != self.annotation => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    // The desk is gone: nothing will change any more.
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Either way it is time to look.
        let _ = tokio::time::timeout(LOOK_EVERY, seen).await;
    }
}

impl Desk {
    /// The holder's certificates, every version, in the order in which they entered.
    pub async fn own_certificates(&self, holder: &Holder) -> Result<Vec<Own>, DeskError> {
        let mut own = Vec::new();
        let mut after = None;
        loop {
            let person = Some(holder.person().clone());
            let query = CertificateQuery { person, after, limit: 500, ..CertificateQuery::default() };
            let page = self.store.certificates(&query).await?;
            for certificate in &page.items {
                own.push(self.show_own(self.dossier(holder, certificate.id).await?));
            }
            after = page.items.last().map(|certificate| certificate.id);
            if !page.more {
                return Ok(own);
            }
        }
    }

    /// One of the holder's certificates.
    ///
    /// # Errors
    /// `NotFound` for another's, as for one that is not there.
    pub async fn own_certificate(&self, holder: &Holder, id: CertificateId) -> Result<Own, DeskError> {
        Ok(self.show_own(self.dossier(holder, id).await?))
    }

    fn show_own(&self, dossier: Dossier) -> Own {
        let Dossier { certificate, mut annotations, .. } = dossier;
        let policy = self.rules.policies.of(&certificate.details.kind);
        let places = policy.places(&certificate, &annotations, self.today());
        annotations.reverse();
        Own { places, exempt: policy.exempts(&certificate), policy: policy.clone(), certificate, annotations }
    }

    /// Orders an annotation of an own certificate.
    ///
    /// # Errors
    /// The rule that says no.
    pub async fn order_own(
        &self,
        holder: &Holder,
        certificate: CertificateId,
        form: OrderForm,
        idempotency: Option<Idempotency>,
    ) -> Result<Ordered, DeskError> {
        self.place_order(holder, certificate, OrderForm { on_behalf_reason: None, ..form }, idempotency).await
    }

    /// One of the holder's annotations.
    pub async fn own_annotation(&self, holder: &Holder, id: AnnotationId) -> Result<Annotation, DeskError> {
        Ok(self.annotated(holder, id).await?.1)
    }

    /// Watches one of the holder's annotations from now on.
    pub async fn watch_own(&self, holder: &Holder, id: AnnotationId) -> Result<Watch, DeskError> {
        let changes = self.changed.subscribe();
        self.own_annotation(holder, id).await?;
        Ok(Watch { annotation: id, changes })
    }

    /// How a watched annotation stands, while the session that watches it lasts. Watching is no use of a session.
    ///
    /// # Errors
    /// `Unauthenticated` once the session has ended.
    pub async fn look_at_own(&self, holder: &Holder, id: AnnotationId) -> Result<Annotation, DeskError> {
        let now = self.now();
        let found = self.store.session(holder.token()).await?;
        let live = found.is_some_and(|(session, _, account)| session.is_live(&account, now));
        if live { self.own_annotation(holder, id).await } else { Err(DeskError::Unauthenticated) }
    }

    /// Ends one of the holder's live annotations.
    ///
    /// # Errors
    /// `annotation-not-live` where it has ended already.
    pub async fn revoke_own(&self, holder: &Holder, id: AnnotationId) -> Result<Annotation, DeskError> {
        self.withdraw(holder, id, None).await
    }

    /// The sealed copy, while it may be used.
    ///
    /// # Errors
    /// The state that forbids it.
    pub async fn own_document(&self, holder: &Holder, id: AnnotationId) -> Result<Document, DeskError> {
        // The ledger remembers who else was given it, not its holder.
        Ok(self.copy(holder, id).await?.0)
    }

    /// The plain sealed copy of an own certificate that is exempt from annotation.
    ///
    /// # Errors
    /// `annotation-required` for others.
    pub async fn own_plain_document(
        &self,
        holder: &Holder,
        id: CertificateId,
    ) -> Result<Document, DeskError> {
        Ok(self.plain(holder, id).await?.0)
    }
}
