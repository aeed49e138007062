//! The whole verification of a store as it lies in any home: every number and chain value, every record, every document.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use crate::domain::ids::Sha256;
use crate::store::chain::{link, sha256};
use crate::store::cipher::{Cipher, DataKey, VaultError, Wrapped};
use crate::store::entry::Blind;
use crate::store::inspection::{Report, inspect};
use crate::store::migrate::mentions::Mentions;
use crate::store::migrate::{DOCUMENTS, Holding, SLOTS, Step, Watch};
use crate::store::{Fault, envelope};

/// Entries read at a time.
const ENTRIES: u32 = 1024;

/// The slots of a home.
struct Ring {
    cipher: Arc<Cipher>,
    slots: HashMap<u32, Option<(Blind, Wrapped)>>,
}

impl Ring {
    async fn read(home: &dyn Holding, cipher: Arc<Cipher>) -> Result<Self, Fault> {
        let mut slots = HashMap::new();
        let mut from = Some(0);
        while let Some(first) = from {
            let some = home.raw_slots(first, SLOTS).await?;
            from = some.last().and_then(|last| last.slot.checked_add(1));
            slots.extend(some.into_iter().map(|slot| (slot.slot, slot.key)));
        }
        Ok(Self { cipher, slots })
    }

    /// The key of a slot; none where it was erased.
    fn key(&self, slot: u32) -> Result<Option<DataKey>, Fault> {
        match self.slots.get(&slot) {
            Some(Some((person, wrapped))) => Ok(Some(self.cipher.unwrap(slot, *person, wrapped)?)),
            Some(None) => Ok(None),
            None => Err(VaultError::NoKey(slot).into()),
        }
    }
}

/// Reads everything. What is wrong is in the report.
///
/// # Errors
/// The home cannot be read.
pub(crate) async fn verify(home: &dyn Holding, cipher: &Arc<Cipher>, watch: &Watch) -> Result<Report, Fault> {
    let ring = Arc::new(Ring::read(home, cipher.clone()).await?);
    let mut report = Report::default();
    let mut named = Mentions::default();
    let (mut seq, mut chain) = (0, [0; 32]);
    loop {
        let entries = home.raw_entries(seq, ENTRIES).await?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
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
            let inspected = inspect(cipher, |slot| ring.key(slot), &entry.payload, &mut report);
            if let Err(error) = inspected.and_then(|()| named.read(&entry.payload)) {
                report.faults.push(format!("entry {seq}: {}: {}", error.doing, error.source));
            }
        }
    }
    let known = home.survey().await?;
    if (known.head.seq, known.head.chain) != (seq, Sha256::new(chain)) {
        report.faults.push(format!("the ledger ends at entry {seq}, its head says {}", known.head.seq));
    }
    if known.counts != named.counts() {
        let fault = format!("the ledger tells of {}; there are {}", named.counts(), known.counts);
        report.faults.push(fault);
    }
    documents(home, &ring, &named, &mut report, watch).await;
    Ok(report)
}

async fn documents(
    home: &dyn Holding,
    ring: &Arc<Ring>,
    named: &Mentions,
    report: &mut Report,
    watch: &Watch,
) {
    let of = named.documents.len() as u64;
    let reading = named.documents.iter().map(|digest| async move {
        let file = home.raw_document(*digest).await;
        (*digest, opened(ring.clone(), *digest, file).await)
    });
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

/// Decrypts a document beside the others: that is most of the work.
async fn opened(
    ring: Arc<Ring>,
    digest: Sha256,
    file: Result<Option<Vec<u8>>, Fault>,
) -> Result<Option<bool>, Fault> {
    let Some(file) = file? else { return Ok(None) };
    let opening = tokio::task::spawn_blocking(move || open(&ring, digest, file));
    opening.await.map_err(|error| Fault::new("reading a document", error))?.map(Some)
}

/// Whether a document can be read; not where its person was erased.
fn open(ring: &Ring, digest: Sha256, file: Vec<u8>) -> Result<bool, Fault> {
    match ring.key(envelope::slot_in(&file)?)? {
        Some(key) => envelope::open(&ring.cipher, &key, digest, file).map(|_| true),
        None => Ok(false),
    }
}
