//! The engine's own time: anchored at a reference, carried on by the monotonic clock. Pure.

use std::time::Duration;

use crate::time::Timestamp;

/// How often the engine compares itself with its reference: the store's clock where it has one, else the wall
/// clock.
pub(crate) const CORRECT_EVERY: Duration = Duration::from_secs(30);

/// Never goes back. A reference that is ahead is followed at once (a machine that slept); one that is behind is
/// met by running at half speed, so that a wall clock that was set back for a moment delays nothing for long.
#[derive(Debug)]
pub(crate) struct Timekeeper {
    anchor: Timestamp,
    /// The monotonic time at the anchor.
    at: Duration,
    /// By how much the anchor was ahead of the reference.
    ahead: Duration,
    source: Source,
}

/// Where the reference comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Source {
    Wall,
    Store,
}

impl Timekeeper {
    pub(crate) const fn new(reference: Timestamp, monotonic: Duration) -> Self {
        Self { anchor: reference, at: monotonic, ahead: Duration::ZERO, source: Source::Wall }
    }

    /// One that goes by the store's clock.
    pub(crate) const fn by_store(theirs: Timestamp, monotonic: Duration) -> Self {
        Self { anchor: theirs, at: monotonic, ahead: Duration::ZERO, source: Source::Store }
    }

    pub(crate) fn now(&self, monotonic: Duration) -> Timestamp {
        let elapsed = monotonic.saturating_sub(self.at);
        let held_back = if planted!(NeverSlowed) { Duration::ZERO } else { (elapsed / 2).min(self.ahead) };
        // Rounded down: a time that is not there yet is not told.
        let millis = i64::try_from((elapsed - held_back).as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.anchor.as_millis().saturating_add(millis))
    }

    /// Whether nobody corrects it, since no driver lives in this process, and the wall clock has to do. One that went
    /// by the store's clock goes on alone: the wall clock may be hours off, the monotonic one drifts by seconds.
    pub(crate) fn is_neglected(&self, monotonic: Duration) -> bool {
        self.source == Source::Wall && monotonic.saturating_sub(self.at) >= CORRECT_EVERY * 2
    }

    pub(crate) fn correct(&mut self, reference: Timestamp, monotonic: Duration) {
        if planted!(NeverCorrected) {
            return;
        }
        let ours = self.now(monotonic);
        self.anchor = if planted!(ClockGoesBack) { reference } else { ours.max(reference) };
        self.ahead = ours.since(reference);
        self.at = monotonic;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    #[test]
    fn a_reference_that_jumps_ahead_is_followed_at_once() {
        let mut keeper = Timekeeper::new(at(0), secs(0));
        keeper.correct(at(1000), secs(30));
        assert_eq!(keeper.now(secs(31)), at(1001));
    }

    #[test]
    fn a_reference_that_fell_back_is_met_at_half_speed() {
        let mut keeper = Timekeeper::new(at(100), secs(0));
        keeper.correct(at(120), secs(30));
        assert_eq!(keeper.now(secs(30)), at(130));
        assert_eq!(keeper.now(secs(40)), at(135));
        assert_eq!(keeper.now(secs(50)), at(140), "the ten seconds are made up");
        assert_eq!(keeper.now(secs(60)), at(150));
    }

    /// C19: elsewhere a clock set back by 12 h for ten seconds kept a worker asleep for 12 h.
    #[test]
    fn a_wall_clock_that_was_back_for_a_moment_delays_by_seconds() {
        let mut keeper = Timekeeper::new(at(43_200), secs(0));
        keeper.correct(at(30), secs(30));
        keeper.correct(at(43_260), secs(60));
        assert_eq!(keeper.now(secs(60)), at(43_260));
    }

    proptest! {
        #[test]
        fn time_never_goes_back(steps in prop::collection::vec((0u64..100_000, -1_000_000_000i64..1_000_000_000), 1..50)) {
            let mut keeper = Timekeeper::new(at(0), secs(0));
            let (mut monotonic, mut last) = (Duration::ZERO, at(0));
            for (pause, reference) in steps {
                monotonic += Duration::from_millis(pause);
                prop_assert!(keeper.now(monotonic) >= last);
                keeper.correct(Timestamp::from_millis(reference), monotonic);
                last = keeper.now(monotonic);
            }
        }
    }
}
