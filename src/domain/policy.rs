//! The rules of annotation as data, per type of certificate: days, quota, window, counting, scenarios, caps,
//! exemption. Functions here decide; nobody else counts days or places.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::annotation::{Annotation, Order, Phase, Scenario};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, CertificateType, Status};
use crate::domain::licence::LicenceType;
use crate::domain::refusal::Refusal;

/// The policy of one type of certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Longest validity of one annotation, in days.
    pub max_days: u32,
    /// What the form proposes.
    pub default_days: u32,
    /// Most annotations counted at a time.
    pub quota: u32,
    /// Length of the quota's window, in days counted backwards from the day of application.
    pub window_days: u32,
    /// Which annotations of the window count.
    pub counting: Counting,
    /// Allowed usage scenarios; the first is proposed.
    pub scenarios: Vec<ScenarioText>,
    /// What a copy never outlives.
    pub caps: Vec<Cap>,
    /// Certificates issued before this day need no annotation.
    pub exempt_before: Option<NaiveDate>,
    /// The kind in the electronic licence identifier.
    pub licence_type: LicenceType,
    /// Whether a print must be signed by its holder's own hand: the page then has a place for it and says so.
    pub hand_signature: bool,
}

/// Which annotations of the window hold a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Those queued, being sealed, or sealed and in force.
    Active,
    /// Every one that was granted, expired or revoked or not.
    Granted,
}

/// A scenario's key and its words on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioText {
    /// `self_use`
    pub key: Scenario,
    /// 本人调用
    pub chinese: String,
    /// Self use
    pub english: String,
}

/// What a copy never outlives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// The registration's last day.
    Registration,
    /// The day before the holder's birthday of so many years.
    Age(u32),
}

/// Every policy: one per type, and one for all others.
#[derive(Clone, Debug)]
pub struct PolicyBook {
    /// Types with a policy of their own.
    pub by_type: BTreeMap<CertificateType, Policy>,
    /// All others.
    pub otherwise: Policy,
}

impl PolicyBook {
    /// The policy of a type.
    pub fn of(&self, kind: &CertificateType) -> &Policy {
        self.by_type.get(kind).unwrap_or(&self.otherwise)
    }
}

/// The places of a certificate on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// How many more annotations may be ordered today.
    pub left: u32,
    /// Where none is left: the day on which the next falls free.
    pub next_free_on: Option<NaiveDate>,
}

impl Policy {
    /// Whether a certificate needs no annotation for now (目前暂无须).
    pub fn exempts(&self, certificate: &Certificate) -> bool {
        self.exempt_before.is_some_and(|day| certificate.details.issued_on < day)
    }

    /// The words of a scenario, where the policy has it.
    pub fn scenario(&self, key: &Scenario) -> Option<&ScenarioText> {
        self.scenarios.iter().find(|scenario| scenario.key == *key)
    }

    /// Counts the places of a certificate on a day. What is queued counts as sealed today. No day is named on which the
    /// caps leave nothing to order.
    pub fn places<'a>(
        &self,
        certificate: &Certificate,
        annotations: impl IntoIterator<Item = &'a Annotation>,
        today: NaiveDate,
    ) -> Places {
        let mut free_days: Vec<NaiveDate> =
            annotations.into_iter().filter_map(|annotation| self.frees_on(annotation, today)).collect();
        free_days.retain(|day| *day > today);
        free_days.sort_unstable();
        let taken = u32::try_from(free_days.len()).unwrap_or(u32::MAX);
        match self.quota.checked_sub(taken) {
            Some(left) if left > 0 => Places { left, next_free_on: None },
            // With more than the quota taken (it was lowered), the surplus must fall free first.
            _ => {
                let next = free_days.get((taken - self.quota) as usize).copied();
                let orderable = |day: &NaiveDate| {
                    !certificate.lapsed_on(*day) && self.last_day(certificate, *day, 1).is_some()
                };
                Places { left: 0, next_free_on: next.filter(orderable) }
            }
        }
    }

    /// The first day on which an annotation no longer holds a place; none where it holds none.
    fn frees_on(&self, annotation: &Annotation, today: NaiveDate) -> Option<NaiveDate> {
        let leaves_window = calendar::plus_days(annotation.order.applied_on(), self.window_days);
        match (annotation.phase_on(today), self.counting) {
            (Phase::Failed, _) => None,
            (Phase::Queued | Phase::Sealing, Counting::Active) => {
                Some(leaves_window.min(calendar::plus_days(today, annotation.order.days)))
            }
            (Phase::Ready, Counting::Active) => {
                let last = annotation.sealed()?.intent.valid_until;
                Some(leaves_window.min(calendar::plus_days(last, 1)))
            }
            (Phase::Expired | Phase::Revoked, Counting::Active) => None,
            (Phase::Revoked, Counting::Granted) => annotation.sealed().map(|_| leaves_window),
            (_, Counting::Granted) => Some(leaves_window),
        }
    }

    /// Judges an order before it is accepted: the certificate's status, the scenario, the days, the places.
    ///
    /// # Errors
    /// The first rule that says no.
    pub fn judge(
        &self,
        certificate: &Certificate,
        annotations: &[Annotation],
        order: &Order,
    ) -> Result<Places, Refusal> {
        let today = order.applied_on();
        match certificate.status_on(today) {
            Status::Valid => {}
            status => return Err(Refusal::CertificateNotValid { status }),
        }
        if self.scenario(&order.scenario).is_none() {
            let allowed = self.scenarios.iter().map(|scenario| scenario.key.to_string()).collect();
            return Err(Refusal::ScenarioNotAllowed { allowed });
        }
        if order.days == 0 {
            return Err(Refusal::ValidityTooShort);
        }
        if order.days > self.max_days {
            return Err(Refusal::ValidityTooLong { max_days: self.max_days });
        }
        if self.last_day(certificate, today, order.days).is_none() {
            return Err(Refusal::CertificateNotValid { status: Status::Lapsed });
        }
        let places = self.places(certificate, annotations, today);
        if places.left == 0 {
            return Err(Refusal::QuotaExceeded {
                quota: self.quota,
                window_days: self.window_days,
                next_free_on: places.next_free_on,
            });
        }
        Ok(places)
    }

    /// The last day of a validity of `days` that begins on `from`, cut off by the caps; none where nothing is
    /// left of it.
    pub fn last_day(&self, certificate: &Certificate, from: NaiveDate, days: u32) -> Option<NaiveDate> {
        let capped = self.caps.iter().filter_map(|cap| match cap {
            Cap::Registration => certificate.details.valid_until,
            Cap::Age(years) => certificate
                .details
                .holder
                .born_on()
                .and_then(|born| calendar::birthday(born, *years).pred_opt()),
        });
        let last = capped.fold(calendar::last_day(from, days), NaiveDate::min);
        (last >= from).then_some(last)
    }
}

#[cfg(test)]
mod tests;
