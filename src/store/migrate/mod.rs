//! Moving a store to another home: slots, documents and entries as they lie, so that every chain value and every digest
//! stays what it was.
//!
//! What an entry names is in the target before the entry is: first the slots, then the documents, then the entry. So the
//! target is a whole store at every moment, only not yet all of it, and a copy that was killed goes on from the target's
//! head. Until the switch the target is marked as receiving and nobody serves it; at the switch the source takes no more
//! writes, the rest is copied, all of the target is verified, and only then the source is given up and the target serves.

pub(crate) mod mentions;
#[cfg(test)]
mod tests;
pub(crate) mod verification;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::domain::tally::Tallies;
use crate::store::chain::{Chain, StoreId};
use crate::store::cipher::{Cipher, Wrapped};
use crate::store::entry::Blind;
use crate::store::inspection::Report;
use crate::store::migrate::mentions::{Counts, Mentions};
use crate::store::migrate::verification::verify;
use crate::store::{Fault, envelope};

/// Entries copied at a time: one transaction there, one fsync here.
const BATCH: u32 = 256;
/// Slots read at a time.
const SLOTS: u32 = 4096;
/// Documents copied at once: each waits for a disk or a network.
const DOCUMENTS: usize = 16;

/// An entry as it lies in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawEntry {
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    pub(crate) payload: Vec<u8>,
}

/// A slot of the key ring: a person's key, or the mark that there was one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RawSlot {
    pub(crate) slot: u32,
    pub(crate) key: Option<(Blind, Wrapped)>,
}

/// Whether a store is served, or on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenure {
    /// Served.
    Live,
    /// It takes no writes: what is left of it is being copied.
    Halted,
    /// It lives elsewhere.
    Moved,
    /// It is not all there yet.
    Receiving,
}

/// How much a home holds: its end, and what its rows or its index know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Survey {
    pub(crate) head: Head,
    pub(crate) counts: Counts,
}

/// What can be read of a home, as it lies.
#[async_trait]
pub(crate) trait Holding: Send + Sync {
    /// Names the store: the same in every home that it moves to.
    fn id(&self) -> Result<StoreId, Fault>;

    async fn survey(&self) -> Result<Survey, Fault>;

    /// Durable entries after a number, at most so many.
    async fn raw_entries(&self, after: u64, limit: u32) -> Result<Vec<RawEntry>, Fault>;

    /// Slots that are used or erased, from a number on, at most so many.
    async fn raw_slots(&self, from: u32, limit: u32) -> Result<Vec<RawSlot>, Fault>;

    /// A document, still encrypted.
    async fn raw_document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault>;
}

/// A home that a store leaves. It may be served until it is halted.
#[async_trait]
pub(crate) trait Source: Holding {
    async fn standing(&self) -> Result<Tenure, Fault>;

    /// Sees to it that nothing more is written; whoever is told so later was told the truth.
    async fn halt(&self) -> Result<(), Fault>;

    /// Takes that back.
    async fn resume(&self) -> Result<(), Fault>;

    /// Gives the home up for good: it is never served again.
    async fn retire(&self) -> Result<(), Fault>;

    /// How often things were verified whose names end in this hexadecimal digit.
    async fn tallies(&self, digit: u8) -> Result<Tallies, Fault>;
}

/// A home that receives a store, marked so.
#[async_trait]
pub(crate) trait Target: Holding {
    async fn put_raw_slots(&self, slots: &[RawSlot]) -> Result<(), Fault>;

    async fn put_raw_document(&self, digest: Sha256, file: &[u8]) -> Result<(), Fault>;

    /// Makes entries that were made elsewhere, all or none, and gives back the head. They must continue the ledger, and
    /// come to the chain values that they had there.
    async fn replay(&self, entries: Vec<RawEntry>) -> Result<Head, Fault>;

    /// Counts what was verified elsewhere; for the first digit forgets first what an earlier try counted.
    async fn put_tallies(&self, digit: u8, tallies: &Tallies) -> Result<(), Fault>;

