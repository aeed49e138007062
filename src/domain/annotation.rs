//! Annotations (加注): an order, and the states it passes through. A state carries exactly what it knows, and a
//! transition is a method of the state it leaves.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::calendar;
use crate::domain::certificate::Line;
use crate::domain::event::Actor;
use crate::domain::ids::{AnnotationId, CertificateId, Code, Malformed, Sha256};

/// The usage scenario's key, as `self_use` (本人调用); the policy lists those allowed.
pub type Scenario = Line<40>;

/// The recipient (接收单位) printed on the copy.
pub type Recipient = Line<100>;

/// What was asked for, by whom, when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Usage scenario.
    pub scenario: Scenario,
    /// Length of the validity in days, both ends counted.
    pub days: u32,
    /// Recipient, if named.
    pub recipient: Option<Recipient>,
    /// Who ordered.
    pub by: Actor,
    /// Why a clerk ordered for the holder (counter service).
    pub on_behalf_reason: Option<Line<200>>,
    /// When it was ordered.
    pub requested_at: DateTime<Utc>,
    /// When it must be done: 24 hours later.
    pub due_at: DateTime<Utc>,
}

impl Order {
    /// The day of application, which the quota's window counts from.
    pub fn applied_on(&self) -> NaiveDate {
        calendar::day_of(self.requested_at)
    }
}

/// One annotation of one certificate, in exactly one state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotation {
    /// Name for those who manage it.
    pub id: AnnotationId,
    /// Name for the public.
    pub code: Code,
    /// The version of the certificate that it annotates.
    pub certificate: CertificateId,
    /// What was asked for.
    pub order: Order,
    /// Where it stands.
    pub state: State,
}

/// Where an annotation stands, by decision; that a sealed one expires is a matter of the day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Waiting for a worker.
    Queued(Queued),
    /// The intent to seal is written down; the key may have been used.
    Sealing(Sealing),
    /// Sealed and kept.
    Sealed(Sealed),
    /// Ended before its time; never revives.
    Revoked(Revoked),
    /// Could not be made; frees its place.
    Failed(Failed),
}

/// Waiting for a worker.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Queued {}

impl Queued {
    /// Writes down what will be sealed and when, before the key is used.
    pub fn begin(self, intent: Intent) -> Sealing {
        Sealing { intent }
    }

    /// Gives up.
    pub fn fail(self, failure: Failure) -> Failed {
        Failed { failure }
    }

    /// Ends before a copy exists.
    pub fn revoke(self, revocation: Revocation) -> Revoked {
        Revoked { sealed: None, revocation }
    }
}

/// What a worker is about to seal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// Digest of the sheet.
    pub sheet: Sha256,
    /// The moment printed on the copy.
    pub at: DateTime<Utc>,
    /// First day of validity: the day of `at` in Shanghai.
    pub valid_from: NaiveDate,
    /// Last day of validity, capped by the policy.
    pub valid_until: NaiveDate,
}

/// The intent is written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealing {
    /// What is being sealed.
    pub intent: Intent,
}

impl Sealing {
    /// The copy is sealed, checked and kept under its digest.
    pub fn complete(self, document: Sha256) -> Sealed {
        Sealed { intent: self.intent, document, reminded: None }
    }

    /// A later try writes a new intent: what the earlier one sealed, if anything, was never published.
    pub fn begin(self, intent: Intent) -> Sealing {
        Sealing { intent }
    }

    /// Gives up.
    pub fn fail(self, failure: Failure) -> Failed {
        Failed { failure }
    }

    /// Ends before a copy was published.
    pub fn revoke(self, revocation: Revocation) -> Revoked {
        Revoked { sealed: None, revocation }
    }
}

/// Sealed and kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// What was sealed, and its validity.
    pub intent: Intent,
    /// Digest of the sealed file.
    pub document: Sha256,
    /// The last threshold of [`REMINDERS`] that its holder was told of.
    pub reminded: Option<u32>,
}

/// So many days before a copy expires its holder is reminded; nearest first.
pub const REMINDERS: [u32; 3] = [1, 7, 15];

impl Sealed {
    /// The threshold that its holder is to be told of on a day: the nearest that has come, if it was not told yet. One
    /// that had come when the copy was made is none: who has just ordered a short copy knows.
    pub fn reminder_due_on(&self, day: NaiveDate) -> Option<u32> {
        let Intent { valid_from, valid_until, .. } = self.intent;
        if !self.in_force_on(day) {
            return None;
        }
        let left = (valid_until - day).num_days();
        let whole = (valid_until - valid_from).num_days();
        let nearest = REMINDERS.into_iter().find(|days| left <= i64::from(*days))?;
        let is_news = i64::from(nearest) < whole && self.reminded.is_none_or(|told| nearest < told);
        is_news.then_some(nearest)
    }

