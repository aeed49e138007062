//! The queue: order, leases and fences.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use chrono::TimeDelta;
use std::time::Duration;

use crate::domain::queue::Job;
use crate::store::contract::Home;
use crate::store::samples::{at, begun, entered, issuer, job, ordered, write};
use crate::store::{Change, CommitError, Expect, LeaseToken, Write};

const TTL: Duration = Duration::from_secs(60);

pub(crate) async fn the_most_urgent_job_comes_first_and_two_workers_never_share_one(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let mut ids = Vec::new();
    for number in [7, 3, 5] {
        ids.push(ordered(&*store, &certificate, number).await.id);
    }
    let soon = at(1_000_000);
    assert!(store.lease(soon, TTL).await.unwrap().is_none(), "none is ready yet");
    let now = at(2_000_000);
    assert_eq!(store.place_in_queue(ids[0]).await.unwrap(), Some(2));
    assert_eq!(store.place_in_queue(ids[1]).await.unwrap(), Some(0));
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(store.lease(now, TTL).await.unwrap().unwrap());
    }
    let order: Vec<_> = taken.iter().map(|lease| lease.job.annotation).collect();
    assert_eq!(order, [ids[1], ids[2], ids[0]]);
    assert!(store.lease(now, TTL).await.unwrap().is_none(), "all are in somebody's hands");
    store.release(taken[1].token).await;
    let again = store.lease(now, TTL).await.unwrap().unwrap();
    assert_eq!(again.job.annotation, ids[2]);
    assert_ne!(again.token, taken[1].token);
    store.release(taken[1].token).await;
    assert!(store.lease(now, TTL).await.unwrap().is_none(), "an old token releases nothing");
    assert_eq!(
        store.place_in_queue(crate::store::samples::annotation(&certificate, 99).id).await.unwrap(),
        None
    );
}

fn settle(token: LeaseToken) -> Change {
    Change {
        expects: vec![Expect::Lease(token)],
        writes: vec![Write::JobDone(token.annotation)],
        events: vec![],
    }
}

pub(crate) async fn a_lapsed_lease_goes_to_another_and_the_first_is_fenced_off(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let annotation = ordered(&*store, &certificate, 1).await;
    let now = at(2_000_000);
    let first = store.lease(now, TTL).await.unwrap().unwrap();
    // Writing the job down as begun keeps the lease.
    let begin = Change {
        expects: vec![Expect::Lease(first.token)],
        writes: vec![
            write(&begun(&annotation), &certificate),
            Write::Job(Job { attempts: 1, ..first.job.clone() }),
        ],
        events: vec![],
    };
    store.commit(begin).await.unwrap();
    assert!(store.lease(now, TTL).await.unwrap().is_none());
    let later = now + TTL;
    let second = store.lease(later, TTL).await.unwrap().unwrap();
    assert_eq!(second.job.attempts, 1);
    let lost = store.commit(settle(first.token)).await;
    assert!(matches!(lost, Err(CommitError::LeaseLost)), "{lost:?}");
    assert!(store.job(annotation.id).await.unwrap().is_some());
    store.commit(settle(second.token)).await.unwrap();
    assert_eq!(store.job(annotation.id).await.unwrap(), None);
    assert!(matches!(store.commit(settle(second.token)).await, Err(CommitError::LeaseLost)));
    assert!(store.lease(later + 2 * TTL, TTL).await.unwrap().is_none());
}

pub(crate) async fn a_job_put_off_ends_its_lease_and_a_parked_one_waits(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let annotation = ordered(&*store, &certificate, 1).await;
    let now = at(2_000_000);
    let first = store.lease(now, TTL).await.unwrap().unwrap();
    let ready_at = now + TimeDelta::seconds(5);
    let put_off = |job: &Job, token, ready_at, parked| Change {
        expects: vec![Expect::Lease(token)],
        writes: vec![Write::Job(Job { ready_at, parked, ..job.clone() })],
        events: vec![],
    };
    store.commit(put_off(&first.job, first.token, ready_at, false)).await.unwrap();
    assert!(store.lease(now, TTL).await.unwrap().is_none());
    let second = store.lease(ready_at, TTL).await.unwrap().unwrap();
    store.commit(put_off(&second.job, second.token, second.job.due_at, true)).await.unwrap();
    assert!(store.lease(ready_at + 2 * TTL, TTL).await.unwrap().is_none());
    let view = store.queue(None).await.unwrap();
    assert_eq!((view.depth, view.parked), (1, 1));
    let parked = store.parked(None, 10).await.unwrap();
    assert_eq!(parked, [Job { parked: true, ready_at: second.job.due_at, ..second.job.clone() }]);
    assert_eq!(store.parked(Some(&second.job.issuer), 10).await.unwrap(), parked);
    assert!(store.parked(Some(&issuer(2)), 10).await.unwrap().is_empty());
    // The clock may be moved back by hand.
    let third = store.lease(second.job.due_at, TTL).await.unwrap().unwrap();
    store.release(third.token).await;
    assert!(store.lease(now, TTL).await.unwrap().is_none());
    assert_eq!(third.job.annotation, annotation.id);
}

