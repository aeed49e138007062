//! A registrant: the person as the registration knows them, across regimes and cases.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::account::Mobile;
use crate::domain::certificate::{Line, ManagementNo};
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AnomalyId, CaseId, CertificateId, Malformed, Sha256};
use crate::registration::case::{Specialty, Subject};
use crate::registration::word::{ClassId, RegimeId};

/// Everything that decisions about a person's filings need and that is not in the case itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Registrant {
    /// Who.
    pub person: PersonId,
    /// What they say of themselves.
    pub profile: Profile,
    /// Their qualifications: examinations passed, and what was entered in a library.
    pub qualifications: Vec<Qualification>,
    /// Their registrations, at most one for each regime, class and specialty.
    pub registrations: Vec<Registration>,
    /// Their cases, oldest first.
    pub cases: Vec<CaseMention>,
    /// What was noticed about them, oldest first.
    pub anomalies: Vec<Anomaly>,
}

impl fmt::Debug for Registrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registrant({} cases)", self.cases.len())
    }
}

impl Registrant {
    /// Somebody of whom nothing is known yet.
    pub fn new(person: PersonId) -> Self {
        Self {
            person,
            profile: Profile::default(),
            qualifications: Vec::new(),
            registrations: Vec::new(),
            cases: Vec::new(),
            anomalies: Vec::new(),
        }
    }
}

/// The three blocks that are complete before the first filing: the person, the employer, photo and signature.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// 民族
    pub ethnicity: Option<Line<20>>,
    /// 学历
    pub education: Option<Line<20>>,
    /// 学位
    pub degree: Option<Line<20>>,
    /// 毕业院校
    pub school: Option<Line<60>>,
    /// The employer.
    pub employment: Option<Employment>,
    /// Digest of the portrait, encoded anew.
    pub photo: Option<Sha256>,
    /// Digest of the signature: transparent line art.
    pub signature: Option<Sha256>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(…)")
    }
}

/// Where a person works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Employment {
    /// The unit's credit code.
    pub uscc: CreditCode,
    /// What it is called.
    pub name: Line<60>,
    /// The numbers of its qualification certificates; empty for 无.
    pub qualifications: Vec<Line<40>>,
    /// The mobile of somebody there.
    pub contact: Option<Mobile>,
    /// Since when.
    pub from: NaiveDate,
    /// Until when; none for 无固定期.
    pub until: Option<NaiveDate>,
}

/// A qualification for a specialty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Qualification {
    /// For which regime.
    pub regime: RegimeId,
    /// For which class of it; for every class where none.
    pub class: Option<ClassId>,
    /// For which specialty.
    pub specialty: Specialty,
    /// The number of the qualification certificate.
    pub management_no: Option<ManagementNo>,
    /// When it was entered.
    pub entered_at: DateTime<Utc>,
    /// Where it is from.
    pub source: Source,
}

/// Where a qualification is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The register of passed examinations.
    Examination,
    /// 入库登记, approved.
    Enrolment,
}

impl Source {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Examination => "examination",
            Self::Enrolment => "enrolment",
        }
    }
}

impl FromStr for Source {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let source = [Self::Examination, Self::Enrolment].into_iter().find(|source| source.word() == text);
        source.ok_or(Malformed("source"))
    }
}

/// A registration, as it was last granted, changed or ended. How its certificate stands today, the register says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The regime.
    pub regime: RegimeId,
    /// The class of it.
    pub class: ClassId,
    /// The specialty.
    pub specialty: Specialty,
    /// The version of its certificate that holds.
    pub certificate: CertificateId,
    /// 注册编号, which stays through every version.
    pub management_no: ManagementNo,
    /// The employer it is registered at.
    pub employer: CreditCode,
    /// Its last day.
    pub valid_until: NaiveDate,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// 登记类别: what the regime calls the kind of registrant, where it was converted.
    pub category: Option<Line<40>>,
}

impl Registration {
    /// Whether a subject is about it.
    pub fn is_of(&self, subject: &Subject) -> bool {
        (&self.regime, &self.class, &self.specialty) == (&subject.regime, &subject.class, &subject.specialty)
    }
}

/// One of a person's cases: what deciding about the others needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseMention {
    /// Its name.
    pub id: CaseId,
    /// What it is about.
    pub subject: Subject,
    /// Whether it is live.
    pub live: bool,
    /// Whether it was approved.
    pub approved: bool,
}

/// Something that was noticed about a person, and what they say to it (我的申辩).
#[derive(Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Its name.
    pub id: AnomalyId,
    /// What kind.
    pub kind: AnomalyKind,
    /// When.
    pub noticed_at: DateTime<Utc>,
    /// The case at which it was noticed.
    pub case: Option<CaseId>,
    /// The defence.
    pub defence: Option<Defence>,
}

impl fmt::Debug for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anomaly({}, {})", self.id, self.kind.word())
    }
}

/// What a person says to an anomaly.
#[derive(Clone, PartialEq, Eq)]
pub struct Defence {
    /// Their words.
    pub words: Line<500>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What kind of anomaly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnomalyKind {
    /// 社保异常
    SocialInsurance,
    /// 人员查重异常
    Duplicate,
}

impl AnomalyKind {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::SocialInsurance => "social_insurance",
            Self::Duplicate => "duplicate",
        }
    }
}

impl FromStr for AnomalyKind {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let kind = [Self::SocialInsurance, Self::Duplicate].into_iter().find(|kind| kind.word() == text);
        kind.ok_or(Malformed("kind of anomaly"))
    }
}
