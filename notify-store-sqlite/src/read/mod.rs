//! Everything that only reads.

mod activity;
mod endpoints;
mod log;

pub(crate) use activity::{activity, failing_since};
pub(crate) use endpoints::{get, list, subscribed};
pub(crate) use log::{attempts, deliveries, event, events, load, stats, tenants_with_held};

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: [&[&str]; 2] = [activity::STATEMENTS, log::STATEMENTS];
