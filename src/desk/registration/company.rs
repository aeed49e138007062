//! The company register: units that have an account, found by a part of their name.

use crate::desk::record::Fields;
use crate::desk::registration::Registering;
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, Owner};
use crate::domain::certificate::Line;
use crate::domain::event::{Deed, Event};
use crate::domain::identity::CreditCode;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::registration::company::{COMPANIES_MOST, Company, CompanyQualification};
use crate::registration::party::Party;
use crate::store::{Change, Expect, Write};

/// Most qualification certificates that a unit enters.
const QUALIFICATIONS: usize = 50;

/// A qualification certificate, as typed.
#[derive(Clone, Debug)]
pub struct QualificationForm {
    /// For which industry.
    pub industry: String,
    /// Its number.
    pub number: String,
}

impl Desk {
    /// Units whose name, or a former one, contains a part of two characters at least.
    ///
    /// # Errors
    /// `invalid-fields`.
    pub async fn find_companies(&self, part: &str) -> Result<Vec<Company>, DeskError> {
        let part = part.trim();
        if part.chars().count() < 2 {
            return Err(Refusal::field("name", FieldFault::OutOfRange("2–60")).into());
        }
        Ok(self.store.companies(part, COMPANIES_MOST).await?)
    }

    /// The entry of the unit that asks.
    ///
    /// # Errors
    /// `NotFound` for persons and authorities.
    pub async fn own_company(&self, who: &Registering) -> Result<Company, DeskError> {
        let uscc = unit_of(who)?;
        Ok(self.store.company(&uscc).await?.ok_or(DeskError::NotFound)?.0)
    }

    /// Sets the qualification certificates (资质证书) of the unit that asks, all of them at once.
    ///
    /// # Errors
    /// `invalid-fields`; `NotFound` for persons and authorities.
    pub async fn set_company_qualifications(
        &self,
        who: &Registering,
        typed: &[QualificationForm],
    ) -> Result<Company, DeskError> {
        let uscc = unit_of(who)?;
        let mut fields = Fields::default();
        let mut qualifications = Vec::new();
        for (at, form) in typed.iter().enumerate() {
            let industry = fields.parse(&format!("qualifications[{at}].industry"), &form.industry);
            let number = fields.parse(&format!("qualifications[{at}].number"), &form.number);
            qualifications.extend(
                industry.zip(number).map(|(industry, number)| CompanyQualification { industry, number }),
            );
        }
        if typed.len() > QUALIFICATIONS {
            fields.fault("qualifications", FieldFault::OutOfRange("0–50"));
        }
        let qualifications = fields.finish(Some(qualifications))?;
        let qualifications = &qualifications;
        let (company, _) = self
            .settle(|| {
                Box::pin(async move {
                    let (known, revision) = self.store.company(&uscc).await?.ok_or(DeskError::NotFound)?;
                    let company = Company { qualifications: qualifications.clone(), ..known };
                    let event = Event {
                        account: Some(who.account.id),
                        ..self.event(Deed::CompanyEntered, who.actor())
                    };
                    let change = Change {
                        expects: vec![Expect::Company(uscc, Some(revision))],
                        writes: vec![Write::Company(company.clone())],
                        events: vec![event],
                    };
                    Ok(Plan::Write(change, company))
                })
            })
            .await?;
        Ok(company)
    }

    /// Adds to the change that opens or renames a unit's account its entry in the company register. Its qualification
    /// certificates stay.
    pub(in crate::desk) async fn enter_company(
        &self,
        account: &Account,
        change: &mut Change,
    ) -> Result<(), DeskError> {
        let Owner::Unit { uscc, former_names } = &account.owner else { return Ok(()) };
        let known = self.store.company(uscc).await?;
        let qualifications =
            known.as_ref().map(|(company, _)| company.qualifications.clone()).unwrap_or_default();
        let wide = |name: &crate::domain::certificate::Name| name.as_str().parse::<Line<60>>().ok();
        let Some(name) = wide(&account.name) else { return Ok(()) };
        let former_names = former_names.iter().filter_map(wide).collect();
        let company = Company { uscc: *uscc, name, former_names, qualifications };
        if known.as_ref().is_some_and(|(known, _)| *known == company) {
            return Ok(());
        }
        change.expects.push(Expect::Company(*uscc, known.map(|(_, revision)| revision)));
        change.writes.push(Write::Company(company));
        Ok(())
    }
}

fn unit_of(who: &Registering) -> Result<CreditCode, DeskError> {
    match who.party() {
        Party::Unit(uscc) => Ok(*uscc),
        Party::Person(_) | Party::Authority { .. } => Err(DeskError::NotFound),
    }
}
