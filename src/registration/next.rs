//! What comes of an act: the case as it is then, the registrant where they change, and what the register has to do.

use chrono::NaiveDate;

use crate::domain::certificate::{Details, Line, Name};
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::CertificateId;
use crate::registration::case::{Case, CaseState};
use crate::registration::registrant::{CaseMention, Registrant, Registration};

/// What comes of an act. The desk writes all of it in one step, or nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "nothing is done until it is written"]
pub struct Next {
    /// The case.
    pub case: Case,
    /// The registrant, where they change.
    pub registrant: Option<Registrant>,
    /// What the register has to do. An enrolment or a conversion changes the registrant only.
    pub effect: Option<Effect>,
}

/// What the register has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// A certificate enters: the first of its number, or a new version. Its name, version and licence identifier are the
    /// register's to give; [`Next::granted`] takes the name back.
    Enter(Box<Entry>),
    /// A certificate ends (已注销), and its copies with it.
    Cancel {
        /// Which.
        certificate: CertificateId,
    },
    /// The person's name or identity document is another, everywhere: accounts, certificates, cases. Each certificate that is
    /// made anew for it is told to [`Next::reissued`].
    Correct {
        /// The person as they were known.
        person: PersonId,
        /// The right name, where it was wrong.
        name: Option<Name>,
        /// The right document, where it was wrong.
        id: Option<PersonId>,
    },
}

/// Why a certificate enters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A registration begins.
    Granted,
    /// It is at another unit.
    Changed,
    /// It holds longer.
    Extended,
    /// Its certificate is made anew.
    Replaced,
    /// It begins again.
    Resumed,
}

impl Outcome {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Changed => "changed",
            Self::Extended => "extended",
            Self::Replaced => "replaced",
            Self::Resumed => "resumed",
        }
    }
}

/// A certificate that enters the register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it says. The same `(kind, management_no)` as before makes a new version.
    pub details: Details,
    /// Why.
    pub outcome: Outcome,
    pub(super) employer: CreditCode,
    pub(super) valid_until: NaiveDate,
    pub(super) category: Option<Line<40>>,
}

impl Next {
    /// A case that changes, and nothing else.
    pub(super) fn of(case: Case) -> Self {
        Self { case, registrant: None, effect: None }
    }

    /// With the registrant's mention of the case brought up to date, where it tells something new.
    pub(super) fn mentioned(mut self, known: &Registrant) -> Self {
        let mention = CaseMention {
            id: self.case.id,
            subject: self.case.subject.clone(),
            live: self.case.state.is_live(),
            approved: matches!(self.case.state, CaseState::Approved { .. }),
        };
        let cases = self.registrant.as_ref().map_or(&known.cases, |registrant| &registrant.cases);
        if !cases.contains(&mention) {
            let registrant = self.registrant.get_or_insert_with(|| known.clone());
            match registrant.cases.iter_mut().find(|other| other.id == mention.id) {
                Some(old) => *old = mention,
                None => registrant.cases.push(mention),
            }
        }
        self
    }

    /// With the version that the register gave to what [`Effect::Enter`] asked for: the case ends in it, and the
    /// registration stands by it. Leaves everything else as it is.
    pub fn granted(mut self, certificate: CertificateId) -> Self {
        let (Some(Effect::Enter(entry)), Some(registrant)) = (&self.effect, &mut self.registrant) else {
            return self;
        };
        let subject = &self.case.subject;
        let registration = Registration {
            regime: subject.regime.clone(),
            class: subject.class.clone(),
            specialty: subject.specialty.clone(),
            certificate,
            management_no: entry.details.management_no.clone(),
            employer: entry.employer,
            valid_until: entry.valid_until,
            cancelled: false,
            category: entry.category.clone(),
        };
        match registrant.registrations.iter_mut().find(|registration| registration.is_of(subject)) {
            Some(old) => *old = registration,
            None => registrant.registrations.push(registration),
        }
        self.case.state = CaseState::Approved { certificate: Some(certificate) };
        self
    }

    /// With a certificate of the registrant made anew, after [`Effect::Correct`].
    pub fn reissued(mut self, old: CertificateId, new: CertificateId) -> Self {
        let registrations = self.registrant.iter_mut().flat_map(|registrant| &mut registrant.registrations);
        for registration in registrations.filter(|registration| registration.certificate == old) {
            registration.certificate = new;
        }
        self
    }
}
