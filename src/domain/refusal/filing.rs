//! What is said to whoever files, confirms or decides a case of registration and may not.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::calendar::in_shanghai;
use crate::domain::certificate::Status;
use crate::domain::ids::CaseId;
use crate::domain::language::Language;

/// A word of the interface, and how the two languages say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The stable word.
    pub word: &'static str,
    /// In Chinese.
    pub chinese: &'static str,
    /// In English.
    pub english: &'static str,
}

impl Word {
    /// In a language.
    pub fn text(&self, language: Language) -> &'static str {
        language.pick(self.chinese, self.english)
    }
}

/// Why an act on a case is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filing {
    /// The person has a live case about the same registration.
    CaseAlreadyOpen {
        /// That one.
        case: CaseId,
    },
    /// A condition of the business type does not hold.
    ConditionNotMet(Unmet),
    /// Where the case stands, this act is not taken, or not from whoever asks.
    ActNotAllowed {
        /// How the case stands.
        state: &'static Word,
        /// The name of its stage, where it has one.
        stage: Option<String>,
        /// Who may act now.
        who: Option<&'static Word>,
        /// What was done last: another may have been quicker.
        last: Option<Box<LastMove>>,
    },
    /// What was asked to be corrected can be changed, and nothing else.
    NotAskedFor {
        /// The field or the kind of attachment.
        what: String,
    },
    /// 社保异常: the person goes on with a commitment, or gives up.
    SocialInsuranceAnomaly,
    /// The commitment letter was not opened, or not long enough ago.
    CommitmentNotRead {
        /// How many seconds are left.
        seconds_left: u64,
    },
    /// The text of the commitment letter has changed since it was opened.
    CommitmentOutdated {
        /// The version that holds.
        version: u16,
    },
}

/// The last thing that was done with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMove {
    /// What.
    pub act: &'static Word,
    /// In whose place.
    pub by: &'static Word,
    /// When.
    pub at: DateTime<Utc>,
}

/// A condition that does not hold, with what the person needs to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// Photo or signature is missing.
    PhotoAndSignature,
    /// The profile is not complete.
    ProfileComplete {
        /// What is missing.
        missing: Vec<Word>,
    },
    /// The name was not verified.
    RealName,
    /// No employer, or it has no account here.
    EmployerRegistered,
    /// No qualification for the specialty.
    Qualification {
        /// Whether it has to be in the library (入库登记) first.
        library: bool,
    },
    /// The qualification is in the library already.
    NotEnrolled,
    /// There is, or was, a registration of this specialty.
    FirstRegistration {
        /// The case that it came of, where there is one.
        case: Option<CaseId>,
    },
    /// There is no registration of this specialty, or it was cancelled.
    Registered,
    /// The registration's certificate is not valid.
    InForce {
        /// How it stands.
        status: Option<Status>,
    },
    /// There is no registration of another specialty to add this one to.
    OtherSpecialty,
    /// The registration has not ended.
    RegistrationEnded,
    /// It is too early or too late for a renewal.
    RenewalWindow {
        /// First day.
        opens_on: NaiveDate,
        /// Last day.
        closes_on: NaiveDate,
    },
    /// The new employer is the old one.
    EmployerDiffers,
    /// 强制注销 without a ruling.
    RulingIfForced,
    /// Nothing would be changed by the correction.
    SomethingToCorrect,
}

