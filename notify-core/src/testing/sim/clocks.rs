//! The time of each process: production's timekeeper over clocks that drift.

use std::time::Duration;

use crate::engine::parts::{CORRECT_EVERY, Timekeeper};
use crate::time::Timestamp;

use super::world::{START, World};

/// How often a machine's wall clock is set right, in milliseconds; in between it drifts.
pub(super) const SET_RIGHT_EVERY: i64 = 3_600_000;

/// By how much an answer of the store's clock is wrong at most, in milliseconds: half a round trip.
pub(super) const STORE_ERROR: i64 = 20;

#[derive(Debug)]
pub(super) struct ProcessClock {
    keeper: Timekeeper,
    /// By how many millionths it is fast.
    drift: i64,
    booted_at: i64,
    corrected_at: i64,
}

impl ProcessClock {
    /// The clock of a process that is down.
    pub(super) const fn stopped() -> Self {
        let keeper = Timekeeper::new(Timestamp::EPOCH, Duration::ZERO);
        Self { keeper, drift: 0, booted_at: 0, corrected_at: 0 }
    }

    fn now(&self, at: i64) -> Timestamp {
        self.keeper.now(self.elapsed(self.booted_at, at))
    }

    /// How long this clock goes on for between two true times.
    pub(super) fn elapsed(&self, from: i64, to: i64) -> Duration {
        let millis = (to - from).max(0);
        Duration::from_micros((millis * 1000 + millis * self.drift / 1000).unsigned_abs())
    }

    /// After how many true milliseconds this clock has gone on for `wait`: a timer fires no earlier.
    pub(super) fn timer(&self, wait: Duration) -> i64 {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 4);
        if self.drift == 0 {
            return millis;
        }
        let exact = (i128::from(millis) * 1_000_000).div_euclid(i128::from(1_000_000 + self.drift));
        i64::try_from(exact + 1).unwrap_or(i64::MAX / 4)
    }

    fn correct(&mut self, reference: Timestamp, at: i64) {
        self.keeper.correct(reference, self.elapsed(self.booted_at, at));
        self.corrected_at = at;
    }
}

impl World<'_> {
    /// The clock of a process that starts now.
    pub(super) fn boot_clock(&mut self, index: usize) -> ProcessClock {
        let reference = self.reference(index, self.now);
        let keeper = if self.scenario.store_clock {
            Timekeeper::by_store(reference, Duration::ZERO)
        } else {
            Timekeeper::new(reference, Duration::ZERO)
        };
        ProcessClock { keeper, drift: self.scenario.drifts[index], booted_at: self.now, corrected_at: self.now }
    }

    /// What a process compares its time with: the store's clock, or the wall clock of its own machine.
    fn reference(&mut self, index: usize, at: i64) -> Timestamp {
        let error = if self.scenario.store_clock {
            self.rng.between(-STORE_ERROR, STORE_ERROR)
        } else {
            let set_right = (at - START + 1_000_003 * i64::try_from(index).unwrap_or(0)).rem_euclid(SET_RIGHT_EVERY);
            self.wall_offset + set_right * self.scenario.drifts[index] / 1_000_000
        };
        Timestamp::from_millis(at + error)
    }

    pub(super) fn clock_of(&mut self, index: usize) -> Timestamp {
        let process = &self.processes[index];
        let since = self.now - process.clock.corrected_at;
        // One that stood still looks at its clock before it compares it with anything.
        let just_back = process.paused_until == self.now;
        if Duration::from_millis(since.unsigned_abs()) >= CORRECT_EVERY && !just_back {
            self.correct_clock(index);
        }
        self.processes[index].clock.now(self.now)
    }

    /// While it slept it went on comparing, each half a minute: half of what is left each time comes to the same.
    fn correct_clock(&mut self, index: usize) {
        let process = &self.processes[index];
        let mut gap = self.now - process.clock.corrected_at.max(process.paused_until);
        if process.clock.drift != 0 {
            while gap > 60_000 {
                gap /= 2;
                let at = self.now - gap;
                let reference = self.reference(index, at);
                self.processes[index].clock.correct(reference, at);
            }
        }
        let reference = self.reference(index, self.now);
        self.processes[index].clock.correct(reference, self.now);
    }

    /// The time of a process, or of one that only publishes.
    pub(super) fn clock_by(&mut self, by: Option<usize>) -> Timestamp {
        match by {
            Some(index) => self.clock_of(index),
            None => self.true_time(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_fires_no_earlier_than_its_own_clock_says_and_hardly_later() {
        for drift in [-200, -3, 0, 1, 200] {
            let clock = ProcessClock { drift, ..ProcessClock::stopped() };
            for wait in [0, 1, 999, 5000, 36_000_000, 31_536_000_000].map(Duration::from_millis) {
                let went_on = clock.elapsed(0, clock.timer(wait));
                let late = went_on.checked_sub(wait);
                assert!(late.is_some_and(|late| late <= Duration::from_millis(2)), "{drift}, {wait:?}: {went_on:?}");
            }
        }
    }

    #[test]
    fn a_fast_clock_goes_on_for_longer_than_the_true_time() {
        let clock = ProcessClock { drift: 200, ..ProcessClock::stopped() };
        assert_eq!(clock.elapsed(5000, 10_005_000), Duration::from_secs(10_002));
    }
}
