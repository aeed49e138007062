//! The order of the jobs and their leases, in memory. The jobs themselves are records of the ledger; leases die with
//! the process, and their numbers never come again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::domain::identity::CreditCode;
use crate::domain::ids::AnnotationId;
use crate::domain::queue::{Job, QueueView};
use crate::store::embedded::fold::Effects;
use crate::store::{Lease, LeaseToken};

const DUE_SHOWN: usize = 10_000;
/// Jobs for which room is kept.
const ROOM: usize = 4096;
pub(crate) const WAIT: Duration = Duration::from_millis(200);

type Moment = (DateTime<Utc>, AnnotationId);

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    order: Mutex<Order>,
    arrivals: Notify,
}

#[derive(Debug, Default)]
struct Order {
    jobs: HashMap<AnnotationId, Waiting>,
    /// All, by when they are due.
    due: BTreeSet<Moment>,
    /// Those that may be done, by when they are due.
    ready: BTreeSet<Moment>,
    /// Those that may not yet be done, by when they may.
    later: BTreeSet<Moment>,
    /// Those leased, by when the lease lapses.
    leased: BTreeSet<Moment>,
    /// What each issuer is told without walking the queue.
    issuers: BTreeMap<CreditCode, Share>,
    next_fence: u64,
}

/// An issuer's part of the queue.
#[derive(Debug, Default)]
struct Share {
    /// Its jobs, by when they are due.
    due: BTreeSet<Moment>,
    /// Its jobs, by when they were ordered.
    requested: BTreeSet<Moment>,
    parked: u64,
    failed: u64,
}

#[derive(Debug)]
struct Waiting {
    job: Job,
    lease: Option<Held>,
    /// Changes under way that rest on the lease: until they end nobody else may take the job.
    pinned: u32,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    fence: u64,
    until: DateTime<Utc>,
}

impl Order {
    fn shelve(&mut self, id: AnnotationId) {
        let Some(waiting) = self.jobs.get(&id) else { return };
        match waiting.lease {
            Some(held) => self.leased.insert((held.until, id)),
            // Whether it is ready is known only when somebody asks with the time.
            None => self.later.insert((waiting.job.ready_at, id)),
        };
        self.due.insert((waiting.job.due_at, id));
        let share = self.issuers.entry(waiting.job.issuer).or_default();
        share.due.insert((waiting.job.due_at, id));
        share.requested.insert((waiting.job.requested_at, id));
        share.parked += u64::from(waiting.job.parked);
    }

    fn unshelve(&mut self, id: AnnotationId) {
        let Some(waiting) = self.jobs.get(&id) else { return };
        self.due.remove(&(waiting.job.due_at, id));
        self.ready.remove(&(waiting.job.due_at, id));
        self.later.remove(&(waiting.job.ready_at, id));
        if let Some(held) = waiting.lease {
            self.leased.remove(&(held.until, id));
        }
        if let Some(share) = self.issuers.get_mut(&waiting.job.issuer) {
            share.due.remove(&(waiting.job.due_at, id));
            share.requested.remove(&(waiting.job.requested_at, id));
            share.parked -= u64::from(waiting.job.parked);
        }
    }

    fn put(&mut self, job: Job) {
        let id = job.annotation;
        self.unshelve(id);
        match self.jobs.get_mut(&id) {
            Some(waiting) => {
                // Put off: whoever held it has settled it for now.
                if waiting.job.ready_at != job.ready_at {
                    waiting.lease = None;
                }
                waiting.job = job;
            }
            None => {
                self.jobs.insert(id, Waiting { job, lease: None, pinned: 0 });
            }
        }
        self.shelve(id);
    }

    fn end_lease(&mut self, id: AnnotationId) {
        self.unshelve(id);
        if let Some(waiting) = self.jobs.get_mut(&id) {
            waiting.lease = None;
        }
        self.shelve(id);
    }

    fn sort(&mut self, now: DateTime<Utc>) {
        while let Some((until, id)) = self.leased.first().copied().filter(|(until, _)| *until <= now) {
            self.leased.remove(&(until, id));
            // The lease's number stays valid until somebody else takes the job.
            if let Some(waiting) = self.jobs.get(&id) {
                self.later.insert((waiting.job.ready_at, id));
            }
        }
        while let Some((ready_at, id)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.remove(&(ready_at, id));
            if let Some(waiting) = self.jobs.get(&id) {
                self.ready.insert((waiting.job.due_at, id));
            }
        }
    }
}

