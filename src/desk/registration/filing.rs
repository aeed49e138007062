//! Cases before they are submitted: opened, filled in, their letter read; and how a case is shown.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::desk::record::Fields;
use crate::desk::registration::Registering;
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::certificate::Certificate;
use crate::domain::event::{Deed, Event};
use crate::domain::ids::{AnomalyId, CaseId};
use crate::domain::refusal::{FieldFault, Refusal};
use crate::registration::acts::allowed_acts;
use crate::registration::case::{Act, Case, Specialty};
use crate::registration::conditions::{Condition, Facts, SocialInsurance};
use crate::registration::filing::{self, Answer, Opening, business};
use crate::registration::regime::{Business, Regime};
use crate::registration::registrant::{Registrant, Registration};
use crate::registration::timeline::{Stay, timeline};
use crate::registration::word::{ClassId, RegimeId, TypeId};
use crate::store::{Change, Expect, Revision, Write};

/// What somebody wants to file, as typed.
#[derive(Clone)]
pub struct CaseForm {
    /// The regime.
    pub regime: String,
    /// The class of it; its first where none.
    pub class: Option<String>,
    /// The business type.
    pub business: String,
    /// The specialty; the class's only one where none.
    pub specialty: Option<String>,
    /// What is filled in already.
    pub form: BTreeMap<String, Answer>,
}

impl std::fmt::Debug for CaseForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CaseForm(…)")
    }
}

/// A case, and what whoever looks may do with it.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// The case.
    pub case: Case,
    /// What they may do.
    pub allowed: Vec<Act>,
    /// Where it was.
    pub timeline: Vec<Stay>,
}

/// A commitment letter that is open.
#[derive(Clone, Debug)]
pub struct OpenLetter {
    /// Which version of its text.
    pub version: u16,
    /// How long it has to be open.
    pub seconds: u64,
    /// Since when it is.
    pub opened_at: DateTime<Utc>,
    /// Its clauses, filled with what is known of the person.
    pub clauses: Vec<String>,
}

/// A parsed form.
struct Wanted {
    regime: RegimeId,
    class: Option<ClassId>,
    business: TypeId,
    specialty: Option<Specialty>,
}

impl CaseForm {
    fn parse(&self) -> Result<Wanted, Refusal> {
        let mut fields = Fields::default();
        let class = self.class.as_deref().map(|text| fields.take("class", word(text)));
        let specialty = self.specialty.as_deref().map(|text| fields.parse("specialty", text));
        let regime = fields.take("regime", word(&self.regime));
        let business = fields.take("type", word(&self.business));
        let wanted = regime.zip(business).map(|(regime, business)| Wanted {
            regime,
            class: class.flatten(),
            business,
            specialty: specialty.flatten(),
        });
        fields.finish(wanted)
    }
}

fn word<T: std::str::FromStr>(text: &str) -> Result<T, FieldFault> {
    text.parse().map_err(|_| FieldFault::NotAName)
}

impl Desk {
    /// Opens a case: a draft.
    ///
    /// # Errors
    /// `invalid-fields`; `case-already-open`; `condition-not-met`; `NotFound` for units and authorities.
    pub async fn open_case(&self, who: &Registering, form: CaseForm) -> Result<CaseView, DeskError> {
        let wanted = form.parse()?;
        let id = CaseId::mint(self.now(), crate::desk::chance()?);
        let regime = self.regimes().regime(&wanted.regime);
        let regime = regime.ok_or_else(|| Refusal::field("regime", FieldFault::NotAName))?;
        let ((case, _), _) =
            self.settle(|| Box::pin(self.plan_opening(who, regime, id, &wanted, &form.form))).await?;
        self.view(who, case)
    }

    async fn plan_opening(
        &self,
        who: &Registering,
        regime: &Regime,
        id: CaseId,
        wanted: &Wanted,
        form: &BTreeMap<String, Answer>,
    ) -> Result<Plan<(Case, ())>, DeskError> {
        let (registrant, revision) = self.registrant(who.person()?).await?;
        let class = regime.class(wanted.class.as_ref());
        let class = class.ok_or_else(|| Refusal::field("class", FieldFault::NotAName))?;
        let business = regime.business(&class.id, &wanted.business);
        let business = business.ok_or_else(|| Refusal::field("type", FieldFault::NotAName))?;
        let specialty = wanted.specialty.as_ref().or_else(|| class.specialties.first());
        let registration = registrant.registrations.iter().find(|registration| {
            (&registration.regime, &registration.class, Some(&registration.specialty))
                == (&regime.id, &class.id, specialty)
        });
        let facts = self.facts(who.account.name.clone(), &registrant, business, registration).await?;
        let opening = Opening {
            id,
            name: who.account.name.clone(),
            class: wanted.class.clone(),
            specialty: wanted.specialty.clone(),
            business: wanted.business.clone(),
            at: self.now(),
        };
        let mut next = filing::open(regime, &registrant, &facts, opening)?;
        if !form.is_empty() {
            next.case = filing::fill(&next.case, regime, &who.party, form.clone())?;
        }
        let mut change = Change {
            expects: vec![Expect::Case(id, None), Expect::Registrant(registrant.person.clone(), revision)],
            writes: vec![Write::Case(next.case.clone())],
            events: vec![self.case_event(Deed::CaseOpened, who, id)],
        };
        change.writes.extend(next.registrant.map(Write::Registrant));
        Ok(Plan::Write(change, (next.case, ())))
    }

