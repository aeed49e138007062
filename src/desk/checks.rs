//! How often copies and certificates were verified: counted in memory, written at most once a minute, shown to the holder.
//! A crash loses what was counted since it was last written.

use std::sync::{Mutex, PoisonError};

use crate::desk::account::session::Holder;
use crate::desk::{Desk, DeskError};
use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::tally::{Door, Heading, Hour, Subject, Tallies, add};

/// Most headings in memory: what else is verified before they are written is not counted.
const MOST: usize = 100_000;

/// What was counted and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    waiting: Mutex<Waiting>,
    /// Held while counts are on their way into the store: who reads both would miss them, or see them twice.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    tallies: Tallies,
    /// How many were not counted.
    lost: u64,
}

impl Counts {
    fn count(&self, heading: Heading) {
        self.with(|waiting| waiting.add([(heading, 1)]));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Waiting) -> T) -> T {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Waiting {
    fn add(&mut self, more: impl IntoIterator<Item = (Heading, u64)>) {
        for (heading, count) in more {
            if self.tallies.len() < MOST || self.tallies.contains_key(&heading) {
                add(&mut self.tallies, [(heading, count)]);
            } else {
                self.lost = self.lost.saturating_add(count);
            }
        }
    }
}

impl Desk {
    /// Counts that something was verified just now.
    pub(super) fn count_check(&self, subject: Subject, door: Door) {
        self.counts.count(Heading { subject, hour: Hour::of(self.now()), door });
    }

    /// Writes what was counted since it was last written; says how many were not counted for want of room.
    ///
    /// # Errors
    /// Where the store fails: then it is tried again with the next. Of a store that failed halfway, some may then count
    /// twice.
    pub async fn write_checks(&self) -> Result<u64, DeskError> {
        let _turn = self.counts.writing.lock().await;
        let Waiting { tallies, lost } = self.counts.with(std::mem::take);
        if tallies.is_empty() {
            return Ok(lost);
        }
        if let Err(fault) = self.store.count_checks(&tallies).await {
            self.counts.with(|waiting| {
                waiting.lost = waiting.lost.saturating_add(lost);
                waiting.add(tallies);
            });
            return Err(fault.into());
        }
        Ok(lost)
    }

    /// How often one of the holder's annotated copies was verified. Of what other nodes counted, the last minute may be
    /// missing.
    ///
    /// # Errors
    /// `NotFound` for another's, as for one that is not there.
    pub async fn checks_of_annotation(
        &self,
        holder: &Holder,
        id: AnnotationId,
    ) -> Result<Tallies, DeskError> {
        self.own_annotation(holder, id).await?;
        self.checks_of(Subject::Annotation(id)).await
    }

    /// How often one of the holder's certificates was verified itself: by its three fields, or by the file of its plain
    /// copy.
    ///
    /// # Errors
    /// `NotFound` for another's, as for one that is not there.
    pub async fn checks_of_certificate(
        &self,
        holder: &Holder,
        id: CertificateId,
    ) -> Result<Tallies, DeskError> {
        self.own_certificate(holder, id).await?;
        self.checks_of(Subject::Certificate(id)).await
    }

    async fn checks_of(&self, subject: Subject) -> Result<Tallies, DeskError> {
        let _turn = self.counts.writing.lock().await;
        let mut tallies = self.store.checks(subject).await?;
        self.counts.with(|waiting| {
            let own = waiting.tallies.iter().filter(|(heading, _)| heading.subject == subject);
            add(&mut tallies, own.map(|(heading, count)| (*heading, *count)));
        });
        Ok(tallies)
    }

    /// Development only: as if the process had just started.
    pub(super) fn forget_checks(&self) {
        self.counts.with(std::mem::take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(number: u32) -> Heading {
        let mut name = [0; 16];
        name[12..].copy_from_slice(&number.to_be_bytes());
        let subject = Subject::Annotation(AnnotationId::from_bytes(name));
        Heading { subject, hour: Hour::from_number(1), door: Door::Link }
    }

    #[test]
    fn memory_is_bounded_and_what_is_known_already_counts_on() {
        let counts = Counts::default();
        for number in 0..MOST as u32 + 5 {
            counts.count(heading(number));
        }
        counts.count(heading(0));
        counts.with(|waiting| {
            assert_eq!((waiting.tallies.len(), waiting.lost), (MOST, 5));
            assert_eq!(waiting.tallies[&heading(0)], 2);
        });
    }
}
