//! Development only: qualifications and profiles without ceremony.

use chrono::NaiveDate;

use crate::desk::registration::profile::{read_photo, read_signature};
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::Mobile;
use crate::domain::event::{Actor, Deed};
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::refusal::Refusal;
use crate::registration::case::Specialty;
use crate::registration::company::Company;
use crate::registration::registrant::{Employment, Qualification, Registrant, Source};
use crate::registration::word::RegimeId;
use crate::store::{Change, Expect, Write};

/// A portrait and a signature of nobody.
const PHOTO: &[u8] = include_bytes!("development/photo.jpg");
const SIGNATURE: &[u8] = include_bytes!("development/signature.png");

impl Desk {
    /// Records a passed examination, for every class of the regime.
    pub(crate) async fn record_examination(
        &self,
        person: &PersonId,
        regime: &RegimeId,
        specialty: &Specialty,
    ) -> Result<(), DeskError> {
        let passed = Qualification {
            regime: regime.clone(),
            class: None,
            specialty: specialty.clone(),
            management_no: None,
            entered_at: self.now(),
            source: Source::Examination,
        };
        self.arrange(person, Deed::QualificationEntered, &|registrant| {
            let same = |one: &Qualification| {
                one.source == passed.source
                    && (&one.regime, &one.specialty) == (&passed.regime, &passed.specialty)
            };
            if !registrant.qualifications.iter().any(same) {
                registrant.qualifications.push(passed.clone());
            }
        })
        .await
    }

    /// Fills in the profile of a person: personal data, photo, signature, and the employer where one is named.
    pub(crate) async fn complete_profile(
        &self,
        person: &PersonId,
        mobile: &Mobile,
        employer: Option<CreditCode>,
    ) -> Result<(), DeskError> {
        let employment = match employer {
            Some(uscc) => Some(Employment {
                uscc,
                name: self.some_company(uscc).await?.name,
                qualifications: Vec::new(),
                contact: Some(mobile.clone()),
                from: self.today() - chrono::TimeDelta::days(365),
                until: None::<NaiveDate>,
            }),
            None => None,
        };
        let unusable = |fault| Refusal::field("complete", fault);
        let photo = self.keep_file(person, &read_photo(PHOTO).map_err(unusable)?).await?;
        let signature = self.keep_file(person, &read_signature(SIGNATURE).map_err(unusable)?).await?;
        self.arrange(person, Deed::ProfileChanged, &|registrant| {
            let profile = &mut registrant.profile;
            profile.ethnicity = "汉族".parse().ok();
            profile.education = "本科".parse().ok();
            profile.degree = "学士".parse().ok();
            profile.school = "示例大学".parse().ok();
            profile.photo = Some(photo);
            profile.signature = Some(signature);
            if employment.is_some() {
                profile.employment.clone_from(&employment);
            }
        })
        .await
    }

    /// A unit of the company register; one without an account where there is none.
    async fn some_company(&self, uscc: CreditCode) -> Result<Company, DeskError> {
        if let Some((company, _)) = self.store.company(&uscc).await? {
            return Ok(company);
        }
        let name = "示例单位".parse().map_err(|fault| Refusal::field("employer", fault))?;
        let company = Company { uscc, name, former_names: Vec::new(), qualifications: Vec::new() };
        let change = Change {
            writes: vec![Write::Company(company.clone())],
            events: vec![self.event(Deed::CompanyEntered, Actor::Service)],
            ..Change::default()
        };
        self.write(change).await?;
        Ok(company)
    }

    async fn arrange(
        &self,
        person: &PersonId,
        deed: Deed,
        change: &(dyn Fn(&mut Registrant) + Sync),
    ) -> Result<(), DeskError> {
        self.settle(|| {
            Box::pin(async move {
                let (known, revision) = self.registrant(person).await?;
                let mut registrant = known.clone();
                change(&mut registrant);
                if registrant == known {
                    return Ok(Plan::Nothing(()));
                }
                let written = Change {
                    expects: vec![Expect::Registrant(person.clone(), revision)],
                    writes: vec![Write::Registrant(registrant)],
                    events: vec![self.event(deed, Actor::Service)],
                };
                Ok(Plan::Write(written, ()))
            })
        })
        .await?;
        Ok(())
    }
}
