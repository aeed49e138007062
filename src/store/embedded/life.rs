//! The store between opening and closing: its threads, and the way out.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::domain::identity::CreditCode;
use crate::store::Fault;
use crate::store::embedded::checks::{self, Checks};
use crate::store::embedded::condition::Condition;
use crate::store::embedded::documents::Documents;
use crate::store::embedded::fold::Effects;
use crate::store::embedded::io::remove;
use crate::store::embedded::keyring::Keyring;
use crate::store::embedded::queue::Queue;
use crate::store::embedded::recovery::{Recovered, raise_index, recover};
use crate::store::embedded::state::{End, State};
use crate::store::embedded::vault::Vault;
use crate::store::embedded::writer::{Core, Request, work};
use crate::store::embedded::{OpenError, Options, index};
use crate::store::recent::Recent;

/// Changes that may wait for the writer at once.
const WAITING_MAX: usize = 1024;
const SEGMENT_BYTES_MIN: u64 = 16 * 1024;
const SEGMENT_BYTES_MAX: u64 = 1 << 30;
/// How long closing waits for readers.
const READERS_LIMIT: Duration = Duration::from_secs(5);

/// The store between opening and closing.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) core: Arc<Core>,
    requests: Mutex<Option<mpsc::Sender<Request>>>,
    pub(crate) permits: Arc<Semaphore>,
    state: State,
    writer: Mutex<Option<JoinHandle<Option<End>>>>,
    watchdog: Mutex<Option<(mpsc::Sender<()>, JoinHandle<()>)>>,
}

/// What a call on a closed store is answered.
pub(crate) fn closed(doing: &'static str) -> Fault {
    Fault::new(doing, "the store is closed")
}

impl Life {
    /// Brings the store in a folder up and starts its threads. The folder's lock must be held.
    pub(crate) fn begin(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let failed = |doing| move |source| OpenError::Io { doing, source };
        let io = options.io.clone();
        let segment_bytes = options.segment_bytes.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX) as usize;
        let Recovered { state, ledger, pen, index_may_be_trusted } =
            recover(&io, folder, &options.master, segment_bytes)?;
        let ring = Keyring::open(io.clone(), folder).map_err(failed("opening the key ring"))?;
        let vault = Vault::new(&options.master, state.store.0, ring)
            .map_err(|error| failed("opening the key ring")(io::Error::other(error)))?;
        if vault.slots() < state.slots {
            return Err(OpenError::KeyringShort { found: vault.slots().into(), needed: state.slots });
        }
        let index = raise_index(folder, &ledger, index_may_be_trusted)?;
        let condition = Condition::new(
            io.clone(),
            folder.to_owned(),
            options.free_floor_bytes,
            options.on_broken.clone(),
        );
        let core = Arc::new(Core {
            ledger,
            index,
            vault,
            queue: Queue::new(state.opened),
            checks: Checks::open(io.clone(), folder).map_err(failed("opening the counts of checks"))?,
            documents: Documents::new(io, folder),
            certificates: Recent::default(),
            annotations: Recent::default(),
            condition: Arc::new(condition),
        });
        core.fill_queue().map_err(|fault| failed("reading the queue")(io::Error::other(fault)))?;

        let (send, requests) = mpsc::channel::<Request>();
        let working = core.clone();
        let writer = thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || work(&working, pen, &requests))
            .map_err(failed("starting the writer"))?;
        let (stop, stopped) = mpsc::channel();
        let condition = core.condition.clone();
        let watchdog = thread::Builder::new()
            .name("ledger-watchdog".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
                    condition.watch();
                }
            })
            .map_err(failed("starting the watchdog"))?;
        Ok(Self {
            core,
            requests: Mutex::new(Some(send)),
            permits: Arc::new(Semaphore::new(WAITING_MAX)),
            state,
            writer: Mutex::new(Some(writer)),
            watchdog: Mutex::new(Some((stop, watchdog))),
        })
    }

    pub(crate) fn send(&self, request: Request) -> Result<(), Fault> {
        let sender = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or_else(|| closed("writing the ledger"))?;
        sender.send(request).map_err(|_| closed("writing the ledger"))
    }

    /// Lets the writer finish what is queued and ends the threads. Gives back where the ledger ends.
    pub(crate) fn stop(&self) -> Option<End> {
        drop(self.requests.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let end = writer.and_then(|writer| writer.join().ok()).flatten();
        if let Some((stop, watchdog)) = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(stop);
            let _ = watchdog.join();
        }
        end
    }

    /// Ends the store and writes down that it was closed.
    ///
    /// # Errors
    /// It was broken, readers do not end, or the disk failed: then it counts as killed.
    pub(crate) fn close(self: Arc<Self>, folder: &Path, options: &Options) -> Result<(), Fault> {
        let closing = |error: io::Error| Fault::new("closing the store", error);
        let end = self.stop().ok_or_else(|| Fault::new("closing the store", "it is broken"))?;
        self.core.index.flush().map_err(closing)?;
        let slots = self.core.vault.slots();
        let state = self.state.clone();
        let deadline = Instant::now() + READERS_LIMIT;
        let core = alone(self, deadline)?.core;
        // Closes the tree.
        drop(alone(core, deadline)?);
        index::sync_folder(folder).map_err(closing)?;
        // Last: only what is wholly on the disk may be called closed.
        State { clean: true, end, slots, ..state }.write(&*options.io, folder).map_err(closing)
    }

    /// Ends the store, forgets everything in the folder and begins anew.
    pub(crate) fn reset(self: Arc<Self>, folder: &Path, options: &Options) -> Result<Self, Fault> {
        let resetting = |error: io::Error| Fault::new("resetting the store", error);
        self.stop();
        // Renamed away, so that readers which still hold the old tree do no harm.
        index::discard(folder).map_err(resetting)?;
        for name in ["STATE", "ledger", "keyring", checks::FOLDER, "documents", "tmp"] {
            remove(&folder.join(name)).map_err(resetting)?;
        }
        drop(self);
        Self::begin(folder, options).map_err(|error| Fault::new("resetting the store", error))
    }
}

/// Waits until nobody else holds something.
fn alone<T>(mut shared: Arc<T>, deadline: Instant) -> Result<T, Fault> {
    loop {
        match Arc::try_unwrap(shared) {
            Ok(alone) => return Ok(alone),
            Err(still) if Instant::now() < deadline => shared = still,
            Err(_) => return Err(Fault::new("closing the store", "readers do not end")),
        }
        thread::yield_now();
    }
}

impl Core {
    fn fill_queue(&self) -> Result<(), Fault> {
        let mut effects = Effects::default();
        let mut places = Vec::new();
        let now = self.index.now();
        now.walk(b"j", None, |_, value| {
            places.push(value.to_vec());
            Ok(true)
        })?;
        for place in places {
            effects.jobs.push(self.job_at(&place)?);
        }
        now.walk(b"f", None, |key, _| {
            let issuer = key.get(1..19).and_then(|issuer| std::str::from_utf8(issuer).ok());
            let issuer: Option<CreditCode> = issuer.and_then(|issuer| issuer.parse().ok());
            effects.failed.extend(issuer);
            Ok(true)
        })?;
        self.queue.apply(effects);
        Ok(())
    }
}
