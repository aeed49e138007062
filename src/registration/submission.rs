//! 上报: everything that is asked of a case before it goes on its way.

use crate::domain::calendar::day_of;
use crate::domain::refusal::filing::{Filing, Unmet};
use crate::domain::refusal::{FieldError, FieldFault, Refusal};
use crate::registration::acts::{Doing, arrival, moved};
use crate::registration::approval::correction_of;
use crate::registration::case::{Act, Case, CaseState, FieldValue, Opinion, Seat};
use crate::registration::conditions::{Condition, Facts, SocialInsurance};
use crate::registration::filing::{business, not_allowed, refuse_second};
use crate::registration::next::Next;
use crate::registration::regime::{Business, Consequence, FormField, Regime, Target};
use crate::registration::registrant::{Anomaly, AnomalyKind, Registrant};

/// What stands in the record of somebody who does not commit themselves.
const NOT_COMMITTED: &str = "不作出承诺";

/// What stands in the record of a commitment about the social insurance, where the person says nothing of their own.
const INSURANCE_COMMITMENT: &str = "本人知悉社保缴纳情况异常，承诺所填信息真实有效，继续申报";

/// Submits a case, or ends it where the person does not commit themselves.
pub(super) fn submit(
    case: &Case,
    regime: &Regime,
    registrant: &Registrant,
    facts: &Facts,
    doing: &Doing,
) -> Result<Next, Refusal> {
    let business = business(case, regime)?;
    let declined = doing.commitment.is_some_and(|commitment| !commitment.accepted);
    if business.letter.is_some() && declined {
        let opinion: Option<Opinion> = NOT_COMMITTED.parse().ok();
        let given_up = Doing { act: Act::Withdraw, opinion, ..doing.clone() };
        return Ok(Next::of(moved(case, &given_up, CaseState::Cancelled, None)));
    }
    let mut case = case.clone();
    case.unit = registrant.profile.employment.as_ref().map(|employment| employment.uscc);
    refuse_second(registrant, &case.subject, case.id)?;
    for condition in &business.conditions {
        condition.judge(&case, registrant, facts, day_of(doing.at)).map_err(Refusal::Filing)?;
    }
    if case.unit.is_none() && needs_employer(business) {
        return Err(Refusal::Filing(Filing::ConditionNotMet(Unmet::EmployerRegistered)));
    }
    judge_completeness(&case, business)?;
    correction_of(&case, business)?;
    judge_letter(&case, business, doing)?;
    let anomaly = match facts.social_insurance {
        SocialInsurance::Anomaly(id) if business.conditions.contains(&Condition::SocialInsurance) => Some(id),
        _ => None,
    };
    if anomaly.is_some() && !doing.insurance_commitment {
        return Err(Refusal::Filing(Filing::SocialInsuranceAnomaly));
    }
    // Last: a code is good for one submission, and must not be spent on one that is refused for another reason.
    if business.sms_code && !facts.code_proved {
        return Err(Refusal::CodeWrong);
    }
    let first = business.chain.stages.first().and_then(|stage| stage.acts.get(&Act::Submit));
    let Some(Target::Stage(to)) = first else { return Err(not_allowed(&case, regime)) };
    let to = business.chain.stage(to).ok_or_else(|| not_allowed(&case, regime))?;
    let state = CaseState::Open(arrival(to, doing.at));
    let committed = || INSURANCE_COMMITMENT.parse().ok();
    let opinion = doing.opinion.clone().or_else(|| anomaly.and_then(|_| committed()));
    let mut next = Next::of(moved(&case, &Doing { opinion, ..doing.clone() }, state, None));
    if let Some(id) = anomaly {
        let mut registrant = registrant.clone();
        registrant.anomalies.push(Anomaly {
            id,
            kind: AnomalyKind::SocialInsurance,
            noticed_at: doing.at,
            case: Some(case.id),
            defence: None,
        });
        next.registrant = Some(registrant);
    }
    Ok(next)
}

/// Whether nobody could confirm the case, or nothing be granted, without an employer.
fn needs_employer(business: &Business) -> bool {
    let grants = matches!(
        business.effect,
        Consequence::Grant { .. } | Consequence::Change | Consequence::Reregister { .. }
    );
    grants || business.chain.stages.iter().any(|stage| stage.seat == Seat::Unit)
}

/// Everything that is missing, at once.
fn judge_completeness(case: &Case, business: &Business) -> Result<(), Refusal> {
    let missing = |place: String| FieldError::new(place, FieldFault::Missing);
    let fields = business.form.iter().filter(|field| field.required && !case.form.contains_key(&field.name));
    let mut errors: Vec<_> = fields.map(|field| missing(format!("form.{}", field.name))).collect();
    let files = business
        .attachments
        .iter()
        .filter(|rule| rule.required && !case.attachments.contains_key(&rule.kind));
    errors.extend(files.map(|rule| missing(format!("attachments.{}", rule.kind))));
    errors.extend(business.form.iter().filter_map(|field| ends_too_early(case, field)));
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(errors)) }
}

/// A period is two fields, ending in `_from` and `_to`: it does not end before it begins.
fn ends_too_early(case: &Case, field: &FormField) -> Option<FieldError> {
    let from = format!("{}_from", field.name.as_str().strip_suffix("_to")?).parse().ok()?;
    match (case.form.get(&from)?, case.form.get(&field.name)?) {
        (FieldValue::Day(from), FieldValue::Day(to)) if to < from => {
            Some(FieldError::new(format!("form.{}", field.name), FieldFault::EndsBeforeItBegins))
        }
        _ => None,
    }
}

/// The letter was open long enough, in the version that holds, and is accepted.
fn judge_letter(case: &Case, business: &Business, doing: &Doing) -> Result<(), Refusal> {
    let Some(text) = &business.letter else { return Ok(()) };
    let Some(letter) = &case.letter else {
        return Err(Refusal::Filing(Filing::CommitmentNotRead { seconds_left: text.seconds }));
    };
    if letter.version != text.version {
        return Err(Refusal::Filing(Filing::CommitmentOutdated { version: text.version }));
    }
    let read = u64::try_from((doing.at - letter.opened_at).num_seconds()).unwrap_or(0);
    if read < text.seconds {
        return Err(Refusal::Filing(Filing::CommitmentNotRead { seconds_left: text.seconds - read }));
    }
    match doing.commitment {
        None => Err(Refusal::field("commitment", FieldFault::Missing)),
        Some(commitment) if commitment.version != text.version => {
            Err(Refusal::Filing(Filing::CommitmentOutdated { version: text.version }))
        }
        Some(_) => Ok(()),
    }
}
