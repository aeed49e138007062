//! The conditions (审批条件) that a regime may put before a filing: a closed set, each judged by a pure function.

use chrono::{Months, NaiveDate};

use crate::domain::certificate::{Certificate, Status};
use crate::domain::ids::{AnomalyId, CaseId};
use crate::domain::refusal::filing::{Filing, Unmet};
use crate::registration::case::{Case, FieldValue, Subject};
use crate::registration::completeness::Completeness;
use crate::registration::registrant::{CaseMention, Registrant, Registration, Source};
use crate::registration::word::{AttachmentKind, FieldName};

/// What has to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Photo and signature are there.
    PhotoAndSignature,
    /// The three blocks of the profile are complete.
    ProfileComplete,
    /// The person's name was verified.
    RealName,
    /// The employer has an account here.
    EmployerRegistered,
    /// The person is qualified for the specialty.
    Qualification {
        /// Whether it has to be entered in the library (入库登记); an examination is not enough then.
        library: bool,
    },
    /// The qualification is not in the library, or its number is missing there.
    NotEnrolled,
    /// There never was a registration of this specialty.
    FirstRegistration,
    /// There is one, and it was not cancelled.
    Registered,
    /// Its certificate is valid today.
    InForce,
    /// There is one of another specialty of the class.
    OtherSpecialty,
    /// There was one, which was cancelled or has lapsed.
    RegistrationEnded,
    /// Its last day is near.
    RenewalWindow {
        /// How near: the window opens so many months before.
        months: u32,
    },
    /// The person's employer is not the one of the registration.
    EmployerDiffers,
    /// 强制注销 comes with an arbitration document or a court's judgment.
    RulingIfForced {
        /// The field that says whether it is forced.
        field: FieldName,
        /// The ruling.
        attachment: AttachmentKind,
    },
    /// Social insurance is in order, or the person goes on with a commitment.
    SocialInsurance,
}

/// What the desk looks up for a decision about a case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// The newest version of the certificate of the registration that the case is about, where there is one.
    pub certificate: Option<Certificate>,
    /// Whether the employer in the profile has an account.
    pub employer_registered: bool,
    /// Whether the person's name was verified.
    pub real_name_verified: bool,
    /// What the social insurance says.
    pub social_insurance: SocialInsurance,
    /// Whether the code for this submission was right.
    pub code_proved: bool,
}

/// What the social insurance says of a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SocialInsurance {
    /// In order.
    #[default]
    Normal,
    /// 社保异常; with the name that its record is to have if the person goes on.
    Anomaly(AnomalyId),
}

impl Condition {
    /// The stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::PhotoAndSignature => "photo_and_signature",
            Self::ProfileComplete => "profile_complete",
            Self::RealName => "real_name",
            Self::EmployerRegistered => "employer_registered",
            Self::Qualification { .. } => "qualification",
            Self::NotEnrolled => "not_enrolled",
            Self::FirstRegistration => "first_registration",
            Self::Registered => "registered",
            Self::InForce => "in_force",
            Self::OtherSpecialty => "other_specialty",
            Self::RegistrationEnded => "registration_ended",
            Self::RenewalWindow { .. } => "renewal_window",
            Self::EmployerDiffers => "employer_differs",
            Self::RulingIfForced { .. } => "ruling_if_forced",
            Self::SocialInsurance => "social_insurance",
        }
    }

    /// Whether it can only be judged when the form is filled in. The others are judged at creation too.
    pub fn waits_for_submission(&self) -> bool {
        matches!(self, Self::RulingIfForced { .. } | Self::SocialInsurance)
    }

    /// Judges it. The social insurance never blocks by itself: what it says is dealt with at the submission.
    pub fn judge(
        &self,
        case: &Case,
        registrant: &Registrant,
        facts: &Facts,
        today: NaiveDate,
    ) -> Result<(), Filing> {
        let subject = &case.subject;
        let registration = registrant.registrations.iter().find(|registration| registration.is_of(subject));
        let profile = &registrant.profile;
        let unmet = match self {
            Self::PhotoAndSignature => {
                let there = profile.photo.is_some() && profile.signature.is_some();
                (!there).then_some(Unmet::PhotoAndSignature)
            }
            Self::ProfileComplete => {
                let missing = Completeness::of(profile).missing();
                (!missing.is_empty()).then_some(Unmet::ProfileComplete { missing })
            }
            Self::RealName => (!facts.real_name_verified).then_some(Unmet::RealName),
            Self::EmployerRegistered => {
                let known = profile.employment.is_some() && facts.employer_registered;
                (!known).then_some(Unmet::EmployerRegistered)
            }
            Self::Qualification { library } => (!qualified(registrant, subject, *library))
                .then_some(Unmet::Qualification { library: *library }),
            Self::NotEnrolled => enrolled(registrant, subject).then_some(Unmet::NotEnrolled),
            Self::FirstRegistration => {
                registration.map(|_| Unmet::FirstRegistration { case: approved_case(registrant, subject) })
            }
            Self::Registered => {
                registration.is_none_or(|registration| registration.cancelled).then_some(Unmet::Registered)
            }
            Self::InForce => in_force(registration, facts, today),
            Self::OtherSpecialty => {
                let holds = registrant.registrations.iter().any(|other| {
                    (&other.regime, &other.class) == (&subject.regime, &subject.class)
                        && other.specialty != subject.specialty
                        && !other.cancelled
                        && other.valid_until >= today
                });
                (!holds).then_some(Unmet::OtherSpecialty)
            }
            Self::RegistrationEnded => {
                let ended = registration.is_some_and(|registration| {
                    let status = facts.certificate.as_ref().map(|certificate| certificate.status_on(today));
                    registration.cancelled
                        || registration.valid_until < today
                        || matches!(status, Some(Status::Cancelled | Status::Lapsed))
                });
                (!ended).then_some(Unmet::RegistrationEnded)
            }
            Self::RenewalWindow { months } => {
                registration.map_or(Some(Unmet::Registered), |held| window(held.valid_until, *months, today))
            }
            Self::EmployerDiffers => {
                let employer = profile.employment.as_ref().map(|employment| employment.uscc);
                registration.map_or(Some(Unmet::Registered), |held| {
                    (Some(held.employer) == employer).then_some(Unmet::EmployerDiffers)
                })
            }
            Self::RulingIfForced { field, attachment } => {
                let forced = case.form.get(field) == Some(&FieldValue::Flag(true));
                (forced && !case.attachments.contains_key(attachment)).then_some(Unmet::RulingIfForced)
            }
            Self::SocialInsurance => None,
        };
        unmet.map_or(Ok(()), |unmet| Err(Filing::ConditionNotMet(unmet)))
    }
}

