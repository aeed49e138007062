//! Who guesses passwords waits: longer after every failure, per account and per address.
//!
//! Counted in memory, by each node for itself: behind a balancer a guesser has as many tries as there are nodes. A node
//! that starts afresh has forgotten; what bounds guessing in the long run is the cost of a captcha and of the hash.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::desk::DeskError;
use crate::domain::ids::Sha256;

/// Failures of one account before its next try waits.
const FREE_PER_ACCOUNT: u32 = 5;

/// Failures from one address before the next try from there waits: a whole office may lie behind it.
const FREE_PER_ADDRESS: u32 = 30;

/// The first wait; each later one is twice as long.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);

/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// Failures are forgotten when the last is so old.
const FORGOTTEN: TimeDelta = TimeDelta::hours(1);

/// Most names remembered; those with the fewest failures make room.
const KEPT: usize = 100_000;

/// Where a call comes from: 128 bits that mean nothing here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(u128);

impl Address {
    /// Names an address.
    pub fn new(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Debug for Address {
    /// Addresses are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// The failures of every account and address.
#[derive(Debug)]
pub(crate) struct BackOff {
    accounts: Tally<Sha256>,
    addresses: Tally<Address>,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { accounts: Tally::new(FREE_PER_ACCOUNT), addresses: Tally::new(FREE_PER_ADDRESS) }
    }
}

impl BackOff {
    /// Passes where neither has to wait.
    pub(crate) fn admit(
        &self,
        account: Sha256,
        from: Option<Address>,
        now: DateTime<Utc>,
    ) -> Result<(), DeskError> {
        let waits =
            [self.accounts.wait(&account, now), from.and_then(|from| self.addresses.wait(&from, now))];
        match waits.into_iter().flatten().max() {
            Some(wait) => Err(too_often(wait)),
            None => Ok(()),
        }
    }

    /// Counts a try as a failure before it is judged, so that tries made at once count too.
    pub(crate) fn charge(
        &self,
        account: Sha256,
        from: Option<Address>,
        now: DateTime<Utc>,
    ) -> Result<(), DeskError> {
        self.admit(account, from, now)?;
        self.accounts.charge(account, now).map_err(too_often)?;
        from.map_or(Ok(()), |from| self.addresses.charge(from, now)).map_err(too_often)
    }

    /// Takes back what a try was charged that was right as far as it went; what failed before still counts.
    pub(crate) fn refund(&self, account: Sha256, from: Option<Address>) {
        self.accounts.refund(&account);
        if let Some(from) = from {
            self.addresses.refund(&from);
        }
    }

    /// Forgets everybody.
    pub(crate) fn clear(&self) {
        self.accounts.clear();
        self.addresses.clear();
    }

    /// Takes back what a try was charged that succeeded, and forgets the account's failures.
    pub(crate) fn forgive(&self, account: Sha256, from: Option<Address>) {
        self.accounts.forget(&account);
        if let Some(from) = from {
            self.addresses.refund(&from);
        }
    }
}

fn too_often(wait: TimeDelta) -> DeskError {
    // To the next whole second: who waits so long is let in.
    DeskError::TooOften(u64::try_from(wait.num_seconds()).unwrap_or(0) + 1)
}

/// Failures by name.
#[derive(Debug)]
struct Tally<K> {
    free: u32,
    failures: Mutex<HashMap<K, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: DateTime<Utc>,
}

impl Failures {
    /// How long the next try has to wait after the last failure.
    fn pause(&self, free: u32) -> TimeDelta {
        match self.count.checked_sub(free) {
            None => TimeDelta::zero(),
            Some(beyond) => (FIRST_WAIT * (1 << beyond.min(16))).min(LONGEST_WAIT),
        }
    }
}

impl<K: Hash + Eq + Clone> Tally<K> {
    fn new(free: u32) -> Self {
        Self { free, failures: Mutex::default() }
    }

    fn wait(&self, key: &K, now: DateTime<Utc>) -> Option<TimeDelta> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        wait(failures.get(key)?, self.free, now)
    }

    /// Counts a failure, or says how long to wait.
    fn charge(&self, key: K, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= KEPT && !failures.contains_key(&key) {
            make_room(&mut failures, now);
        }
        let entry = failures.entry(key).or_insert(Failures { count: 0, last: now });
        if let Some(wait) = wait(entry, self.free, now) {
            return Err(wait);
        }
        let count = if now - entry.last > FORGOTTEN { 0 } else { entry.count };
        *entry = Failures { count: count.saturating_add(1), last: now };
        Ok(())
    }

    fn clear(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn forget(&self, key: &K) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn refund(&self, key: &K) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = failures.get_mut(key) {
            entry.count = entry.count.saturating_sub(1);
        }
    }
}

fn wait(failures: &Failures, free: u32, now: DateTime<Utc>) -> Option<TimeDelta> {
    // A clock that was put back does not lengthen a wait.
    let left = (failures.last + failures.pause(free) - now).min(LONGEST_WAIT);
    (left > TimeDelta::zero()).then_some(left)
}

fn make_room<K: Hash + Eq + Clone>(failures: &mut HashMap<K, Failures>, now: DateTime<Utc>) {
    failures.retain(|_, entry| now - entry.last <= FORGOTTEN);
    if failures.len() >= KEPT {
        let least = failures.values().map(|entry| entry.count).min().unwrap_or(0);
        failures.retain(|_, entry| entry.count > least);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn name(byte: u8) -> Sha256 {
        Sha256::new([byte; 32])
    }

    #[test]
    fn five_failures_are_free_and_each_later_one_doubles_the_wait() {
        let back_off = BackOff::default();
        let wait = |now| match back_off.admit(name(1), None, at(now)) {
            Err(DeskError::TooOften(seconds)) => seconds,
            _ => 0,
        };
        for _ in 0..5 {
            assert_eq!(wait(0), 0);
            back_off.charge(name(1), None, at(0)).unwrap();
        }
        assert_eq!(wait(0), 6);
        assert!(back_off.charge(name(1), None, at(4)).is_err());
        back_off.charge(name(1), None, at(5)).unwrap();
        assert_eq!(wait(5), 11);
        let mut now = 15;
        for _ in 0..20 {
            back_off.charge(name(1), None, at(now)).unwrap();
            now += i64::try_from(wait(now)).unwrap();
        }
        back_off.charge(name(1), None, at(now)).unwrap();
        assert_eq!(wait(now), 901, "never longer than a quarter of an hour");
        assert!(back_off.admit(name(2), None, at(now)).is_ok(), "others do not wait");
        assert!(back_off.admit(name(1), None, at(now - 86_400)).is_err());
    }

    #[test]
    fn success_forgets_the_accounts_failures_and_an_hour_forgets_all() {
        let back_off = BackOff::default();
        let from = Some(Address::new(7));
        for account in 0..30 {
            back_off.charge(name(account), from, at(0)).unwrap();
        }
        assert!(
            back_off.admit(name(99), from, at(0)).is_err(),
            "an address that tries account after account"
        );
        assert!(back_off.admit(name(99), None, at(0)).is_ok());
        back_off.forgive(name(1), from);
        assert!(back_off.admit(name(99), from, at(0)).is_ok());
        for _ in 0..5 {
            back_off.charge(name(50), None, at(10)).unwrap();
        }
        back_off.forgive(name(50), None);
        assert!(back_off.admit(name(50), None, at(10)).is_ok());
        for _ in 0..5 {
            back_off.charge(name(51), None, at(20)).unwrap();
        }
        back_off.charge(name(51), None, at(20 + 3_601)).unwrap();
        assert!(back_off.admit(name(51), None, at(20 + 3_601)).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_the_worst_are_remembered() {
        let tally = Tally::new(5);
        for _ in 0..6 {
            let _ = tally.charge(u32::MAX, at(0));
        }
        for key in 0..u32::try_from(KEPT).unwrap() {
            tally.charge(key, at(1)).unwrap();
        }
        assert!(tally.failures.lock().unwrap().len() <= KEPT);
        assert!(tally.wait(&u32::MAX, at(1)).is_some());
    }
}
