//! Every "no" of the rules: each with a stable code, and words that say what to do, in two languages.

pub mod applying;
pub(crate) mod examples;
pub mod file;
pub mod filing;
mod words;

use chrono::NaiveDate;

use crate::domain::annotation::Phase;
use crate::domain::certificate::Status;
use crate::domain::language::Language;
use crate::domain::refusal::applying::{Applying, ScanFault};
use crate::domain::refusal::file::FileFault;
use crate::domain::refusal::filing::Filing;

/// Why the rules say no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Fields of the request or record are wrong; all of them are named.
    Invalid(Vec<FieldError>),
    /// The validity asked for is longer than the policy allows.
    ValidityTooLong {
        /// The most.
        max_days: u32,
    },
    /// The validity asked for is no day at all.
    ValidityTooShort,
    /// The scenario is not on the policy's list.
    ScenarioNotAllowed {
        /// The list.
        allowed: Vec<String>,
    },
    /// No place is left.
    QuotaExceeded {
        /// Most at a time.
        quota: u32,
        /// Within so many days.
        window_days: u32,
        /// The day on which the next place falls free.
        next_free_on: Option<NaiveDate>,
    },
    /// The certificate is not in force.
    CertificateNotValid {
        /// How it stands.
        status: Status,
    },
    /// A suspension cannot be lifted, or a status given, from where the certificate stands.
    StatusFinal {
        /// How it stands.
        status: Status,
    },
    /// The certificate's copies need an annotation.
    AnnotationRequired,
    /// The copy is not made yet.
    AnnotationNotReady,
    /// 加注件已过期
    AnnotationExpired {
        /// Its last day.
        valid_until: NaiveDate,
    },
    /// The copy was revoked.
    AnnotationRevoked,
    /// The copy could not be made.
    AnnotationFailed,
    /// The act needs an annotation in another state.
    AnnotationNotLive {
        /// Its state.
        phase: Phase,
    },
    /// The job is not parked: there is nothing to retry.
    NotParked,
    /// No face holds a character of the recipient.
    Unprintable {
        /// The field.
        field: &'static str,
        /// The character.
        character: char,
    },
    /// The idempotency key was used with another request.
    KeyReused,
    /// The service notice in force was not accepted.
    NoticeNotAccepted,
    /// Account, password, or both are wrong: which, is not said.
    WrongCredentials,
    /// The captcha is wrong, used or too old.
    CaptchaWrong,
    /// The verification code is wrong, used, too old, or was mistyped too often.
    CodeWrong,
    /// No account can be opened with this name and number: nobody of the register has them, or there is one already.
    /// Which, is not said.
    IdentityNotMatched,
    /// The code of the second factor is wrong or was used, or the password was given too long ago.
    SecondFactorWrong,
    /// Staff do not go without a second factor.
    SecondFactorCompulsory,
    /// The invitation was accepted, taken back or is too old; or there never was one.
    InvitationOver,
    /// The log-in name is another's.
    LoginTaken,
    /// Nobody ends or changes their own post: an authority could be left without an administrator.
    OwnPost,
    /// An application is not taken.
    Applying(Applying),
    /// An act on a case of registration is not taken.
    Filing(Filing),
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where, as `holder.id_number`.
    pub field: String,
    /// What is wrong with it.
    pub fault: FieldFault,
}

impl FieldError {
    /// Names a wrong field.
    pub fn new(field: impl Into<String>, fault: FieldFault) -> Self {
        Self { field: field.into(), fault }
    }
}