    /// Takes the mark away: from now on the store is served here.
    async fn go_live(&self) -> Result<(), Fault>;
}

/// Why a store does not move; it stays where it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    #[error("the source is itself receiving a store; end that move first")]
    SourceReceives,
    #[error("the store was moved away from the source already; name the home where it is now")]
    SourceMoved,
    #[error(
        "the target holds entries that the source does not (from entry {0} on); empty the target and begin anew"
    )]
    Apart(u64),
    #[error("the source lacks document {0}; run check on it and restore what is missing")]
    Missing(Sha256),
    #[error("the source's ledger is damaged after entry {0}; run check on it")]
    Short(u64),
    #[error("the target is not what the source is, and the source stays in use:\n{}", .0.join("\n"))]
    Unlike(Vec<String>),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Entries in the target, of so many known.
    Copying { entries: u64, of: u64 },
    /// Documents of the target that were read, of so many.
    Verifying { documents: u64, of: u64 },
}

/// Told of every step.
pub(crate) type Watch = Arc<dyn Fn(Step) + Send + Sync>;

/// What a copy came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// The end of the target.
    pub(crate) head: Head,
    /// Entries copied this time.
    pub(crate) entries: u64,
    /// Documents copied this time.
    pub(crate) documents: u64,
}

/// What a switch came to.
#[derive(Debug)]
pub(crate) struct Switched {
    pub(crate) copied: Copied,
    pub(crate) counts: Counts,
    pub(crate) report: Report,
    /// How long neither home took writes.
    pub(crate) pause: Duration,
}

/// A copy under way.
pub(crate) struct Course<'a> {
    source: &'a dyn Holding,
    target: &'a dyn Target,
    /// Slots that are surely in the target.
    slots: HashSet<u32>,
    pub(crate) copied: Copied,
}

impl<'a> Course<'a> {
    /// Holds the target's end against the source, and brings its slots up to date.
    pub(crate) async fn begin(source: &'a dyn Holding, target: &'a dyn Target) -> Result<Self, MoveError> {
        let head = target.survey().await?.head;
        if let Some(before) = head.seq.checked_sub(1) {
            let same = source.raw_entries(before, 1).await?;
            if same.first().is_none_or(|entry| Sha256::new(entry.chain) != head.chain) {
                return Err(MoveError::Apart(head.seq));
            }
        }
        let copied = Copied { head, entries: 0, documents: 0 };
        let mut course = Self { source, target, slots: HashSet::new(), copied };
        course.renew_slots().await?;
        Ok(course)
    }

    /// Copies every slot that differs. All are looked at: one that was copied may have been erased since.
    async fn renew_slots(&mut self) -> Result<(), Fault> {
        let mut from = Some(0);
        while let Some(first) = from {
            let mut here = self.source.raw_slots(first, SLOTS).await?;
            let there = self.target.raw_slots(first, SLOTS).await?;
            self.slots.extend(here.iter().map(|slot| slot.slot));
            from = here.last().and_then(|last| last.slot.checked_add(1));
            here.retain(|slot| {
                let at = there.binary_search_by_key(&slot.slot, |known| known.slot);
                at.map_or(true, |at| there[at] != *slot)
            });
            self.target.put_raw_slots(&here).await?;
        }
        Ok(())
    }

