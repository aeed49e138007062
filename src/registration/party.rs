//! Who acts on a case, and what seats, states and acts are called.

use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::refusal::filing::Word;
use crate::domain::staff::{Level, Region};
use crate::registration::case::{Act, Case, CaseState, Seat};

/// Who acts: a person, a unit, or somebody of an authority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Party {
    /// A person.
    Person(PersonId),
    /// A unit.
    Unit(CreditCode),
    /// Somebody of an authority.
    Authority {
        /// Which.
        seat: Seat,
        /// Whose cases they see, at a regional authority; every region's where none.
        region: Option<Region>,
    },
}

impl Party {
    /// In whose place they act.
    pub fn seat(&self) -> Seat {
        match self {
            Self::Person(_) => Seat::Person,
            Self::Unit(_) => Seat::Unit,
            Self::Authority { seat, .. } => *seat,
        }
    }

    /// Whether a case is one of theirs: the person's own, the unit's own, or one of the authority's region.
    pub fn sees(&self, case: &Case) -> bool {
        match self {
            Self::Person(person) => *person == case.person,
            Self::Unit(unit) => Some(*unit) == case.unit,
            Self::Authority { seat, region } => {
                !seat.is_regional() || region.is_none() || *region == case.region()
            }
        }
    }
}

impl From<Level> for Seat {
    fn from(level: Level) -> Self {
        match level {
            Level::Province => Self::Province,
            Level::Association => Self::Association,
            Level::Ministry => Self::Ministry,
            Level::Department => Self::Department,
        }
    }
}

impl Seat {
    /// Its word, and what it is called.
    pub fn shown(self) -> Word {
        let (chinese, english) = match self {
            Self::Person => ("个人", "the person"),
            Self::Unit => ("企业", "the unit"),
            Self::Province => ("省级主管部门", "the provincial authority"),
            Self::Association => ("协会", "the association"),
            Self::Ministry => ("部级主管部门", "the ministry"),
            Self::Department => ("注册管理部门", "the registration department"),
        };
        Word { word: self.word(), chinese, english }
    }
}

impl CaseState {
    /// Its word, and what it is called.
    pub fn shown(&self) -> Word {
        let (chinese, english) = match self {
            Self::Draft => ("填报中", "a draft"),
            Self::Open(_) => ("办理中", "under review"),
            Self::Returned => ("已退回", "returned"),
            Self::Correction(_) => ("待补正", "waiting for a correction"),
            Self::WithdrawalPending(_) => ("申请撤回中", "waiting for the consent to its withdrawal"),
            Self::Withdrawn => ("已撤回", "withdrawn"),
            Self::Approved { .. } => ("审批通过", "approved"),
            Self::Rejected => ("审批不通过", "rejected"),
            Self::Cancelled => ("已取消", "given up"),
        };
        Word { word: self.word(), chinese, english }
    }
}

impl Act {
    /// Its word, and what it is called.
    pub fn shown(self) -> Word {
        let (chinese, english) = match self {
            Self::Submit => ("上报", "submit"),
            Self::Confirm => ("确认", "confirm"),
            Self::Return => ("退回", "return"),
            Self::Accept => ("受理", "accept"),
            Self::Approve => ("审批通过", "approve"),
            Self::Reject => ("审批不通过", "reject"),
            Self::RequestCorrection => ("要求补正", "request a correction"),
            Self::Correct => ("补正", "correct"),
            Self::Withdraw => ("撤回", "withdraw"),
            Self::ConsentWithdrawal => ("同意撤回", "consent to the withdrawal"),
            Self::RefuseWithdrawal => ("不同意撤回", "refuse the withdrawal"),
            Self::Deliver => ("证书寄出", "deliver"),
        };
        Word { word: self.word(), chinese, english }
    }
}
