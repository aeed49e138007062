//! The audit trail: the ledger as an agency may read it, and the service's own condition.

use crate::desk::{Caller, Desk, DeskError};
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

impl Desk {
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
        Ok(())
    }
}
