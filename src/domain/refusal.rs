//! Every "no" of the rules: each with a stable code, and words that say what to do, in two languages.

pub(crate) mod examples;

use chrono::NaiveDate;

use crate::domain::annotation::Phase;
use crate::domain::certificate::Status;
use crate::domain::language::Language;

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
    /// Contradicts the identity number.
    ContradictsIdNumber,
    /// The picture is no JPEG or PNG that can be read; why.
    BadPhoto(&'static str),
    /// Not valid base64.
    NotBase64,
    /// Not a code, id or cursor that this service gave.
    NotAName,
    /// Out of range.
    OutOfRange(&'static str),
    /// The key may not act for this issuer.
    ForeignIssuer,
    /// No mobile number of the mainland.
    NotAMobile,
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
            Self::ContradictsIdNumber => "contradicts-id-number",
            Self::BadPhoto(_) => "bad-photo",
            Self::NotBase64 => "not-base64",
            Self::NotAName => "not-a-name",
            Self::OutOfRange(_) => "out-of-range",
            Self::ForeignIssuer => "foreign-issuer",
            Self::NotAMobile => "not-a-mobile",
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
            Self::NotBase64 => pick("不是有效的 base64。", "Not valid base64."),
            Self::NotAName => pick("不是本系统给出的标识。", "Not an identifier that this service gave."),
            Self::OutOfRange(range) => match language {
                Language::Chinese => format!("应在 {range} 之间。"),
                Language::English => format!("Must be within {range}."),
            },
            Self::ForeignIssuer => {
                pick("此密钥不能代表该发证机构。", "This key may not act for that issuer.")
            }
            Self::NotAMobile => pick(
                "手机号码应为 11 位数字，如 13800001234。",
                "A mobile number has 11 digits, as 13800001234.",
            ),
            Self::NotALoginName => pick(
                "账号应为证件号码、统一社会信用代码或工作人员账号。",
                "Type the identity number, credit code or staff name.",
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
        }
    }

    /// One line that names the refusal.
    pub fn title(&self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::Invalid(_) => ("填写有误", "Some fields are wrong"),
            Self::ValidityTooLong { .. } => ("加注有效期过长", "The validity is too long"),
            Self::ValidityTooShort => ("加注有效期过短", "The validity is too short"),
            Self::ScenarioNotAllowed { .. } => ("使用场景不可用", "The scenario is not allowed"),
            Self::QuotaExceeded { .. } => ("可用加注次数已满", "No place is left for another annotation"),
            Self::CertificateNotValid { .. } => ("证书当前无效", "The certificate is not valid"),
            Self::StatusFinal { .. } => ("证书状态不可更改", "The status can no longer be changed"),
            Self::AnnotationRequired => ("须先申请证书加注", "An annotation is needed first"),
            Self::AnnotationNotReady => ("证书生成中…", "The copy is being made"),
            Self::AnnotationExpired { .. } => ("加注件已过期", "The copy has expired"),
            Self::AnnotationRevoked => ("加注件已撤销", "The copy was revoked"),
            Self::AnnotationFailed => ("证书生成失败", "The copy could not be made"),
            Self::AnnotationNotLive { .. } => {
                ("加注件当前状态不允许此操作", "The annotation's state does not allow this")
            }
            Self::NotParked => ("任务未被搁置", "The job is not parked"),
            Self::Unprintable { .. } => ("含有无法打印的字符", "A character cannot be printed"),
            Self::KeyReused => ("幂等键已用于其他请求", "The idempotency key was used for another request"),
            Self::NoticeNotAccepted => ("请先阅读并同意服务须知", "Read and accept the service notice first"),
            Self::WrongCredentials => ("账号或密码不正确", "The account or the password is wrong"),
            Self::CaptchaWrong => ("图形验证码不正确", "The captcha is wrong"),
            Self::CodeWrong => ("短信验证码不正确", "The verification code is wrong"),
            Self::IdentityNotMatched => ("信息未能匹配", "No match"),
        };
        language.pick(zh, en)
    }

    /// What happened and what to do.
    pub fn detail(&self, language: Language) -> String {
        let zh = language == Language::Chinese;
        match self {
            Self::Invalid(errors) => {
                let (colon, space) = if zh { ("：", "") } else { (": ", " ") };
                let one = |error: &FieldError| {
                    format!("{}{colon}{}", error.field, error.fault.message(language))
                };
                errors.iter().map(one).collect::<Vec<_>>().join(space)
            }
            Self::ValidityTooLong { max_days } if zh => {
                format!("每次申请加注最长有效期为{max_days}天，请缩短天数。")
            }
            Self::ValidityTooLong { max_days } => format!("At most {max_days} days each; ask for fewer."),
            Self::ValidityTooShort if zh => "有效期至少为 1 天。".to_owned(),
            Self::ValidityTooShort => "Ask for at least one day.".to_owned(),
            Self::ScenarioNotAllowed { allowed } if zh => format!("可选的使用场景：{}。", allowed.join("、")),
            Self::ScenarioNotAllowed { allowed } => format!("Allowed scenarios: {}.", allowed.join(", ")),
            Self::QuotaExceeded { quota, window_days, next_free_on } if zh => {
                let day = next_free_on.map_or_else(String::new, |day| format!("下一个名额将于 {day} 释放；"));
                format!(
                    "同一证书在 {window_days} 天内最多有 {quota} 个有效加注。{day}也可以先撤销一个不再需要的加注。"
                )
            }
            Self::QuotaExceeded { quota, window_days, next_free_on } => {
                let revoke = next_free_on.map_or_else(
                    || "Revoke".to_owned(),
                    |day| format!("The next place falls free on {day}; or revoke"),
                );
                format!(
                    "At most {quota} active annotations within {window_days} days. {revoke} one that is no longer needed."
                )
            }
            Self::CertificateNotValid { status } if zh => {
                format!("证书状态为“{}”，不能申请或使用加注件。如有疑问请联系发证机构。", status.chinese())
            }
            Self::CertificateNotValid { status } => {
                format!(
                    "The certificate is {}: it cannot be annotated or used. Ask its issuer if in doubt.",
                    status.word()
                )
            }
            Self::StatusFinal { status } if zh => {
                format!("证书状态为“{}”，不可再更改；需要时请录入新版本。", status.chinese())
            }
            Self::StatusFinal { status } => format!(
                "The certificate is {}, which is final; enter a new version if needed.",
                status.word()
            ),
            Self::AnnotationRequired if zh => "此证书须加注后方可查看和下载，请先提交加注申请。".to_owned(),
            Self::AnnotationRequired => {
                "This certificate can be viewed only as an annotated copy; order an annotation first."
                    .to_owned()
            }
            Self::AnnotationNotReady if zh => "证书正在生成，通常几秒钟，最迟 24 小时；请稍后再试。".to_owned(),
            Self::AnnotationNotReady => {
                "The copy is being made, usually within seconds and at most 24 hours; try again shortly."
                    .to_owned()
            }
            Self::AnnotationExpired { valid_until } if zh => {
                format!("有效期截至 {valid_until}，请重新申请加注。")
            }
            Self::AnnotationExpired { valid_until } => {
                format!("It was valid until {valid_until}; order another annotation.")
            }
            Self::AnnotationRevoked if zh => "此加注件已撤销，不能恢复；需要时请重新申请加注。".to_owned(),
            Self::AnnotationRevoked => {
                "This copy was revoked and never revives; order another annotation if needed.".to_owned()
            }
            Self::AnnotationFailed if zh => {
                "此加注件未能生成，名额已释放；请按失败原因更正后重新申请。".to_owned()
            }
            Self::AnnotationFailed => {
                "The copy could not be made and its place is free again; mend the cause and order again."
                    .to_owned()
            }
            Self::AnnotationNotLive { phase } if zh => {
                format!("当前状态为 {}，只有排队中、生成中或有效的加注可以撤销。", phase.word())
            }
            Self::AnnotationNotLive { phase } => {
                format!("It is {}; only a queued, sealing or ready annotation can be revoked.", phase.word())
            }
            Self::NotParked if zh => "任务在队列中或已经结束，无需重试。".to_owned(),
            Self::NotParked => "The job is in the queue or has ended; there is nothing to retry.".to_owned(),
            Self::Unprintable { field, character } if zh => {
                format!(
                    "{field} 中的字符“{character}”（U+{:04X}）没有字体可以打印，请更换写法。",
                    u32::from(*character)
                )
            }
            Self::Unprintable { field, character } => {
                format!(
                    "No face holds the character “{character}” (U+{:04X}) of {field}; write it another way.",
                    u32::from(*character)
                )
            }
            Self::KeyReused if zh => "同一 Idempotency-Key 只能用于完全相同的请求，请换一个新键。".to_owned(),
            Self::NoticeNotAccepted if zh => "首次使用须阅读服务须知并点击“同意”。".to_owned(),
            Self::NoticeNotAccepted => "Read the service notice and press “Agree” before the first use.".to_owned(),
            Self::WrongCredentials if zh => "请核对后重试；忘记密码时可用手机验证码重设。".to_owned(),
            Self::WrongCredentials => {
                "Check both and try again; a forgotten password can be set anew with a code.".to_owned()
            }
            Self::CaptchaWrong if zh => "请换一张图片再试；每张图片只能使用一次。".to_owned(),
            Self::CaptchaWrong => "Ask for a new picture; each can be used once.".to_owned(),
            Self::CodeWrong if zh => "请核对，或在一分钟后重新获取；验证码五分钟内有效，只能使用一次。".to_owned(),
            Self::CodeWrong => {
                "Check it, or ask for a new one after a minute; a code lasts five minutes and works once.".to_owned()
            }
            Self::IdentityNotMatched if zh => {
                "请使用取得证书时的姓名和证件号码；已有账号时请直接登录或找回密码。仍不能解决时请联系发证机构。".to_owned()
            }
            Self::IdentityNotMatched => {
                "Use the very name and number of the certificate; with an account, log in or recover the password. \
                 Else ask the issuing body."
                    .to_owned()
            }
            Self::KeyReused => {
                "An Idempotency-Key stands for one request; use a new key for another.".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests;
