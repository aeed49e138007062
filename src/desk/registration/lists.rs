//! What waits for somebody (待办事项), what was filed before (历史申报), and what others did with it (我的消息).

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::desk::registration::Registering;
use crate::desk::registration::filing::CaseView;
use crate::desk::{Desk, DeskError};
use crate::domain::ids::CaseId;
use crate::domain::query::{EntryQuery, Page};
use crate::registration::case::{Case, Move, Seat, Subject};
use crate::registration::party::Party;
use crate::registration::query::{CaseCount, CaseCursor, CaseQuery, CasesOf};
use crate::registration::word::RegimeId;

/// How many of a person's cases are read at a time.
const AT_A_TIME: usize = 16;

/// Where a list goes on, and how far.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// Of this regime.
    pub regime: Option<RegimeId>,
    /// After this one.
    pub after: Option<CaseCursor>,
    /// At most so many (1 to 500).
    pub limit: usize,
}

/// What somebody else did with a case.
#[derive(Clone, Debug)]
pub struct CaseMessage {
    /// Which case.
    pub case: CaseId,
    /// What it is about.
    pub subject: Subject,
    /// What was done.
    pub done: Move,
}

impl Desk {
    /// The cases that wait for whoever asks: for a person, a unit or an authority, the most urgent first.
    pub async fn todo(&self, who: &Registering, stretch: Stretch) -> Result<Page<CaseView>, DeskError> {
        let of = match &who.party {
            Party::Person(_) => {
                let cases = self.own_cases(who).await?;
                let held = cases.into_iter().filter(|case| case.state.seat() == Some(Seat::Person));
                return self.views(who, cut(held, &stretch));
            }
            Party::Unit(uscc) => CasesOf::Unit { uscc: *uscc, held: true },
            Party::Authority { seat, region } => {
                CasesOf::Seat { seat: *seat, region: region.filter(|_| seat.is_regional()) }
            }
        };
        let Stretch { regime, after, limit } = stretch;
        let page = self.store.cases(&CaseQuery { of, regime, after, limit }).await?;
        self.views(who, page)
    }

    /// The cases that whoever asks had to do with and that wait for somebody else or for nobody: the newest first, an
    /// authority's in the order in which it first dealt with them.
    pub async fn filed(&self, who: &Registering, stretch: Stretch) -> Result<Page<CaseView>, DeskError> {
        let seat = who.party.seat();
        match &who.party {
            Party::Person(_) => {
                let cases = self.own_cases(who).await?;
                let elsewhere = cases.into_iter().filter(|case| case.state.seat() != Some(Seat::Person));
                self.views(who, cut(elsewhere, &stretch))
            }
            Party::Unit(uscc) => {
                let Stretch { regime, after, limit } = stretch;
                let of = CasesOf::Unit { uscc: *uscc, held: false };
                let mut page = self.store.cases(&CaseQuery { of, regime, after, limit }).await?;
                page.items.retain(|case| case.state.seat() != Some(seat) && !case.moves.is_empty());
                self.views(who, page)
            }
            Party::Authority { .. } => self.dealt_with(who, stretch).await,
        }
    }

    /// What an authority's member dealt with, as the ledger tells it.
    async fn dealt_with(&self, who: &Registering, stretch: Stretch) -> Result<Page<CaseView>, DeskError> {
        let (mut known, mut views, mut after) = (Vec::new(), Vec::new(), None);
        let started = |id: CaseId| stretch.after.is_none_or(|(_, last)| id != last);
        let mut skipping = stretch.after.is_some();
        loop {
            let query =
                EntryQuery { account: Some(who.account.id), after, limit: 500, ..EntryQuery::default() };
            let page = self.store.entries(&query).await?;
            for id in page.items.iter().flat_map(|entry| &entry.events).filter_map(|event| event.case) {
                if known.contains(&id) {
                    continue;
                }
                known.push(id);
                if skipping {
                    skipping = started(id);
                    continue;
                }
                let Ok((case, _)) = self.visible(who, id).await else { continue };
                if stretch.regime.as_ref().is_some_and(|regime| case.subject.regime != *regime) {
                    continue;
                }
                if views.len() == stretch.limit {
                    return Ok(Page { items: views, more: true });
                }
                views.push(self.view(who, case)?);
            }
            after = page.items.last().map(|entry| entry.seq);
            if !page.more {
                return Ok(Page { items: views, more: false });
            }
        }
    }

    /// What others did with the cases of whoever asks, newest first: opinions, returns, decisions.
    ///
    /// # Errors
    /// `NotFound` for authorities, whose messages are their work list.
    pub async fn case_messages(&self, who: &Registering) -> Result<Vec<CaseMessage>, DeskError> {
        let cases = match &who.party {
            Party::Person(_) => self.own_cases(who).await?,
            Party::Unit(uscc) => {
                let of = CasesOf::Unit { uscc: *uscc, held: false };
                let query = CaseQuery { of, regime: None, after: None, limit: 100 };
                self.store.cases(&query).await?.items
            }
            Party::Authority { .. } => return Err(DeskError::NotFound),
        };
        let own = who.party.seat();
        let mut messages: Vec<CaseMessage> = cases
            .iter()
            .flat_map(|case| {
                let of = |done: &Move| CaseMessage {
                    case: case.id,
                    subject: case.subject.clone(),
                    done: done.clone(),
                };
                case.moves.iter().filter(|done| done.seat != own).map(of)
            })
            .collect();
        messages.sort_by_key(|message| std::cmp::Reverse(message.done.at));
        Ok(messages)
    }

    /// How many cases wait for an authority, of each kind.
    ///
    /// # Errors
    /// `NotFound` for persons and units.
    pub async fn case_statistics(&self, who: &Registering) -> Result<Vec<CaseCount>, DeskError> {
        match &who.party {
            Party::Authority { seat, region } => {
                let region = region.filter(|_| seat.is_regional());
                Ok(self.store.case_counts(*seat, region, self.today()).await?)
            }
            Party::Person(_) | Party::Unit(_) => Err(DeskError::NotFound),
        }
    }

    /// The cases of the person who asks, newest first.
    async fn own_cases(&self, who: &Registering) -> Result<Vec<Case>, DeskError> {
        let registrant = self.own_registrant(who).await?;
        let ids: Vec<CaseId> = registrant.cases.iter().rev().map(|mention| mention.id).collect();
        let read = ids.into_iter().map(|id| async move { self.store.case(id).await });
        let read: Vec<_> = stream::iter(read).buffered(AT_A_TIME).collect().await;
        let mut cases = Vec::with_capacity(read.len());
        for found in read {
            cases.extend(found?.map(|(case, _)| case));
        }
        Ok(cases)
    }

    fn views(&self, who: &Registering, page: Page<Case>) -> Result<Page<CaseView>, DeskError> {
        let items = page.items.into_iter().map(|case| self.view(who, case)).collect::<Result<_, _>>()?;
        Ok(Page { items, more: page.more })
    }
}

/// A stretch of a list that is held whole.
fn cut(cases: impl Iterator<Item = Case>, stretch: &Stretch) -> Page<Case> {
    let of_regime = |case: &Case| stretch.regime.as_ref().is_none_or(|regime| case.subject.regime == *regime);
    let mut rest: Vec<Case> = cases.filter(of_regime).collect();
    if let Some((_, after)) = stretch.after {
        let at = rest.iter().position(|case| case.id == after).map_or(0, |at| at + 1);
        rest.drain(..at);
    }
    let more = rest.len() > stretch.limit;
    rest.truncate(stretch.limit);
    Page { items: rest, more }
}
