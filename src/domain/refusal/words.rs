//! What each refusal says: one line that names it, and what happened and what to do; in Chinese and in English.

use crate::domain::language::Language;
use crate::domain::refusal::{FieldError, Refusal};

impl Refusal {
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
            Self::SecondFactorWrong => ("动态口令不正确", "The code of the second factor is wrong"),
            Self::SecondFactorCompulsory => ("不能停用动态口令", "The second factor is compulsory"),
            Self::InvitationOver => ("邀请已失效", "The invitation is over"),
            Self::LoginTaken => ("登录名已被使用", "The log-in name is taken"),
            Self::OwnPost => ("不能更改自己的岗位", "Nobody changes their own post"),
            Self::Applying(applying) => return applying.title(language),
            Self::Filing(filing) => return filing.title(language),
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
                "请使用取得证书时的姓名和证件号码；已有账号时请直接登录或找回密码。仍不能解决时请提交工单。".to_owned()
            }
            Self::IdentityNotMatched => {
                "Use the very name and number of the certificate; with an account, log in or recover the password. \
                 Else send a ticket."
                    .to_owned()
            }
            Self::SecondFactorWrong if zh => {
                "请输入验证器应用当前显示的六位数字，每个口令只能使用一次；若已超过五分钟，请重新登录。".to_owned()
            }
            Self::SecondFactorWrong => {
                "Type the six digits that the authenticator shows now; each works once. After five minutes, log in again."
                    .to_owned()
            }
            Self::SecondFactorCompulsory if zh => "工作人员必须使用动态口令登录。".to_owned(),
            Self::SecondFactorCompulsory => "Staff log in with a second factor.".to_owned(),
            Self::InvitationOver if zh => "邀请链接三天内有效，只能使用一次；请联系管理员重新邀请。".to_owned(),
            Self::InvitationOver => {
                "A link is good for three days and works once; ask an administrator for another.".to_owned()
            }
            Self::LoginTaken if zh => "请换一个登录名；若为同一人，请重新邀请原账号。".to_owned(),
            Self::LoginTaken => "Choose another; or invite the account that there is anew.".to_owned(),
            Self::OwnPost if zh => "请由另一位管理员操作。".to_owned(),
            Self::OwnPost => "Ask another administrator.".to_owned(),
            Self::Applying(applying) => applying.detail(language).to_owned(),
            Self::Filing(filing) => filing.detail(language),
            Self::KeyReused => {
                "An Idempotency-Key stands for one request; use a new key for another.".to_owned()
            }
        }
    }
}
