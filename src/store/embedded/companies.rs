//! Companies in the index: a company's names stand in its value, so that a search reads nothing but keys and values.

use crate::domain::identity::CreditCode;
use crate::registration::company::{COMPANIES_MOST, Company};
use crate::store::embedded::fold::{Place, push_number, take_number};
use crate::store::embedded::index::{Draft, View};
use crate::store::embedded::reads::{fault, place};
use crate::store::embedded::writer::Core;
use crate::store::entry::{self, WriteLine};
use crate::store::record::company::CompanyShape;
use crate::store::{Fault, Revision};

/// Keys of companies begin so.
pub(crate) const COMPANIES: &[u8] = b"ey";

pub(crate) fn company_key(uscc: &CreditCode) -> Vec<u8> {
    [COMPANIES, uscc.as_str().as_bytes()].concat()
}

pub(crate) fn fold_company(draft: &mut Draft<'_>, line: &CompanyShape, place: Place, seq: u64) {
    let mut value = place.write();
    push_number(&mut value, seq);
    value.extend_from_slice(line.names().as_bytes());
    draft.put(company_key(&line.uscc), value);
}

/// The revision in the value of a company, and its names.
fn revision_and_names(mut value: &[u8]) -> Option<(Revision, &str)> {
    Place::take(&mut value)?;
    let revision = Revision(take_number(&mut value)?);
    Some((revision, std::str::from_utf8(value).ok()?))
}

/// The revision of a company.
pub(crate) fn company_revision(view: &impl View, uscc: &CreditCode) -> Result<Option<Revision>, Fault> {
    let value = view.find(&company_key(uscc))?;
    Ok(value.and_then(|value| revision_and_names(&value).map(|(revision, _)| revision)))
}

impl Core {
    fn company_at(&self, value: &[u8]) -> Result<(Company, Revision), Fault> {
        let (revision, _) = revision_and_names(value).ok_or_else(|| fault("a revision is missing"))?;
        let line = self.ledger.checked_line(&place(value)?)?;
        match entry::read_write(&line).map_err(fault)? {
            WriteLine::Company(line) => Ok((line.into(), revision)),
            _ => Err(fault("another record lies in its place")),
        }
    }

    /// See [`crate::store::Store::company`].
    pub(crate) fn company(&self, uscc: &CreditCode) -> Result<Option<(Company, Revision)>, Fault> {
        let value = self.index.now().find(&company_key(uscc))?;
        value.map(|value| self.company_at(&value)).transpose()
    }

    /// See [`crate::store::Store::companies`].
    pub(crate) fn companies(&self, part: &str, limit: usize) -> Result<Vec<Company>, Fault> {
        let limit = limit.clamp(1, COMPANIES_MOST);
        let values = self.index.read(|now| {
            let mut values = Vec::new();
            now.walk(COMPANIES, None, |_, value| {
                let names = revision_and_names(value).map_or("", |(_, names)| names);
                if names.lines().any(|name| name.contains(part)) {
                    values.push(value.to_vec());
                }
                Ok(values.len() < limit)
            })?;
            Ok(values)
        })?;
        values.iter().map(|value| self.company_at(value).map(|(company, _)| company)).collect()
    }
}
