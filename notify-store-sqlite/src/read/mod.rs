//! Everything that only reads.

mod activity;
mod endpoints;
mod list;
mod log;

pub(crate) use activity::{activity, failing_since};
pub(crate) use endpoints::{get, list, subscribed};
pub(crate) use list::{deliveries, events};
pub(crate) use log::{attempts, event, load, stats, tenants_with_held};

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: [&[&str]; 3] = [activity::STATEMENTS, list::STATEMENTS, log::STATEMENTS];
