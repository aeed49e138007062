//! What the service remembers of somebody, for them to read and to take away (个人信息保护法, article 45).

use crate::desk::account::own::Own;
use crate::desk::account::session::{Holder, LoggedIn};
use crate::desk::{Desk, DeskError};
use crate::domain::account::Account;
use crate::domain::event::{Actor, Event};
use crate::domain::query::{EntryQuery, Page};

/// One thing that somebody did, or that was done to their account, and the number of its entry.
#[derive(Clone, Debug)]
pub struct Done {
    /// Number of the ledger's entry.
    pub seq: u64,
    /// What.
    pub event: Event,
}

/// Everything kept about a holder.
#[derive(Clone, Debug)]
pub struct Export {
    /// The account.
    pub account: Account,
    /// Certificates and annotations.
    pub certificates: Vec<Own>,
    /// What was done.
    pub log: Vec<Done>,
}

impl Desk {
    /// The operation log (操作轨迹) of an account, oldest first: a page of entries, from after one on. Their events of
    /// others are left out.
    pub async fn own_log(
        &self,
        who: &LoggedIn,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<Done>, DeskError> {
        self.log_of(who.accepted()?.account(), after, limit).await
    }

    async fn log_of(
        &self,
        account: &Account,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<Done>, DeskError> {
        let query = EntryQuery { account: Some(account.id), after, limit, ..EntryQuery::default() };
        let page = self.store.entries(&query).await?;
        let own =
            |event: &Event| event.account == Some(account.id) || event.actor == Actor::Account(account.id);
        let mut items = Vec::new();
        for entry in page.items {
            let events = entry.events.into_iter().filter(own);
            items.extend(events.map(|event| Done { seq: entry.seq, event }));
        }
        Ok(Page { items, more: page.more })
    }

    /// Everything kept about a holder.
    pub async fn export(&self, holder: &Holder) -> Result<Export, DeskError> {
        let account = holder.account().clone();
        let mut log: Vec<Done> = Vec::new();
        loop {
            let after = log.last().map(|done| done.seq);
            let page = self.log_of(&account, after, 500).await?;
            let more = page.more && !page.items.is_empty();
            log.extend(page.items);
            if !more {
                break;
            }
        }
        Ok(Export { certificates: self.own_certificates(holder).await?, account, log })
    }
}
