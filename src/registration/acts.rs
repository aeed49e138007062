//! Acts: who may do what with a case, and what comes of it.

use chrono::{DateTime, Utc};

use crate::domain::calendar::day_of;
use crate::domain::event::Actor;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::registration::approval;
use crate::registration::case::{Act, Case, CaseState, Correction, CorrectionItem, Move, Opinion, Place};
use crate::registration::conditions::Facts;
use crate::registration::filing::{business, not_allowed};
use crate::registration::next::Next;
use crate::registration::party::Party;
use crate::registration::regime::{Chain, Regime, Stage, Target, Withdrawal};
use crate::registration::registrant::Registrant;
use crate::registration::submission;
use crate::registration::validity::working_days_after;
use crate::registration::word::StageId;

/// One act, as somebody does it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doing {
    /// What.
    pub act: Act,
    /// Whose account.
    pub by: Actor,
    /// In whose place.
    pub party: Party,
    /// When.
    pub at: DateTime<Utc>,
    /// Why. 退回 and 审批不通过 need it.
    pub opinion: Option<Opinion>,
    /// With 要求补正: everything that is to be corrected. At least one.
    pub items: Vec<CorrectionItem>,
    /// With 上报: what the person says to the commitment letter, where there is one.
    pub commitment: Option<Commitment>,
    /// With 上报: whether the person goes on with a commitment in spite of an anomaly.
    pub insurance_commitment: bool,
}

/// What a person says to a commitment letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commitment {
    /// The version that they read.
    pub version: u16,
    /// Whether they commit themselves; 不作出承诺 ends the case.
    pub accepted: bool,
}

impl Doing {
    /// An act without anything to it.
    pub fn plain(act: Act, by: Actor, party: Party, at: DateTime<Utc>) -> Self {
        let (opinion, commitment) = (None, None);
        Self { act, by, party, at, opinion, items: Vec::new(), commitment, insurance_commitment: false }
    }
}

/// What a party may do with a case now, in the order of [`Act::ALL`].
pub fn allowed_acts(case: &Case, regime: &Regime, party: &Party) -> Vec<Act> {
    let Ok(business) = business(case, regime) else { return Vec::new() };
    if !party.sees(case) {
        return Vec::new();
    }
    let mut acts = match (&case.state, party) {
        (CaseState::Draft | CaseState::Returned, Party::Person(_)) => vec![Act::Submit, Act::Withdraw],
        (CaseState::Withdrawn, Party::Person(_)) => vec![Act::Submit],
        (CaseState::Correction(_), Party::Person(_)) => vec![Act::Correct],
        (CaseState::WithdrawalPending(_), Party::Unit(_)) => {
            vec![Act::ConsentWithdrawal, Act::RefuseWithdrawal]
        }
        (CaseState::Open(place), party) => {
            let stage = business.chain.stage(&place.stage);
            let of_stage = stage.filter(|stage| stage.seat == party.seat());
            let mut acts: Vec<Act> =
                of_stage.map(|stage| stage.acts.keys().copied().collect()).unwrap_or_default();
            // A stage that the regime's file has lost since holds nobody's case captive.
            let withdrawable = stage.is_none_or(|stage| stage.withdrawal != Withdrawal::None);
            if matches!(party, Party::Person(_)) && withdrawable {
                acts.push(Act::Withdraw);
            }
            acts
        }
        _ => Vec::new(),
    };
    acts.sort_unstable();
    acts
}

/// Does an act. What is not allowed, incomplete, or against a condition of the regime is refused, and nothing changes.
///
/// `registrant` is the case's person; `facts` are of today. A rehearsal with [`Facts::code_proved`] set tells whether
/// anything but the code stands in the way, so that no code is spent in vain.
pub fn act(
    case: &Case,
    regime: &Regime,
    registrant: &Registrant,
    facts: &Facts,
    doing: &Doing,
) -> Result<Next, Refusal> {
    if !allowed_acts(case, regime, &doing.party).contains(&doing.act) {
        return Err(not_allowed(case, regime));
    }
    let chain = &business(case, regime)?.chain;
    let next = match (doing.act, &case.state) {
        (Act::Submit, _) => submission::submit(case, regime, registrant, facts, doing)?,
        (Act::Correct, CaseState::Correction(place)) => correct(case, chain, place, doing),
        (Act::Withdraw, state) => withdraw(case, chain, state, doing),
        (Act::ConsentWithdrawal, CaseState::WithdrawalPending(place)) => {
            Next::of(moved(case, doing, CaseState::Withdrawn, Some(&place.stage)))
        }
        (Act::RefuseWithdrawal, CaseState::WithdrawalPending(place)) => {
            Next::of(moved(case, doing, CaseState::Open(place.clone()), Some(&place.stage)))
        }
        (_, CaseState::Open(place)) => {
            let stage = chain.stage(&place.stage).ok_or_else(|| not_allowed(case, regime))?;
            decide(case, regime, registrant, facts, (stage, place), doing)?
        }
        _ => return Err(not_allowed(case, regime)),
    };
    Ok(next.mentioned(registrant))
}

