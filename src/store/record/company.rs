//! The shape of a company on disk: in clear, as a line of the ledger.

use serde::{Deserialize, Serialize};

use crate::domain::certificate::Line;
use crate::domain::identity::CreditCode;
use crate::registration::company::{Company, CompanyQualification};
use crate::store::record::{Text, Unreadable, read, text, write};

/// A company, whole.
#[derive(Serialize, Deserialize)]
pub(crate) struct CompanyShape {
    #[serde(with = "text")]
    pub(crate) uscc: CreditCode,
    #[serde(with = "text")]
    name: Line<60>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_names: Vec<Text<Line<60>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    qualifications: Vec<QualificationShape>,
}

#[derive(Serialize, Deserialize)]
struct QualificationShape {
    #[serde(with = "text")]
    industry: Line<40>,
    #[serde(with = "text")]
    number: Line<40>,
}

impl CompanyShape {
    /// All its names, one a line: what is searched.
    pub(crate) fn names(&self) -> String {
        let former = self.former_names.iter().map(|Text(name)| name.as_str());
        std::iter::once(self.name.as_str()).chain(former).collect::<Vec<_>>().join("\n")
    }

    /// Its bytes, to be kept beside the ledger.
    pub(crate) fn write(&self) -> Result<Vec<u8>, Unreadable> {
        write(self)
    }

    /// Reads what [`Self::write`] gave, of any version.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        read(bytes)
    }
}

impl From<&Company> for CompanyShape {
    fn from(company: &Company) -> Self {
        let Company { uscc, name, former_names, qualifications } = company.clone();
        let qualification =
            |CompanyQualification { industry, number }| QualificationShape { industry, number };
        Self {
            uscc,
            name,
            former_names: former_names.into_iter().map(Text).collect(),
            qualifications: qualifications.into_iter().map(qualification).collect(),
        }
    }
}

impl From<CompanyShape> for Company {
    fn from(shape: CompanyShape) -> Self {
        let CompanyShape { uscc, name, former_names, qualifications } = shape;
        let qualification =
            |QualificationShape { industry, number }| CompanyQualification { industry, number };
        Self {
            uscc,
            name,
            former_names: former_names.into_iter().map(|Text(name)| name).collect(),
            qualifications: qualifications.into_iter().map(qualification).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::store::samples::registration::company;

    #[test]
    fn a_company_is_read_as_it_was_written() {
        let full = company(1);
        assert!(!full.former_names.is_empty() && !full.qualifications.is_empty());
        let bare = Company { former_names: vec![], qualifications: vec![], ..full.clone() };
        for company in [full, bare] {
            let bytes = CompanyShape::from(&company).write().unwrap();
            assert!(Company::from(CompanyShape::read(&bytes).unwrap()) == company);
        }
    }
}
