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
    pub fn shown(self) -> &'static Word {
        match self {
            Self::Person => &Word { word: "person", chinese: "个人", english: "the person" },
            Self::Unit => &Word { word: "unit", chinese: "企业", english: "the unit" },
            Self::Province => {
                &Word { word: "province", chinese: "省级主管部门", english: "the provincial authority" }
            }
            Self::Association => &Word { word: "association", chinese: "协会", english: "the association" },
            Self::Ministry => {
                &Word { word: "ministry", chinese: "部级主管部门", english: "the ministry" }
            }
            Self::Department => {
                &Word {
                    word: "department", chinese: "注册管理部门", english: "the registration department"
                }
            }
        }
    }
}

impl CaseState {
    /// Its word, and what it is called.
    pub fn shown(&self) -> &'static Word {
        match self {
            Self::Draft => &Word { word: "draft", chinese: "填报中", english: "a draft" },
            Self::Open(_) => &Word { word: "open", chinese: "办理中", english: "under review" },
            Self::Returned => &Word { word: "returned", chinese: "已退回", english: "returned" },
            Self::Correction(_) => {
                &Word { word: "correction", chinese: "待补正", english: "waiting for a correction" }
            }
            Self::WithdrawalPending(_) => &Word {
                word: "withdrawal_pending",
                chinese: "申请撤回中",
                english: "waiting for the consent to its withdrawal",
            },
            Self::Withdrawn => &Word { word: "withdrawn", chinese: "已撤回", english: "withdrawn" },
            Self::Approved { .. } => &Word { word: "approved", chinese: "审批通过", english: "approved" },
            Self::Rejected => &Word { word: "rejected", chinese: "审批不通过", english: "rejected" },
            Self::Cancelled => &Word { word: "cancelled", chinese: "已取消", english: "given up" },
        }
    }
}

impl Act {
    /// Its word, and what it is called.
    pub fn shown(self) -> &'static Word {
        match self {
            Self::Submit => &Word { word: "submit", chinese: "上报", english: "submit" },
            Self::Confirm => &Word { word: "confirm", chinese: "确认", english: "confirm" },
            Self::Return => &Word { word: "return", chinese: "退回", english: "return" },
            Self::Accept => &Word { word: "accept", chinese: "受理", english: "accept" },
            Self::Approve => &Word { word: "approve", chinese: "审批通过", english: "approve" },
            Self::Reject => &Word { word: "reject", chinese: "审批不通过", english: "reject" },
            Self::RequestCorrection => {
                &Word { word: "request_correction", chinese: "要求补正", english: "request a correction" }
            }
            Self::Correct => &Word { word: "correct", chinese: "补正", english: "correct" },
            Self::Withdraw => &Word { word: "withdraw", chinese: "撤回", english: "withdraw" },
            Self::ConsentWithdrawal => &Word {
                word: "consent_withdrawal",
                chinese: "同意撤回",
                english: "consent to the withdrawal",
            },
            Self::RefuseWithdrawal => {
                &Word {
                    word: "refuse_withdrawal", chinese: "不同意撤回", english: "refuse the withdrawal"
                }
            }
            Self::Deliver => &Word { word: "deliver", chinese: "证书寄出", english: "deliver" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_carries_the_stable_word() {
        assert!(Seat::ALL.iter().all(|seat| seat.shown().word == seat.word()));
        assert!(Act::ALL.iter().all(|act| act.shown().word == act.word()));
        let ended = [
            CaseState::Draft,
            CaseState::Returned,
            CaseState::Withdrawn,
            CaseState::Approved { certificate: None },
            CaseState::Rejected,
            CaseState::Cancelled,
        ];
        assert!(ended.iter().all(|state| state.shown().word == state.word()));
        let place = crate::registration::sample::place();
        for state in [
            CaseState::Open(place.clone()),
            CaseState::Correction(place.clone()),
            CaseState::WithdrawalPending(place),
        ] {
            assert_eq!(state.shown().word, state.word());
        }
    }
}
