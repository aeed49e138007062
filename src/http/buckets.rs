//! Buckets of calls, one for each limit and caller, kept by the generic cell rate algorithm (ITU-T I.371): all that
//! there is to know of a bucket is the moment at which it is full again. A call moves that moment on by the time in which
//! one call comes back; it is refused where the moment would lie further ahead than an empty bucket's.
//!
//! A moment is easily shared. Each node decides by its own, at once, and notes what was spent since it last told the
//! other nodes. They keep one moment for all of them, which every spending moves on; what a node learns of it can only
//! move its own moment on. So what was spent anywhere is paid back everywhere, though a node that has not heard of it yet
//! may give a bucket's content once more.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::spending::{Bucket, Limit, Spending};
use crate::http::limits::{Limits, Rate};

/// Locks apart from each other, so that callers at once seldom wait.
const SHARDS: usize = 64;

/// Every bucket that is not full.
#[derive(Debug)]
pub(crate) struct Buckets {
    paces: [Pace; Limit::ALL.len()],
    shards: [Shard; SHARDS],
    hasher: RandomState,
}

/// A rate as durations.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// In which one call comes back.
    step: Duration,
    /// In which an empty bucket fills.
    depth: Duration,
}

impl From<Rate> for Pace {
    fn from(rate: Rate) -> Self {
        let step = (rate.within / rate.calls.max(1)).max(Duration::from_nanos(1));
        Self { step, depth: step * rate.burst.max(1) }
    }
}

type Shard = Mutex<HashMap<Bucket, State>>;

#[derive(Clone, Copy, Debug)]
struct State {
    full_at: Instant,
    /// Calls since the other nodes were last told.
    untold: u32,
    /// The moment of the first of them.
    since: Instant,
}

impl Buckets {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            paces: Limit::ALL.map(|limit| limits.rate(limit).into()),
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }

    fn pace(&self, bucket: Bucket) -> Pace {
        self.paces[bucket.limit as usize]
    }

    fn shard(&self, bucket: Bucket) -> MutexGuard<'_, HashMap<Bucket, State>> {
        lock(&self.shards[self.hasher.hash_one(bucket) as usize % SHARDS])
    }

    /// Takes one call from a bucket.
    ///
    /// # Errors
    /// Where there is none: how long until there is.
    pub(crate) fn spend(&self, bucket: Bucket, now: Instant) -> Result<(), Duration> {
        let pace = self.pace(bucket);
        let mut shard = self.shard(bucket);
        let state = shard.entry(bucket).or_insert(State { full_at: now, untold: 0, since: now });
        let full_at = state.full_at.max(now) + pace.step;
        let wait = full_at.saturating_duration_since(now + pace.depth);
        if !wait.is_zero() {
            return Err(wait);
        }
        state.full_at = full_at;
        if state.untold == 0 {
            state.since = now;
        }
        state.untold = state.untold.saturating_add(1);
        Ok(())
    }

    /// What is to be told, of so many buckets at most: those from which most was spent. The others' turn comes later.
    pub(crate) fn tell(&self, most: usize, now: Instant) -> Vec<Spending> {
        let mut untold = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let states = shard.iter().filter(|(_, state)| state.untold > 0);
            untold.extend(states.map(|(bucket, state)| (self.cost(*bucket, state), *bucket)));
        }
        if untold.len() > most {
            untold.select_nth_unstable_by_key(most, |(cost, _)| Reverse(*cost));
            untold.truncate(most);
        }
        let tell = |(_, bucket)| {
            let mut shard = self.shard(bucket);
            let state = shard.get_mut(&bucket)?;
            let ago = now.saturating_duration_since(state.since);
            let spending = Spending { bucket, cost: self.cost(bucket, state), ago };
            state.untold = 0;
            Some(spending)
        };
        untold.into_iter().filter_map(tell).collect()
    }

    fn cost(&self, bucket: Bucket, state: &State) -> Duration {
        self.pace(bucket).step * state.untold
    }

    /// Learns how far ahead of `told_at` the moments of all nodes together lie, for each bucket that was told then. What
    /// was spent here since comes on top.
    pub(crate) fn learn(&self, told_at: Instant, told: &[Spending], ahead: &[Duration]) {
        for (Spending { bucket, .. }, ahead) in told.iter().zip(ahead) {
            let Some(known) = told_at.checked_add(*ahead) else { continue };
            let mut shard = self.shard(*bucket);
            let state = shard.entry(*bucket).or_insert(State { full_at: known, untold: 0, since: told_at });
            state.full_at = state.full_at.max(known + self.cost(*bucket, state));
        }
    }

    /// Forgets the buckets that are full again, so that memory follows those who called lately.
    pub(crate) fn forget_full(&self, now: Instant) {
        for shard in &self.shards {
            lock(shard).retain(|_, state| state.full_at > now);
        }
    }
}

/// A shard is never left in the middle of a change.
fn lock(shard: &Shard) -> MutexGuard<'_, HashMap<Bucket, State>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
