//! One refusal and one fault of each kind, as they are explained to whoever meets them, and tested.

use chrono::NaiveDate;

use crate::domain::annotation::Phase;
use crate::domain::certificate::Status;
use crate::domain::refusal::applying::{Applying, ScanFault};
use crate::domain::refusal::{FieldFault, Refusal};

/// A day to come, for refusals that name one.
const DAY: NaiveDate = match NaiveDate::from_ymd_opt(2027, 2, 19) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// One refusal of each kind.
pub(crate) fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::field("holder.id_number", FieldFault::CheckDigit),
        Refusal::ValidityTooLong { max_days: 90 },
        Refusal::ValidityTooShort,
        Refusal::ScenarioNotAllowed { allowed: vec!["self_use".to_owned()] },
        Refusal::QuotaExceeded { quota: 3, window_days: 90, next_free_on: Some(DAY) },
        Refusal::CertificateNotValid { status: Status::Suspended },
        Refusal::StatusFinal { status: Status::Revoked },
        Refusal::AnnotationRequired,
        Refusal::AnnotationNotReady,
        Refusal::AnnotationExpired { valid_until: DAY },
        Refusal::AnnotationRevoked,
        Refusal::AnnotationFailed,
        Refusal::AnnotationNotLive { phase: Phase::Expired },
        Refusal::NotParked,
        Refusal::Unprintable { field: "recipient", character: '𱁬' },
        Refusal::KeyReused,
        Refusal::NoticeNotAccepted,
        Refusal::WrongCredentials,
        Refusal::CaptchaWrong,
        Refusal::CodeWrong,
        Refusal::IdentityNotMatched,
        Refusal::SecondFactorWrong,
        Refusal::SecondFactorCompulsory,
        Refusal::InvitationOver,
        Refusal::LoginTaken,
        Refusal::OwnPost,
        Refusal::Applying(Applying::UnitTaken),
    ]
}

/// One fault of each kind.
pub(crate) fn faults() -> Vec<FieldFault> {
    vec![
        FieldFault::Missing,
        FieldFault::UnknownField,
        FieldFault::WrongKind("number".to_owned()),
        FieldFault::Empty,
        FieldFault::TooLong(40),
        FieldFault::ControlCharacter,
        FieldFault::NotOneOf("a, b"),
        FieldFault::NotACitizenNumber,
        FieldFault::NoSuchBirthDate,
        FieldFault::CheckDigit,
        FieldFault::NotThreeDigits,
        FieldFault::NotADocumentNumber,
        FieldFault::NotACreditCode,
        FieldFault::NotAManagementNumber,
        FieldFault::NotACertificateType,
        FieldFault::NotADay,
        FieldFault::DayContradicts("issued_on"),
        FieldFault::ContradictsIdNumber,
        FieldFault::BadPhoto("too small"),
        FieldFault::NotBase64,
        FieldFault::NotAName,
        FieldFault::OutOfRange("1–500"),
        FieldFault::ForeignIssuer,
        FieldFault::NotAMobile,
        FieldFault::NotALoginName,
        FieldFault::NotARegion,
        FieldFault::PasswordTooShort(10),
        FieldFault::PasswordGuessable,
        FieldFault::BadScan(ScanFault::Broken),
        FieldFault::NotAnEmail,
        FieldFault::BeyondOwnPost,
    ]
}
