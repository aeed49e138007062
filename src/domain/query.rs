//! Questions to the register, and pages of answers.

use chrono::NaiveDate;

use crate::domain::annotation::{Annotation, Phase, State};
use crate::domain::certificate::{Certificate, CertificateType, ManagementNo, Status};
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AccountId, AnnotationId, CertificateId, TicketId};
use crate::domain::ticket::Standing;

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
    pub status: Option<(Status, NaiveDate)>,
    /// After this one.
    pub after: Option<CertificateId>,
    /// At most so many (1 to 500).
    pub limit: usize,
}

impl CertificateQuery {
    /// Whether a certificate is one of those asked for. A home may find candidates by keys that are hashes, or by fewer
    /// keys than were asked: the record has the last word.
    pub(crate) fn fits(&self, certificate: &Certificate) -> bool {
        let details = &certificate.details;
        self.issuer.is_none_or(|issuer| details.issuer.uscc == issuer)
            && self.kind.as_ref().is_none_or(|kind| details.kind == *kind)
            && self.management_no.as_ref().is_none_or(|no| details.management_no == *no)
            && self.person.as_ref().is_none_or(|person| details.holder.id == *person)
            && self.status.is_none_or(|(status, day)| certificate.status_on(day) == status)
    }
}

/// Which tickets.
#[derive(Clone, Debug, Default)]
pub struct TicketQuery {
    /// In this state.
    pub standing: Option<Standing>,
    /// After this one.
    pub after: Option<TicketId>,
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
    pub phase: Option<(Phase, NaiveDate)>,
    /// After this one.
    pub after: Option<AnnotationId>,
    /// At most so many (1 to 500).
    pub limit: usize,
}

impl AnnotationQuery {
    /// Whether an annotation is in the phase asked for: what only the day and the record can tell.
    pub(crate) fn is_in_phase(&self, annotation: &Annotation) -> bool {
        self.phase.is_none_or(|(phase, day)| annotation.phase_on(day) == phase)
    }
}

/// Which copies by their last day.
#[derive(Clone, Debug)]
pub struct ExpiryQuery {
    /// Whose last day is this one or later.
    pub from: NaiveDate,
    /// Whose last day is this one or earlier.
    pub until: NaiveDate,
    /// After this one: its last day and its name.
    pub after: Option<(NaiveDate, AnnotationId)>,
    /// At most so many (1 to 500).
    pub limit: usize,
}

impl ExpiryQuery {
    /// Whether an annotation is one of those asked for: the record has the last word.
    pub(crate) fn fits(&self, annotation: &Annotation) -> bool {
        match &annotation.state {
            State::Sealed(sealed) => (self.from..=self.until).contains(&sealed.intent.valid_until),
            _ => false,
        }
    }
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
    /// About this account, or by it.
    pub account: Option<AccountId>,
    /// After this number.
    pub after: Option<u64>,
    /// At most so many (1 to 500).
    pub limit: usize,
}
