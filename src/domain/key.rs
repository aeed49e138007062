//! API keys of agencies: what each may do, and for whom.

use chrono::{DateTime, Utc};

use crate::domain::identity::CreditCode;
use crate::domain::ids::{KeyId, Sha256};

/// An API key. Its secret is shown once and kept as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Name of the key.
    pub id: KeyId,
    /// SHA-256 of the secret, which has 256 bits of chance.
    pub secret: Sha256,
    /// What it may do; words of `desk`.
    pub scopes: Vec<String>,
    /// For which issuer; for all where none.
    pub issuer: Option<CreditCode>,
    /// What people call it.
    pub label: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was ended.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What a key may do. Deny by default: a call names the one scope that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `*`: everything below.
    Everything,
    /// Read the register.
    CertificatesRead,
    /// Enter certificates and decide their status.
    CertificatesWrite,
    /// See annotations, their documents and the queue.
    AnnotationsRead,
    /// Order, revoke and retry annotations.
    AnnotationsWrite,
    /// Read the audit trail and make evidence bundles.
    AuditRead,
    /// Make and end API keys.
    KeysWrite,
    /// Invite staff, change what they may do, and end their accounts.
    StaffWrite,
    /// Read and answer the tickets of people whom the register does not know.
    TicketsWrite,
    /// Review filings of registration, at the level and in the region of one's post.
    FilingsReview,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 10] = [
        Self::Everything,
        Self::CertificatesRead,
        Self::CertificatesWrite,
        Self::AnnotationsRead,
        Self::AnnotationsWrite,
        Self::AuditRead,
        Self::KeysWrite,
        Self::StaffWrite,
        Self::TicketsWrite,
        Self::FilingsReview,
    ];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Everything => "*",
            Self::CertificatesRead => "certificates:read",
            Self::CertificatesWrite => "certificates:write",
            Self::AnnotationsRead => "annotations:read",
            Self::AnnotationsWrite => "annotations:write",
            Self::AuditRead => "audit:read",
            Self::KeysWrite => "keys:write",
            Self::StaffWrite => "staff:write",
            Self::TicketsWrite => "tickets:write",
            Self::FilingsReview => "filings:review",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = crate::domain::refusal::FieldFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = "*, certificates:read, certificates:write, annotations:read, annotations:write, audit:read, keys:write, staff:write, tickets:write, filings:review";
        let scope = Self::ALL.into_iter().find(|scope| scope.word() == text);
        scope.ok_or(crate::domain::refusal::FieldFault::NotOneOf(known))
    }
}
