//! When to try again: the retry schedule and the policy around it. Pure.

mod policy;
mod schedule;

pub use policy::{InvalidPolicy, Policy, SuccessRule};
pub use schedule::{InvalidSchedule, RetrySchedule};
