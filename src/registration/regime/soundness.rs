//! Whether a regime works: every stage can be reached and left, everybody who is to act can, nothing is named that is not
//! there.

use std::collections::BTreeSet;

use crate::registration::case::{Act, Seat};
use crate::registration::conditions::Condition;
use crate::registration::regime::section::Faults;
use crate::registration::regime::{
    AttachmentRule, Business, Chain, Class, Consequence, FieldKind, Regime, Stage, Target, Withdrawal,
};
use crate::registration::word::{FieldName, StageId};

/// Judges a chain by itself.
pub(super) fn chain(chain: &Chain, place: &str, faults: &Faults) {
    let Some(first) = chain.stages.first() else {
        faults.add(place, "it has no stage");
        return;
    };
    report_twice(chain.stages.iter().map(|stage| stage.id.as_str()), &format!("{place}.stages"), faults);
    for stage in &chain.stages {
        let at = format!("{place}.stages.{}", stage.id);
        judge_acts(stage, stage.id == first.id, &at, faults);
        for (act, target) in &stage.acts {
            if let Target::Stage(to) = target
                && (chain.stage(to).is_none() || *to == first.id)
            {
                faults.add(format!("{at}.acts.{}", act.word()), format!("`{to}` is no stage to lead to"));
            }
        }
        if stage.withdrawal == Withdrawal::Consent
            && !chain.stages.iter().any(|stage| stage.seat == Seat::Unit)
        {
            faults.add(format!("{at}.withdrawal"), "no unit acts in this chain: nobody could consent");
        }
    }
    let reached = reached(chain, &first.id);
    for stage in &chain.stages {
        let at = format!("{place}.stages.{}", stage.id);
        if !reached.contains(&stage.id) {
            faults.add(&at, "no act leads to it");
        }
        if !stage.acts.is_empty() && !ends(chain, &stage.id) {
            faults.add(&at, "no way from it leads to approval");
        }
    }
}

fn judge_acts(stage: &Stage, is_first: bool, at: &str, faults: &Faults) {
    if stage.acts.is_empty() {
        faults.add(at, "nothing can be done there");
    }
    match (is_first, stage.seat) {
        (true, Seat::Person) | (false, Seat::Unit) => {}
        (false, Seat::Person) => faults.add(at, "a person acts at the first stage only, and in corrections"),
        (true, _) => faults.add(at, "the first stage is the person's"),
        (false, _) => {}
    }
    if is_first && stage.withdrawal != Withdrawal::None {
        faults.add(format!("{at}.withdrawal"), "a draft is given up without asking");
    }
    for (act, target) in &stage.acts {
        let at = format!("{at}.acts.{}", act.word());
        let may = match act {
            Act::Submit => is_first,
            Act::Confirm | Act::Return => !is_first,
            Act::Accept | Act::Approve | Act::Reject | Act::RequestCorrection | Act::Deliver => {
                !is_first && stage.seat != Seat::Unit
            }
            Act::Correct | Act::Withdraw | Act::ConsentWithdrawal | Act::RefuseWithdrawal => {
                faults.add(at, "it is no act of a stage: it follows from `withdrawal` and corrections");
                continue;
            }
        };
        if !may {
            faults.add(&at, format!("`{}` does not do this here", stage.seat.word()));
        }
        let fits = match act {
            Act::Submit | Act::Accept => matches!(target, Target::Stage(_)),
            Act::Confirm | Act::Approve | Act::Deliver => {
                matches!(target, Target::Stage(_) | Target::Approved)
            }
            Act::Return => matches!(target, Target::Returned),
            Act::Reject => matches!(target, Target::Rejected),
            _ => matches!(target, Target::Correction),
        };
        if !fits {
            faults.add(at, "it cannot lead there");
        }
    }
    if stage.days == Some(0) || stage.days.is_some_and(|days| days > 250) {
        faults.add(format!("{at}.days"), "1 to 250 working days are wanted");
    }
}

fn targets<'c>(chain: &'c Chain, stage: &StageId) -> impl Iterator<Item = &'c Target> {
    chain.stage(stage).into_iter().flat_map(|stage| stage.acts.values())
}

fn reached(chain: &Chain, first: &StageId) -> BTreeSet<StageId> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![first.clone()]);
    while let Some(stage) = open.pop() {
        if reached.insert(stage.clone()) {
            let next = targets(chain, &stage).filter_map(|target| match target {
                Target::Stage(to) => Some(to.clone()),
                _ => None,
            });
            open.extend(next);
        }
    }
    reached
}

fn ends(chain: &Chain, from: &StageId) -> bool {
    reached(chain, from).iter().any(|stage| targets(chain, stage).any(|target| *target == Target::Approved))
}

