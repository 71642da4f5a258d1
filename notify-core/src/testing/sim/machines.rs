//! In what one process differs from another: its configuration, which a deploy changes, and its clock.

use crate::dispatch::DispatchConfig;
use crate::retry::SuccessRule;

use super::clocks::{SET_RIGHT_EVERY, STORE_ERROR};
use super::rng::Rng;
use super::scenario::{Disturbance, Scenario, Trouble, draw_config, draw_policy};

/// How many millionths a machine's clock is fast or slow at most.
const FASTEST: i64 = 200;

/// From this time on, in milliseconds after the start, a process that comes up has another configuration.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    pub(super) at: i64,
    pub(super) config: DispatchConfig,
}

impl Scenario {
    /// All configurations, the first one first.
    pub(super) fn configs(&self) -> impl Iterator<Item = &DispatchConfig> {
        [&self.config].into_iter().chain(self.rollouts.iter().map(|rollout| &rollout.config))
    }

    /// The number of the configuration that a process gets which comes up at `at`.
    pub(super) fn version_at(&self, at: i64) -> usize {
        self.rollouts.iter().take_while(|rollout| rollout.at <= at).count()
    }

    /// The configuration with this number.
    pub(super) fn config(&self, version: usize) -> &DispatchConfig {
        self.configs().nth(version).unwrap_or(&self.config)
    }

    /// By how much the fastest or slowest clock errs within so many milliseconds, rounded up.
    pub(super) fn drifted(&self, millis: i64) -> i64 {
        let fastest = self.drifts.iter().map(|drift| drift.abs()).max().unwrap_or(0);
        (millis / 1_000_000 + 1) * fastest
    }

    /// How far a process's time is from the true one at most, in milliseconds, unless the wall clock jumps: the error of
    /// what it is compared with, and what it drifts until the next comparison, also while it stands still.
    pub(super) fn clock_error(&self) -> i64 {
        let reference = if self.store_clock { STORE_ERROR } else { self.drifted(SET_RIGHT_EVERY) };
        reference + self.drifted(self.longest_pause() + 60_000) + 2
    }

    /// How long a process stands still at most: one pause may begin within another.
    fn longest_pause(&self) -> i64 {
        let mut longest = 0;
        for process in 0..self.processes {
            let mut pauses: Vec<(i64, i64)> =
                self.disturbances.iter().filter_map(|one| one.pause_of(process)).collect();
            pauses.sort_unstable();
            let (mut from, mut until) = (0, 0);
            for (at, end) in pauses {
                if at > until {
                    from = at;
                }
                until = end.max(until);
                longest = longest.max(until - from);
            }
        }
        longest
    }

    pub(super) fn draw_drifts(&mut self, rng: &mut Rng) {
        if rng.chance(300) {
            self.drifts.fill_with(|| {
                if rng.chance(500) { rng.between(-FASTEST, FASTEST) } else { *rng.pick(&[-FASTEST, FASTEST]) }
            });
        }
    }

    /// A deploy or two: other numbers, another policy; each process is stopped, one after the other.
    pub(super) fn draw_rollouts(&mut self, rng: &mut Rng) {
        if !rng.chance(250) {
            return;
        }
        let mut times: Vec<i64> = (0..=rng.below(2)).map(|_| self.busy_time(rng)).collect();
        times.sort_unstable();
        for at in times {
            let mut policy = draw_policy(rng);
            if rng.chance(300) {
                policy.success = SuccessRule::Any2xx;
            }
            let mut config = draw_config(rng, policy, self.span);
            if self.poll_waits {
                config.poll = DispatchConfig::default().poll;
            }
            self.rollouts.push(Rollout { at, config });
            let (between, grace) = (rng.spread(100, 600_000), rng.spread(1, 40_000));
            for process in 0..self.processes {
                let turn = i64::try_from(process).unwrap_or(0);
                let what = Trouble::Stop { process, grace, down: rng.spread(1, 60_000) };
                self.disturbances.push(Disturbance { at: (at + between * turn).min(self.span), what });
            }
        }
    }
}

impl Disturbance {
    fn pause_of(&self, wanted: usize) -> Option<(i64, i64)> {
        match self.what {
            Trouble::Pause { process, millis } if process == wanted => Some((self.at, self.at + millis)),
            _ => None,
        }
    }
}
