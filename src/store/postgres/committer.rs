//! The one task of a node that commits: takes all changes that wait, makes them in one transaction, answers.
//!
//! What the database refuses for what others did at once is repeated. What it does not answer is found out: a lost
//! transaction held the row `head` until it ended, so whoever gets that row knows how it ended.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::store::chain::{Chain, PAYLOAD_MAX};
use crate::store::encoding::Prepared;
use crate::store::migrate::Tenure;
use crate::store::postgres::connect::{OVERLOADED, UNREACHABLE, is_contention, is_lost, is_taken};
use crate::store::postgres::group::{Unwritten, Written, array, prepare};
use crate::store::postgres::life::Core;
use crate::store::postgres::rows::Parts;
use crate::store::postgres::write::signed;
use crate::store::{CommitError, Committed, Fault};

const GROUP_CHANGES: usize = 256;
const GROUP_BYTES: usize = 1 << 20;
/// How long one transaction may take; the database's own time-outs are shorter.
const CALL: Duration = Duration::from_secs(20);
/// How long a group is tried: a restart of the database passes unseen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it is asked what became of a transaction that was not answered.
const DOUBT: Duration = Duration::from_secs(30);

/// What is said when the store is served elsewhere, or about to be.
pub(crate) const MOVED: &str = "the store was moved";

/// A change that was encoded and read back.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) prepared: Prepared,
    pub(crate) parts: Parts,
    /// Whether it was made elsewhere before: then its person may be erased since.
    pub(crate) moved: bool,
}

/// Why a change is not made, though the database works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Conflict,
    LeaseLost,
}

impl From<Refusal> for CommitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Conflict => Self::Conflict,
            Refusal::LeaseLost => Self::LeaseLost,
        }
    }
}

/// A caller waiting for an answer.
pub(crate) struct Request {
    pub(crate) change: Ready,
    pub(crate) answer: oneshot::Sender<Result<Committed, CommitError>>,
}

fn writing(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CommitError {
    Fault::new("writing the ledger", error).into()
}

/// Works until nobody can send any more.
pub(crate) async fn work(core: Arc<Core>, mut requests: mpsc::Receiver<Request>) {
    while let Some(first) = requests.recv().await {
        let mut bytes = first.change.prepared.payload.len();
        let mut group = vec![first];
        while group.len() < GROUP_CHANGES && bytes < GROUP_BYTES {
            let Ok(next) = requests.try_recv() else { break };
            bytes += next.change.prepared.payload.len();
            group.push(next);
        }
        let (long, group): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|request| request.change.prepared.payload.len() > PAYLOAD_MAX);
        for request in long {
            // Whoever no longer waits needs no answer.
            let _ = request.answer.send(Err(writing("the change is longer than an entry may be")));
        }
        if group.is_empty() {
            continue;
        }
        for alone in make(&core, group).await {
            make(&core, vec![alone]).await;
        }
    }
}

/// What became of one try.
enum Try {
    Made(Vec<Result<u64, Refusal>>),
    /// Nothing of it is; it can be tried again.
    Again(sqlx::Error),
    /// Nothing of it is, nor will be.
    Refused(sqlx::Error),
    /// The store was reset.
    Reset,
    /// The store is served elsewhere.
    Moved,
    /// Not even whether it is.
    Unknown(Box<dyn std::error::Error + Send + Sync>),
}

