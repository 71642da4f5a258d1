//! Everything that only reads.

mod endpoints;
mod log;

pub(crate) use endpoints::{get, list, subscribed};
pub(crate) use log::{attempts, deliveries, event, events, load, stats};