impl Unmet {
    /// The stable word of the condition.
    pub fn word(&self) -> &'static str {
        match self {
            Self::PhotoAndSignature => "photo_and_signature",
            Self::ProfileComplete { .. } => "profile_complete",
            Self::RealName => "real_name",
            Self::EmployerRegistered => "employer_registered",
            Self::Qualification { .. } => "qualification",
            Self::NotEnrolled => "not_enrolled",
            Self::FirstRegistration { .. } => "first_registration",
            Self::Registered => "registered",
            Self::InForce { .. } => "in_force",
            Self::OtherSpecialty => "other_specialty",
            Self::RegistrationEnded => "registration_ended",
            Self::RenewalWindow { .. } => "renewal_window",
            Self::EmployerDiffers => "employer_differs",
            Self::RulingIfForced => "ruling_if_forced",
            Self::SomethingToCorrect => "something_to_correct",
        }
    }

    fn detail(&self, language: Language) -> String {
        let (chinese, english) = match self {
            Self::ProfileComplete { missing } => {
                let items = missing.iter().map(|item| item.text(language)).collect::<Vec<_>>();
                return match language {
                    Language::Chinese => format!("首次申报前须完善资料。尚缺：{}。", items.join("、")),
                    Language::English => {
                        format!("Complete your profile first. Still missing: {}.", items.join(", "))
                    }
                };
            }
            Self::InForce { status: Some(status) } => {
                return match language {
                    Language::Chinese => {
                        format!(
                            "注册证书状态为“{}”，不能办理此项业务；如有疑问请联系发证机构。",
                            status.chinese()
                        )
                    }
                    Language::English => format!(
                        "The registration's certificate is {}; ask its issuer if in doubt.",
                        status.word()
                    ),
                };
            }
            Self::RenewalWindow { opens_on, closes_on } => {
                return match language {
                    Language::Chinese => {
                        format!("延续注册只能在 {opens_on} 至 {closes_on} 之间申报，请届时再办理。")
                    }
                    Language::English => {
                        format!("A renewal can be filed from {opens_on} to {closes_on}; come back then.")
                    }
                };
            }
            Self::PhotoAndSignature => (
                "请先在个人资料中上传证件照和手写签名，再行申报。",
                "Add your photo and signature to your profile first.",
            ),
            Self::RealName => (
                "尚未通过实名认证，请先在线认证，或到省级主管部门现场核验。",
                "Your name is not verified; verify it online, or in person at the provincial authority.",
            ),
            Self::EmployerRegistered => (
                "聘用单位未填写，或尚未在本系统开户；请先完善聘用单位，或请单位注册法人账号。",
                "Your employer is missing or has no account here; fill it in, or ask it to open one.",
            ),
            Self::Qualification { library: true } => (
                "资格信息尚未入库，请先办理入库登记。",
                "Your qualification is not in the library; file an enrolment first.",
            ),
            Self::Qualification { library: false } => (
                "没有查到您在本专业的职业资格，请核对专业；仍有疑问请提交工单。",
                "No qualification of yours for this specialty is known; check the specialty, or send a ticket.",
            ),
            Self::NotEnrolled => (
                "该专业的资格信息已入库，可直接办理注册。",
                "This qualification is in the library already; go on with the registration.",
            ),
            Self::FirstRegistration { .. } => (
                "您已有本专业的注册信息，不能重复申报；注销或失效后请办理重新注册。",
                "You have a registration of this specialty already; after it has ended, file a re-registration.",
            ),
            Self::Registered => (
                "您没有本专业的有效注册，请先办理初始注册。",
                "You hold no registration of this specialty; file an initial registration first.",
            ),
            Self::InForce { status: None } => (
                "没有查到该注册的证书，请联系发证机构。",
                "The registration's certificate was not found; ask its issuer.",
            ),
            Self::OtherSpecialty => (
                "增项注册须已有其他专业的注册，请先办理初始注册。",
                "Adding a specialty needs a registration of another one; file an initial registration first.",
            ),
            Self::RegistrationEnded => (
                "本专业的注册未注销或失效，不能重新注册。",
                "The registration of this specialty has not ended; there is nothing to register again.",
            ),
            Self::EmployerDiffers => (
                "新聘用单位与原聘用单位相同，请先在个人资料中保存新的聘用单位。",
                "The new employer is the old one; save the new employer in your profile first.",
            ),
            Self::RulingIfForced => (
                "强制注销须上传仲裁文书或法院判决书。",
                "A forced cancellation needs the arbitration document or the court's judgment; add it.",
            ),
            Self::SomethingToCorrect => (
                "填写的内容与现有信息一致，没有需要更正的内容。",
                "What you filled in is what is known already; there is nothing to correct.",
            ),
        };
        language.pick(chinese, english).to_owned()
    }
}

