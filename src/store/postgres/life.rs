//! What a node works with between opening and closing, and its tasks.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::store::chain::StoreId;
use crate::store::cipher::{Cipher, Master, VaultError, key_check};
use crate::store::migrate::Tenure;
use crate::store::postgres::arrivals::{Arrivals, listen, tell};
use crate::store::postgres::committer::{MOVED, Request, work};
use crate::store::postgres::condition::Condition;
use crate::store::postgres::connect::{UNREACHABLE, again, connect_options, pool};
use crate::store::postgres::documents::Shelf;
use crate::store::postgres::gathering::{Known, Question, WAITING_MAX as QUESTIONS_MAX, answer};
use crate::store::postgres::keys::Slots;
use crate::store::postgres::rows::{nanos, uuid};
use crate::store::postgres::schema::{begin_anew, new_id, raise, standing_in};
use crate::store::postgres::{OpenError, Options};
use crate::store::recent::Recent;
use crate::store::{Fault, Health};

/// Changes that may wait to be committed at once.
const WAITING_MAX: usize = 1024;
/// Connections kept for leases, messages and limits, whose writes need not reach the disk.
const QUICK: u32 = 2;
/// Connections kept for the committer and for the public's questions, whose statements are planned once: planned anew for
/// as many rows as each is about, they would take longer to plan than to run.
const STEADY: u32 = 2;
/// Copies that are remembered, twice so many at most: together some twelve megabytes.
const COPIES: usize = 4096;
/// How long the database is asked how it is.
const ASKING: Duration = Duration::from_secs(2);

/// A store's name and what is derived from it.
#[derive(Debug)]
struct Identity {
    id: StoreId,
    cipher: Arc<Cipher>,
}

/// What a node works with.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) pool: PgPool,
    /// For what may be forgotten when the database falls.
    pub(crate) quick: PgPool,
    /// For statements about any number of rows, planned once.
    pub(crate) steady: PgPool,
    pub(crate) node: Uuid,
    pub(crate) shelf: Shelf,
    pub(crate) slots: Slots,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) condition: Condition,
    /// Copies by their blind codes. None is given to anybody before the database said that it is still so.
    pub(crate) copies: Recent<[u8; 16], Arc<Known>, COPIES>,
    master: Master,
    identity: RwLock<Identity>,
}

/// A node between opening and closing.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) core: Arc<Core>,
    pub(crate) requests: mpsc::Sender<Request>,
    committer: Mutex<Option<JoinHandle<()>>>,
    pub(crate) questions: mpsc::Sender<Question>,
    messengers: [JoinHandle<()>; 3],
}

impl Drop for Life {
    fn drop(&mut self) {
        for messenger in &self.messengers {
            messenger.abort();
        }
    }
}

impl Life {
    pub(crate) async fn begin(options: &Options) -> Result<Self, OpenError> {
        let connect = connect_options(options)?;
        let quick = pool(connect.clone().options([("synchronous_commit", "off")]), QUICK);
        let steady = pool(connect.clone().options([("plan_cache_mode", "force_generic_plan")]), STEADY);
        let pool = pool(connect, options.connections.saturating_sub(QUICK + STEADY));
        let id = raise(&pool, &options.master, new_id(&options.master)?, options.purpose).await?;
        let broken = |error: VaultError| OpenError::Keys(error.into());
        let cipher = Cipher::new(&options.master, id).map_err(broken)?;
        let node = uuid(&cipher.chance().map_err(broken)?);
        let core = Arc::new(Core {
            pool,
            quick,
            steady,
            node,
            shelf: Shelf::open(&options.documents).await?,
            slots: Slots::default(),
            arrivals: Arc::default(),
            condition: Condition::default(),
            copies: Recent::default(),
            master: options.master.clone(),
            identity: RwLock::new(Identity { id, cipher: Arc::new(cipher) }),
        });
        let (requests, waiting) = mpsc::channel(WAITING_MAX);
        let committer = tokio::spawn(work(core.clone(), waiting));
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        let messengers = [
            tokio::spawn(answer(core.clone(), asked)),
            tokio::spawn(tell(core.arrivals.clone(), core.quick.clone(), node)),
            tokio::spawn(listen(core.arrivals.clone(), core.pool.clone(), node)),
        ];
        Ok(Self { core, requests, committer: Mutex::new(Some(committer)), questions, messengers })
    }

