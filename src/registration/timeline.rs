//! The timeline of a case: where it was, since when, who held it, and what they did.

use chrono::{DateTime, Utc};

use crate::domain::event::Actor;
use crate::registration::case::{Act, Case, CaseState, Move, Opinion, Seat};
use crate::registration::regime::Chain;
use crate::registration::word::StageId;

/// One stay of a case at a stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stay {
    /// The stage.
    pub stage: StageId,
    /// Who held the case.
    pub seat: Seat,
    /// Since when.
    pub entered_at: DateTime<Utc>,
    /// What ended the stay; none while it lasts.
    pub left: Option<Left>,
}

/// What ended a stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    /// What was done.
    pub act: Act,
    /// In whose place: not always who held the case, as when the person withdraws it.
    pub seat: Seat,
    /// Whose account.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub opinion: Option<Opinion>,
}

/// The stays of a case, oldest first; the first is the person's. The last lasts, unless the case has ended.
pub fn timeline(case: &Case, chain: &Chain) -> Vec<Stay> {
    let Some(first) = chain.stages.first() else { return Vec::new() };
    let home = |at| Stay { stage: first.id.clone(), seat: Seat::Person, entered_at: at, left: None };
    let mut stays = vec![home(case.opened_at)];
    for done in &case.moves {
        if let Some(last) = stays.last_mut() {
            last.left = Some(Left {
                act: done.act,
                seat: done.seat,
                by: done.by,
                at: done.at,
                opinion: done.opinion.clone(),
            });
        }
        stays.extend(next(done, chain).or_else(|| (!ends(done, case)).then(|| home(done.at))));
    }
    stays
}

/// Where a move led within the chain.
fn next(done: &Move, chain: &Chain) -> Option<Stay> {
    let stage = chain.stage(done.to.as_ref()?)?;
    let seat = match done.act {
        Act::RequestCorrection => Seat::Person,
        Act::Withdraw => Seat::Unit,
        _ => stage.seat,
    };
    Some(Stay { stage: stage.id.clone(), seat, entered_at: done.at, left: None })
}

/// Whether a move that led out of the chain ended the case for good: it is the last then.
fn ends(done: &Move, case: &Case) -> bool {
    let last = case.moves.last().is_some_and(|last| std::ptr::eq(last, done));
    last && matches!(case.state, CaseState::Approved { .. } | CaseState::Rejected | CaseState::Cancelled)
}