impl Filing {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CaseAlreadyOpen { .. } => "case-already-open",
            Self::ConditionNotMet(_) => "condition-not-met",
            Self::ActNotAllowed { .. } => "act-not-allowed",
            Self::NotAskedFor { .. } => "not-asked-for",
            Self::SocialInsuranceAnomaly => "social-insurance-anomaly",
            Self::CommitmentNotRead { .. } => "commitment-not-read",
            Self::CommitmentOutdated { .. } => "commitment-outdated",
        }
    }

    /// One line that names the refusal.
    pub fn title(&self, language: Language) -> &'static str {
        let (chinese, english) = match self {
            Self::CaseAlreadyOpen { .. } => {
                ("您已有本专业的注册信息，不能重复申报", "A case about this registration is open already")
            }
            Self::ConditionNotMet(_) => ("不符合申报条件", "A condition is not met"),
            Self::ActNotAllowed { .. } => ("当前状态不允许此操作", "This act is not allowed now"),
            Self::NotAskedFor { .. } => ("不在补正范围内", "This was not asked to be corrected"),
            Self::SocialInsuranceAnomaly => {
                ("您的社保缴纳情况异常", "Your social insurance shows an anomaly")
            }
            Self::CommitmentNotRead { .. } => ("请先阅读承诺书", "Read the commitment letter first"),
            Self::CommitmentOutdated { .. } => ("承诺书已更新", "The commitment letter has changed"),
        };
        language.pick(chinese, english)
    }

    /// What happened and what to do.
    pub fn detail(&self, language: Language) -> String {
        let zh = language == Language::Chinese;
        match self {
            Self::CaseAlreadyOpen { case } if zh => {
                format!("请继续办理或撤回已有的申报件（编号 {case}）。")
            }
            Self::CaseAlreadyOpen { case } => format!("Go on with it or withdraw it: it is case {case}."),
            Self::ConditionNotMet(unmet) => unmet.detail(language),
            Self::ActNotAllowed { state, stage, who, last } => {
                not_allowed(language, state, stage.as_deref(), *who, last.as_deref())
            }
            Self::NotAskedFor { what } if zh => format!("“{what}”未要求补正，请恢复原内容后提交。"),
            Self::NotAskedFor { what } => {
                format!("Nobody asked for “{what}” to be corrected; leave it as it was.")
            }
            Self::SocialInsuranceAnomaly if zh => {
                "可作出承诺后继续申报，承诺将被记录；也可取消申报，核实社保后再办理。申辩请到“我的申辩”。".to_owned()
            }
            Self::SocialInsuranceAnomaly => {
                "Go on with a commitment, which is recorded, or give up and have it checked. You can defend yourself \
                 under anomalies."
                    .to_owned()
            }
            Self::CommitmentNotRead { seconds_left } if zh => {
                format!("请打开并完整阅读承诺书，还需 {seconds_left} 秒。")
            }
            Self::CommitmentNotRead { seconds_left } => {
                format!("Open the letter and read it; {seconds_left} seconds are left.")
            }
            Self::CommitmentOutdated { version } if zh => {
                format!("承诺书现为第 {version} 版，请重新打开并阅读。")
            }
            Self::CommitmentOutdated { version } => {
                format!("Version {version} holds now; open the letter and read it again.")
            }
        }
    }
}

fn not_allowed(
    language: Language,
    state: &Word,
    stage: Option<&str>,
    who: Option<&Word>,
    last: Option<&LastMove>,
) -> String {
    let at = |at: DateTime<Utc>| in_shanghai(at).format("%Y-%m-%d %H:%M");
    match language {
        Language::Chinese => {
            let stage = stage.map_or_else(String::new, |stage| format!("（{stage}）"));
            let who = who.map_or_else(
                || "已办结或无人处理，不能再操作。".to_owned(),
                |who| format!("现由{}办理。", who.chinese),
            );
            let last = last.map_or_else(String::new, |last| {
                format!("最近一次操作：{}于 {} {}。", last.by.chinese, at(last.at), last.act.chinese)
            });
            format!("申报件状态为“{}”{stage}，{who}{last}", state.chinese)
        }
        Language::English => {
            let who = who.map_or_else(
                || "Nobody acts on it now.".to_owned(),
                |who| format!("It is the turn of {}.", who.english),
            );
            let last = last.map_or_else(String::new, |last| {
                format!(" The last act: {}, by {}, at {}.", last.act.english, last.by.english, at(last.at))
            });
            format!("The case is {}. {who}{last}", state.english)
        }
    }
}
