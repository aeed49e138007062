//! What the service must show, told as its users would tell it.

mod access;
mod audit;
mod backup;
mod bad_input;
mod batch;
mod configuration;
mod crash;
mod demo;
mod exemption;
mod file;
mod idempotency;
mod keys;
mod matrix;
mod operations;
mod page;
mod quota;
mod sample;
mod standing;
mod trouble;
mod validity;
