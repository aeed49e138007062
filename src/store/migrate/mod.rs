//! Moving a store to another home: slots, documents and entries as they lie, so that every chain value and every digest
//! stays what it was.
//!
//! What an entry names is in the target before the entry is: first the slots, then the documents, then the entry. So the
//! target is a whole store at every moment, only not yet all of it, and a copy that was killed goes on from the target's
//! head. Until the switch the target is marked as receiving and nobody serves it.
//!
//! What was copied is verified in the target while the source is still served, and the target remembers how far. So at
//! the switch, when the source takes no more writes, only the rest is copied and verified, and the whole is held against
//! the source by its end, whose chain value stands for every entry, and by counts. Then the source is given up and the
//! target serves. What was damaged in the target after it was verified is not found by that, but by a check.

pub(crate) mod course;
pub(crate) mod mentions;
#[cfg(test)]
mod tests;
pub(crate) mod verification;
pub(crate) mod verified;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::domain::tally::Tallies;
use crate::store::Fault;
use crate::store::chain::{Chain, StoreId};
use crate::store::cipher::{Cipher, Wrapped};
use crate::store::entry::Blind;
use crate::store::migrate::course::{BATCH, Copied, Course, Slots, holds};
use crate::store::migrate::mentions::{Counts, Mentions};
use crate::store::migrate::verification::{counted, verify_after};
use crate::store::migrate::verified::Verified;

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

/// What can be read of a home, as it lies.
#[async_trait]
pub(crate) trait Holding: Send + Sync {
    /// Names the store: the same in every home that it moves to.
    fn id(&self) -> Result<StoreId, Fault>;

    /// The last entry. Quick, however much there is.
    async fn end(&self) -> Result<Head, Fault>;

    /// How much it holds, where it has rows that can be counted quickly.
    async fn row_counts(&self) -> Result<Option<Counts>, Fault>;

    /// Durable entries after a number, at most so many.
    async fn raw_entries(&self, after: u64, limit: u32) -> Result<Vec<RawEntry>, Fault>;

    /// Slots that are used or erased, from a number on, at most so many.
    async fn raw_slots(&self, from: u32, limit: u32) -> Result<Vec<RawSlot>, Fault>;

    /// The numbers of all slots that are erased, in order.
    async fn erased_slots(&self) -> Result<Vec<u32>, Fault>;

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

    /// How much it holds by its rows or its index, counted one by one.
    async fn counts(&self) -> Result<Counts, Fault>;

    /// How much of what entries name is in its rows or its index. Of accounts: login names in use that are named, or whose
    /// account is.
    async fn held(&self, named: &Arc<Mentions>) -> Result<Counts, Fault>;

    /// What was kept last; none where the home was emptied since, or keeps its documents elsewhere.
    async fn verified(&self) -> Result<Option<Verified>, Fault>;

    /// Keeps what was verified with the mark, and for as long.
    async fn keep_verified(&self, verified: &Verified) -> Result<(), Fault>;

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

/// What a copy of a served source came to.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) copied: Copied,
    pub(crate) verified: Verified,
}

/// What a switch came to.
#[derive(Debug)]
pub(crate) struct Switched {
    pub(crate) copied: Copied,
    /// The entries that were verified before.
    pub(crate) before: u64,
    pub(crate) verified: Verified,
    pub(crate) pause: Pause,
}

/// How long neither home took writes, and with what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pause {
    pub(crate) all: Duration,
    pub(crate) copying: Duration,
    pub(crate) verifying: Duration,
}

/// What was verified of a target before, if its ledger still goes through that.
async fn remembered(target: &dyn Target) -> Result<Option<Verified>, Fault> {
    match target.verified().await? {
        Some(known) if known.head.seq > 0 && holds(target, known.head).await? => Ok(Some(known)),
        _ => Ok(None),
    }
}

