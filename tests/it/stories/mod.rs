//! What the service must show, told as its users would tell it: the same on every home of the store.

mod access;
mod accounts;
mod audit;
mod bad_input;
mod batch;
mod checks;
mod exemption;
mod file;
mod guesses;
mod holder;
mod idempotency;
mod keys;
mod matrix;
mod operations;
mod page;
mod query;
mod quota;
mod reminders;
mod sessions;
mod standing;
mod trouble;
mod validity;
