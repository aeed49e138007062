//! A folder that receives a store: a whole store at every moment, with its index, only marked and not yet all of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::domain::tally::Tallies;
use crate::store::Fault;
use crate::store::chain::{StoreId, link, sha256};
use crate::store::embedded::accounts::{
    CODES, LOGINS, SESSIONS, names_in_use, session_key, verification_key,
};
use crate::store::embedded::calls::blocking;
use crate::store::embedded::cases::{CASES, case_key};
use crate::store::embedded::checks::Checks;
use crate::store::embedded::companies::{COMPANIES, company_key};
use crate::store::embedded::documents::Documents;
use crate::store::embedded::fold::{annotation_key, certificate_key, document_key, photo_key};
use crate::store::embedded::index::{self, Index, View as _};
use crate::store::embedded::io::{Io, remove, replace};
use crate::store::embedded::keyring::{Keyring, Slot};
use crate::store::embedded::ledger::{Ledger, Pen};
use crate::store::embedded::moving::{MOVED, RECEIVING, document_in, erased_in, moving, slots_of};
use crate::store::embedded::recovery::{Recovered, raise_index, recover_as, replay};
use crate::store::embedded::registrants::{REGISTRANTS, registrant_key};
use crate::store::embedded::state::State;
use crate::store::embedded::tickets::{TICKETS, ticket_key};
use crate::store::embedded::{OpenError, Options, lock};
use crate::store::migrate::mentions::{Counts, Mentions};
use crate::store::migrate::verified::Verified;
use crate::store::migrate::{Holding, RawEntry, RawSlot, Target};

/// Documents lie in the folder itself, wherever that lies.
const PLACE: &str = "here";

/// A folder that receives a store.
#[derive(Debug)]
pub(crate) struct Arriving(Arc<Folder>);

struct Folder {
    path: PathBuf,
    io: Arc<dyn Io>,
    state: State,
    ledger: Ledger,
    index: Index,
    ring: Keyring,
    documents: Documents,
    checks: Checks,
    /// None after a failed write, and when the store is live.
    pen: Mutex<Option<Pen>>,
    _lock: File,
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({})", self.path.display())
    }
}

impl Arriving {
    /// Takes an empty folder, or one that receives this store already.
    pub(crate) fn open(path: &Path, options: &Options, store: StoreId) -> Result<Self, OpenError> {
        let failed = |doing| move |source| OpenError::Io { doing, source };
        fs::create_dir_all(path).map_err(failed("making the folder"))?;
        let lock = lock(path)?;
        claim(&*options.io, path)?;
        let segment_bytes = options.segment_bytes.clamp(16 << 10, 1 << 30) as usize;
        let Recovered { state, ledger, pen, index_may_be_trusted } =
            recover_as(&options.io, path, &options.master, segment_bytes, Some(store))?;
        if state.store.0 != store {
            return Err(OpenError::Occupied);
        }
        let index = raise_index(path, &ledger, index_may_be_trusted)?;
        let ring = Keyring::open(options.io.clone(), path).map_err(failed("opening the key ring"))?;
        Ok(Self(Arc::new(Folder {
            path: path.to_owned(),
            io: options.io.clone(),
            state,
            ledger,
            index,
            ring,
            documents: Documents::new(options.io.clone(), path),
            checks: Checks::open(options.io.clone(), path).map_err(failed("opening the counts of checks"))?,
            pen: Mutex::new(Some(pen)),
            _lock: lock,
        })))
    }
}

/// Marks an empty folder as receiving; refuses any other that is not marked so.
fn claim(io: &dyn Io, path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Io { doing: "marking the folder", source };
    if path.join(RECEIVING).exists() {
        return Ok(());
    }
    if path.join(MOVED).exists() {
        return Err(OpenError::Moved);
    }
    for file in fs::read_dir(path).map_err(failed)? {
        let name = file.map_err(failed)?.file_name();
        // The lock is ours; a mark that was not finished is of no harm.
        if !["LOCK", "RECEIVING.tmp"].iter().any(|ours| name == *ours) {
            return Err(OpenError::Occupied);
        }
    }
    replace(io, &path.join(RECEIVING), b"receiving\n").map_err(failed)
}