    /// Its holder is told of a threshold.
    pub fn remind(self, threshold: u32) -> Self {
        Self { reminded: Some(threshold), ..self }
    }

    /// Ends the copy before its time.
    pub fn revoke(self, revocation: Revocation) -> Revoked {
        Revoked { sealed: Some(self), revocation }
    }

    /// Whether the copy may be used on a day, as far as its own validity goes.
    pub fn in_force_on(&self, day: NaiveDate) -> bool {
        self.intent.valid_from <= day && day <= self.intent.valid_until
    }
}

/// Ended before its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    /// The copy, where there was one.
    pub sealed: Option<Sealed>,
    /// When and why.
    pub revocation: Revocation,
}

/// When and why an annotation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub cause: Cause,
}

/// Why an annotation ended before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Its holder, or the agency for the holder, revoked this copy.
    Withdrawn,
    /// The certificate was revoked or cancelled.
    CertificateEnded,
    /// A newer version of the certificate exists.
    CertificateSuperseded,
}

impl Cause {
    const ALL: [Self; 3] = [Self::Withdrawn, Self::CertificateEnded, Self::CertificateSuperseded];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::CertificateEnded => "certificate-ended",
            Self::CertificateSuperseded => "certificate-superseded",
        }
    }
}

impl FromStr for Cause {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|cause| cause.word() == text).ok_or(Malformed("cause"))
    }
}

/// Could not be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// When and why.
    pub failure: Failure,
}

/// When and why a copy could not be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// When it was given up.
    pub at: DateTime<Utc>,
    /// Stable code: `unprintable-character`, `does-not-fit`, `deadline-missed`, `certificate-lapsed`.
    pub code: String,
    /// What the code speaks of: the character, the field. Personal data.
    pub about: Option<String>,
}

/// The state as shown, on a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Waiting.
    Queued,
    /// Being sealed.
    Sealing,
    /// Sealed and in force.
    Ready,
    /// 加注件已过期
    Expired,
    /// Ended before its time.
    Revoked,
    /// Could not be made.
    Failed,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Sealing, Self::Ready, Self::Expired, Self::Revoked, Self::Failed];

    /// The stable word of the interface.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sealing => "sealing",
            Self::Ready => "ready",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for Phase {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|phase| phase.word() == text).ok_or(Malformed("state"))
    }
}

impl Annotation {
    /// The state as shown on a day.
    pub fn phase_on(&self, day: NaiveDate) -> Phase {
        match &self.state {
            State::Queued(_) => Phase::Queued,
            State::Sealing(_) => Phase::Sealing,
            State::Sealed(sealed) if day > sealed.intent.valid_until => Phase::Expired,
            State::Sealed(_) => Phase::Ready,
            State::Revoked(_) => Phase::Revoked,
            State::Failed(_) => Phase::Failed,
        }
    }

    /// Whether it waits, is being sealed, or is sealed and not yet expired.
    pub fn is_live_on(&self, day: NaiveDate) -> bool {
        matches!(self.phase_on(day), Phase::Queued | Phase::Sealing | Phase::Ready)
    }

    /// The copy that was sealed, whatever became of it.
    pub fn sealed(&self) -> Option<&Sealed> {
        match &self.state {
            State::Sealed(sealed) => Some(sealed),
            State::Revoked(revoked) => revoked.sealed.as_ref(),
            _ => None,
        }
    }

    /// The annotation as it stood when it was ordered: what a repeated call is answered.
    pub fn as_ordered(self) -> Self {
        Self { state: State::Queued(Queued {}), ..self }
    }

    /// Ends a live annotation; none where it is not live, which ends nothing.
    pub fn revoke_if_live(self, at: DateTime<Utc>, cause: Cause) -> Option<Self> {
        if !self.is_live_on(calendar::day_of(at)) {
            return None;
        }
        let revocation = Revocation { at, cause };
        let state = match self.state {
            State::Queued(queued) => queued.revoke(revocation),
            State::Sealing(sealing) => sealing.revoke(revocation),
            State::Sealed(sealed) => sealed.revoke(revocation),
            State::Revoked(_) | State::Failed(_) => return None,
        };
        Some(Self { state: State::Revoked(state), ..self })
    }
}

#[cfg(test)]
mod tests;
