//! Processes that tests and benchmarks start: the service, and what its second home stands on.
#![allow(dead_code, reason = "each of them needs some of it")]

pub(crate) mod authority;
pub(crate) mod node;
pub(crate) mod postgres;
pub(crate) mod s3;
pub(crate) mod seaweed;