    /// Copies the next entries and before them what they name. True where more may follow.
    pub(crate) async fn batch(&mut self) -> Result<bool, MoveError> {
        let entries = self.source.raw_entries(self.copied.head.seq, BATCH).await?;
        if entries.is_empty() {
            return Ok(false);
        }
        let mut named = Mentions::default();
        for entry in &entries {
            named.read(&entry.payload)?;
        }
        let (source, target) = (self.source, self.target);
        let copying = named.documents.iter().map(|digest| async move {
            let file = source.raw_document(*digest).await?.ok_or(MoveError::Missing(*digest))?;
            target.put_raw_document(*digest, &file).await?;
            Ok::<_, MoveError>(envelope::slot_in(&file)?)
        });
        let slots: Vec<u32> = stream::iter(copying).buffer_unordered(DOCUMENTS).try_collect().await?;
        named.slots.extend(slots);
        let mut missing = Vec::new();
        for slot in named.slots.into_iter().filter(|slot| !self.slots.contains(slot)) {
            missing.extend(source.raw_slots(slot, 1).await?.into_iter().filter(|found| found.slot == slot));
        }
        target.put_raw_slots(&missing).await?;
        self.slots.extend(missing.iter().map(|slot| slot.slot));
        // A source that goes on writing always has a few more: a batch that is not full has caught up.
        let more = entries.len() as u64 == u64::from(BATCH);
        self.copied.entries += entries.len() as u64;
        self.copied.documents += named.documents.len() as u64;
        self.copied.head = target.replay(entries).await?;
        Ok(more)
    }

    /// Copies until the target has caught up; the source is known to reach to `end` at least.
    async fn run(&mut self, end: Head, watch: &Watch) -> Result<(), MoveError> {
        loop {
            let entries = self.copied.head.seq;
            watch(Step::Copying { entries, of: end.seq.max(entries) });
            if !self.batch().await? {
                return Ok(());
            }
        }
    }
}

/// Copies while the source is served, until the target has caught up. Doing it again goes on from there.
pub(crate) async fn follow(
    source: &dyn Source,
    target: &dyn Target,
    watch: &Watch,
) -> Result<Copied, MoveError> {
    match source.standing().await? {
        Tenure::Receiving => return Err(MoveError::SourceReceives),
        Tenure::Moved => return Err(MoveError::SourceMoved),
        // An earlier switch was broken off before the source was given up.
        Tenure::Halted => source.resume().await?,
        Tenure::Live => {}
    }
    let end = source.survey().await?.head;
    let mut course = Course::begin(as_holding(source), target).await?;
    course.run(end, watch).await?;
    Ok(course.copied)
}

/// Halts the source, copies the rest, verifies the target, gives the source up and lets the target live. After an error
/// the source is in use as before.
pub(crate) async fn switch(
    source: &dyn Source,
    target: &dyn Target,
    cipher: &Arc<Cipher>,
    watch: &Watch,
) -> Result<Switched, MoveError> {
    let standing = source.standing().await?;
    if standing == Tenure::Receiving {
        return Err(MoveError::SourceReceives);
    }
    let begun = Instant::now();
    source.halt().await?;
    let settled = settle(source, target, cipher, standing == Tenure::Moved, watch).await;
    let (copied, counts, report) = match settled {
        Ok(settled) => settled,
        Err(error) => {
            source.resume().await?;
            return Err(error);
        }
    };
    // In this order: never do two homes take writes. Broken off between, the same command ends it.
    source.retire().await?;
    target.go_live().await?;
    Ok(Switched { copied, counts, report, pause: begun.elapsed() })
}

async fn settle(
    source: &dyn Source,
    target: &dyn Target,
    cipher: &Arc<Cipher>,
    moved: bool,
    watch: &Watch,
) -> Result<(Copied, Counts, Report), MoveError> {
    let here = source.survey().await?;
    if moved && target.survey().await?.head != here.head {
        // Given up for another target: only a switch that was broken off at its very end is finished.
        return Err(MoveError::SourceMoved);
    }
    let mut course = Course::begin(as_holding(source), target).await?;
    course.run(here.head, watch).await?;
    let copied = course.copied;
    if copied.head != here.head {
        return Err(MoveError::Short(copied.head.seq));
    }
    let mut report = verify(target, cipher, watch).await?;
    let there = target.survey().await?;
    if there != here {
        report.faults.push(format!("the source holds {}, the target {}", here.counts, there.counts));
    }
    if !report.is_sound() {
        return Err(MoveError::Unlike(report.faults));
    }
    for digit in 0..16 {
        target.put_tallies(digit, &source.tallies(digit).await?).await?;
    }
    Ok((copied, there.counts, report))
}

fn as_holding(source: &dyn Source) -> &dyn Holding {
    source
}
