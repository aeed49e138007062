//! The verification of a store as it lies in any home, whole or from an entry on: every number and chain value, every
//! record, every document.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, stream};

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::store::chain::{link, sha256};
use crate::store::cipher::{Cipher, DataKey, VaultError};
use crate::store::inspection::{Report, inspect};
use crate::store::migrate::course::DOCUMENTS;
use crate::store::migrate::mentions::{Counts, Mentions};
use crate::store::migrate::verified::Verified;
use crate::store::migrate::{Holding, RawSlot, Step, Target, Watch};
use crate::store::{Fault, envelope};

/// Entries read at a time.
const ENTRIES: u32 = 1024;
/// Neighbouring slots read at a time.
const PAGE: u32 = 256;
/// Pages of slots kept.
const PAGES: usize = 2048;

/// The slots of a home, read where they are needed.
struct Ring<'a> {
    home: &'a dyn Holding,
    pages: Mutex<HashMap<u32, Arc<Vec<RawSlot>>>>,
}

/// A slot that was read: nothing where there is no such one.
type Found = Option<RawSlot>;

impl<'a> Ring<'a> {
    fn new(home: &'a dyn Holding) -> Self {
        Self { home, pages: Mutex::default() }
    }

    async fn slot(&self, slot: u32) -> Result<Found, Fault> {
        let number = slot / PAGE;
        let known = self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        let page = match known {
            Some(page) => page,
            None => {
                let mut page = self.home.raw_slots(number * PAGE, PAGE).await?;
                page.retain(|found| found.slot / PAGE == number);
                let page = Arc::new(page);
                let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
                if pages.len() == PAGES {
                    pages.clear();
                }
                pages.insert(number, page.clone());
                page
            }
        };
        Ok(page.binary_search_by_key(&slot, |found| found.slot).ok().map(|at| page[at].clone()))
    }

    async fn slots(&self, slots: impl IntoIterator<Item = u32>) -> Result<HashMap<u32, Found>, Fault> {
        let mut found = HashMap::new();
        for slot in slots {
            found.insert(slot, self.slot(slot).await?);
        }
        Ok(found)
    }
}

/// The key in a slot; none where it was erased.
fn key(cipher: &Cipher, slot: u32, found: &Found) -> Result<Option<DataKey>, Fault> {
    match found {
        Some(RawSlot { key: Some((person, wrapped)), .. }) => {
            Ok(Some(cipher.unwrap(slot, *person, wrapped)?))
        }
        Some(RawSlot { key: None, .. }) => Ok(None),
        None => Err(VaultError::NoKey(slot).into()),
    }
}

/// Reads everything, and counts it. What is wrong is in the report.
///
/// # Errors
/// The home cannot be read.
pub(crate) async fn verify(home: &dyn Target, cipher: &Arc<Cipher>, watch: &Watch) -> Result<Report, Fault> {
    let (mut report, named) = verify_after(home, cipher, Verified::nothing().head, watch).await?;
    let (told, held) = (named.counts(), home.counts().await?);
    if told != held {
        report.faults.push(format!("the ledger tells of {told}; there are {held}"));
    }
    Ok(report)
}

/// Reads all entries after a good one, and what they name; gives back what that is.
///
/// # Errors
/// The home cannot be read.
pub(crate) async fn verify_after(
    home: &dyn Target,
    cipher: &Arc<Cipher>,
    from: Head,
    watch: &Watch,
) -> Result<(Report, Mentions), Fault> {
    let ring = Ring::new(as_holding(home));
    let mut report = Report::default();
    let mut named = Mentions::default();
    let (mut seq, mut chain) = (from.seq, *from.chain.as_bytes());
    loop {
        let entries = home.raw_entries(seq, ENTRIES).await?;
        if entries.is_empty() {
            break;
        }
        let mut read = Vec::with_capacity(entries.len());
        for entry in &entries {
            read.push(named.read(&entry.payload));
        }
        let slots = ring.slots(std::mem::take(&mut named.slots)).await?;
        for (entry, read) in entries.into_iter().zip(read) {
            seq += 1;
            chain = link(&chain, &sha256(&entry.payload));
            if entry.seq != seq {
                report.faults.push(format!("entry {seq} is missing"));
                seq = entry.seq;
            } else if entry.chain != chain {
                report.faults.push(format!("entry {seq} does not continue the chain"));
            }
            // What is wrong with one entry is said once.
            chain = entry.chain;
            report.entries += 1;
            let of = |slot| key(cipher, slot, slots.get(&slot).unwrap_or(&None));
            let inspected = inspect(cipher, of, &entry.payload, &mut report);
            if let Err(error) = inspected.and(read) {
                report.faults.push(format!("entry {seq}: {}: {}", error.doing, error.source));
            }
        }
    }
    let known = home.end().await?;
    if (known.seq, known.chain) != (seq, Sha256::new(chain)) {
        report.faults.push(format!("the ledger ends at entry {seq}, its head says {}", known.seq));
    }
    documents(&ring, cipher, &named, &mut report, watch).await;
    Ok((report, named))
}

/// How much a home's ledger tells of, by reading all of it.
///
/// # Errors
/// The home cannot be read, or an entry is none.
pub(crate) async fn counted(home: &dyn Target) -> Result<Counts, Fault> {
    let mut named = Mentions::default();
    let mut seq = 0;
    loop {
        let entries = home.raw_entries(seq, ENTRIES).await?;
        let Some(last) = entries.last() else { return Ok(named.counts()) };
        seq = last.seq;
        for entry in &entries {
            named.read(&entry.payload)?;
        }
        named.slots.clear();
    }
}

async fn documents(
    ring: &Ring<'_>,
    cipher: &Arc<Cipher>,
    named: &Mentions,
    report: &mut Report,
    watch: &Watch,
) {
    let of = named.documents.len() as u64;
    let reading = named
        .documents
        .iter()
        .map(|digest| async move { (*digest, read(ring, cipher.clone(), *digest).await) });
    let mut reading = stream::iter(reading).buffer_unordered(DOCUMENTS);
    let mut documents = 0;
    while let Some((digest, found)) = reading.next().await {
        match found {
            Ok(Some(true)) => report.documents += 1,
            Ok(Some(false)) => report.erased += 1,
            Ok(None) => report.faults.push(format!("document {digest} is missing")),
            Err(error) => report.faults.push(format!("document {digest}: {}", error.source)),
        }
        documents += 1;
        watch(Step::Verifying { documents, of });
    }
}

/// Whether a document can be read; not where its person was erased.
async fn read(ring: &Ring<'_>, cipher: Arc<Cipher>, digest: Sha256) -> Result<Option<bool>, Fault> {
    let Some(file) = ring.home.raw_document(digest).await? else { return Ok(None) };
    let slot = envelope::slot_in(&file)?;
    let found = ring.slot(slot).await?;
    // Decrypted beside the others: that is most of the work.
    let opening = tokio::task::spawn_blocking(move || match key(&cipher, slot, &found)? {
        Some(key) => envelope::open(&cipher, &key, digest, file).map(|_| true),
        None => Ok(false),
    });
    opening.await.map_err(|error| Fault::new("reading a document", error))?.map(Some)
}

fn as_holding(home: &dyn Target) -> &dyn Holding {
    home
}
