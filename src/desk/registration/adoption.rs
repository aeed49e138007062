//! What the register knows of a person that registration does not yet: qualification certificates and registrations that
//! were loaded by agencies.

use crate::desk::{Desk, DeskError};
use crate::domain::certificate::{Certificate, Standing, Status};
use crate::domain::query::CertificateQuery;
use crate::registration::case::Specialty;
use crate::registration::regime::{Class, Regime};
use crate::registration::registrant::{Qualification, Registrant, Registration, Source};

/// Most certificates of one person that are looked at.
const LOOKED_AT: usize = 500;

impl Desk {
    /// Adds to what is known of a person what the register knows besides. A registration that was loaded is taken to be at
    /// the employer whom the person names first: its record names none.
    pub(super) async fn adopt(&self, registrant: &mut Registrant) -> Result<(), DeskError> {
        let query = CertificateQuery {
            person: Some(registrant.person.clone()),
            limit: LOOKED_AT,
            ..CertificateQuery::default()
        };
        let (today, held) = (self.today(), self.store.certificates(&query).await?.items);
        // One that was revoked since qualifies for nothing any more.
        registrant.qualifications.retain(|one| {
            let of = |held: &&Certificate| Some(&held.details.management_no) == one.management_no.as_ref();
            one.source != Source::Examination
                || held.iter().filter(of).all(|held| held.status_on(today) == Status::Valid)
        });
        for certificate in held {
            if let Some((regime, class)) = self.regimes().of_certificate(&certificate.details.kind) {
                if !matches!(certificate.standing, Standing::Superseded { .. }) {
                    adopt_registration(registrant, regime, class, &certificate);
                }
                continue;
            }
            if certificate.status_on(today) == Status::Valid {
                for regime in self.regimes().regimes() {
                    for class in &regime.classes {
                        adopt_qualification(registrant, regime, class, &certificate);
                    }
                }
            }
        }
        Ok(())
    }
}

fn adopt_registration(
    registrant: &mut Registrant,
    regime: &Regime,
    class: &Class,
    certificate: &Certificate,
) {
    let details = &certificate.details;
    let known = registrant.registrations.iter().any(|one| one.management_no == details.management_no);
    let (Some(specialty), Some(employment), Some(valid_until)) =
        (specialty_of(class, certificate), &registrant.profile.employment, details.valid_until)
    else {
        return;
    };
    if known {
        return;
    }
    registrant.registrations.push(Registration {
        regime: regime.id.clone(),
        class: class.id.clone(),
        specialty,
        certificate: certificate.id,
        management_no: details.management_no.clone(),
        employer: employment.uscc,
        valid_until,
        cancelled: certificate.standing == Standing::Cancelled,
        category: None,
    });
}

fn adopt_qualification(
    registrant: &mut Registrant,
    regime: &Regime,
    class: &Class,
    certificate: &Certificate,
) {
    let details = &certificate.details;
    if class.qualification.as_ref() != Some(&details.kind) {
        return;
    }
    let Some(specialty) = specialty_of(class, certificate) else { return };
    let known = registrant.qualifications.iter().any(|one| {
        one.regime == regime.id
            && one.class.as_ref().is_none_or(|known| *known == class.id)
            && one.specialty == specialty
            && one.source == Source::Examination
    });
    if !known {
        registrant.qualifications.push(Qualification {
            regime: regime.id.clone(),
            class: Some(class.id.clone()),
            specialty,
            management_no: Some(details.management_no.clone()),
            entered_at: certificate.entered_at,
            source: Source::Examination,
        });
    }
}

/// The specialty of a class that a certificate is for: the one it names, or the only one there is.
fn specialty_of(class: &Class, certificate: &Certificate) -> Option<Specialty> {
    if let [only] = &class.specialties[..] {
        return Some(only.clone());
    }
    let named = certificate.details.specialty.as_ref()?;
    class.specialties.iter().find(|specialty| specialty.as_str() == named.as_str()).cloned()
}