/// The first day of a window that opens so many months before a last day.
pub fn opening(last_day: NaiveDate, months: u32) -> NaiveDate {
    last_day.checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN)
}

fn window(closes_on: NaiveDate, months: u32, today: NaiveDate) -> Option<Unmet> {
    let opens_on = opening(closes_on, months);
    (!(opens_on..=closes_on).contains(&today)).then_some(Unmet::RenewalWindow { opens_on, closes_on })
}

fn qualified(registrant: &Registrant, subject: &Subject, library: bool) -> bool {
    registrant.qualifications.iter().any(|qualification| {
        qualification.regime == subject.regime
            && qualification.class.as_ref().is_none_or(|class| *class == subject.class)
            && qualification.specialty == subject.specialty
            && (!library || qualification.source == Source::Enrolment)
    })
}

fn enrolled(registrant: &Registrant, subject: &Subject) -> bool {
    registrant.qualifications.iter().any(|qualification| {
        qualification.source == Source::Enrolment
            && qualification.regime == subject.regime
            && qualification.class.as_ref().is_none_or(|class| *class == subject.class)
            && qualification.specialty == subject.specialty
            && qualification.management_no.is_some()
    })
}

fn approved_case(registrant: &Registrant, subject: &Subject) -> Option<CaseId> {
    let of_it = |mention: &&CaseMention| mention.approved && mention.subject.same_registration(subject);
    registrant.cases.iter().rev().find(of_it).map(|mention| mention.id)
}

fn in_force(registration: Option<&Registration>, facts: &Facts, today: NaiveDate) -> Option<Unmet> {
    if registration.is_none() {
        return Some(Unmet::Registered);
    }
    let status = facts.certificate.as_ref().map(|certificate| certificate.status_on(today));
    (status != Some(Status::Valid)).then_some(Unmet::InForce { status })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::domain::refusal::examples;
    use crate::domain::sample::day;
    use crate::registration::regime::book::Book;

    #[test]
    fn a_condition_and_its_refusal_have_one_word() {
        let words: Vec<_> = examples::unmet().iter().map(Unmet::word).collect();
        let book = Book::bundled().unwrap();
        let conditions =
            book.regimes().flat_map(|regime| &regime.businesses).flat_map(|business| &business.conditions);
        for condition in conditions.filter(|condition| **condition != Condition::SocialInsurance) {
            assert!(words.contains(&condition.word()), "{}", condition.word());
        }
    }

    #[test]
    fn a_window_opens_on_the_same_day_of_an_earlier_month_or_on_its_last() {
        assert_eq!(opening(day("2028-11-23"), 6), day("2028-05-23"));
        assert_eq!(opening(day("2027-08-31"), 6), day("2027-02-28"));
        assert_eq!(window(day("2027-08-31"), 6, day("2027-08-31")), None, "the last day is within");
        assert!(window(day("2027-08-31"), 6, day("2027-09-01")).is_some(), "the day after is not");
    }
}
