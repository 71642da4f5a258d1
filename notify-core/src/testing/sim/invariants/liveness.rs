//! Once nothing goes wrong any more, everything ends within a bound; and no process asks without need.

use std::time::Duration;

use crate::dispatch::DispatchConfig;

use super::super::scenario::Scenario;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

/// Store calls of one process within a second of virtual time: a burst has reasons for some hundreds. One whose store is
/// away has none.
const CALLS_A_SECOND: u32 = 4000;

#[derive(Debug)]
pub(super) struct Liveness {
    /// For each process: the second, and the calls and turns in it.
    calls: Vec<(i64, u32)>,
    turns: Vec<(i64, u32)>,
}

impl Liveness {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self { calls: vec![(0, 0); scenario.processes], turns: vec![(0, 0); scenario.processes] }
    }
}

impl Invariant for Liveness {
    fn name(&self) -> &'static str {
        "liveness without a busy loop"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Called, Kind::Turned]
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        match seen {
            Seen::Called { process, at } => count(&mut self.calls[*process], *at, CALLS_A_SECOND, "store calls"),
            Seen::Turned { process, at, .. } => count(&mut self.turns[*process], *at, CALLS_A_SECOND * 8, "turns"),
            _ => Ok(()),
        }
    }
}

fn count(of: &mut (i64, u32), at: i64, most: u32, what: &str) -> Found {
    let second = at.div_euclid(1000);
    *of = if of.0 == second { (second, of.1 + 1) } else { (second, 1) };
    if of.1 > most { Err(format!("a process makes more than {most} {what} in a second")) } else { Ok(()) }
}

/// How long after the last fault everything has ended, in milliseconds: the rest of the schedule, the waits after lost
/// leases, and the work itself, as if every attempt took its whole timeout.
pub(in super::super) fn bound(scenario: &Scenario, deliveries: usize) -> i64 {
    let schedules = scenario.configs().map(|config| &config.policy.schedule);
    let schedules: Vec<_> =
        schedules.chain(scenario.endpoints.iter().filter_map(|endpoint| endpoint.schedule.as_ref())).collect();
    let attempts = schedules.iter().map(|schedule| schedule.attempts()).max().unwrap_or(1);
    // Each retry by whichever process has the longest delay for it.
    let delay = |index: usize| schedules.iter().filter_map(|schedule| schedule.delays().get(index)).max();
    let retries: Duration = (0..attempts as usize).filter_map(delay).sum();
    let slowest = |of: fn(&DispatchConfig) -> Duration| scenario.configs().map(of).max().unwrap_or_default();
    // Ten leases and the waits between them, for one that kills its worker.
    let losses = if scenario.loses_no_lease() && scenario.store_faults <= 50 {
        slowest(DispatchConfig::lease)
    } else {
        slowest(DispatchConfig::lease) * 20 + Duration::from_secs(360 + 8 * 1800)
    };
    let attempt = slowest(|config| config.policy.timeout) + Duration::from_secs(15);
    let at_once = scenario.configs().map(|config| config.max_in_flight.min(config.per_endpoint)).min().unwrap_or(1);
    let rounds = (u32::try_from(deliveries).unwrap_or(u32::MAX) / at_once.max(1) + 2).saturating_mul(attempts + 2);
    let jump = scenario.disturbances.iter().map(|disturbance| match disturbance.what {
        super::super::scenario::Trouble::Jump { millis } if !scenario.store_clock => millis.abs() * 2,
        _ => 0,
    });
    let later = scenario
        .publishes
        .iter()
        .map(|publish| publish.not_before.unwrap_or(0).max(publish.again.map_or(0, |(after, _)| after)));
    let later = later.max().unwrap_or(0);
    let poll = slowest(|config| config.poll) * (attempts + 2) * 2;
    let total = retries + losses + attempt * rounds + poll;
    let total = i64::try_from(total.as_millis()).unwrap_or(i64::MAX / 2);
    let clocks = scenario.clock_error() * 2 + scenario.drifted(total);
    total.saturating_add(jump.sum::<i64>()).saturating_add(later).saturating_add(clocks)
}
