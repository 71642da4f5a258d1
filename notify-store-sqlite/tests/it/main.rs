//! The store's promises, S1 to S14, and the file's.

#![allow(missing_docs, reason = "test names are sentences")]
#![allow(clippy::unwrap_used, reason = "in makers of test values, which the lint does not take for tests")]

mod claims;
mod endpoints;
mod files;
mod kit;
mod log;
mod model;
mod publish;
mod settle;
mod sharing;
mod support;
mod test_notify;
mod transaction;
