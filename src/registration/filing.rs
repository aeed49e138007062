//! A case before it is submitted: opened, filled in, its files attached, its letter read.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::calendar::day_of;
use crate::domain::certificate::Name;
use crate::domain::ids::CaseId;
use crate::domain::refusal::filing::{Filing, LastMove};
use crate::domain::refusal::{FieldError, FieldFault, Refusal};
use crate::registration::case::{Attachment, Case, CaseState, FieldValue, Letter, Specialty, Subject};
use crate::registration::conditions::Facts;
use crate::registration::next::Next;
use crate::registration::party::Party;
use crate::registration::regime::letter::Blank;
use crate::registration::regime::{Business, FieldKind, FormField, Regime};
use crate::registration::registrant::Registrant;
use crate::registration::word::{AttachmentKind, ClassId, FieldName, TypeId};

/// What a person wants to file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The name that the case is to have.
    pub id: CaseId,
    /// The person's name.
    pub name: Name,
    /// The class; the regime's first where none.
    pub class: Option<ClassId>,
    /// The specialty; the class's only one where none.
    pub specialty: Option<Specialty>,
    /// The business type.
    pub business: TypeId,
    /// When.
    pub at: DateTime<Utc>,
}

/// A value of a form as it was sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: the field is emptied.
    Nothing,
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Something that no field takes.
    Other,
}

/// Opens a case: a draft. Conditions that do not depend on its form are judged now, and again at its submission.
pub fn open(
    regime: &Regime,
    registrant: &Registrant,
    facts: &Facts,
    opening: Opening,
) -> Result<Next, Refusal> {
    let at = opening.at;
    let (case, business) = draft(regime, registrant, opening)?;
    refuse_second(registrant, &case.subject, case.id)?;
    let now = business.conditions.iter().filter(|condition| !condition.waits_for_submission());
    for condition in now {
        condition.judge(&case, registrant, facts, day_of(at)).map_err(Refusal::Filing)?;
    }
    Ok(Next::of(case).mentioned(registrant))
}

/// A draft about something that the regime knows.
pub(super) fn draft<'r>(
    regime: &'r Regime,
    registrant: &Registrant,
    opening: Opening,
) -> Result<(Case, &'r Business), Refusal> {
    let subject = subject(regime, &opening)?;
    let case = Case {
        id: opening.id,
        person: registrant.person.clone(),
        name: opening.name,
        subject,
        unit: registrant.profile.employment.as_ref().map(|employment| employment.uscc),
        form: BTreeMap::new(),
        attachments: BTreeMap::new(),
        letter: None,
        state: CaseState::Draft,
        moves: Vec::new(),
        corrections: Vec::new(),
        opened_at: opening.at,
    };
    let business = business(&case, regime)?;
    Ok((case, business))
}

fn subject(regime: &Regime, opening: &Opening) -> Result<Subject, Refusal> {
    let class = regime.class(opening.class.as_ref());
    let class = class.ok_or_else(|| Refusal::field("class", FieldFault::NotAName))?;
    let specialty = match &opening.specialty {
        Some(specialty) if class.specialties.contains(specialty) => specialty.clone(),
        None if class.specialties.len() == 1 => class.specialties[0].clone(),
        None => return Err(Refusal::field("specialty", FieldFault::Missing)),
        Some(_) => {
            let known: Vec<_> = class.specialties.iter().map(Specialty::as_str).collect();
            return Err(Refusal::field("specialty", FieldFault::WrongKind(known.join(" / "))));
        }
    };
    if regime.business(&class.id, &opening.business).is_none() {
        return Err(Refusal::field("type", FieldFault::NotAName));
    }
    Ok(Subject {
        regime: regime.id.clone(),
        class: class.id.clone(),
        specialty,
        business: opening.business.clone(),
    })
}

/// 您已有本专业的注册信息,不能重复申报: one live case for each registration.
pub(super) fn refuse_second(
    registrant: &Registrant,
    subject: &Subject,
    except: CaseId,
) -> Result<(), Refusal> {
    let other = registrant
        .cases
        .iter()
        .find(|mention| mention.live && mention.id != except && mention.subject.same_registration(subject));
    match other {
        Some(other) => Err(Refusal::Filing(Filing::CaseAlreadyOpen { case: other.id })),
        None => Ok(()),
    }
}

