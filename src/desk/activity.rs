//! What the service did in the last day, hour by hour: read from the ledger, so that every node tells the same, and kept
//! in memory, so that the ledger is read once.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use crate::desk::{Caller, Desk, DeskError};
use crate::domain::event::{Deed, Event};
use crate::domain::identity::CreditCode;
use crate::domain::ids::CertificateId;
use crate::domain::key::Scope;
use crate::domain::query::EntryQuery;
use crate::domain::tally::Hour;

/// Hours that are told, the one under way included.
pub const HOURS: usize = 24;

/// Entries that are read at most for what was before the process began to look.
const LOOKED_BACK: u64 = 10_000;

/// What happened within an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Copies that were ordered.
    pub ordered: u64,
    /// Copies that were sealed.
    pub sealed: u64,
    /// Copies that could not be made.
    pub failed: u64,
}

/// The last [`HOURS`] hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// When each began, and what happened in it; oldest first.
    pub hours: Vec<(DateTime<Utc>, Turnover)>,
    /// What was before this moment is not counted: too many entries lie between. None where all of it is.
    pub since: Option<DateTime<Utc>>,
    /// Copies that could not be made, the last first, as far as it is known.
    pub failures: Vec<Failure>,
}

/// A copy that could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it was given up.
    pub at: DateTime<Utc>,
    /// Of which certificate.
    pub certificate: CertificateId,
    /// The stable code of why.
    pub reason: String,
    issuer: Option<CreditCode>,
}

/// Failures that are kept.
const FAILURES: usize = 500;

/// What was read of the ledger.
#[derive(Debug, Default)]
pub(super) struct Activity(Mutex<Read>);

#[derive(Debug, Default)]
struct Read {
    /// The last entry that was read.
    seq: u64,
    /// The moment of the first entry that was read, where it was not the ledger's first.
    since: Option<DateTime<Utc>>,
    hours: BTreeMap<(Hour, Option<CreditCode>), Turnover>,
    failures: VecDeque<Failure>,
}

impl Read {
    fn take(&mut self, event: &Event) {
        let turnover = match event.deed {
            Deed::AnnotationOrdered | Deed::AnnotationSealed | Deed::AnnotationFailed => {
                self.hours.entry((Hour::of(event.at), event.issuer)).or_default()
            }
            _ => return,
        };
        match event.deed {
            Deed::AnnotationOrdered => turnover.ordered += 1,
            Deed::AnnotationSealed => turnover.sealed += 1,
            _ => {
                turnover.failed += 1;
                let reason = event.reason.as_ref().map(ToString::to_string).unwrap_or_default();
                self.failures.extend(event.certificate.map(|certificate| Failure {
                    at: event.at,
                    certificate,
                    reason,
                    issuer: event.issuer,
                }));
                if self.failures.len() > FAILURES {
                    self.failures.pop_front();
                }
            }
        }
    }

    fn day(&self, issuer: Option<&CreditCode>, now: DateTime<Utc>) -> Day {
        let this_hour = Hour::of(now).begins();
        let back = |hours: usize| this_hour - TimeDelta::hours(i64::try_from(hours).unwrap_or_default());
        let hours = (0..HOURS).rev().map(|ago| {
            let begins = back(ago);
            let mut sum = Turnover::default();
            for ((_, of), turnover) in self
                .hours
                .range((Hour::of(begins), None)..)
                .take_while(|((hour, _), _)| hour.begins() == begins)
            {
                if issuer.is_none_or(|issuer| *of == Some(*issuer)) {
                    sum.ordered += turnover.ordered;
                    sum.sealed += turnover.sealed;
                    sum.failed += turnover.failed;
                }
            }
            (begins, sum)
        });
        let seen = |failure: &&Failure| issuer.is_none_or(|issuer| failure.issuer == Some(*issuer));
        Day {
            hours: hours.collect(),
            since: self.since.filter(|since| *since > back(HOURS - 1)),
            failures: self.failures.iter().rev().filter(seen).cloned().collect(),
        }
    }
}

impl Desk {
    /// What was ordered and made in the last day, hour by hour, as far as it is the caller's business.
    ///
    /// # Errors
    /// `Forbidden`; where the ledger cannot be read.
    pub async fn activity(&self, caller: &Caller) -> Result<Day, DeskError> {
        caller.needs(Scope::AnnotationsRead)?;
        let mut read = self.activity.0.lock().await;
        let head = self.store.head().await?.seq;
        if head < read.seq {
            *read = Read::default();
        }
        let begins_within = read.seq == 0 && head > LOOKED_BACK;
        if begins_within {
            read.seq = head - LOOKED_BACK;
        }
        loop {
            let query = EntryQuery { after: Some(read.seq), limit: 500, ..EntryQuery::default() };
            let page = self.store.entries(&query).await?;
            for entry in &page.items {
                if begins_within && read.since.is_none() {
                    read.since = entry.events.first().map(|event| event.at);
                }
                entry.events.iter().for_each(|event| read.take(event));
                read.seq = entry.seq;
            }
            if !page.more {
                break;
            }
        }
        let now = self.now();
        let oldest = now - TimeDelta::days(2);
        read.hours.retain(|(hour, _), _| hour.begins() > oldest);
        Ok(read.day(caller.issuer(), now))
    }

    pub(super) async fn forget_activity(&self) {
        *self.activity.0.lock().await = Read::default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::domain::event::Actor;

    fn event(deed: Deed, at: &str, issuer: Option<CreditCode>) -> Event {
        Event {
            deed,
            actor: Actor::Service,
            at: at.parse().unwrap(),
            issuer,
            certificate: None,
            annotation: None,
            key: None,
            account: None,
            ticket: None,
            case: None,
            reason: None,
        }
    }

    #[test]
    fn events_count_in_their_hour_and_for_their_issuer() {
        let [one, other] = ["11330000MB1234567P", "12110000000000000G"].map(|code| code.parse().ok());
        let mut read = Read::default();
        for (deed, at) in [
            (Deed::AnnotationOrdered, "2026-11-21T05:59:59Z"),
            (Deed::AnnotationOrdered, "2026-11-21T06:00:00Z"),
            (Deed::AnnotationSealed, "2026-11-21T06:00:01Z"),
            (Deed::JobParked, "2026-11-21T06:00:02Z"),
        ] {
            read.take(&event(deed, at, one));
        }
        read.take(&event(Deed::AnnotationFailed, "2026-11-21T06:30:00Z", other));
        let now = "2026-11-21T06:45:00Z".parse().unwrap();
        let last = |issuer: Option<&CreditCode>| read.day(issuer, now).hours.split_off(HOURS - 2);
        let [(_, before), (begins, this)] = last(None)[..] else { return };
        assert_eq!(begins.to_rfc3339(), "2026-11-21T06:00:00+00:00");
        assert_eq!(before, Turnover { ordered: 1, ..Turnover::default() });
        assert_eq!(this, Turnover { ordered: 1, sealed: 1, failed: 1 });
        assert_eq!(read.day(None, now).since, None);
    }
}
