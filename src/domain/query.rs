//! Questions to the register, and pages of answers.

use crate::domain::annotation::Phase;
use crate::domain::certificate::{CertificateType, ManagementNo, Status};
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AnnotationId, CertificateId};

/// A page of a longer list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

/// Which certificates.
#[derive(Clone, Debug, Default)]
pub struct CertificateQuery {
    /// Of this issuer.
    pub issuer: Option<CreditCode>,
    /// Of this type.
    pub kind: Option<CertificateType>,
    /// With this management number.
    pub management_no: Option<ManagementNo>,
    /// Of this person.
    pub person: Option<PersonId>,
    /// With this status on `today`.
    pub status: Option<(Status, chrono::NaiveDate)>,
    /// After this one.
    pub after: Option<CertificateId>,
    /// At most so many (1 to 500).
    pub limit: usize,
}

/// Which annotations.
#[derive(Clone, Debug, Default)]
pub struct AnnotationQuery {
    /// Of certificates of this issuer.
    pub issuer: Option<CreditCode>,
    /// Of this certificate.
    pub certificate: Option<CertificateId>,
    /// In this phase on `today`.
    pub phase: Option<(Phase, chrono::NaiveDate)>,
    /// After this one.
    pub after: Option<AnnotationId>,
    /// At most so many (1 to 500).
    pub limit: usize,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct EntryQuery {
    /// With an event of this issuer's business.
    pub issuer: Option<CreditCode>,
    /// About this certificate.
    pub certificate: Option<CertificateId>,
    /// About this annotation.
    pub annotation: Option<AnnotationId>,
    /// After this number.
    pub after: Option<u64>,
    /// At most so many (1 to 500).
    pub limit: usize,
}