/// The business type of a case. A regime's file may have lost it since the case was opened.
pub fn business<'r>(case: &Case, regime: &'r Regime) -> Result<&'r Business, Refusal> {
    let business = regime.business(&case.subject.class, &case.subject.business);
    business.ok_or_else(|| not_allowed(case, regime))
}

/// That an act is not taken: how the case stands, who may act, and what was done last.
pub(super) fn not_allowed(case: &Case, regime: &Regime) -> Refusal {
    let chain = regime.business(&case.subject.class, &case.subject.business).map(|business| &business.chain);
    let stage = case.state.place().and_then(|place| chain?.stage(&place.stage));
    Refusal::Filing(Filing::ActNotAllowed {
        state: case.state.shown(),
        stage: stage.map(|stage| stage.name.zh.to_string()),
        who: case.state.seat().map(|seat| seat.shown()),
        last: case
            .moves
            .last()
            .map(|last| Box::new(LastMove { act: last.act.shown(), by: last.seat.shown(), at: last.at })),
    })
}

/// Fills in the form: what is sent takes the place of what was there. Values are judged by their kind; what is missing, at
/// the submission. In a correction only what was asked for may change, and the rest need not be sent.
pub fn fill(
    case: &Case,
    regime: &Regime,
    party: &Party,
    answers: BTreeMap<String, Answer>,
) -> Result<Case, Refusal> {
    let business = may_edit(case, regime, party)?;
    let (mut form, mut errors) = (BTreeMap::new(), Vec::new());
    for (name, answer) in answers {
        let known = name.parse::<FieldName>().ok().and_then(|name| business.field(&name));
        match known.map(|field| (field, typed(field, answer))) {
            Some((field, Ok(Some(value)))) => {
                form.insert(field.name.clone(), value);
            }
            Some((_, Ok(None))) => {}
            Some((_, Err(fault))) => errors.push(FieldError::new(format!("form.{name}"), fault)),
            None => errors.push(FieldError::new(format!("form.{name}"), FieldFault::UnknownField)),
        }
    }
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    if matches!(case.state, CaseState::Correction(_)) {
        let asked = asked_for(case);
        let changed = |name: &FieldName, value: &FieldValue| case.form.get(name) != Some(value);
        for (name, value) in &form {
            if changed(name, value) && !asked.allows(name.as_str()) {
                return Err(Refusal::Filing(Filing::NotAskedFor { what: name.to_string() }));
            }
        }
        for (name, value) in &case.form {
            form.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(Case { form, ..case.clone() })
}

fn typed(field: &FormField, answer: Answer) -> Result<Option<FieldValue>, FieldFault> {
    let wanted = || FieldFault::WrongKind(field.kind.word().to_owned());
    let text = match (answer, &field.kind) {
        (Answer::Nothing, _) => return Ok(None),
        (Answer::Flag(flag), FieldKind::Bool) => return Ok(Some(FieldValue::Flag(flag))),
        (Answer::Text(text), kind) if *kind != FieldKind::Bool => text,
        _ => return Err(wanted()),
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value = match &field.kind {
        FieldKind::Text => FieldValue::Text(text.parse()?),
        FieldKind::Date => FieldValue::Day(text.parse::<NaiveDate>().map_err(|_| FieldFault::NotADay)?),
        FieldKind::Uscc => FieldValue::Unit(text.trim().parse()?),
        FieldKind::Choice(choices) if choices.iter().any(|choice| choice.as_str() == text.trim()) => {
            FieldValue::Text(text.parse()?)
        }
        FieldKind::Choice(choices) => {
            let choices: Vec<_> = choices.iter().map(|choice| choice.as_str()).collect();
            return Err(FieldFault::WrongKind(choices.join(" / ")));
        }
        FieldKind::Bool => return Err(wanted()),
    };
    Ok(Some(value))
}

/// Puts a file to a case, in the place of the one of its kind. What may be kept was
/// judged before, by the content of the file as it was sent.
pub fn attach(
    case: &Case,
    regime: &Regime,
    party: &Party,
    kind: &AttachmentKind,
    attachment: Attachment,
) -> Result<Case, Refusal> {
    may_attach(case, regime, party, kind)?;
    let mut case = case.clone();
    case.attachments.insert(kind.clone(), attachment);
    Ok(case)
}

/// Takes a file away again.
pub fn detach(case: &Case, regime: &Regime, party: &Party, kind: &AttachmentKind) -> Result<Case, Refusal> {
    may_attach(case, regime, party, kind)?;
    let mut case = case.clone();
    case.attachments.remove(kind);
    Ok(case)
}

/// Whether files of a kind may be put or taken away now: worth asking before a picture is encoded anew.
pub fn may_attach(case: &Case, regime: &Regime, party: &Party, kind: &AttachmentKind) -> Result<(), Refusal> {
    let business = may_edit(case, regime, party)?;
    if business.attachment(kind).is_none() {
        return Err(Refusal::field(format!("attachments.{kind}"), FieldFault::UnknownField));
    }
    if matches!(case.state, CaseState::Correction(_)) && !asked_for(case).allows(kind.as_str()) {
        return Err(Refusal::Filing(Filing::NotAskedFor { what: kind.to_string() }));
    }
    Ok(())
}

/// Opens the commitment letter: from here its time of reading counts. Opened again, it counts on, unless its text changed.
pub fn open_letter(case: &Case, regime: &Regime, party: &Party, at: DateTime<Utc>) -> Result<Case, Refusal> {
    let business = may_edit(case, regime, party)?;
    let text = business.letter.as_ref().filter(|_| case.state.is_editable());
    let text = text.ok_or_else(|| not_allowed(case, regime))?;
    let read = case.letter.as_ref().filter(|letter| letter.version == text.version);
    let letter = read.cloned().unwrap_or(Letter { version: text.version, opened_at: at });
    Ok(Case { letter: Some(letter), ..case.clone() })
}

/// The clauses of the commitment letter, filled with what is known of the person; none where the type has no letter.
pub fn letter_clauses(case: &Case, regime: &Regime, registrant: &Registrant) -> Option<Vec<String>> {
    let business = business(case, regime).ok()?;
    let class = regime.class(Some(&case.subject.class))?;
    let employer = registrant.profile.employment.as_ref();
    let fill = |blank| match blank {
        Blank::Name => case.name.to_string(),
        Blank::IdNumber => case.person.masked(),
        Blank::Employer => employer.map_or_else(|| "（未填写）".to_owned(), |one| one.name.to_string()),
        Blank::Specialty if case.subject.specialty.as_str() == GENERAL => class.name.zh.to_string(),
        Blank::Specialty => case.subject.specialty.to_string(),
        Blank::Business => business.name.zh.to_string(),
        Blank::Class => class.name.zh.to_string(),
    };
    Some(business.letter.as_ref()?.clauses.iter().map(|clause| clause.filled(fill)).collect())
}

/// The specialty of a class that has none.
pub const GENERAL: &str = "general";

/// The person fills in what is theirs, while it is with them.
fn may_edit<'r>(case: &Case, regime: &'r Regime, party: &Party) -> Result<&'r Business, Refusal> {
    let business = business(case, regime)?;
    let with_them = case.state.is_editable() || matches!(case.state, CaseState::Correction(_));
    if matches!(party, Party::Person(_)) && party.sees(case) && with_them {
        Ok(business)
    } else {
        Err(not_allowed(case, regime))
    }
}

/// What is asked to be corrected.
enum Asked {
    /// These, by name.
    Named(Vec<String>),
    /// Something without a name: anything may be meant.
    Anything,
}

impl Asked {
    fn allows(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|one| one == name),
            Self::Anything => true,
        }
    }
}

fn asked_for(case: &Case) -> Asked {
    let open = case.corrections.last().filter(|correction| correction.corrected_at.is_none());
    let items = open.map_or(&[][..], |correction| &correction.items);
    let names: Option<Vec<String>> =
        items.iter().map(|item| item.what.as_ref().map(FieldName::to_string)).collect();
    names.map_or(Asked::Anything, Asked::Named)
}

#[cfg(test)]
mod tests;
