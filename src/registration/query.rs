//! Questions about cases, and what is counted of them.

use chrono::NaiveDate;

use crate::domain::identity::CreditCode;
use crate::domain::ids::CaseId;
use crate::domain::staff::Region;
use crate::registration::case::{Case, Seat};
use crate::registration::word::{RegimeId, StageId, TypeId};

/// Which cases.
#[derive(Clone, Debug)]
pub struct CaseQuery {
    /// Whose.
    pub of: CasesOf,
    /// Of this regime.
    pub regime: Option<RegimeId>,
    /// After this one of the same list.
    pub after: Option<CaseCursor>,
    /// At most so many (1 to 500).
    pub limit: usize,
}

/// Whose cases, and in which order they are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CasesOf {
    /// A unit's.
    Unit {
        /// Which.
        uscc: CreditCode,
        /// Those that the unit holds now, by due day as those of a seat; else all of the unit's, newest first.
        held: bool,
    },
    /// Those that a seat holds now, by due day, those without one last, and then in the order in which they were opened.
    Seat {
        /// Which.
        seat: Seat,
        /// Of this region; of every region, and of none, where none.
        region: Option<Region>,
    },
}

/// Where a case stands in a list: its due day and its name. Of all cases of a unit, the name says it alone.
pub type CaseCursor = (Option<NaiveDate>, CaseId);

impl CaseQuery {
    /// What to ask for after this case.
    pub fn cursor(case: &Case) -> CaseCursor {
        (case.state.place().and_then(|place| place.due_on), case.id)
    }

    /// Whether a case is one of those asked for: the record has the last word.
    pub(crate) fn fits(&self, case: &Case) -> bool {
        let is_theirs = match &self.of {
            CasesOf::Unit { uscc, held } => {
                case.unit == Some(*uscc) && (!held || case.state.seat() == Some(Seat::Unit))
            }
            CasesOf::Seat { seat, region } => {
                case.state.seat() == Some(*seat) && region.is_none_or(|region| case.region() == Some(region))
            }
        };
        is_theirs && self.regime.as_ref().is_none_or(|regime| case.subject.regime == *regime)
    }
}

/// How many cases of a kind a seat holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseCount {
    /// Of this regime.
    pub regime: RegimeId,
    /// Of this business type.
    pub business: TypeId,
    /// At this stage; none where they are with their person and were never submitted, or were returned.
    pub stage: Option<StageId>,
    /// How many.
    pub count: u64,
    /// How many of them were due before the day that was asked for.
    pub overdue: u64,
}
