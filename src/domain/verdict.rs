//! What a stranger who holds a copy is told.

use chrono::NaiveDate;

use crate::domain::annotation::{Annotation, Cause, Phase, State};
use crate::domain::certificate::{Certificate, Status};

/// One plain answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 真实有效
    Genuine,
    /// 生成中
    Pending,
    /// 已过期
    Expired,
    /// 已撤销: this copy was revoked.
    Revoked,
    /// 已被更新: a newer version of the certificate exists.
    Superseded,
    /// The certificate is no longer valid; its status says why.
    CertificateRevoked,
    /// 查无此件
    Unknown,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 7] = [
        Self::Genuine,
        Self::Pending,
        Self::Expired,
        Self::Revoked,
        Self::Superseded,
        Self::CertificateRevoked,
        Self::Unknown,
    ];

    /// The stable word of the interface.
    pub fn word(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
            Self::CertificateRevoked => "certificate_revoked",
            Self::Unknown => "unknown",
        }
    }

    /// The verdict on a copy: what ended the copy first, then its own end, then the certificate's standing.
    pub fn of(annotation: &Annotation, certificate: &Certificate, day: NaiveDate) -> Self {
        if let State::Revoked(revoked) = &annotation.state {
            return match revoked.revocation.cause {
                Cause::Withdrawn => Self::Revoked,
                Cause::CertificateSuperseded => Self::Superseded,
                Cause::CertificateEnded => Self::CertificateRevoked,
            };
        }
        match annotation.phase_on(day) {
            Phase::Failed | Phase::Revoked => Self::Unknown,
            Phase::Expired => Self::Expired,
            phase => match Self::of_certificate(certificate, day) {
                Self::Genuine if phase != Phase::Ready => Self::Pending,
                verdict => verdict,
            },
        }
    }

    /// The verdict on a certificate itself.
    pub fn of_certificate(certificate: &Certificate, day: NaiveDate) -> Self {
        match certificate.status_on(day) {
            Status::Valid => Self::Genuine,
            Status::Superseded => Self::Superseded,
            Status::Suspended | Status::Revoked | Status::Cancelled | Status::Lapsed => {
                Self::CertificateRevoked
            }
        }
    }
}

#[cfg(test)]
mod tests;