/// Makes a group and answers. Gives back changes to be made one by one: one of them spoils the group.
async fn make(core: &Core, group: Vec<Request>) -> Vec<Request> {
    let patience = if core.condition.is_reachable() { PATIENCE } else { PATIENCE / 5 };
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    loop {
        let error = match attempt(core, &group).await {
            Try::Made(verdicts) => {
                core.condition.set_reachable(true);
                for (request, verdict) in group.into_iter().zip(verdicts) {
                    let _ =
                        request.answer.send(verdict.map(|seq| Committed { seq }).map_err(CommitError::from));
                }
                return Vec::new();
            }
            Try::Refused(_) if group.len() > 1 => return group,
            Try::Refused(error) => {
                // A unique key stands behind every expectation: taken means somebody else wrote first.
                let answer = if is_taken(&error) { CommitError::Conflict } else { writing(error) };
                if let Some(request) = group.into_iter().next() {
                    let _ = request.answer.send(Err(answer));
                }
                return Vec::new();
            }
            Try::Reset => {
                core.condition.set_stale();
                refuse(group, || CommitError::Conflict);
                return Vec::new();
            }
            Try::Moved => {
                refuse(group, || CommitError::ReadOnly(MOVED));
                return Vec::new();
            }
            Try::Unknown(error) => {
                tracing::error!(%error, "the database did not say whether a change was made");
                refuse(group, || writing("the database did not say whether the change was made"));
                return Vec::new();
            }
            Try::Again(error) => error,
        };
        if is_lost(&error) {
            core.condition.set_reachable(false);
        }
        if Instant::now() + pause > deadline {
            let why = if is_lost(&error) { UNREACHABLE } else { OVERLOADED };
            tracing::warn!(%error, why, changes = group.len(), "changes are refused");
            refuse(group, || CommitError::ReadOnly(why));
            return Vec::new();
        }
        sleep(pause + core.jitter(pause)).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

fn refuse(group: Vec<Request>, error: impl Fn() -> CommitError) {
    for request in group {
        let _ = request.answer.send(Err(error()));
    }
}

async fn attempt(core: &Core, group: &[Request]) -> Try {
    let changes: Vec<&Ready> = group.iter().map(|request| &request.change).collect();
    let id = core.id();
    let written = match timeout(CALL, prepare(&core.steady, &id, Tenure::Live, &changes)).await {
        Ok(Ok(written)) => written,
        Ok(Err(Unwritten::Reset)) => return Try::Reset,
        Ok(Err(Unwritten::Elsewhere)) => return Try::Moved,
        Ok(Err(Unwritten::Sql(error))) if is_lost(&error) || is_contention(&error) => {
            return Try::Again(error);
        }
        Ok(Err(Unwritten::Sql(error))) => return Try::Refused(error),
        Err(_) => return Try::Again(sqlx::Error::PoolTimedOut),
    };
    let Written { transaction, verdicts, seq, chain, arrived } = written;
    if verdicts.iter().all(Result::is_err) {
        // Nothing was written. Ended before the answer: who hears it finds no row locked.
        let _ = timeout(CALL, transaction.rollback()).await;
        return Try::Made(verdicts);
    }
    // From here on the group may be made, whatever is answered.
    let error: Box<dyn std::error::Error + Send + Sync> = match timeout(CALL, transaction.commit()).await {
        Ok(Ok(())) => {
            core.arrivals.announce(arrived);
            return Try::Made(verdicts);
        }
        Ok(Err(error)) if is_contention(&error) => return Try::Again(error),
        Ok(Err(error)) => error.into(),
        Err(late) => late.into(),
    };
    core.condition.set_reachable(false);
    match find_out(&core.pool, seq, &chain).await {
        Some(true) => {
            core.arrivals.announce(arrived);
            Try::Made(verdicts)
        }
        Some(false) => Try::Again(sqlx::Error::WorkerCrashed),
        None => Try::Unknown(error),
    }
}

/// Whether an entry with this number and chain value was made; none where it cannot be found out in time.
async fn find_out(pool: &PgPool, seq: u64, chain: &Chain) -> Option<bool> {
    let deadline = Instant::now() + DOUBT;
    while Instant::now() < deadline {
        if let Ok(Ok(made)) = timeout(CALL, is_made(pool, seq, chain)).await {
            return Some(made);
        }
        sleep(Duration::from_millis(100)).await;
    }
    None
}

async fn is_made(pool: &PgPool, seq: u64, chain: &Chain) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // The lost transaction holds this row until it has ended, one way or the other.
    sqlx::query("/* group.lock_head */ select seq from head for update").execute(&mut *transaction).await?;
    let row = sqlx::query("/* group.find_out */ select chain from ledger where seq = $1")
        .bind(signed(seq))
        .fetch_optional(&mut *transaction)
        .await?;
    transaction.rollback().await?;
    row.map_or(Ok(false), |row| Ok(array::<32>(&row, "chain")? == *chain))
}
