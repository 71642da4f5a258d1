//! The store's promises, S1 to S14, and the file's.

#![allow(missing_docs, reason = "test names are sentences")]
#![allow(clippy::unwrap_used, reason = "in makers of test values, which the lint does not take for tests")]

mod activity;
mod claims;
mod endpoints;
mod faults;
mod files;
mod finding;
mod kit;
mod publish;
mod sharing;
mod support;
mod test_notify;
mod timing;
mod transaction;
