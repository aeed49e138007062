//! Copies that are to be made.

use chrono::{DateTime, Utc};

use crate::domain::identity::CreditCode;
use crate::domain::ids::{AnnotationId, CertificateId};

/// A copy to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Of which annotation.
    pub annotation: AnnotationId,
    /// Of which certificate.
    pub certificate: CertificateId,
    /// Whose business it is.
    pub issuer: CreditCode,
    /// When it was ordered.
    pub requested_at: DateTime<Utc>,
    /// By when it must be done.
    pub due_at: DateTime<Utc>,
    /// Not before this moment. A parked job is ready at `due_at`, to be given up then.
    pub ready_at: DateTime<Utc>,
    /// Tries begun.
    pub attempts: u32,
    /// Whether it waits for a person.
    pub parked: bool,
}

/// The queue at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueView {
    /// Jobs waiting or being done.
    pub depth: u64,
    /// Of these, parked.
    pub parked: u64,
    /// When the oldest was ordered.
    pub oldest_requested_at: Option<DateTime<Utc>>,
    /// When the most urgent is due.
    pub next_due_at: Option<DateTime<Utc>>,
    /// The due moments of all, soonest first, at most 10,000: for counting those at risk.
    pub due: Vec<DateTime<Utc>>,
    /// Annotations that failed.
    pub failed: u64,
}
