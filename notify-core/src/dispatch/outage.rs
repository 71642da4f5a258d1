//! The pause after the store, or the endpoint directory, failed.

use std::time::Duration;

use crate::time::Timestamp;

/// No call before `until`; each failure in a row doubles the pause.
#[derive(Debug)]
pub(super) struct Outage {
    first: Duration,
    longest: Duration,
    failures: u32,
    until: Option<Timestamp>,
}

impl Outage {
    pub(super) const fn new((first, longest): (Duration, Duration)) -> Self {
        Self { first, longest, failures: 0, until: None }
    }

    pub(super) fn failed(&mut self, now: Timestamp) {
        let pause = self.first.saturating_mul(1 << self.failures.min(16)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now.saturating_add(pause));
    }

    pub(super) const fn answered(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// While the pause lasts: when it ends.
    pub(super) fn pause(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|_| !planted!(NoBackoff)).filter(|until| !has_come(*until, now, self.longest))
    }
}

/// Whether `at`, which was set at most `ahead` before it, has come. A clock that went back by more than that ends
/// the wait too, or it would last as much longer as the clock went back.
pub(super) fn has_come(at: Timestamp, now: Timestamp, ahead: Duration) -> bool {
    // Added as it was set: a difference would not know that fractions of a millisecond were rounded up.
    at <= now || at > now.saturating_add(ahead)
}
