//! What is said to whoever applies for something that staff or a register decides: a unit's account, a ticket's answer.

use crate::domain::language::Language;

/// Why an application is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applying {
    /// There is an account of this credit code. Units are public: that is no secret.
    UnitTaken,
    /// A ticket of this person or mobile waits for its answer.
    TicketOpen,
    /// The ticket was answered, once and for all.
    TicketAnswered,
}

impl Applying {
    /// Every one of them.
    pub(crate) const ALL: [Self; 3] = [Self::UnitTaken, Self::TicketOpen, Self::TicketAnswered];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnitTaken => "unit-taken",
            Self::TicketOpen => "ticket-open",
            Self::TicketAnswered => "ticket-answered",
        }
    }

    /// One line that names the refusal.
    pub fn title(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::UnitTaken => ("该单位已注册", "This unit has an account"),
            Self::TicketOpen => ("已有待处理的工单", "A ticket is waiting already"),
            Self::TicketAnswered => ("工单已答复", "The ticket was answered already"),
        };
        language.pick(zh, en)
    }

    /// What happened and what to do.
    pub fn detail(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::UnitTaken => (
                "该统一社会信用代码已有账号。忘记密码时请用注册手机号码找回；手机号码已停用或并非本单位注册时，请联系主管部门。",
                "There is an account of this credit code. Recover the password with its mobile; if that is out of use, or \
                 somebody else opened the account, ask the authority.",
            ),
            Self::TicketOpen => (
                "该证件号码或手机号码已有一张待处理的工单，答复前不能再提交。请凭工单号查询进度。",
                "A ticket of this identity number or mobile is waiting; until it is answered no other is taken. Ask how it \
                 stands by its number.",
            ),
            Self::TicketAnswered => (
                "每张工单只答复一次；需要补充时请申请人另行提交。",
                "A ticket is answered once; whoever wants more sends another.",
            ),
        };
        language.pick(zh, en)
    }
}

/// What is wrong with a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanFault {
    /// Larger than 5 MiB, or of too many pixels.
    TooLarge,
    /// Neither JPEG, PNG nor PDF, whatever its name says.
    UnknownKind,
    /// It cannot be read.
    Broken,
}

impl ScanFault {
    /// What is wrong and what to do.
    pub fn message(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::TooLarge => (
                "文件过大，请提供 5 MB 以内、不超过 2500 万像素的文件。",
                "The file is too large; send one of at most 5 MiB and 25 million pixels.",
            ),
            Self::UnknownKind => (
                "无法识别的文件，请提供 JPEG、PNG 图片或 PDF 文件。",
                "Neither JPEG, PNG nor PDF; send one of these.",
            ),
            Self::Broken => {
                ("文件已损坏，请重新拍摄或扫描。", "The file is damaged; take the picture or scan it again.")
            }
        };
        language.pick(zh, en)
    }
}
