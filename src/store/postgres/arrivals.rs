//! Who waits for a job is woken: at once on this node, by LISTEN and NOTIFY on the others. A lost message costs nothing
//! but a short while: everybody looks again anyway.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const CHANNEL: &str = "vermilion_jobs";
/// How long a worker waits before it looks again.
pub(crate) const WAIT: Duration = Duration::from_millis(200);
/// How long the listener waits before it connects again.
const PAUSE: Duration = Duration::from_secs(1);
/// Waking more than this at once wakes everybody.
const MANY: usize = 64;

/// The waiting workers of this node, and what the other nodes are still to be told.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    waiting: Notify,
    untold: AtomicUsize,
    telling: Notify,
}

impl Arrivals {
    /// Jobs were written here.
    pub(crate) fn announce(&self, jobs: usize) {
        if jobs > 0 {
            self.wake(jobs);
            self.untold.fetch_add(jobs, Ordering::Relaxed);
            self.telling.notify_one();
        }
    }

    pub(crate) fn wake(&self, jobs: usize) {
        for _ in 0..jobs.min(MANY) {
            self.waiting.notify_one();
        }
    }

    /// See [`crate::store::Store::job_arrived`].
    pub(crate) async fn arrived(&self) {
        // The time is up or a job is there: the caller looks again either way.
        let _ = timeout(WAIT, self.waiting.notified()).await;
    }
}

/// Tells the other nodes, many jobs in one message, until it is aborted.
pub(crate) async fn tell(arrivals: Arc<Arrivals>, pool: PgPool, node: Uuid) {
    loop {
        arrivals.telling.notified().await;
        let jobs = arrivals.untold.swap(0, Ordering::Relaxed);
        let told = sqlx::query("/* arrivals.tell */ select pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(format!("{node} {jobs}"))
            .execute(&pool)
            .await;
        if let Err(error) = told {
            tracing::debug!(%error, "other nodes are not told of new jobs; they look by themselves");
            sleep(WAIT).await;
        }
    }
}

/// Hears of other nodes' jobs until it is aborted.
pub(crate) async fn listen(arrivals: Arc<Arrivals>, pool: PgPool, node: Uuid) {
    let own = node.to_string();
    loop {
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            while let Ok(message) = listener.recv().await {
                if let Some((whose, jobs)) = message.payload().split_once(' ')
                    && whose != own
                {
                    arrivals.wake(jobs.parse().unwrap_or(1));
                }
            }
        }
        sleep(PAUSE).await;
    }
}