/// Copies while the source is served, until the target has caught up, and verifies what was not verified before. Doing it
/// again goes on from there.
pub(crate) async fn follow(
    source: &dyn Source,
    target: &dyn Target,
    cipher: &Arc<Cipher>,
    watch: &Watch,
) -> Result<Followed, MoveError> {
    match source.standing().await? {
        Tenure::Receiving => return Err(MoveError::SourceReceives),
        Tenure::Moved => return Err(MoveError::SourceMoved),
        // An earlier switch was broken off before the source was given up.
        Tenure::Halted => source.resume().await?,
        Tenure::Live => {}
    }
    let mut known = remembered(target).await?;
    let (mut slots, mut least) = (Slots::All, u64::MAX);
    let (mut entries, mut documents) = (0, 0);
    loop {
        let end = source.end().await?;
        let mut course = Course::begin(source, target, slots).await?;
        course.run(end, watch).await?;
        let verified = prove(&course, known, Counting::All, cipher, watch).await?;
        target.keep_verified(&verified).await?;
        entries += course.copied.entries;
        documents += course.copied.documents;
        // Meanwhile more came in: what is left is left to the pause.
        if course.copied.entries <= u64::from(BATCH) || course.copied.entries >= least {
            let copied = Copied { head: course.copied.head, entries, documents };
            return Ok(Followed { copied, verified });
        }
        (known, slots, least) = (Some(verified), Slots::Erased, course.copied.entries);
    }
}

/// Halts the source, copies the rest, verifies what was not verified before, gives the source up and lets the target live.
/// After an error the source is in use as before.
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
    let mut switched = match settled {
        Ok(settled) => settled,
        Err(error) => {
            source.resume().await?;
            return Err(error);
        }
    };
    // In this order: never do two homes take writes. Broken off between, the same command ends it.
    source.retire().await?;
    target.go_live().await?;
    switched.pause.all = begun.elapsed();
    Ok(switched)
}

async fn settle(
    source: &dyn Source,
    target: &dyn Target,
    cipher: &Arc<Cipher>,
    moved: bool,
    watch: &Watch,
) -> Result<Switched, MoveError> {
    let begun = Instant::now();
    let here = source.end().await?;
    if moved && target.end().await? != here {
        // Given up for another target: only a switch that was broken off at its very end is finished.
        return Err(MoveError::SourceMoved);
    }
    let known = remembered(target).await?;
    let before = known.as_ref().map_or(0, |known| known.head.seq);
    let slots = if known.is_some() { Slots::Erased } else { Slots::All };
    let mut course = Course::begin(source, target, slots).await?;
    course.run(here, watch).await?;
    let copied = course.copied;
    if copied.head != here {
        return Err(MoveError::Short(copied.head.seq));
    }
    let copying = begun.elapsed();
    let counting = if known.is_some() { Counting::Quick } else { Counting::All };
    let verified = prove(&course, known, counting, cipher, watch).await?;
    let pause = Pause { copying, verifying: begun.elapsed() - copying, ..Pause::default() };
    if let Some(counts) = source.row_counts().await?.filter(|counts| *counts != verified.counts) {
        let fault = format!("the source holds {counts}, the target {}", verified.counts);
        return Err(MoveError::Unlike(vec![fault]));
    }
    for digit in 0..16 {
        target.put_tallies(digit, &source.tallies(digit).await?).await?;
    }
    Ok(Switched { copied, before, verified, pause })
}

/// How what the target holds is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// One by one.
    All,
    /// Where it is quick; else what came is looked up.
    Quick,
}

/// Verifies the target from where it was verified on, and that it holds as much as its ledger tells of.
async fn prove(
    course: &Course<'_>,
    known: Option<Verified>,
    counting: Counting,
    cipher: &Arc<Cipher>,
    watch: &Watch,
) -> Result<Verified, MoveError> {
    let target = course.target;
    let from = known.as_ref().map_or(Verified::nothing().head, |known| known.head);
    let (mut report, named) = verify_after(target, cipher, from, watch).await?;
    let named = Arc::new(named);
    if known.is_some() && !report.is_sound() {
        return Err(MoveError::Unlike(report.faults));
    }
    let told = match &known {
        None => named.counts(),
        Some(known) if known.head.seq == course.begun => known.counts + course.named - course.held,
        // Copied, and then broken off: what was new in it was not noted.
        Some(_) => counted(target).await?,
    };
    let held = match counting {
        Counting::All => Some(target.counts().await?),
        Counting::Quick => target.row_counts().await?,
    };
    if let Some(held) = held.filter(|held| *held != told) {
        report.faults.push(format!("the ledger tells of {told}; there are {held}"));
    }
    if let Some(known) = known {
        // Whatever was there before of what these entries name is by now as they say: nothing more, nothing less.
        let (named, held) = (named.counts(), target.held(&named).await?);
        if held != named {
            let seq = from.seq;
            report.faults.push(format!("the entries after {seq} name {named}; {held} of that are there"));
        }
        report.join(known.report);
    }
    if !report.is_sound() {
        return Err(MoveError::Unlike(report.faults));
    }
    Ok(Verified { head: course.copied.head, counts: told, report })
}
