//! The pause after the store failed.

use std::time::Duration;

use crate::time::Timestamp;

/// No store call before `until`; each failure in a row doubles the pause.
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

    /// Whether calls may be made. A clock that went back by more than the longest pause ends it too.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until <= now || until.since(now) > self.longest)
    }

    pub(super) const fn ends_at(&self) -> Option<Timestamp> {
        self.until
    }
}