/// What is wrong with a field. Never repeats the value: it may be personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// Missing.
    Missing,
    /// Not a known field.
    UnknownField,
    /// Of the wrong kind: a number for a text, say; what was expected.
    WrongKind(String),
    /// Empty.
    Empty,
    /// Longer than so many characters.
    TooLong(usize),
    /// Contains a control character.
    ControlCharacter,
    /// None of the allowed words.
    NotOneOf(&'static str),
    /// Not 18 digits, or 17 and X.
    NotACitizenNumber,
    /// The birth date in the number does not exist.
    NoSuchBirthDate,
    /// The check digit does not fit: a digit is mistyped.
    CheckDigit,
    /// Not three digits.
    NotThreeDigits,
    /// Not 4 to 30 letters, digits and ()-/.
    NotADocumentNumber,
    /// Not 18 characters of the credit code's alphabet.
    NotACreditCode,
    /// Not 10 to 30 digits and capitals.
    NotAManagementNumber,
    /// Not 1 to 60 small letters, digits and hyphens.
    NotACertificateType,
    /// Not a day as YYYY-MM-DD that exists.
    NotADay,
    /// The day contradicts another field.
    DayContradicts(&'static str),
    /// The last day of a period lies before its first.
    EndsBeforeItBegins,
    /// Contradicts the identity number.
    ContradictsIdNumber,
    /// The picture is no JPEG or PNG that can be read; why.
    BadPhoto(&'static str),
    /// The scan cannot be kept.
    BadScan(ScanFault),
    /// The file cannot be kept.
    BadFile(FileFault),
    /// Not valid base64.
    NotBase64,
    /// Not a code, id or cursor that this service gave.
    NotAName,
    /// Out of range.
    OutOfRange(&'static str),
    /// The caller may not act for this issuer.
    ForeignIssuer,
    /// No unit with this credit code has an account.
    UnknownUnit,
    /// More than the caller's own post has.
    BeyondOwnPost,
    /// No mobile number of the mainland.
    NotAMobile,
    /// No e-mail address.
    NotAnEmail,
    /// Not 1 to 30 printable ASCII characters.
    NotALoginName,
    /// Not two digits.
    NotARegion,
    /// Shorter than so many characters.
    PasswordTooShort(usize),
    /// Contains the name to log in with or the mobile, or is one that everybody tries.
    PasswordGuessable,
}

impl FieldFault {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::UnknownField => "unknown-field",
            Self::WrongKind(_) => "wrong-kind",
            Self::Empty => "empty",
            Self::TooLong(_) => "too-long",
            Self::ControlCharacter => "control-character",
            Self::NotOneOf(_) => "not-one-of",
            Self::NotACitizenNumber => "not-a-citizen-number",
            Self::NoSuchBirthDate => "no-such-birth-date",
            Self::CheckDigit => "check-digit",
            Self::NotThreeDigits => "not-three-digits",
            Self::NotADocumentNumber => "not-a-document-number",
            Self::NotACreditCode => "not-a-credit-code",
            Self::NotAManagementNumber => "not-a-management-number",
            Self::NotACertificateType => "not-a-certificate-type",
            Self::NotADay => "not-a-day",
            Self::DayContradicts(_) => "day-contradicts",
            Self::EndsBeforeItBegins => "ends-before-it-begins",
            Self::ContradictsIdNumber => "contradicts-id-number",
            Self::BadPhoto(_) => "bad-photo",
            Self::BadScan(_) => "bad-scan",
            Self::BadFile(fault) => fault.code(),
            Self::NotBase64 => "not-base64",
            Self::NotAName => "not-a-name",
            Self::OutOfRange(_) => "out-of-range",
            Self::ForeignIssuer => "foreign-issuer",
            Self::UnknownUnit => "unknown-unit",
            Self::BeyondOwnPost => "beyond-own-post",
            Self::NotAMobile => "not-a-mobile",
            Self::NotAnEmail => "not-an-email",
            Self::NotALoginName => "not-a-login-name",
            Self::NotARegion => "not-a-region",
            Self::PasswordTooShort(_) => "password-too-short",
            Self::PasswordGuessable => "password-guessable",
        }
    }

    /// What is wrong and what to do.
    pub fn message(&self, language: Language) -> String {
        let pick = |zh: &str, en: &str| language.pick(zh, en).to_owned();
        match self {
            Self::Missing => pick("缺少此项，请补充。", "This field is missing; add it."),
            Self::UnknownField => pick(
                "没有此字段，请删除或更正名称。",
                "There is no such field; remove it or correct its name.",
            ),
            Self::WrongKind(what) => match language {
                Language::Chinese => format!("数据类型不符，应为 {what}。"),
                Language::English => format!("Of the wrong kind; expected {what}."),
            },
            Self::Empty => pick("不能为空。", "Must not be empty."),
            Self::TooLong(most) => match language {
                Language::Chinese => format!("最多 {most} 个字符，请缩短。"),
                Language::English => format!("At most {most} characters; shorten it."),
            },
            Self::ControlCharacter => {
                pick("含有换行等控制字符，请删除。", "Contains a control character; remove it.")
            }
            Self::NotOneOf(words) => match language {
                Language::Chinese => format!("只能是下列之一：{words}。"),
                Language::English => format!("Must be one of: {words}."),
            },
            Self::NotACitizenNumber => pick(
                "居民身份证号码应为 18 位数字（末位可为 X）。",
                "A resident card's number has 18 digits; the last may be X.",
            ),
            Self::NoSuchBirthDate => pick(
                "号码中的出生日期不存在，请核对。",
                "The birth date in the number does not exist; check it.",
            ),
            Self::CheckDigit => pick(
                "校验码不符，请核对是否录入有误。",
                "The check digit does not fit; look for a mistyped digit.",
            ),
            Self::NotThreeDigits => {
                pick("证件类型应为三位数字，如 111。", "A document type has three digits, as 111.")
            }
            Self::NotADocumentNumber => pick(
                "证件号码应为 4 至 30 位字母、数字或 ()-/。",
                "A document number has 4 to 30 letters, digits and ()-/.",
            ),
            Self::NotACreditCode => pick(
                "统一社会信用代码应为 18 位数字和大写字母（不含 I、O、S、V、Z）。",
                "A credit code has 18 digits and capitals, without I, O, S, V, Z.",
            ),
            Self::NotAManagementNumber => pick(
                "管理号应为 10 至 30 位数字和大写字母。",
                "A management number has 10 to 30 digits and capitals.",
            ),
            Self::NotACertificateType => pick(
                "证书类型应为小写字母、数字和连字符。",
                "A certificate type has small letters, digits and hyphens.",
            ),
            Self::NotADay => pick("日期应为存在的 YYYY-MM-DD。", "Must be an existing day as YYYY-MM-DD."),
            Self::DayContradicts(field) => match language {
                Language::Chinese => format!("日期与 {field} 矛盾，请核对。"),
                Language::English => format!("The day contradicts {field}; check both."),
            },
            Self::EndsBeforeItBegins => {
                pick("截止日期早于起始日期，请核对。", "The period ends before it begins; check both days.")
            }
            Self::ContradictsIdNumber => {
                pick("与身份证号码不一致，请核对。", "Contradicts the identity number; check both.")
            }
            Self::BadPhoto(why) => match language {
                Language::Chinese => {
                    format!("照片无法使用（{why}），请提供 500 KB 以内的 JPEG 或 PNG 证件照。")
                }
                Language::English => format!(
                    "The photo cannot be used ({why}); send a JPEG or PNG portrait of at most 500 KB."
                ),
            },
            Self::BadScan(fault) => fault.message(language).to_owned(),
            Self::BadFile(fault) => fault.message(language),
            Self::NotBase64 => pick("不是有效的 base64。", "Not valid base64."),
            Self::NotAName => pick("不是本系统给出的标识。", "Not an identifier that this service gave."),
            Self::OutOfRange(range) => match language {
                Language::Chinese => format!("应在 {range} 之间。"),
                Language::English => format!("Must be within {range}."),
            },
            Self::UnknownUnit => pick(
                "该单位尚未在本系统开户，请先由单位注册法人账号。",
                "This unit has no account here; it has to open one first.",
            ),
            Self::ForeignIssuer => pick("您不能代表该发证机构。", "You may not act for that issuer."),
            Self::BeyondOwnPost => pick("超出您自己岗位的范围。", "That is beyond your own post."),
            Self::NotAMobile => pick(
                "手机号码应为 11 位数字，如 13800001234。",
                "A mobile number has 11 digits, as 13800001234.",
            ),
            Self::NotAnEmail => pick(
                "不是有效的电子邮箱地址，应如 name@example.com。",
                "Not an e-mail address; one looks as name@example.com.",
            ),
            Self::NotALoginName => pick(
                "应为 1 至 30 个字母、数字或符号，不含空格。",
                "Must be 1 to 30 letters, digits or signs, without spaces.",
            ),
            Self::NotARegion => pick("地区应为两位数字。", "A region has two digits."),
            Self::PasswordTooShort(least) => match language {
                Language::Chinese => format!("密码至少 {least} 个字符。"),
                Language::English => format!("At least {least} characters."),
            },
            Self::PasswordGuessable => pick(
                "密码过于常见，或含有账号、手机号码，请更换。",
                "It is too common, or contains the account or mobile; choose another.",
            ),
        }
    }
}

impl Refusal {
    /// One wrong field.
    pub fn field(field: impl Into<String>, fault: FieldFault) -> Self {
        Self::Invalid(vec![FieldError::new(field, fault)])
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid-fields",
            Self::ValidityTooLong { .. } => "validity-too-long",
            Self::ValidityTooShort => "validity-too-short",
            Self::ScenarioNotAllowed { .. } => "scenario-not-allowed",
            Self::QuotaExceeded { .. } => "quota-exceeded",
            Self::CertificateNotValid { .. } => "certificate-not-valid",
            Self::StatusFinal { .. } => "status-final",
            Self::AnnotationRequired => "annotation-required",
            Self::AnnotationNotReady => "annotation-not-ready",
            Self::AnnotationExpired { .. } => "annotation-expired",
            Self::AnnotationRevoked => "annotation-revoked",
            Self::AnnotationFailed => "annotation-failed",
            Self::AnnotationNotLive { .. } => "annotation-not-live",
            Self::NotParked => "not-parked",
            Self::Unprintable { .. } => "unprintable-character",
            Self::KeyReused => "idempotency-key-reused",
            Self::NoticeNotAccepted => "notice-not-accepted",
            Self::WrongCredentials => "wrong-credentials",
            Self::CaptchaWrong => "captcha-wrong",
            Self::CodeWrong => "code-wrong",
            Self::IdentityNotMatched => "identity-not-matched",
            Self::SecondFactorWrong => "second-factor-wrong",
            Self::SecondFactorCompulsory => "second-factor-compulsory",
            Self::InvitationOver => "invitation-over",
            Self::LoginTaken => "login-taken",
            Self::OwnPost => "own-post",
            Self::Applying(applying) => applying.code(),
            Self::Filing(filing) => filing.code(),
        }
    }
}

#[cfg(test)]
mod tests;
