//! Everything that only reads.

mod endpoints;
mod log;

pub(crate) use endpoints::{get, list, subscribed};
pub(crate) use log::{attempts, deliveries, event, events, load, stats};

/// For the test of their plans.
#[cfg(test)]
pub(crate) use log::STATEMENTS;
