//! What a clerk enters for a person who cannot file, or will not: the dead, the incapable, the uncooperative.

use std::collections::BTreeMap;

use crate::domain::calendar::day_of;
use crate::domain::refusal::{FieldError, FieldFault, Refusal};
use crate::registration::acts::{Doing, arrival, moved};
use crate::registration::case::{Act, Attachment, CaseState, Seat};
use crate::registration::conditions::{Condition, Facts};
use crate::registration::filing::{Opening, draft, not_allowed, refuse_second};
use crate::registration::next::Next;
use crate::registration::party::Party;
use crate::registration::regime::Regime;
use crate::registration::registrant::Registrant;
use crate::registration::word::AttachmentKind;

/// Enters a case with its documents: it is open at once, at the stage that the regime names. Of the conditions those about
/// the registration itself hold; the person is asked for nothing. The clerk's reason is needed.
///
/// `doing` is the clerk's [`Act::Submit`].
pub fn enter(
    regime: &Regime,
    registrant: &Registrant,
    facts: &Facts,
    opening: Opening,
    attachments: BTreeMap<AttachmentKind, Attachment>,
    doing: &Doing,
) -> Result<Next, Refusal> {
    let today = day_of(doing.at);
    let (mut case, business) = draft(regime, registrant, opening)?;
    refuse_second(registrant, &case.subject, case.id)?;
    let registration = registrant.registrations.iter().find(|registration| registration.is_of(&case.subject));
    // Where they are registered is whose region it is, wherever they may work now.
    case.unit = registration.map(|registration| registration.employer).or(case.unit);
    let way = business.offline.as_ref().filter(|way| {
        let of_seat = matches!(&doing.party, Party::Authority { seat, .. } if *seat == way.seat);
        of_seat && doing.act == Act::Submit && doing.party.sees(&case)
    });
    let way = way.ok_or_else(|| not_allowed(&case, regime))?;
    for condition in business.conditions.iter().filter(|condition| is_of_the_registration(condition)) {
        condition.judge(&case, registrant, facts, today).map_err(Refusal::Filing)?;
    }
    let mut errors: Vec<_> = attachments
        .keys()
        .filter(|kind| business.attachment(kind).is_none())
        .map(|kind| FieldError::new(format!("attachments.{kind}"), FieldFault::UnknownField))
        .collect();
    let missing = way.attachments.iter().filter(|kind| !attachments.contains_key(kind));
    errors.extend(missing.map(|kind| FieldError::new(format!("attachments.{kind}"), FieldFault::Missing)));
    if doing.opinion.is_none() {
        errors.push(FieldError::new("opinion", FieldFault::Missing));
    }
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    case.attachments = attachments;
    let to = business.chain.stage(&way.to).filter(|stage| stage.seat != Seat::Person);
    let to = to.ok_or_else(|| not_allowed(&case, regime))?;
    let entered = moved(&case, doing, CaseState::Open(arrival(to, doing.at)), None);
    Ok(Next::of(entered).mentioned(registrant))
}

fn is_of_the_registration(condition: &Condition) -> bool {
    matches!(condition, Condition::Registered | Condition::InForce | Condition::RegistrationEnded)
}
