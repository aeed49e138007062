//! A case (申报件): what a person files, where it stands, who holds it, and everything that was done with it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::certificate::{Line, Name};
use crate::domain::event::Actor;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{CaseId, CertificateId, Malformed, Sha256};
use crate::domain::staff::Region;
use crate::registration::word::{AttachmentKind, ClassId, FieldName, RegimeId, StageId, TypeId};

/// What somebody says about an act: an opinion, a reason.
pub type Opinion = Line<500>;

/// A specialty (专业), in the regime's own words.
pub type Specialty = Line<40>;

/// A case. Its data stays when it is returned or withdrawn: it opens again as a draft.
#[derive(Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// Whose it is.
    pub person: PersonId,
    /// Their name when it was opened.
    pub name: Name,
    /// What it is about.
    pub subject: Subject,
    /// The employer that confirms it: the person's when it was opened, and again at each submission.
    pub unit: Option<CreditCode>,
    /// What was typed; fields that were left empty are absent.
    pub form: BTreeMap<FieldName, FieldValue>,
    /// The files, at most one of a kind.
    pub attachments: BTreeMap<AttachmentKind, Attachment>,
    /// The commitment letter, once it was opened.
    pub letter: Option<Letter>,
    /// Where it stands.
    pub state: CaseState,
    /// Everything that was done, oldest first. Nothing is ever taken out.
    pub moves: Vec<Move>,
    /// What an authority asked to be corrected, oldest first; of which at most the last is open.
    pub corrections: Vec<Correction>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({}, {}, {})", self.id, self.subject.business, self.state.word())
    }
}

/// What a case is about. A person has one live case for each regime, class and specialty.
#[derive(Clone, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Subject {
    /// The regime.
    pub regime: RegimeId,
    /// The class of it.
    pub class: ClassId,
    /// The specialty.
    pub specialty: Specialty,
    /// The business type.
    pub business: TypeId,
}

impl Subject {
    /// Whether two are about the same registration, whatever is to be done with it.
    pub fn same_registration(&self, other: &Self) -> bool {
        (&self.regime, &self.class, &self.specialty) == (&other.regime, &other.class, &other.specialty)
    }
}

/// The value of a field of a form.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// A text, or the word of a choice.
    Text(Line<500>),
    /// A day.
    Day(NaiveDate),
    /// A unit.
    Unit(CreditCode),
    /// Yes or no.
    Flag(bool),
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldValue(…)")
    }
}

/// A file of a case, as it is kept: pictures were encoded anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    /// The digest that it is kept under.
    pub document: Sha256,
    /// What it is.
    pub media: Media,
    /// How many bytes were sent.
    pub bytes: u64,
    /// When.
    pub added_at: DateTime<Utc>,
}

/// What a file is, told by its content.
pub type Media = crate::domain::media::Media;

/// A commitment letter (承诺书) that was opened: the time of reading counts from there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Which version of its text.
    pub version: u16,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
}

/// Who acts at a stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// 个人
    Person,
    /// 企业
    Unit,
    /// 省级
    Province,
    /// 协会
    Association,
    /// 部级
    Ministry,
    /// 注册管理部门
    Department,
}

impl Seat {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Person, Self::Unit, Self::Province, Self::Association, Self::Ministry, Self::Department];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Unit => "unit",
            Self::Province => "province",
            Self::Association => "association",
            Self::Ministry => "ministry",
            Self::Department => "department",
        }
    }

    /// Whether it is an authority's, and each authority of it sees its own region only.
    pub fn is_regional(self) -> bool {
        matches!(self, Self::Province | Self::Department)
    }
}

impl FromStr for Seat {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|seat| seat.word() == text).ok_or(Malformed("actor"))
    }
}

/// Where a case that was submitted is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The stage.
    pub stage: StageId,
    /// Who acts there.
    pub seat: Seat,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The last day for the act, where the regime sets one.
    pub due_on: Option<NaiveDate>,
}

/// Where a case stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaseState {
    /// Being filled in.
    Draft,
    /// With whoever acts at its stage.
    Open(Place),
    /// 退回: given back with reasons, to be filled in again.
    Returned,
    /// 补正: the person corrects what was asked for; then it is back where it was.
    Correction(Place),
    /// 撤回 was asked for after the unit had reported it: the unit consents or refuses.
    WithdrawalPending(Place),
    /// 已撤回; it can be filled in and filed again.
    Withdrawn,
    /// 审批通过
    Approved {
        /// The version of the certificate that came of it, where one did.
        certificate: Option<CertificateId>,
    },
    /// 审批不通过
    Rejected,
    /// Given up by the person before it was submitted.
    Cancelled,
}