impl Folder {
    fn put_slots(&self, slots: &[RawSlot]) -> Result<(), Fault> {
        if slots.is_empty() {
            return Ok(());
        }
        for slot in slots {
            let written = match slot.key {
                Some((person, key)) => Slot::Used { person, key },
                None => Slot::Erased,
            };
            self.ring.write(slot.slot, &written.write()).map_err(moving)?;
        }
        self.ring.sync().map_err(moving)
    }

    fn replay(&self, entries: &[RawEntry]) -> Result<Head, Fault> {
        let before = self.ledger.head();
        let (mut seq, mut chain) = (before.seq, *before.chain.as_bytes());
        for entry in entries {
            (seq, chain) = (seq + 1, link(&chain, &sha256(&entry.payload)));
            if (entry.seq, entry.chain) != (seq, chain) {
                return Err(moving("the entries do not continue the ledger"));
            }
        }
        let mut drawer = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pen = drawer.take().ok_or_else(|| moving("an earlier write failed; begin again"))?;
        for entry in entries {
            if entry.payload.len() > pen.longest() {
                return Err(moving("an entry is longer than a segment"));
            }
            if !pen.fits(entry.payload.len()) {
                pen.commit(&self.ledger).map_err(moving)?;
                pen.turn(&self.ledger).map_err(moving)?.map_err(|_| moving("the disk is full"))?;
            }
            pen.add(&entry.payload, &sha256(&entry.payload));
        }
        pen.commit(&self.ledger).map_err(moving)?;
        replay(&self.index, &self.ledger, before.seq + 1, false).map_err(moving)?;
        *drawer = Some(pen);
        Ok(self.ledger.head())
    }

    fn counts(&self) -> Result<Counts, Fault> {
        let now = self.index.now();
        let count = |prefix: &[u8]| {
            let mut count = 0;
            now.walk(prefix, None, |_, _| {
                count += 1;
                Ok(true)
            })
            .map(|()| count)
        };
        Ok(Counts {
            certificates: count(b"c")?,
            annotations: count(b"a")?,
            accounts: count(LOGINS)?,
            sessions: count(SESSIONS)?,
            codes: count(CODES)?,
            tickets: count(TICKETS)?,
            cases: count(CASES)?,
            registrants: count(REGISTRANTS)?,
            companies: count(COMPANIES)?,
            documents: count(b"s")? + count(b"q")?,
        })
    }

    fn held(&self, named: &Mentions) -> Result<Counts, Fault> {
        let now = self.index.now();
        let holds = |key: Vec<u8>| now.find(&key).map(|value| value.is_some());
        let logins = named.logins.keys().copied();
        let accounts = names_in_use(&now, named.accounts.keys().copied(), logins)?;
        let mut held = Counts { accounts, ..Counts::default() };
        for id in &named.certificates {
            held.certificates += u64::from(holds(certificate_key(*id))?);
        }
        for id in &named.annotations {
            held.annotations += u64::from(holds(annotation_key(*id))?);
        }
        for token in &named.sessions {
            held.sessions += u64::from(holds(session_key(*token))?);
        }
        for (purpose, mobile) in &named.codes {
            held.codes += u64::from(holds(verification_key(purpose, *mobile))?);
        }
        for id in &named.tickets {
            held.tickets += u64::from(holds(ticket_key(*id))?);
        }
        for id in &named.cases {
            held.cases += u64::from(holds(case_key(*id))?);
        }
        for person in &named.registrants {
            held.registrants += u64::from(holds(registrant_key(*person))?);
        }
        for uscc in &named.companies {
            held.companies += u64::from(holds(company_key(uscc))?);
        }
        for digest in &named.documents {
            held.documents += u64::from(holds(document_key(*digest))? || holds(photo_key(*digest))?);
        }
        Ok(held)
    }

    fn verified(&self) -> Result<Option<Verified>, Fault> {
        let text = fs::read_to_string(self.path.join(RECEIVING)).map_err(moving)?;
        Ok(Verified::parse(&text, &self.state.store.0, PLACE))
    }

    fn keep_verified(&self, verified: &Verified) -> Result<(), Fault> {
        // So that the pause has less to wait for.
        self.index.flush().map_err(moving)?;
        index::sync_folder(&self.path).map_err(moving)?;
        let text = verified.print(&self.state.store.0, PLACE);
        replace(&*self.io, &self.path.join(RECEIVING), text.as_bytes()).map_err(moving)
    }