/// An act of whoever holds the case.
fn decide(
    case: &Case,
    regime: &Regime,
    registrant: &Registrant,
    facts: &Facts,
    (stage, place): (&Stage, &Place),
    doing: &Doing,
) -> Result<Next, Refusal> {
    let wants_reasons = matches!(doing.act, Act::Return | Act::Reject);
    if wants_reasons && doing.opinion.is_none() {
        return Err(Refusal::field("opinion", FieldFault::Missing));
    }
    if doing.act == Act::RequestCorrection && doing.items.is_empty() {
        return Err(Refusal::field("items", FieldFault::Missing));
    }
    let chain = &business(case, regime)?.chain;
    let from = Some(&place.stage);
    let next = match stage.acts.get(&doing.act) {
        Some(Target::Stage(to)) => {
            let to = chain.stage(to).ok_or_else(|| not_allowed(case, regime))?;
            Next::of(moved(case, doing, CaseState::Open(arrival(to, doing.at)), from))
        }
        Some(Target::Approved) => {
            let approved = moved(case, doing, CaseState::Approved { certificate: None }, from);
            approval::settle(approved, regime, registrant, facts, doing.at)?
        }
        Some(Target::Rejected) => Next::of(moved(case, doing, CaseState::Rejected, from)),
        Some(Target::Returned) => Next::of(moved(case, doing, CaseState::Returned, from)),
        Some(Target::Correction) => {
            let mut case = moved(case, doing, CaseState::Correction(place.clone()), from);
            case.corrections.push(Correction {
                asked_at: doing.at,
                items: doing.items.clone(),
                corrected_at: None,
            });
            Next::of(case)
        }
        None => return Err(not_allowed(case, regime)),
    };
    Ok(next)
}

/// 补正: back to where it was; the time limit begins anew.
fn correct(case: &Case, chain: &Chain, place: &Place, doing: &Doing) -> Next {
    let arrived = chain.stage(&place.stage).map_or_else(|| place.clone(), |stage| arrival(stage, doing.at));
    let mut case = moved(case, doing, CaseState::Open(arrived), Some(&place.stage));
    if let Some(open) = case.corrections.last_mut() {
        open.corrected_at.get_or_insert(doing.at);
    }
    Next::of(case)
}

fn withdraw(case: &Case, chain: &Chain, state: &CaseState, doing: &Doing) -> Next {
    let place = state.place();
    let rule = place.and_then(|place| chain.stage(&place.stage)).map(|stage| stage.withdrawal);
    let state = match (place, rule) {
        (Some(place), Some(Withdrawal::Consent)) => CaseState::WithdrawalPending(place.clone()),
        (Some(_), _) => CaseState::Withdrawn,
        (None, _) => CaseState::Cancelled,
    };
    Next::of(moved(case, doing, state, place.map(|place| &place.stage)))
}

/// The case after a move. Moves are only ever added.
pub(super) fn moved(case: &Case, doing: &Doing, state: CaseState, from: Option<&StageId>) -> Case {
    let mut case = case.clone();
    case.moves.push(Move {
        act: doing.act,
        by: doing.by,
        seat: doing.party.seat(),
        at: doing.at,
        opinion: doing.opinion.clone(),
        from: from.cloned(),
        to: state.place().map(|place| place.stage.clone()),
    });
    case.state = state;
    case
}

/// A stage that a case has come to.
pub(super) fn arrival(stage: &Stage, at: DateTime<Utc>) -> Place {
    Place {
        stage: stage.id.clone(),
        seat: stage.seat,
        since: at,
        due_on: stage.days.map(|days| working_days_after(day_of(at), days)),
    }
}

#[cfg(test)]
mod tests;
