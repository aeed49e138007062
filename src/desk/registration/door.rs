//! The narrow door: what an approved case does to the register, in the same change that approves it. Either both are
//! written or neither, and whoever tries again finds the case approved already.

use crate::desk::order::end_copies;
use crate::desk::registration::Registering;
use crate::desk::{Desk, DeskError};
use crate::domain::account::{Account, Owner};
use crate::domain::annotation::Cause;
use crate::domain::certificate::{Certificate, Details, Holder, Name, Standing};
use crate::domain::event::{Deed, Event};
use crate::domain::identity::PersonId;
use crate::domain::ids::CertificateId;
use crate::domain::query::CertificateQuery;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::registration::next::{Effect, Next};
use crate::registration::registrant::Registrant;
use crate::store::{Change, Dossier, Expect, Write};

/// Most certificates of one person that a correction makes anew in one step.
const CORRECTED: usize = 500;

impl Desk {
    /// Adds to a change what the register has to do, and tells the case what came of it.
    pub(super) async fn pass_the_door(
        &self,
        who: &Registering,
        registrant: &Registrant,
        next: Next,
        change: &mut Change,
    ) -> Result<Next, DeskError> {
        match next.effect.clone() {
            None => Ok(next),
            Some(Effect::Enter(entry)) => {
                let id = self.enter_version(who, &entry.details, change).await?;
                Ok(next.granted(id))
            }
            Some(Effect::Cancel { certificate }) => {
                self.cancel(who, certificate, change).await?;
                Ok(next)
            }
            Some(Effect::Correct { person, name, id }) => {
                self.correct(who, registrant, (&person, name.as_ref(), id.as_ref()), next, change).await
            }
        }
    }

    /// A new certificate, or a new version that is in force whatever became of the old one: an authority has just
    /// decided so.
    async fn enter_version(
        &self,
        who: &Registering,
        details: &Details,
        change: &mut Change,
    ) -> Result<CertificateId, DeskError> {
        let newest = self.store.newest(&details.kind, &details.management_no).await?;
        change.expects.push(Expect::Newest(details.kind.clone(), details.management_no.clone(), newest));
        let Some(old) = newest else {
            let certificate = self.version(details, 1, Standing::Valid)?;
            let id = certificate.id;
            change.events.push(self.entered(Deed::CertificateEntered, who, details, id));
            change.writes.push(Write::Certificate(certificate));
            return Ok(id);
        };
        let dossier = self.store.dossier(old).await?.ok_or(DeskError::NotFound)?;
        self.supersede(who, &dossier, details, Standing::Valid, change)
    }

    /// The next version of a certificate; the old one's copies end.
    fn supersede(
        &self,
        who: &Registering,
        dossier: &Dossier,
        details: &Details,
        standing: Standing,
        change: &mut Change,
    ) -> Result<CertificateId, DeskError> {
        let version = dossier.certificate.version + 1;
        if version > 999 {
            return Err(Refusal::field("management_no", FieldFault::OutOfRange("1–999")).into());
        }
        let new = self.version(details, version, standing)?;
        let (id, old) = (new.id, dossier.certificate.id);
        let superseded =
            Certificate { standing: Standing::Superseded { by: id }, ..dossier.certificate.clone() };
        change.expects.push(Expect::Dossier(old, dossier.revision));
        change.events.push(self.entered(Deed::CertificateUpdated, who, details, id));
        change.events.push(self.entered(Deed::CertificateSuperseded, who, details, old));
        change.writes.push(Write::Certificate(superseded));
        change.writes.push(Write::Certificate(new));
        end_copies(self, who.actor(), dossier, Cause::CertificateSuperseded, change);
        Ok(id)
    }

    fn entered(&self, deed: Deed, who: &Registering, details: &Details, id: CertificateId) -> Event {
        Event { issuer: Some(details.issuer.uscc), certificate: Some(id), ..self.event(deed, who.actor()) }
    }

