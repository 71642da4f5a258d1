//! When to try again: the retry schedule and the policy around it. Pure.

mod jitter;
mod policy;
mod retry_after;
mod schedule;

pub use jitter::Jitter;
pub use policy::{InvalidPolicy, Policy, SuccessRule};
pub use retry_after::{RetryAfter, RetryAfterRule};
pub use schedule::{InvalidSchedule, RetrySchedule};
