//! The worker: leases jobs, makes their copies, settles or postpones them; bounded, and drained on stop. Beside it,
//! reminders of copies that expire.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::desk::reminder::Round;
use crate::desk::{Desk, DeskError};
use crate::metrics::{Metrics, at_risk};

/// How long a lease holds: many times what a copy takes, so that only a dead worker's lease lapses.
const LEASE: Duration = Duration::from_secs(60);

/// How long the worker leaves a failing store alone.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How often the queue is looked at for metrics and warnings.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// How often reminders are looked for: what one round could not, a later one of the same day does.
const REMIND_EVERY: Duration = Duration::from_secs(3600);

/// Makes copies, `at_once` at a time, until told to stop; then finishes those begun and returns.
pub(crate) async fn run(desk: Desk, metrics: Arc<Metrics>, at_once: usize, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(at_once));
    let begun = TaskTracker::new();
    while !stop.is_cancelled() {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let pause = match desk.lease(LEASE).await {
            Ok(Some(lease)) => {
                let (desk, metrics) = (desk.clone(), metrics.clone());
                begun.spawn(async move {
                    let started = tokio::time::Instant::now();
                    match desk.issue(lease).await {
                        Ok(issued) => metrics.job_settled(issued, started.elapsed()),
                        Err(error) => {
                            report(&error);
                            // The job is free again at once: whoever takes it next should find the store better.
                            tokio::time::sleep(STORE_PAUSE).await;
                        }
                    }
                    drop(place);
                });
                continue;
            }
            Ok(None) => None,
            Err(error) => {
                report(&error);
                Some(STORE_PAUSE)
            }
        };
        drop(place);
        let wait = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => desk.job_arrived().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = wait => {}
        }
    }
    begun.close();
    begun.wait().await;
}

/// Watches the queue until told to stop: metrics, and a warning well before a deadline is missed.
pub(crate) async fn watch(desk: Desk, metrics: Arc<Metrics>, stop: CancellationToken) {
    let mut warned_of = 0;
    loop {
        match desk.whole_queue().await {
            Ok(queue) => {
                let now = desk.now();
                let at_risk = at_risk(&queue, now);
                // Once a change, not once a look.
                if at_risk != std::mem::replace(&mut warned_of, at_risk) {
                    tracing::warn!(at_risk, parked = queue.parked, next_due_at = ?queue.next_due_at, "copies are due soon");
                }
                metrics.set_queue(&queue, now);
            }
            Err(error) => report(&error),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(WATCH_EVERY) => {}
        }
    }
}

/// Sends the reminders that are due, at once and then every hour, until told to stop.
pub(crate) async fn remind(desk: Desk, stop: CancellationToken) {
    loop {
        match desk.remind(|| !stop.is_cancelled()).await {
            Ok(Round { sent, lost }) if sent + lost > 0 => tracing::info!(sent, lost, "reminders"),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, causes = causes(&error), "reminders wait for the next round")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(REMIND_EVERY) => {}
        }
    }
}

/// A fault is logged once, with its chain.
fn report(error: &DeskError) {
    tracing::error!(%error, causes = causes(error), "a job could not be settled; its lease lapses");
}

fn causes(error: &DeskError) -> String {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}
