//! Servers that the store's second home stands on, started by the tests that need them.

pub(crate) mod postgres;
pub(crate) mod s3;