    /// A case, as whoever may see it sees it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn case(&self, who: &Registering, id: CaseId) -> Result<CaseView, DeskError> {
        let (case, _) = self.visible(who, id).await?;
        self.view(who, case)
    }

    /// Fills in the form of a case: what is sent takes the place of what was there.
    ///
    /// # Errors
    /// `invalid-fields`; `act-not-allowed`; `not-asked-for`; `NotFound`.
    pub async fn fill_case(
        &self,
        who: &Registering,
        id: CaseId,
        answers: &BTreeMap<String, Answer>,
    ) -> Result<CaseView, DeskError> {
        let change = |case: &Case, regime: &Regime| filing::fill(case, regime, &who.party, answers.clone());
        self.change_case(who, id, Deed::CaseFilled, change).await
    }

    /// Opens the commitment letter of a case: the time of reading counts from the first time.
    ///
    /// # Errors
    /// `act-not-allowed`, also where there is no letter; `NotFound`.
    pub async fn open_letter(&self, who: &Registering, id: CaseId) -> Result<OpenLetter, DeskError> {
        let at = self.now();
        let open = |case: &Case, regime: &Regime| filing::open_letter(case, regime, &who.party, at);
        let view = self.change_case(who, id, Deed::LetterOpened, open).await?;
        let regime = self.regime_of(&view.case)?;
        let (registrant, _) = self.registrant(who.person()?).await?;
        let text = business(&view.case, regime)?.letter.as_ref().ok_or(DeskError::NotFound)?;
        let letter = view.case.letter.as_ref().ok_or(DeskError::NotFound)?;
        let clauses = filing::letter_clauses(&view.case, regime, &registrant).unwrap_or_default();
        Ok(OpenLetter { version: text.version, seconds: text.seconds, opened_at: letter.opened_at, clauses })
    }

    /// Changes a case that is with its person; what changes nothing is not written.
    pub(super) async fn change_case(
        &self,
        who: &Registering,
        id: CaseId,
        deed: Deed,
        change: impl Fn(&Case, &Regime) -> Result<Case, Refusal> + Sync,
    ) -> Result<CaseView, DeskError> {
        let change = &change;
        let (case, _) = self
            .settle(|| {
                Box::pin(async move {
                    let (old, revision) = self.visible(who, id).await?;
                    let case = change(&old, self.regime_of(&old)?)?;
                    if case == old {
                        return Ok(Plan::Nothing(case));
                    }
                    let change = Change {
                        expects: vec![Expect::Case(id, Some(revision))],
                        writes: vec![Write::Case(case.clone())],
                        events: vec![self.case_event(deed, who, id)],
                    };
                    Ok(Plan::Write(change, case))
                })
            })
            .await?;
        self.view(who, case)
    }

    /// A case that is the party's business. What is not is not there at all; a draft is its person's alone.
    pub(super) async fn visible(&self, who: &Registering, id: CaseId) -> Result<(Case, Revision), DeskError> {
        let (case, revision) = self.store.case(id).await?.ok_or(DeskError::NotFound)?;
        let theirs = who.party.sees(&case) && (who.person().is_ok() || !case.moves.is_empty());
        if theirs { Ok((case, revision)) } else { Err(DeskError::NotFound) }
    }

    pub(super) fn view(&self, who: &Registering, case: Case) -> Result<CaseView, DeskError> {
        let regime = self.regime_of(&case)?;
        let allowed = allowed_acts(&case, regime, &who.party);
        let timeline = timeline(&case, &business(&case, regime)?.chain);
        Ok(CaseView { allowed, timeline, case })
    }

    /// The regime of a case. One whose file was taken away leaves its cases unreadable until it is back.
    pub(super) fn regime_of(&self, case: &Case) -> Result<&Regime, DeskError> {
        self.regimes().regime(&case.subject.regime).ok_or(DeskError::Unavailable("regime-missing"))
    }

    pub(super) fn case_event(&self, deed: Deed, who: &Registering, case: CaseId) -> Event {
        Event { case: Some(case), account: Some(who.account.id), ..self.event(deed, who.actor()) }
    }

    /// What the rules of a business type want to know; nobody outside is asked in vain.
    pub(super) async fn facts(
        &self,
        name: crate::domain::certificate::Name,
        registrant: &Registrant,
        business: &Business,
        registration: Option<&Registration>,
    ) -> Result<Facts, DeskError> {
        let wants = |condition: &Condition| business.conditions.contains(condition);
        let employment = registrant.profile.employment.as_ref();
        let employer_registered = match employment {
            Some(employment) if wants(&Condition::EmployerRegistered) => {
                self.store.company(&employment.uscc).await?.is_some()
            }
            _ => false,
        };
        let person = &registrant.person;
        let real_name_verified =
            wants(&Condition::RealName) && self.doors.registries.knows(person, &name).await?;
        let anomalous = wants(&Condition::SocialInsurance)
            && self.doors.registries.insurance_is_anomalous(person).await?;
        let social_insurance = if anomalous {
            SocialInsurance::Anomaly(AnomalyId::mint(self.now(), crate::desk::chance()?))
        } else {
            SocialInsurance::Normal
        };
        Ok(Facts {
            certificate: self.certificate_of(registration).await?,
            employer_registered,
            real_name_verified,
            social_insurance,
            code_proved: false,
        })
    }

    /// The newest version of the certificate of a registration.
    async fn certificate_of(
        &self,
        registration: Option<&Registration>,
    ) -> Result<Option<Certificate>, DeskError> {
        let Some(registration) = registration else { return Ok(None) };
        let Some(known) = self.store.certificate(registration.certificate).await? else { return Ok(None) };
        let newest = self.store.newest(&known.details.kind, &known.details.management_no).await?;
        match newest {
            Some(id) if id != known.id => Ok(self.store.certificate(id).await?),
            _ => Ok(Some(known)),
        }
    }
}
