//! Companies (企业): the register in which persons find their employer by a part of its name.

use std::fmt;

use crate::domain::certificate::Line;
use crate::domain::identity::CreditCode;

/// Most companies that a search answers.
pub const COMPANIES_MOST: usize = 50;

/// A company of the register. Units are not persons: it is kept in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Company {
    /// Its unified social credit code (GB 32100).
    pub uscc: CreditCode,
    /// What it is called.
    pub name: Line<60>,
    /// What it was called before.
    pub former_names: Vec<Line<60>>,
    /// Its qualification certificates; empty for 无.
    pub qualifications: Vec<CompanyQualification>,
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Company({})", self.uscc)
    }
}

/// A qualification certificate (资质证书) of a company.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompanyQualification {
    /// For which industry.
    pub industry: Line<40>,
    /// Its number.
    pub number: Line<40>,
}

impl Company {
    /// Its name, and then its former ones.
    pub fn names(&self) -> impl Iterator<Item = &Line<60>> {
        std::iter::once(&self.name).chain(&self.former_names)
    }

    /// Whether its name contains this, or a former one.
    pub fn is_called(&self, part: &str) -> bool {
        self.names().any(|name| name.as_str().contains(part))
    }
}
