//! Reminders: who holds a copy that expires soon is told of it, once at each threshold.
//!
//! A reminder is claimed before it is sent: the record says that its holder was told, in a change that expects the
//! dossier as it was read. So of all nodes one sends it, and none sends it again, whatever dies in between; one that
//! could not be sent is lost, and the next threshold tells. Where nothing can be sent at all, nothing is claimed.

use crate::desk::account::message::{Message, Reminder};
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, Owner};
use crate::domain::annotation::{Annotation, REMINDERS, State};
use crate::domain::calendar;
use crate::domain::certificate::{Line, Status};
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::query::ExpiryQuery;
use crate::store::{Change, Expect, Write};

/// Copies looked at in one go.
const AT_ONCE: usize = 200;

/// So many that could not be sent in a row end a round: the sender is away, and every further claim would be lost.
const FAILURES: u32 = 3;

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Reminders sent.
    pub sent: u64,
    /// Reminders that could not be sent.
    pub lost: u64,
}

impl Desk {
    /// Reminds every holder who is due, while `go_on` says so. Any number of nodes may do it, at once and as often as
    /// they like.
    ///
    /// # Errors
    /// Where the store fails; what is left is for the next round.
    pub async fn remind(&self, go_on: impl Fn() -> bool + Send) -> Result<Round, DeskError> {
        let (mut round, mut in_a_row) = (Round::default(), 0);
        let (today, mut after) = (self.today(), None);
        let furthest = REMINDERS.into_iter().max().unwrap_or(0);
        loop {
            let until = calendar::plus_days(today, furthest);
            let query = ExpiryQuery { from: today, until, after, limit: AT_ONCE };
            let page = self.store.expiring(&query).await?;
            for annotation in &page.items {
                if !go_on() {
                    return Ok(round);
                }
                let Some((to, reminder)) = self.claim(annotation).await? else { continue };
                match self.doors.messenger.send(&to, Message::Reminder(reminder)).await {
                    Ok(()) => (round.sent, in_a_row) = (round.sent + 1, 0),
                    Err(fault) => {
                        // A sender says nothing of whom it sends to.
                        tracing::warn!(annotation = %annotation.id, why = %fault.source, "a reminder could not be sent");
                        (round.lost, in_a_row) = (round.lost + 1, in_a_row + 1);
                    }
                }
                if in_a_row == FAILURES {
                    return Ok(round);
                }
            }
            let last = page.items.last();
            after = last.and_then(|last| Some((last.sealed()?.intent.valid_until, last.id)));
            if !page.more || after.is_none() {
                return Ok(round);
            }
        }
    }

    /// Writes down that a holder is told, if it is time and nobody did; then it is ours to send.
    async fn claim(&self, annotation: &Annotation) -> Result<Option<(Contact, Reminder)>, DeskError> {
        // Most are not due: found out without reading more.
        if annotation.sealed().and_then(|sealed| sealed.reminder_due_on(self.today())).is_none() {
            return Ok(None);
        }
        let (claimed, _) = self.settle(|| Box::pin(self.plan_reminder(annotation))).await?;
        Ok(claimed)
    }

    async fn plan_reminder(
        &self,
        annotation: &Annotation,
    ) -> Result<Plan<Option<(Contact, Reminder)>>, DeskError> {
        const NOBODY: Plan<Option<(Contact, Reminder)>> = Plan::Nothing(None);
        let (now, today) = (self.now(), self.today());
        let Some(dossier) = self.store.dossier(annotation.certificate).await? else { return Ok(NOBODY) };
        let certificate = &dossier.certificate;
        let known = dossier.annotations.iter().find(|known| known.id == annotation.id);
        let Some(annotation @ Annotation { state: State::Sealed(sealed), .. }) = known else {
            return Ok(NOBODY);
        };
        let due = sealed.reminder_due_on(today).filter(|_| certificate.status_on(today) == Status::Valid);
        let Some(threshold) = due else { return Ok(NOBODY) };
        let holder = &certificate.details.holder.id;
        let owner = Owner::Holder(holder.clone());
        // Names to log in with are numbers alone: two kinds of document may have the same.
        let account = self.store.account_by_login(&owner.login()).await?;
        let account = account.map(|(account, _)| account).filter(|account| account.owner == owner);
        let Some((account, to)) = account.and_then(|account| Some((account.id, self.contact(&account)?)))
        else {
            return Ok(NOBODY);
        };
        let valid_until = sealed.intent.valid_until;
        let reminder = Reminder {
            title: certificate.details.title.to_string(),
            valid_until,
            days_left: u32::try_from((valid_until - today).num_days()).unwrap_or(0),
            at: now,
        };
        let issuer = certificate.details.issuer.uscc;
        let told =
            Annotation { state: State::Sealed(sealed.clone().remind(threshold)), ..annotation.clone() };
        let event = Event {
            issuer: Some(issuer),
            certificate: Some(certificate.id),
            annotation: Some(told.id),
            account: Some(account),
            reason: threshold.to_string().parse::<Line<200>>().ok(),
            ..self.event(Deed::ReminderSent, Actor::Service)
        };
        let change = Change {
            expects: vec![Expect::Dossier(certificate.id, dossier.revision)],
            writes: vec![Write::Annotation { annotation: told, person: holder.clone(), issuer }],
            events: vec![event],
        };
        Ok(Plan::Write(change, Some((to, reminder))))
    }

    /// Where somebody is reached: by e-mail if there is one, else by mobile.
    fn contact(&self, account: &Account) -> Option<Contact> {
        let email = account.email.clone().map(Contact::Email);
        let mobile = Some(Contact::Mobile(account.mobile.clone()));
        [email, mobile].into_iter().flatten().find(|to| self.doors.messenger.reaches(to))
    }
}
