//! Acts on cases: one at a time, or a batch with a result for each.

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::desk::account::code::Typed;
use crate::desk::registration::Registering;
use crate::desk::registration::filing::CaseView;
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::Purpose;
use crate::domain::event::{Deed, Event};
use crate::domain::ids::CaseId;
use crate::domain::refusal::Refusal;
use crate::registration::acts::{Commitment, Doing, act};
use crate::registration::case::{Act, Case, CorrectionItem, Opinion};
use crate::registration::conditions::Facts;
use crate::registration::filing::business;
use crate::store::{Change, Expect, Write};

/// Most acts of a batch.
pub const BATCH: usize = 500;

/// How many acts of a batch are done at a time: they share the waiting for the disk.
const AT_A_TIME: usize = 64;

/// What somebody does with a case.
#[derive(Clone, Debug)]
pub struct ActForm {
    /// What.
    pub act: Act,
    /// Why.
    pub opinion: Option<Opinion>,
    /// With 要求补正: everything that is to be corrected.
    pub items: Vec<CorrectionItem>,
    /// With 上报: what the person says to the commitment letter.
    pub commitment: Option<Commitment>,
    /// With 上报: whether the person goes on in spite of an anomaly.
    pub insurance_commitment: bool,
    /// With 上报: the code that was sent to the mobile, where the regime wants one.
    pub code: Option<String>,
}

/// What an act came to: a case, or a "no" that costs one of a code's tries and is written down too.
type Acted = Result<Case, Refusal>;

impl Desk {
    /// Does an act. Of two at once one is done, and the other is refused with what was done.
    ///
    /// # Errors
    /// `act-not-allowed`; `condition-not-met`; `invalid-fields`; `code-wrong` and the other refusals of a submission;
    /// `NotFound`.
    pub async fn act(&self, who: &Registering, id: CaseId, form: &ActForm) -> Result<CaseView, DeskError> {
        let (acted, _) = self.settle(|| Box::pin(self.plan_act(who, id, form))).await?;
        self.view(who, acted?)
    }

    /// Does many acts, each for itself: at most [`BATCH`], which the caller has seen to. The results are in their order.
    pub async fn act_on_many(
        &self,
        who: &Registering,
        acts: Vec<(CaseId, ActForm)>,
    ) -> Vec<(CaseId, Result<CaseView, DeskError>)> {
        let acting = acts.into_iter().map(|(id, form)| async move {
            let acted = self.act(who, id, &form).await;
            (id, acted)
        });
        stream::iter(acting).buffered(AT_A_TIME).collect().await
    }

    async fn plan_act(
        &self,
        who: &Registering,
        id: CaseId,
        form: &ActForm,
    ) -> Result<Plan<Acted>, DeskError> {
        let (case, revision) = self.visible(who, id).await?;
        let regime = self.regime_of(&case)?;
        let (registrant, known) = self.registrant(&case.person).await?;
        let registration = registrant.registrations.iter().find(|one| one.is_of(&case.subject));
        let business = business(&case, regime)?;
        let facts = self.facts(case.name.clone(), &registrant, business, registration).await?;
        let doing = Doing {
            act: form.act,
            by: who.actor(),
            party: who.party.clone(),
            at: self.now(),
            opinion: form.opinion.clone(),
            items: form.items.clone(),
            commitment: form.commitment,
            insurance_commitment: form.insurance_commitment,
        };
        // A rehearsal: a code is spent only where nothing else stands in the way.
        let facts = Facts { code_proved: true, ..facts };
        let next = act(&case, regime, &registrant, &facts, &doing)?;
        let submits = form.act == Act::Submit && business.sms_code && next.case.state.place().is_some();
        let mut change = Change::default();
        if submits {
            let typed = form.code.as_deref().unwrap_or_default();
            let to = who.account.mobile.clone().into();
            match self.judge_code(Purpose::Submit, &to, typed).await? {
                Typed::Right { redeem, .. } => change = redeem,
                Typed::Wrong(charge) => return Ok(Plan::Write(charge, Err(Refusal::CodeWrong))),
                Typed::Closed => return Ok(Plan::Nothing(Err(Refusal::CodeWrong))),
            }
        }
        change.expects.push(Expect::Case(id, Some(revision)));
        change.expects.push(Expect::Registrant(registrant.person.clone(), known));
        let reason = form.act.word().parse().ok();
        change.events.push(Event { reason, ..self.case_event(Deed::CaseActed, who, id) });
        let next = self.pass_the_door(who, &registrant, next, &mut change).await?;
        change.writes.push(Write::Case(next.case.clone()));
        change.writes.extend(next.registrant.map(Write::Registrant));
        Ok(Plan::Write(change, Ok(next.case)))
    }
}