    /// 注销: the newest version of the certificate is cancelled, and its copies end for good.
    async fn cancel(
        &self,
        who: &Registering,
        certificate: CertificateId,
        change: &mut Change,
    ) -> Result<(), DeskError> {
        let known = self.store.certificate(certificate).await?.ok_or(DeskError::NotFound)?;
        let newest = self.store.newest(&known.details.kind, &known.details.management_no).await?;
        let id = newest.unwrap_or(certificate);
        let dossier = self.store.dossier(id).await?.ok_or(DeskError::NotFound)?;
        if !matches!(dossier.certificate.standing, Standing::Valid | Standing::Suspended) {
            // Its issuer ended it already: there is nothing left to cancel.
            return Ok(());
        }
        let cancelled = Certificate { standing: Standing::Cancelled, ..dossier.certificate.clone() };
        change.expects.push(Expect::Dossier(id, dossier.revision));
        let status = self.entered(Deed::StatusDecided, who, &cancelled.details, id);
        change.events.push(Event { reason: "cancelled".parse().ok(), ..status });
        change.writes.push(Write::Certificate(cancelled));
        end_copies(self, who.actor(), &dossier, Cause::CertificateEnded, change);
        Ok(())
    }

    /// 信息更正: name and document are right everywhere. Every certificate of the person that was not superseded gets a new
    /// version with the standing of the old one; accounts and other cases follow.
    async fn correct(
        &self,
        who: &Registering,
        registrant: &Registrant,
        (person, name, id): (&PersonId, Option<&Name>, Option<&PersonId>),
        mut next: Next,
        change: &mut Change,
    ) -> Result<Next, DeskError> {
        let right = id.unwrap_or(person);
        let query = CertificateQuery {
            person: Some(person.clone()),
            limit: CORRECTED,
            ..CertificateQuery::default()
        };
        let held = self.store.certificates(&query).await?.items;
        for old in held.iter().filter(|one| !matches!(one.standing, Standing::Superseded { .. })) {
            let dossier = self.store.dossier(old.id).await?.ok_or(DeskError::NotFound)?;
            let details = corrected(&dossier.certificate.details, name, right);
            let standing = dossier.certificate.standing.clone();
            let new = self.supersede(who, &dossier, &details, standing, change)?;
            next = next.reissued(old.id, new);
        }
        self.correct_account(person, name, right, change).await?;
        if id.is_some() {
            // The new name of the person must be nobody's yet, and nothing is left under the old one.
            change.expects.push(Expect::Registrant(right.clone(), None));
            change.writes.push(Write::Registrant(Registrant::new(person.clone())));
        }
        for mention in registrant.cases.iter().filter(|mention| mention.id != next.case.id) {
            let Some((mut case, revision)) = self.store.case(mention.id).await? else { continue };
            case.person = right.clone();
            case.name = name.unwrap_or(&case.name).clone();
            change.expects.push(Expect::Case(case.id, Some(revision)));
            change.writes.push(Write::Case(case));
        }
        next.case.name = name.unwrap_or(&next.case.name).clone();
        Ok(next)
    }

    async fn correct_account(
        &self,
        person: &PersonId,
        name: Option<&Name>,
        right: &PersonId,
        change: &mut Change,
    ) -> Result<(), DeskError> {
        let login = Owner::Holder(person.clone()).login();
        let Some((account, revision)) = self.store.account_by_login(&login).await? else { return Ok(()) };
        let corrected = Account {
            owner: Owner::Holder(right.clone()),
            name: name.unwrap_or(&account.name).clone(),
            ..account
        };
        change.expects.push(Expect::Account(login, Some(revision)));
        change.writes.push(Write::Account(corrected));
        Ok(())
    }
}

/// What a certificate says of its holder, corrected. What a resident card's number says itself is read from it.
fn corrected(details: &Details, name: Option<&Name>, id: &PersonId) -> Details {
    let holder = &details.holder;
    let same = holder.id == *id;
    Details {
        holder: Holder {
            name: name.unwrap_or(&holder.name).clone(),
            id: id.clone(),
            sex: if same { holder.sex } else { id.citizen().map(|citizen| citizen.sex()).or(holder.sex) },
            born: if same { holder.born } else { id.born().or(holder.born) },
        },
        ..details.clone()
    }
}
