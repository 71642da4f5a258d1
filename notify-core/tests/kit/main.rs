//! The kit proves the memory store, and rejects wrong ones.

#![allow(clippy::unwrap_used, reason = "in a store of the tests, which the lint does not take for tests")]

mod compare;
mod faults;
mod memory;
mod plain;
mod report;
mod tables;
mod wrong;
