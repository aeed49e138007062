//! The rules: pure, without I/O, clock or framework.

pub mod account;
pub mod annotation;
pub mod calendar;
pub mod certificate;
pub mod contact;
pub mod event;
pub mod identity;
pub mod ids;
pub mod key;
pub mod language;
pub mod ledger;
pub mod licence;
pub mod media;
pub mod policy;
pub mod query;
pub mod queue;
pub mod refusal;
#[cfg(test)]
pub(crate) mod sample;
pub mod spending;
pub mod staff;
pub mod tally;
pub mod ticket;
pub mod totp;
pub mod verdict;