    fn go_live(&self) -> Result<(), Fault> {
        let pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut pen = pen.ok_or_else(|| moving("an earlier write failed; begin again"))?;
        if pen.wants_mark() {
            pen.mark().map_err(moving)?;
        }
        self.index.flush().map_err(moving)?;
        index::sync_folder(&self.path).map_err(moving)?;
        let (end, slots) = (pen.end(), self.ring.end().map_err(moving)?);
        drop(pen);
        let state = State { clean: true, end, slots, ..self.state.clone() };
        state.write(&*self.io, &self.path).map_err(moving)?;
        // Last: until now nobody serves it.
        remove(&self.path.join(RECEIVING)).map_err(moving)?;
        self.io.sync_dir(&self.path).map_err(moving)
    }
}

#[async_trait]
impl Holding for Arriving {
    fn id(&self) -> Result<StoreId, Fault> {
        Ok(self.0.state.store.0)
    }

    async fn end(&self) -> Result<Head, Fault> {
        Ok(self.0.ledger.head())
    }

    async fn row_counts(&self) -> Result<Option<Counts>, Fault> {
        Ok(None)
    }

    async fn raw_entries(&self, after: u64, limit: u32) -> Result<Vec<RawEntry>, Fault> {
        let folder = self.0.clone();
        blocking(move || {
            let mut entries = Vec::new();
            folder.ledger.walk(after + 1, |entry| {
                entries.push(RawEntry { seq: entry.seq, chain: entry.chain, payload: entry.payload });
                Ok(entries.len() < limit as usize)
            })?;
            Ok(entries)
        })
        .await
    }

    async fn raw_slots(&self, from: u32, limit: u32) -> Result<Vec<RawSlot>, Fault> {
        let folder = self.0.clone();
        blocking(move || slots_of(&folder.ring, from, limit)).await
    }

    async fn erased_slots(&self) -> Result<Vec<u32>, Fault> {
        let folder = self.0.clone();
        blocking(move || erased_in(&folder.ring)).await
    }

    async fn raw_document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        let folder = self.0.clone();
        blocking(move || document_in(&folder.path, digest)).await
    }
}

#[async_trait]
impl Target for Arriving {
    async fn put_raw_slots(&self, slots: &[RawSlot]) -> Result<(), Fault> {
        let (folder, slots) = (self.0.clone(), slots.to_vec());
        blocking(move || folder.put_slots(&slots)).await
    }

    async fn put_raw_document(&self, digest: Sha256, file: &[u8]) -> Result<(), Fault> {
        let (folder, file) = (self.0.clone(), file.to_vec());
        blocking(move || folder.documents.keep(&digest.to_string(), digest, &file)).await
    }

    async fn replay(&self, entries: Vec<RawEntry>) -> Result<Head, Fault> {
        let folder = self.0.clone();
        blocking(move || folder.replay(&entries)).await
    }

    async fn put_tallies(&self, digit: u8, tallies: &Tallies) -> Result<(), Fault> {
        let (folder, tallies) = (self.0.clone(), tallies.clone());
        blocking(move || {
            if digit == 0 {
                folder.checks.clear().map_err(moving)?;
            }
            folder.checks.add(&tallies).map_err(moving)
        })
        .await
    }

    async fn counts(&self) -> Result<Counts, Fault> {
        let folder = self.0.clone();
        blocking(move || folder.counts()).await
    }

    async fn held(&self, named: &Arc<Mentions>) -> Result<Counts, Fault> {
        let (folder, named) = (self.0.clone(), named.clone());
        blocking(move || folder.held(&named)).await
    }

    async fn verified(&self) -> Result<Option<Verified>, Fault> {
        let folder = self.0.clone();
        blocking(move || folder.verified()).await
    }

    async fn keep_verified(&self, verified: &Verified) -> Result<(), Fault> {
        let (folder, verified) = (self.0.clone(), verified.clone());
        blocking(move || folder.keep_verified(&verified)).await
    }

    async fn go_live(&self) -> Result<(), Fault> {
        let folder = self.0.clone();
        blocking(move || folder.go_live()).await
    }
}
