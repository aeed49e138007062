//! What approval does: to the registrant, and to the register.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::calendar::day_of;
use crate::domain::certificate::{Details, Holder, Line, Name, Status};
use crate::domain::identity::{CreditCode, PersonId, PersonIdFault};
use crate::domain::refusal::filing::{Filing, Unmet};
use crate::domain::refusal::{FieldFault, Refusal};
use crate::registration::case::{Act, Case, FieldValue};
use crate::registration::conditions::{Condition, Facts};
use crate::registration::filing::{GENERAL, business, not_allowed};
use crate::registration::next::{Effect, Entry, Next, Outcome};
use crate::registration::number::registration_number;
use crate::registration::regime::{Business, CertificateRule, Consequence, Regime};
use crate::registration::registrant::{Qualification, Registrant, Registration, Source};
use crate::registration::validity::{extended, last_day, reregistered};
use crate::registration::word::FieldName;

/// The kinds of identity documents that a correction can name (GA/T 517).
pub const ID_TYPES: [(&str, &str); 5] = [
    ("居民身份证", "111"),
    ("普通护照", "414"),
    ("港澳居民来往内地通行证", "516"),
    ("台湾居民来往大陆通行证", "511"),
    ("外国人永久居留证", "553"),
];

/// Works out what a case does that has just been approved. Whatever has happened to the registration since the case was
/// submitted counts: nothing is granted twice, and what was revoked meanwhile is not changed or extended.
pub(super) fn settle(
    case: Case,
    regime: &Regime,
    registrant: &Registrant,
    facts: &Facts,
    at: DateTime<Utc>,
) -> Result<Next, Refusal> {
    let class = regime.class(Some(&case.subject.class)).ok_or_else(|| not_allowed(&case, regime))?;
    let business = business(&case, regime)?;
    let approving = Approving { case: &case, registrant, facts, rule: &class.certificate, today: day_of(at) };
    let mut known = registrant.clone();
    let effect = match &business.effect {
        Consequence::Grant { category } => Some(approving.grant(category.as_ref())?),
        Consequence::Change => Some(approving.renew(Outcome::Changed)?),
        Consequence::Extend => Some(approving.renew(Outcome::Extended)?),
        Consequence::Replace => Some(approving.renew(Outcome::Replaced)?),
        Consequence::Reregister { keeps_months } => Some(approving.resume(*keeps_months)?),
        Consequence::Cancel => {
            let registration = registration_mut(&mut known, &case)?;
            registration.cancelled = true;
            Some(Effect::Cancel { certificate: registration.certificate })
        }
        Consequence::Enrol { management_no } => {
            enrol(&mut known, &case, management_no, at);
            None
        }
        Consequence::Convert { category } => {
            registration_mut(&mut known, &case)?.category =
                text(&case, category).and_then(|text| text.parse().ok());
            None
        }
        Consequence::Correct { .. } => {
            let Corrected { name, id } = correction_of(&case, business)?.unwrap_or_default();
            if let Some(id) = &id {
                known.person = id.clone();
            }
            Some(Effect::Correct { person: registrant.person.clone(), name, id })
        }
    };
    let mut case = case;
    case.person = known.person.clone();
    Ok(Next { case, registrant: Some(known), effect })
}

struct Approving<'a> {
    case: &'a Case,
    registrant: &'a Registrant,
    facts: &'a Facts,
    rule: &'a CertificateRule,
    today: NaiveDate,
}

