//! The audit trail: the ledger as an agency may read it, and the service's own condition.

use chrono::{DateTime, Utc};

use crate::desk::{Caller, Desk, DeskError};
use crate::domain::event::Deed;
use crate::domain::key::Scope;
use crate::domain::ledger::{Entry, Head};
use crate::domain::query::{EntryQuery, Page};
use crate::domain::queue::QueueView;
use crate::store::Health;

/// Whether the service can do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It can.
    Ready,
    /// It can answer but not write; why.
    ReadOnly(&'static str),
    /// It must be restarted; why.
    Broken(&'static str),
}

/// Which events of the trail, by what the ledger has no index for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sieve {
    /// That tell of this.
    pub deed: Option<Deed>,
    /// Not before this moment.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub before: Option<DateTime<Utc>>,
}

/// Entries that are looked at for one page of a sieved trail.
const LOOKED_AT: usize = 5_000;

/// A page of a sieved trail.
#[derive(Clone, Debug)]
pub struct Sieved {
    /// What passed; an entry holds the events that passed.
    pub items: Vec<Entry>,
    /// After which entry to go on; none at the end. A page may be short and yet go on: so many were looked at.
    pub next: Option<u64>,
}

impl Desk {
    /// Events of the trail that pass a sieve, oldest first.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` for a certificate or an annotation that is not the caller's business.
    pub async fn sieved_trail(
        &self,
        caller: &Caller,
        query: EntryQuery,
        sieve: Sieve,
    ) -> Result<Sieved, DeskError> {
        caller.needs(Scope::AuditRead)?;
        if let Some(certificate) = query.certificate {
            self.dossier(caller, certificate).await?;
        }
        if let Some(annotation) = query.annotation {
            self.annotated(caller, annotation).await?;
        }
        let limit = query.limit;
        let mut query = EntryQuery { limit: 500, ..query };
        if let Some(from) = sieve.from {
            query.after = query.after.max(Some(self.last_before(from).await?));
        }
        let (mut items, mut looked_at) = (Vec::new(), 0);
        loop {
            let page = self.trail(caller, query.clone()).await?;
            looked_at += page.items.len();
            for mut entry in page.items {
                query.after = Some(entry.seq);
                let over = |at: DateTime<Utc>| sieve.before.is_some_and(|before| at >= before);
                if entry.events.first().is_some_and(|event| over(event.at)) {
                    return Ok(Sieved { items, next: None });
                }
                entry.events.retain(|event| {
                    sieve.deed.is_none_or(|deed| event.deed == deed)
                        && sieve.from.is_none_or(|from| event.at >= from)
                });
                if !entry.events.is_empty() {
                    items.push(entry);
                }
                if items.len() >= limit {
                    return Ok(Sieved { items, next: query.after });
                }
            }
            if !page.more {
                return Ok(Sieved { items, next: None });
            }
            if looked_at >= LOOKED_AT {
                return Ok(Sieved { items, next: query.after });
            }
        }
    }

    /// The last entry before a moment; 0 where there is none. Entries stand in the order of time as far as the clock
    /// does, so the ledger is halved until it is found.
    async fn last_before(&self, moment: DateTime<Utc>) -> Result<u64, DeskError> {
        let (mut before, mut from) = (0, self.store.head().await?.seq);
        while before < from {
            let middle = before + (from - before) / 2;
            // Some entries tell of no event, and so of no time: that a session is in use.
            let query = EntryQuery { after: Some(middle), limit: 50, ..EntryQuery::default() };
            let next = self.store.entries(&query).await?.items;
            let told = next.iter().find_map(|entry| Some((entry.seq, entry.events.first()?.at)));
            match told {
                Some((seq, at)) if at < moment => before = seq,
                _ => from = middle,
            }
        }
        Ok(before)
    }

    /// Entries of the ledger about the caller's business, each with its place in the chain. Events of others in the
    /// same entry are left out.
    pub async fn trail(&self, caller: &Caller, query: EntryQuery) -> Result<Page<Entry>, DeskError> {
        caller.needs(Scope::AuditRead)?;
        let issuer = caller.issuer.or(query.issuer);
        let mut page = self.store.entries(&EntryQuery { issuer, ..query }).await?;
        if let Some(own) = caller.issuer {
            for entry in &mut page.items {
                entry.events.retain(|event| event.issuer == Some(own));
            }
        }
        Ok(page)
    }

    /// The end of the ledger.
    pub async fn head(&self) -> Result<Head, DeskError> {
        Ok(self.store.head().await?)
    }

    /// How the store is.
    pub async fn condition(&self) -> Condition {
        match self.store.health().await {
            Health::Ready => Condition::Ready,
            Health::ReadOnly(why) => Condition::ReadOnly(why),
            Health::Broken(why) => Condition::Broken(why),
        }
    }

    /// The whole queue, for metrics and warnings.
    pub async fn whole_queue(&self) -> Result<QueueView, DeskError> {
        Ok(self.store.queue(None).await?)
    }

    /// Development only: forgets everything.
    pub(crate) async fn reset(&self) -> Result<(), DeskError> {
        self.store.reset().await?;
        self.doors.forget();
        self.forget_checks();
        self.forget_activity().await;
        Ok(())
    }
}
