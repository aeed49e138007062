//! The tests from outside: the real binary, over HTTP and on the command line, judged by tools that are not ours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed test panics, and prints what repeats it"
)]

mod browser;
mod call;
mod chance;
mod cluster;
mod command;
mod dependencies;
mod document;
mod filing;
mod folder;
mod home;
mod house;
mod judges;
mod kill;
mod migration;
mod people;
mod records;
#[path = "../servers/mod.rs"]
mod servers;
mod service;
mod stories;
mod tls;