pub(crate) async fn the_queue_outlives_closing_and_its_leases_do_not(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let (one, two) = (ordered(&*store, &certificate, 1).await, ordered(&*store, &certificate, 2).await);
    let now = at(2_000_000);
    let held = store.lease(now, TTL).await.unwrap().unwrap();
    let view = store.queue(None).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.queue(None).await.unwrap(), view);
    assert_eq!(store.job(two.id).await.unwrap(), Some(job(&two, &certificate)));
    assert!(matches!(store.commit(settle(held.token)).await, Err(CommitError::LeaseLost)));
    let again = store.lease(now, TTL).await.unwrap().unwrap();
    assert_eq!(again.job.annotation, one.id);
    assert_ne!(again.token.fence, held.token.fence);
    assert!(matches!(store.commit(settle(held.token)).await, Err(CommitError::LeaseLost)));
}

pub(crate) async fn the_queue_counts_by_issuer(home: &dyn Home) {
    let store = home.open().await;
    let (one, two) = (entered(&*store, 1).await, entered(&*store, 2).await);
    let first = ordered(&*store, &one, 1).await;
    ordered(&*store, &one, 2).await;
    ordered(&*store, &two, 3).await;
    let all = store.queue(None).await.unwrap();
    assert_eq!(store.depth().await.unwrap(), all.depth);
    assert_eq!((all.depth, all.due.len(), all.parked), (3, 3, 0));
    assert_eq!(all.oldest_requested_at, Some(first.order.requested_at));
    assert_eq!(all.next_due_at, Some(first.order.due_at));
    assert_eq!(store.queue(Some(&issuer(1))).await.unwrap().depth, 2);
    assert_eq!(store.queue(Some(&issuer(2))).await.unwrap().depth, 1);
    store.commit(Change { writes: vec![Write::JobDone(first.id)], ..Change::default() }).await.unwrap();
    assert_eq!(store.queue(Some(&issuer(1))).await.unwrap().depth, 1);
}

pub(crate) async fn a_waiting_worker_hears_of_a_new_job(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                if let Some(lease) = store.lease(at(2_000_000), TTL).await.unwrap() {
                    return lease;
                }
                store.job_arrived().await;
            }
        })
    };
    let annotation = ordered(&*store, &certificate, 1).await;
    assert_eq!(waiting.await.unwrap().job.annotation, annotation.id);
}

pub(crate) async fn workers_at_once_settle_every_job_once(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    for number in 0..12 {
        ordered(&*store, &certificate, number).await;
    }
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut settled = Vec::new();
                while let Some(lease) = store.lease(at(2_000_000), TTL).await.unwrap() {
                    store.commit(settle(lease.token)).await.unwrap();
                    settled.push(lease.token.annotation);
                }
                settled
            })
        })
        .collect();
    let mut settled = Vec::new();
    for worker in workers {
        settled.extend(worker.await.unwrap());
    }
    assert_eq!(settled.len(), 12);
    settled.sort_unstable();
    settled.dedup();
    assert_eq!(settled.len(), 12, "each job once");
    assert_eq!(store.depth().await.unwrap(), 0);
    assert_eq!(store.head().await.unwrap().seq, 25);
}

pub(crate) async fn moments_are_kept_to_the_nanosecond(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let annotation = ordered(&*store, &certificate, 1).await;
    let exact = |millis| at(millis) + TimeDelta::nanoseconds(123_456_789);
    let job = Job {
        requested_at: exact(0),
        due_at: exact(2_000_000),
        ready_at: exact(1_000_000),
        ..job(&annotation, &certificate)
    };
    store.commit(Change { writes: vec![Write::Job(job.clone())], ..Change::default() }).await.unwrap();
    assert_eq!(store.job(annotation.id).await.unwrap(), Some(job.clone()));
    assert_eq!(store.queue(None).await.unwrap().due, [job.due_at]);
    let early = job.ready_at - TimeDelta::nanoseconds(1);
    assert!(store.lease(early, TTL).await.unwrap().is_none());
    assert_eq!(store.lease(job.ready_at, TTL).await.unwrap().unwrap().job, job);
}