impl Queue {
    /// An empty queue, in the store's `life`-th life.
    pub(crate) fn new(life: u32) -> Self {
        let order = Order { next_fence: u64::from(life) << 32, ..Order::default() };
        Self { order: Mutex::new(order), arrivals: Notify::new() }
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what an entry did.
    pub(crate) fn apply(&self, effects: Effects) {
        let arrived = effects.jobs.len();
        let mut order = self.order();
        for job in effects.jobs {
            order.put(job);
        }
        for id in effects.done {
            order.unshelve(id);
            order.jobs.remove(&id);
        }
        // A queue that was long once gives its memory back.
        if order.jobs.capacity() > ROOM && order.jobs.len() < order.jobs.capacity() / 4 {
            order.jobs.shrink_to(ROOM);
        }
        for issuer in effects.failed {
            order.issuers.entry(issuer).or_default().failed += 1;
        }
        drop(order);
        for _ in 0..arrived {
            self.arrivals.notify_one();
        }
    }

    /// See [`crate::store::Store::lease`].
    pub(crate) fn lease(&self, now: DateTime<Utc>, ttl: Duration) -> Option<Lease> {
        let mut order = self.order();
        order.sort(now);
        let mut passed = Vec::new();
        let lease = loop {
            let Some((due_at, id)) = order.ready.pop_first() else { break None };
            let fence = order.next_fence;
            let Some(waiting) = order.jobs.get_mut(&id) else { continue };
            let ready_at = waiting.job.ready_at;
            if waiting.pinned > 0 {
                passed.push((due_at, id));
            } else if ready_at > now {
                // The clock went back.
                order.later.insert((ready_at, id));
            } else {
                let until = now + ttl;
                waiting.lease = Some(Held { fence, until });
                let job = waiting.job.clone();
                order.leased.insert((until, id));
                order.next_fence += 1;
                break Some(Lease { job, token: LeaseToken { annotation: id, fence } });
            }
        };
        order.ready.extend(passed);
        lease
    }

    /// See [`crate::store::Store::release`].
    pub(crate) fn release(&self, token: LeaseToken) {
        let mut order = self.order();
        if holds(&order, token) {
            order.end_lease(token.annotation);
            drop(order);
            self.arrivals.notify_one();
        }
    }

    /// Whether a lease holds; if so, nobody else gets the job until [`Self::unpin`].
    pub(crate) fn pin(&self, token: LeaseToken) -> bool {
        let mut order = self.order();
        let held = holds(&order, token);
        if held && let Some(waiting) = order.jobs.get_mut(&token.annotation) {
            waiting.pinned += 1;
        }
        held
    }

    pub(crate) fn unpin(&self, token: LeaseToken) {
        if let Some(waiting) = self.order().jobs.get_mut(&token.annotation) {
            waiting.pinned = waiting.pinned.saturating_sub(1);
        }
    }

    /// See [`crate::store::Store::job_arrived`].
    pub(crate) async fn arrived(&self) {
        // The time is up or a job is there: the caller looks again either way.
        let _ = tokio::time::timeout(WAIT, self.arrivals.notified()).await;
    }

    /// See [`crate::store::Store::queue`].
    pub(crate) fn view(&self, issuer: Option<&CreditCode>) -> QueueView {
        let order = self.order();
        let mut view = QueueView::default();
        let shares = order.issuers.iter().filter(|(uscc, _)| issuer.is_none_or(|issuer| issuer == *uscc));
        for (_, share) in shares {
            view.depth += share.due.len() as u64;
            view.parked += share.parked;
            view.failed += share.failed;
            let oldest = share.requested.first().map(|(requested_at, _)| *requested_at);
            view.oldest_requested_at = view.oldest_requested_at.into_iter().chain(oldest).min();
        }
        let due = match issuer {
            Some(issuer) => order.issuers.get(issuer).map(|share| &share.due),
            None => Some(&order.due),
        };
        view.due = due.into_iter().flatten().take(DUE_SHOWN).map(|(due_at, _)| *due_at).collect();
        view.next_due_at = view.due.first().copied();
        view
    }

    /// See [`crate::store::Store::parked`].
    pub(crate) fn parked(&self, issuer: Option<&CreditCode>, limit: usize) -> Vec<Job> {
        let order = self.order();
        let shares = order.issuers.iter().filter(|(uscc, _)| issuer.is_none_or(|issuer| issuer == *uscc));
        // An issuer without parked jobs is passed over without a look at its queue.
        let due = shares.filter(|(_, share)| share.parked > 0).flat_map(|(_, share)| &share.due);
        let jobs = due.filter_map(|(_, id)| Some(&order.jobs.get(id)?.job)).filter(|job| job.parked);
        let mut jobs: Vec<Job> = jobs.cloned().collect();
        jobs.sort_by_key(|job| (job.due_at, job.annotation));
        jobs.truncate(limit);
        jobs
    }

    /// See [`crate::store::Store::depth`].
    pub(crate) fn depth(&self) -> u64 {
        self.order().due.len() as u64
    }

    /// See [`crate::store::Store::place_in_queue`].
    pub(crate) fn place(&self, id: AnnotationId) -> Option<u64> {
        let order = self.order();
        let key = (order.jobs.get(&id)?.job.due_at, id);
        // Counted from both ends at once: those just ordered stand near the last.
        let (mut before, mut after) = (order.due.range(..key), order.due.range(key..));
        let mut steps = 0;
        loop {
            if before.next().is_none() {
                return Some(steps);
            }
            if after.next().is_none() {
                return Some(order.due.len() as u64 - steps);
            }
            steps += 1;
        }
    }

    /// See [`crate::store::Store::job`].
    pub(crate) fn job(&self, id: AnnotationId) -> Option<Job> {
        self.order().jobs.get(&id).map(|waiting| waiting.job.clone())
    }
}

fn holds(order: &Order, token: LeaseToken) -> bool {
    order
        .jobs
        .get(&token.annotation)
        .and_then(|waiting| waiting.lease)
        .is_some_and(|held| held.fence == token.fence)
}