    /// Lets the committer finish what waits, gives back this node's leases and closes its connections.
    pub(crate) async fn close(self: Arc<Self>) -> Result<(), Fault> {
        let core = self.core.clone();
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The committer ends when the last sender is gone: callers still waiting hold no sender.
        drop(self);
        if let Some(committer) = committer {
            committer.await.map_err(|error| Fault::new("closing the store", error))?;
        }
        let released = core.release_all().await;
        core.pool.close().await;
        core.quick.close().await;
        core.steady.close().await;
        released
    }
}

impl Core {
    pub(crate) fn id(&self) -> StoreId {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).id
    }

    pub(crate) fn cipher(&self) -> Arc<Cipher> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).cipher.clone()
    }

    pub(crate) fn chance<const N: usize>(&self) -> Result<[u8; N], Fault> {
        Ok(self.cipher().chance()?)
    }

    /// A part of a pause, by chance: nodes that stumbled over each other do not do so again.
    pub(crate) fn jitter(&self, pause: Duration) -> Duration {
        let part = self.chance::<1>().map_or(0, |[byte]| u32::from(byte));
        pause * part / 256
    }

    fn become_store(&self, id: StoreId) -> Result<(), Fault> {
        let cipher = Arc::new(Cipher::new(&self.master, id)?);
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Identity { id, cipher };
        self.slots.clear();
        self.copies.clear();
        Ok(())
    }

    /// Reads the name of the store anew, where another node reset it.
    pub(crate) async fn refresh(&self) -> Result<(), Fault> {
        if !self.condition.take_stale() {
            return Ok(());
        }
        let id: Vec<u8> = again("reading the name of the store", || {
            sqlx::query_scalar("/* life.refresh */ select id from store").fetch_one(&self.pool)
        })
        .await?;
        let id = id.try_into().map_err(|_| Fault::new("reading the name of the store", "it is none"))?;
        self.become_store(id)
    }

    /// See [`crate::store::Store::health`].
    pub(crate) async fn health(&self) -> Health {
        let asked =
            sqlx::query(
                "/* life.health */ select current_setting('transaction_read_only') as read_only, standing from head",
            )
            .fetch_one(&self.pool);
        match timeout(ASKING, asked).await {
            Ok(Ok(row)) => {
                self.condition.set_reachable(true);
                match (row.try_get::<&str, _>("read_only"), standing_in(&row)) {
                    (Ok("on"), _) => Health::ReadOnly("the database takes no writes"),
                    (_, Ok(Tenure::Halted | Tenure::Moved)) => Health::ReadOnly(MOVED),
                    _ => Health::Ready,
                }
            }
            _ => {
                self.condition.set_reachable(false);
                Health::ReadOnly(UNREACHABLE)
            }
        }
    }

    /// See [`crate::store::Store::reset`].
    pub(crate) async fn reset(&self) -> Result<(), Fault> {
        let resetting = |error| Fault::new("resetting the store", error);
        let id = new_id(&self.master).map_err(|error| Fault::new("resetting the store", error))?;
        let check = key_check(&self.master, &id)?;
        let mut transaction = self.pool.begin().await.map_err(resetting)?;
        sqlx::query(
            "/* life.reset */ truncate store, head, ledger, person_keys, persons, certificates, annotations, jobs, \
             plain_copies, documents, doomed, api_keys, answers, trail_certificates, trail_annotations, trail_issuers, turns, \
             limits, accounts, sessions, codes, trail_accounts, checks, tickets, cases, registrants, companies",
        )
        .execute(&mut *transaction)
        .await
        .map_err(resetting)?;
        begin_anew(&mut transaction, &id, &check.0).await.map_err(resetting)?;
        transaction.commit().await.map_err(resetting)?;
        self.become_store(id)?;
        self.shelf.clear().await
    }

    /// See [`crate::store::postgres::Postgres::take_turn`].
    pub(crate) async fn take_turn(
        &self,
        task: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<bool, Fault> {
        let taken = again("taking a turn", || {
            sqlx::query(
                "/* life.take_turn */ insert into turns (task, until, node) values ($1, $2, $3) \
                 on conflict (task) do update set until = excluded.until, node = excluded.node \
                 where turns.until <= $4",
            )
            .bind(task)
            .bind(nanos(now + ttl))
            .bind(self.node)
            .bind(nanos(now))
            .execute(&self.pool)
        })
        .await?;
        Ok(taken.rows_affected() == 1)
    }
}