impl CaseState {
    /// Every word, in the order of the variants.
    pub const WORDS: [&str; 9] = [
        "draft",
        "open",
        "returned",
        "correction",
        "withdrawal_pending",
        "withdrawn",
        "approved",
        "rejected",
        "cancelled",
    ];

    /// The stable word.
    pub fn word(&self) -> &'static str {
        let at = match self {
            Self::Draft => 0,
            Self::Open(_) => 1,
            Self::Returned => 2,
            Self::Correction(_) => 3,
            Self::WithdrawalPending(_) => 4,
            Self::Withdrawn => 5,
            Self::Approved { .. } => 6,
            Self::Rejected => 7,
            Self::Cancelled => 8,
        };
        Self::WORDS[at]
    }

    /// Where it is, once submitted.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Open(place) | Self::Correction(place) | Self::WithdrawalPending(place) => Some(place),
            Self::Draft
            | Self::Returned
            | Self::Withdrawn
            | Self::Approved { .. }
            | Self::Rejected
            | Self::Cancelled => None,
        }
    }

    /// The version of the certificate that came of it.
    pub fn certificate(&self) -> Option<CertificateId> {
        match self {
            Self::Approved { certificate } => *certificate,
            _ => None,
        }
    }

    /// Who holds it now. A withdrawn case is held by nobody until it is taken up again.
    pub fn seat(&self) -> Option<Seat> {
        match self {
            Self::Open(place) => Some(place.seat),
            Self::Draft | Self::Returned | Self::Correction(_) => Some(Seat::Person),
            Self::WithdrawalPending(_) => Some(Seat::Unit),
            Self::Withdrawn | Self::Approved { .. } | Self::Rejected | Self::Cancelled => None,
        }
    }

    /// Whether the person may fill it in.
    pub fn is_editable(&self) -> bool {
        matches!(self, Self::Draft | Self::Returned | Self::Withdrawn)
    }

    /// Whether it keeps the person from filing another about the same registration.
    pub fn is_live(&self) -> bool {
        self.seat().is_some()
    }
}

impl Case {
    /// The region whose authorities deal with it: characters 3 and 4 of the employer's credit code.
    pub fn region(&self) -> Option<Region> {
        self.unit.as_ref().map(Region::of)
    }
}

/// What is done with a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum Act {
    /// 上报
    Submit,
    /// 确认
    Confirm,
    /// 退回
    Return,
    /// 受理
    Accept,
    /// 审批通过
    Approve,
    /// 审批不通过
    Reject,
    /// 要求补正, everything at once (一次告知)
    RequestCorrection,
    /// 补正
    Correct,
    /// 撤回; a draft is given up by it
    Withdraw,
    /// 同意撤回
    ConsentWithdrawal,
    /// 不同意撤回
    RefuseWithdrawal,
    /// 证书寄出
    Deliver,
}

impl Act {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::Submit,
        Self::Confirm,
        Self::Return,
        Self::Accept,
        Self::Approve,
        Self::Reject,
        Self::RequestCorrection,
        Self::Correct,
        Self::Withdraw,
        Self::ConsentWithdrawal,
        Self::RefuseWithdrawal,
        Self::Deliver,
    ];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Confirm => "confirm",
            Self::Return => "return",
            Self::Accept => "accept",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::RequestCorrection => "request_correction",
            Self::Correct => "correct",
            Self::Withdraw => "withdraw",
            Self::ConsentWithdrawal => "consent_withdrawal",
            Self::RefuseWithdrawal => "refuse_withdrawal",
            Self::Deliver => "deliver",
        }
    }
}

impl FromStr for Act {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|act| act.word() == text).ok_or(Malformed("act"))
    }
}

/// One thing that was done with a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    /// What.
    pub act: Act,
    /// Whose account.
    pub by: Actor,
    /// In whose place.
    pub seat: Seat,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub opinion: Option<Opinion>,
    /// The stage it was done at; none for a draft.
    pub from: Option<StageId>,
    /// The stage it led to; none where it led out of the chain.
    pub to: Option<StageId>,
}

/// What an authority asked to be corrected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Correction {
    /// When.
    pub asked_at: DateTime<Utc>,
    /// Everything that is to be corrected, at once.
    pub items: Vec<CorrectionItem>,
    /// When the person did.
    pub corrected_at: Option<DateTime<Utc>>,
}

/// One thing to correct.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CorrectionItem {
    /// The attachment or the field that it is about, where it is about one.
    pub what: Option<FieldName>,
    /// What is to be corrected.
    pub content: Line<200>,
    /// Why.
    pub reason: Line<200>,
}
