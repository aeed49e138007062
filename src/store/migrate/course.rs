//! One copy of a store's slots, documents and entries into another home, batch by batch: what an entry names is there
//! before the entry is.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::store::migrate::mentions::{Counts, Mentions};
use crate::store::migrate::{Holding, MoveError, RawSlot, Step, Target, Watch};
use crate::store::{Fault, envelope};

/// Entries copied at a time: one transaction there, one fsync here.
pub(crate) const BATCH: u32 = 256;
/// Slots read at a time.
const SLOTS: u32 = 4096;
/// Documents copied at once: each waits for a disk or a network.
pub(crate) const DOCUMENTS: usize = 16;

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

/// Which slots are copied before entries are, besides those that the entries name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slots {
    /// Every one that differs: much to read.
    All,
    /// Those that were erased since they were copied.
    Erased,
}

/// A copy under way.
pub(crate) struct Course<'a> {
    source: &'a dyn Holding,
    pub(crate) target: &'a dyn Target,
    /// Slots that are surely in the target.
    slots: HashSet<u32>,
    /// The last entry that was there at the beginning.
    pub(crate) begun: u64,
    /// What the batches name, each on its own.
    pub(crate) named: Counts,
    /// How much of that the target held just before: it grows by the difference, or shrinks.
    pub(crate) held: Counts,
    pub(crate) copied: Copied,
}

impl<'a> Course<'a> {
    /// Holds the target's end against the source, and brings its slots up to date.
    pub(crate) async fn begin(
        source: &'a dyn Holding,
        target: &'a dyn Target,
        slots: Slots,
    ) -> Result<Self, MoveError> {
        let head = target.end().await?;
        if !holds(source, head).await? {
            return Err(MoveError::Apart(head.seq));
        }
        let copied = Copied { head, entries: 0, documents: 0 };
        let (begun, named, held) = (head.seq, Counts::default(), Counts::default());
        let mut course = Self { source, target, slots: HashSet::new(), begun, named, held, copied };
        match slots {
            Slots::All => course.renew_slots().await?,
            Slots::Erased => course.erase_slots().await?,
        }
        Ok(course)
    }

    /// Erases what was erased.
    async fn erase_slots(&self) -> Result<(), Fault> {
        let known: HashSet<u32> = self.target.erased_slots().await?.into_iter().collect();
        let mut erased = self.source.erased_slots().await?;
        erased.retain(|slot| !known.contains(slot));
        let erased: Vec<RawSlot> = erased.into_iter().map(|slot| RawSlot { slot, key: None }).collect();
        self.target.put_raw_slots(&erased).await
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
        let missing = named.slots.iter().filter(|slot| !self.slots.contains(slot)).map(|slot| async move {
            let found = source.raw_slots(*slot, 1).await?;
            Ok::<_, Fault>(found.into_iter().filter(|found| found.slot == *slot))
        });
        let missing: Vec<_> = stream::iter(missing).buffer_unordered(DOCUMENTS).try_collect().await?;
        let missing: Vec<RawSlot> = missing.into_iter().flatten().collect();
        target.put_raw_slots(&missing).await?;
        self.slots.extend(missing.iter().map(|slot| slot.slot));
        let named = Arc::new(named);
        self.named += named.counts();
        self.held += target.held(&named).await?;
        // A source that goes on writing always has a few more: a batch that is not full has caught up.
        let more = entries.len() as u64 == u64::from(BATCH);
        self.copied.entries += entries.len() as u64;
        self.copied.documents += named.documents.len() as u64;
        self.copied.head = target.replay(entries).await?;
        Ok(more)
    }

    /// Copies until the target has caught up; the source is known to reach to `end` at least.
    pub(crate) async fn run(&mut self, end: Head, watch: &Watch) -> Result<(), MoveError> {
        loop {
            let entries = self.copied.head.seq;
            watch(Step::Copying { entries, of: end.seq.max(entries) });
            if !self.batch().await? {
                return Ok(());
            }
        }
    }
}

/// Whether a home's ledger goes through this entry.
pub(crate) async fn holds(home: &dyn Holding, head: Head) -> Result<bool, Fault> {
    let Some(before) = head.seq.checked_sub(1) else { return Ok(true) };
    let entry = home.raw_entries(before, 1).await?;
    Ok(entry.first().is_some_and(|entry| (entry.seq, Sha256::new(entry.chain)) == (head.seq, head.chain)))
}
