//! Registration: filings of persons, reviewed by units and authorities. The rules are pure; here they are given what they
//! need to know, and what they decide is written.
//!
//! A person's [`Registrant`] is what decisions about all of their cases share, and each case has a revision of its own.
//! Whoever acts expects both as they were read: so two acts at once are one act and a "no" that says who was quicker, and
//! a person never has two live cases about one registration.

pub mod acting;
mod adoption;
pub mod anomaly;
pub mod attachment;
pub mod company;
pub mod development;
mod door;
pub mod filing;
pub mod lists;
pub mod profile;
pub mod registries;

use crate::desk::account::session::LoggedIn;
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, Owner};
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::identity::PersonId;
use crate::domain::key::Scope;
use crate::domain::refusal::Refusal;
use crate::domain::staff::Level;
use crate::registration::case::Seat;
use crate::registration::party::Party;
use crate::registration::regime::book::Book;
use crate::registration::registrant::Registrant;
use crate::store::{Change, Expect, Revision, Write};

/// Whoever files, confirms or reviews. Only a session mints one.
#[derive(Clone, Debug)]
pub struct Registering {
    account: Account,
    party: Party,
}

impl Registering {
    /// In whose place they act.
    pub fn party(&self) -> &Party {
        &self.party
    }

    /// The person, for what only persons do.
    fn person(&self) -> Result<&PersonId, DeskError> {
        match &self.party {
            Party::Person(person) => Ok(person),
            Party::Unit(_) | Party::Authority { .. } => Err(DeskError::NotFound),
        }
    }

    fn actor(&self) -> Actor {
        Actor::Account(self.account.id)
    }
}

impl Desk {
    /// Every regime.
    pub fn regimes(&self) -> &Book {
        &self.rules.regimes
    }

    /// What somebody logged in is to registration.
    ///
    /// # Errors
    /// `notice-not-accepted` of persons; `Forbidden` of staff whose role reviews nothing.
    pub fn registering(&self, who: &LoggedIn) -> Result<Registering, DeskError> {
        let account = who.account().clone();
        let party = match &account.owner {
            Owner::Holder(person) => {
                who.accepted()?;
                Party::Person(person.clone())
            }
            Owner::Unit { uscc, .. } => Party::Unit(*uscc),
            Owner::Staff(post) => {
                let scopes = post.role.scopes();
                if !scopes.contains(&Scope::Everything) && !scopes.contains(&Scope::FilingsReview) {
                    return Err(DeskError::Forbidden(Scope::FilingsReview));
                }
                Party::Authority { seat: seat_of(post.level), region: post.region }
            }
        };
        Ok(Registering { account, party })
    }

    /// What is known of a person, as it stands now, with what the register knows besides.
    async fn registrant(&self, person: &PersonId) -> Result<(Registrant, Option<Revision>), DeskError> {
        let (mut registrant, revision) = match self.store.registrant(person).await? {
            Some((registrant, revision)) => (registrant, Some(revision)),
            None => (Registrant::new(person.clone()), None),
        };
        self.adopt(&mut registrant).await?;
        Ok((registrant, revision))
    }

    /// Changes what is known of the person who asks; what changes nothing is not written.
    async fn change_registrant(
        &self,
        who: &Registering,
        deed: Deed,
        change: impl Fn(&mut Registrant) -> Result<(), Refusal> + Sync,
    ) -> Result<Registrant, DeskError> {
        let change = &change;
        let (registrant, _) = self
            .settle(|| {
                Box::pin(async move {
                    let (known, revision) = self.registrant(who.person()?).await?;
                    let mut registrant = known.clone();
                    change(&mut registrant)?;
                    if registrant == known {
                        return Ok(Plan::Nothing(registrant));
                    }
                    let event = Event { account: Some(who.account.id), ..self.event(deed, who.actor()) };
                    let change = Change {
                        expects: vec![Expect::Registrant(registrant.person.clone(), revision)],
                        writes: vec![Write::Registrant(registrant.clone())],
                        events: vec![event],
                    };
                    Ok(Plan::Write(change, registrant))
                })
            })
            .await?;
        Ok(registrant)
    }
}

/// The seat of an authority's staff.
fn seat_of(level: Level) -> Seat {
    match level {
        Level::Province => Seat::Province,
        Level::Association => Seat::Association,
        Level::Ministry => Seat::Ministry,
        Level::Department => Seat::Department,
    }
}
