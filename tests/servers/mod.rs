//! Processes that tests and benchmarks start: the service, what its second home stands on, and a browser's driver.
#![allow(dead_code, reason = "each of them needs some of it")]

pub(crate) mod authority;
pub(crate) mod chromedriver;
pub(crate) mod node;
pub(crate) mod postgres;
pub(crate) mod s3;
pub(crate) mod seaweed;
pub(crate) mod smtp;
