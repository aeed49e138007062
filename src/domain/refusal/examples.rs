//! One refusal and one fault of each kind, as they are explained to whoever meets them, and tested.

use chrono::{DateTime, NaiveDate};

use crate::domain::annotation::Phase;
use crate::domain::certificate::Status;
use crate::domain::ids::CaseId;
use crate::domain::refusal::applying::{Applying, ScanFault};
use crate::domain::refusal::file::FileFault;
use crate::domain::refusal::filing::{Filing, LastMove, Unmet, Word};
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
        Refusal::Filing(Filing::SocialInsuranceAnomaly),
    ]
}

/// One refusal of each code that the list above stands for with one example.
pub(crate) fn further_refusals() -> Vec<Refusal> {
    let applying = Applying::ALL.into_iter().map(Refusal::Applying);
    let all: Vec<_> = applying.chain(filings().into_iter().map(Refusal::Filing)).collect();
    let listed = refusals();
    all.into_iter().filter(|refusal| listed.iter().all(|other| other.code() != refusal.code())).collect()
}

/// One refusal of each kind of an act on a case.
pub(crate) fn filings() -> Vec<Filing> {
    vec![
        Filing::CaseAlreadyOpen { case: CaseId::from_bytes([7; 16]) },
        Filing::ConditionNotMet(Unmet::EmployerDiffers),
        Filing::ActNotAllowed {
            state: &Word { word: "open", chinese: "办理中", english: "under review" },
            stage: Some("审核".to_owned()),
            who: Some(&Word { word: "ministry", chinese: "部级主管部门", english: "the ministry" }),
            last: Some(Box::new(LastMove {
                act: &Word { word: "accept", chinese: "受理", english: "accept" },
                by: &Word {
                    word: "province", chinese: "省级主管部门", english: "the provincial authority"
                },
                at: DateTime::UNIX_EPOCH,
            })),
        },
        Filing::NotAskedFor { what: "labour_contract".to_owned() },
        Filing::SocialInsuranceAnomaly,
        Filing::CommitmentNotRead { seconds_left: 60 },
        Filing::CommitmentOutdated { version: 2 },
    ]
}

/// One condition of each kind that does not hold.
#[cfg(test)]
pub(crate) fn unmet() -> Vec<Unmet> {
    let missing = vec![Word { word: "photo", chinese: "证件照", english: "photo" }];
    vec![
        Unmet::PhotoAndSignature,
        Unmet::ProfileComplete { missing },
        Unmet::RealName,
        Unmet::EmployerRegistered,
        Unmet::Qualification { library: true },
        Unmet::NotEnrolled,
        Unmet::FirstRegistration { case: None },
        Unmet::Registered,
        Unmet::InForce { status: Some(Status::Suspended) },
        Unmet::OtherSpecialty,
        Unmet::RegistrationEnded,
        Unmet::RenewalWindow { opens_on: DAY, closes_on: DAY },
        Unmet::EmployerDiffers,
        Unmet::RulingIfForced,
        Unmet::SomethingToCorrect,
        // The same word, said otherwise.
        Unmet::Qualification { library: false },
        Unmet::InForce { status: None },
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
        FieldFault::EndsBeforeItBegins,
        FieldFault::BeyondOwnPost,
        FieldFault::UnknownUnit,
        FieldFault::BadFile(FileFault::NotPlain),
    ]
}