impl Approving<'_> {
    /// 初始注册, 增项注册
    fn grant(&self, category: Option<&FieldName>) -> Result<Effect, Refusal> {
        let first = Condition::FirstRegistration;
        first.judge(self.case, self.registrant, self.facts, self.today).map_err(Refusal::Filing)?;
        let specialty = self.case.subject.specialty.as_str();
        let number =
            registration_number(self.case.id).ok_or_else(|| unmet(Unmet::InForce { status: None }))?;
        let person = &self.case.person;
        let valid_until = last_day(self.approved_on(), self.rule.years);
        let details = Details {
            kind: self.rule.kind.clone(),
            management_no: number,
            title: self.rule.title.clone(),
            level: self.rule.level.clone(),
            specialty: if specialty == GENERAL { None } else { specialty.parse().ok() },
            holder: Holder {
                name: self.case.name.clone(),
                id: person.clone(),
                sex: person.citizen().map(|citizen| citizen.sex()),
                born: person.born(),
            },
            issuer: self.rule.issuer.clone(),
            approved_on: self.approved_on(),
            issued_on: self.today,
            valid_until: Some(valid_until),
            photo: self.registrant.profile.photo,
            signature: self.registrant.profile.signature,
        };
        let category = category.and_then(|field| text(self.case, field)).and_then(|text| text.parse().ok());
        self.entry(details, Outcome::Granted, self.employer()?, valid_until, category)
    }

    /// 变更注册, 延续注册, 更改补办
    fn renew(&self, outcome: Outcome) -> Result<Effect, Refusal> {
        let (registration, old) = self.standing(&[Status::Valid, Status::Lapsed])?;
        let valid_until = match outcome {
            Outcome::Extended => extended(registration.valid_until, self.rule.years),
            _ => registration.valid_until,
        };
        let employer = if outcome == Outcome::Changed { self.employer()? } else { registration.employer };
        let category = registration.category.clone();
        self.entry(self.anew(old, valid_until), outcome, employer, valid_until, category)
    }

    /// 重新注册
    fn resume(&self, keeps_months: u32) -> Result<Effect, Refusal> {
        let (registration, old) = self.standing(&[Status::Cancelled, Status::Lapsed])?;
        let employer = self.employer()?;
        let same_unit = employer == registration.employer;
        let valid_until = reregistered(
            registration.valid_until,
            same_unit,
            keeps_months,
            self.rule.years,
            self.approved_on(),
        );
        let category = registration.category.clone();
        self.entry(self.anew(old, valid_until), Outcome::Resumed, employer, valid_until, category)
    }

    /// The registration, and what its certificate says, if that stands as it must.
    fn standing(&self, wanted: &[Status]) -> Result<(&Registration, &Details), Refusal> {
        let subject = &self.case.subject;
        let registration =
            self.registrant.registrations.iter().find(|registration| registration.is_of(subject));
        let registration = registration.ok_or_else(|| unmet(Unmet::Registered))?;
        let certificate =
            self.facts.certificate.as_ref().ok_or_else(|| unmet(Unmet::InForce { status: None }))?;
        let status = certificate.status_on(self.today);
        if wanted.contains(&status) {
            Ok((registration, &certificate.details))
        } else {
            Err(unmet(Unmet::InForce { status: Some(status) }))
        }
    }

    /// What the next version says: by the rule of today, with the photo of today.
    fn anew(&self, old: &Details, valid_until: NaiveDate) -> Details {
        Details {
            title: self.rule.title.clone(),
            level: self.rule.level.clone(),
            issuer: self.rule.issuer.clone(),
            approved_on: self.approved_on(),
            issued_on: self.today,
            valid_until: Some(valid_until),
            photo: self.registrant.profile.photo.or(old.photo),
            signature: self.registrant.profile.signature.or(old.signature),
            ..old.clone()
        }
    }

    /// The day of the last approval on the way: a certificate that is sent out later was approved before.
    fn approved_on(&self) -> NaiveDate {
        let approvals = self.case.moves.iter().rev().filter(|one| one.act == Act::Approve);
        approvals.map(|one| day_of(one.at)).next().unwrap_or(self.today)
    }

    fn employer(&self) -> Result<CreditCode, Refusal> {
        self.case.unit.ok_or_else(|| unmet(Unmet::EmployerRegistered))
    }

    fn entry(
        &self,
        details: Details,
        outcome: Outcome,
        employer: CreditCode,
        valid_until: NaiveDate,
        category: Option<Line<40>>,
    ) -> Result<Effect, Refusal> {
        let entry = Entry { details, outcome, employer, valid_until, category };
        Ok(Effect::Enter(Box::new(entry)))
    }
}

fn unmet(unmet: Unmet) -> Refusal {
    Refusal::Filing(Filing::ConditionNotMet(unmet))
}

fn registration_mut<'r>(
    registrant: &'r mut Registrant,
    case: &Case,
) -> Result<&'r mut Registration, Refusal> {
    let mut registrations = registrant.registrations.iter_mut();
    registrations
        .find(|registration| registration.is_of(&case.subject))
        .ok_or_else(|| unmet(Unmet::Registered))
}

fn text<'c>(case: &'c Case, field: &FieldName) -> Option<&'c str> {
    match case.form.get(field) {
        Some(FieldValue::Text(text)) => Some(text.as_str()),
        _ => None,
    }
}

fn typed<'a>(case: &'a Case, field: &'a Option<FieldName>) -> Option<(&'a FieldName, &'a str)> {
    let field = field.as_ref()?;
    Some((field, text(case, field)?))
}

/// 入库: in the place of what was there before, which may have been incomplete.
fn enrol(registrant: &mut Registrant, case: &Case, management_no: &FieldName, at: DateTime<Utc>) {
    let subject = &case.subject;
    registrant.qualifications.retain(|old| {
        let same = old.regime == subject.regime
            && old.class.as_ref() == Some(&subject.class)
            && old.specialty == subject.specialty
            && old.source == Source::Enrolment;
        !same
    });
    registrant.qualifications.push(Qualification {
        regime: subject.regime.clone(),
        class: Some(subject.class.clone()),
        specialty: subject.specialty.clone(),
        management_no: text(case, management_no).and_then(|text| text.parse().ok()),
        entered_at: at,
        source: Source::Enrolment,
    });
}

/// What is corrected.
#[derive(Default)]
pub(super) struct Corrected {
    name: Option<Name>,
    id: Option<PersonId>,
}

/// What a correction corrects: the right name and the right document, each where it differs from what is known. None where
/// the type corrects nothing; refused where a value cannot be, or nothing would change.
pub(super) fn correction_of(case: &Case, business: &Business) -> Result<Option<Corrected>, Refusal> {
    let Consequence::Correct { name, id_number, id_type } = &business.effect else { return Ok(None) };
    let wrong = |field: &FieldName, fault: FieldFault| Refusal::field(format!("form.{field}"), fault);
    let name = match typed(case, name) {
        Some((field, text)) => Some(text.parse::<Name>().map_err(|fault| wrong(field, fault))?),
        None => None,
    };
    let id_type = typed(case, id_type).map_or(case.person.id_type(), |(_, text)| {
        ID_TYPES.iter().find(|(called, _)| *called == text).map_or(text, |(_, code)| code)
    });
    let id = match typed(case, id_number) {
        Some((field, number)) => {
            let id = PersonId::parse(id_type, number).map_err(|fault| match fault {
                PersonIdFault::Type(fault) | PersonIdFault::Number(fault) => wrong(field, fault),
            })?;
            Some(id)
        }
        None => None,
    };
    let name = name.filter(|name| *name != case.name);
    let id = id.filter(|id| *id != case.person);
    if name.is_none() && id.is_none() {
        return Err(unmet(Unmet::SomethingToCorrect));
    }
    Ok(Some(Corrected { name, id }))
}