/// Judges a business type by itself.
pub(super) fn business(business: &Business, place: &str, faults: &Faults) {
    report_twice(business.form.iter().map(|field| field.name.as_str()), &format!("{place}.form"), faults);
    let kinds = business.attachments.iter().map(|rule| rule.kind.as_str());
    report_twice(kinds, &format!("{place}.attachments"), faults);
    report_twice(business.conditions.iter().map(Condition::word), &format!("{place}.conditions"), faults);
    for condition in &business.conditions {
        if let Condition::RulingIfForced { field, attachment } = condition {
            wants_field(business, field, &FieldKind::Bool, &format!("{place}.conditions"), faults);
            if business.attachment(attachment).is_none() {
                faults.add(format!("{place}.conditions"), format!("there is no attachment `{attachment}`"));
            }
        }
    }
    let at = format!("{place}.effect");
    let text = |field: &FieldName| wants_field(business, field, &FieldKind::Text, &at, faults);
    let some = |field: &FieldName| {
        if business.field(field).is_none() {
            faults.add(&at, format!("there is no field `{field}` in the form"));
        }
    };
    match &business.effect {
        Consequence::Grant { category } => category.iter().for_each(some),
        Consequence::Convert { category } => some(category),
        Consequence::Enrol { management_no } => text(management_no),
        Consequence::Correct { name, id_number, id_type } => {
            if name.is_none() && id_number.is_none() {
                faults.add(&at, "a correction is of a name or of an identity number");
            }
            name.iter().chain(id_number).for_each(text);
            id_type.iter().for_each(some);
        }
        Consequence::Change
        | Consequence::Extend
        | Consequence::Replace
        | Consequence::Reregister { .. }
        | Consequence::Cancel => {}
    }
    judge_standing(business, place, faults);
    if let Some(offline) = &business.offline {
        let at = format!("{place}.offline");
        if matches!(offline.seat, Seat::Person | Seat::Unit) {
            faults.add(format!("{at}.actor"), "an authority's clerk enters it");
        }
        let opening = business.chain.stages.first().map(|stage| &stage.id);
        if business.chain.stage(&offline.to).is_none() || opening == Some(&offline.to) {
            faults.add(format!("{at}.to"), format!("`{}` is no stage to lead to", offline.to));
        }
        for kind in offline.attachments.iter().filter(|kind| business.attachment(kind).is_none()) {
            faults.add(format!("{at}.attachments"), format!("there is no attachment `{kind}`"));
        }
    }
}

/// What is done to a registration needs one, and what begins one needs that there is none.
fn judge_standing(business: &Business, place: &str, faults: &Faults) {
    let has = |words: &[&str]| business.conditions.iter().any(|condition| words.contains(&condition.word()));
    let wanted: &[&str] = match business.effect {
        Consequence::Grant { .. } => &["first_registration"],
        Consequence::Reregister { .. } => &["registration_ended"],
        Consequence::Change
        | Consequence::Extend
        | Consequence::Replace
        | Consequence::Cancel
        | Consequence::Convert { .. } => &["registered", "in_force"],
        Consequence::Enrol { .. } | Consequence::Correct { .. } => return,
    };
    if !has(wanted) {
        let what = format!("its effect needs the condition `{}`", wanted.join("` or `"));
        faults.add(format!("{place}.conditions"), what);
    }
}

fn wants_field(business: &Business, name: &FieldName, kind: &FieldKind, at: &str, faults: &Faults) {
    match business.field(name) {
        Some(field) if field.kind == *kind => {}
        Some(_) => faults.add(at, format!("the field `{name}` is not of the kind `{}`", kind.word())),
        None => faults.add(at, format!("there is no field `{name}` in the form")),
    }
}

/// Judges an attachment by itself.
pub(super) fn attachment(rule: &AttachmentRule, place: &str, faults: &Faults) {
    if rule.media.is_empty() {
        faults.add(format!("{place}.media"), "at least one kind of file is wanted");
    }
    if rule.max_bytes == 0 || rule.min_bytes > rule.max_bytes {
        faults.add(place, "no size fits between min_bytes and max_bytes");
    }
}

/// Judges how the parts fit together.
pub(super) fn judge(regime: &Regime, faults: &Faults) {
    if regime.classes.is_empty() {
        faults.add("classes", "at least one class is wanted");
    }
    report_twice(regime.classes.iter().map(|class| class.id.as_str()), "classes", faults);
    let kinds = regime.classes.iter().map(|class| class.certificate.kind.as_str());
    report_twice(kinds, "classes", faults);
    for class in &regime.classes {
        judge_class(regime, class, faults);
    }
    for business in &regime.businesses {
        let at = format!("types.{}", business.id);
        for class in business.classes.iter().filter(|class| regime.class(Some(class)).is_none()) {
            faults.add(format!("{at}.classes"), format!("there is no class `{class}`"));
        }
        let served = |class: &&Class| class.types.contains(&business.id) && business.serves(&class.id);
        if !regime.classes.iter().any(|class| served(&class)) {
            faults.add(at, "no class has it");
        }
    }
}

fn judge_class(regime: &Regime, class: &Class, faults: &Faults) {
    let at = format!("classes.{}", class.id);
    if class.specialties.is_empty() {
        faults.add(format!("{at}.specialties"), "at least one is wanted; `general` where there is none");
    }
    report_twice(class.specialties.iter().map(|one| one.as_str()), &format!("{at}.specialties"), faults);
    if class.types.is_empty() {
        faults.add(format!("{at}.types"), "at least one business type is wanted");
    }
    report_twice(class.types.iter().map(|one| one.as_str()), &format!("{at}.types"), faults);
    if !(1..=50).contains(&class.certificate.years) {
        faults.add(format!("{at}.certificate.years"), "1 to 50 years are wanted");
    }
    for id in &class.types {
        let as_it_has = regime.businesses.iter().filter(|one| one.id == *id && one.serves(&class.id)).count();
        match as_it_has {
            0 => {
                faults.add(format!("{at}.types"), format!("there is no business type `{id}` for this class"))
            }
            1 => {}
            _ => faults.add(format!("types.{id}"), format!("the class `{}` has it more than once", class.id)),
        }
    }
}

fn report_twice<'a>(names: impl Iterator<Item = &'a str>, place: &str, faults: &Faults) {
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    for name in names {
        if !seen.insert(name) && told.insert(name) {
            faults.add(place, format!("`{name}` is there more than once"));
        }
    }
}
