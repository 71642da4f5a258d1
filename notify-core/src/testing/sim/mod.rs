//! The simulator: a world of processes, a store and receivers, in which everything that may go wrong does, drawn from
//! one seed and run in virtual time on one thread.
//!
//! Dispatcher, machine, signer, fan-out, timekeeper and store model are production's own; the simulator is the driver
//! around them. Whatever happens is shown to the invariants, and the first one that is false ends the run. A seed
//! always gives the same run: the trace's hash says so.
//!
//! ```
//! use notify_core::testing::sim;
//! let report = sim::run(7)?;
//! assert_eq!(sim::run(7)?.trace, report.trace, "the same seed, the same run");
//! # Ok::<(), Box<sim::Failure>>(())
//! ```

mod backlog;
mod calls;
mod clocks;
mod coverage;
mod ending;
mod fixture;
mod flights;
mod heap;
mod invariants;
mod ledger;
mod machines;
mod mishaps;
mod operating;
mod operators;
mod process;
mod publishing;
mod rng;
mod scenario;
mod script;
mod seen;
mod shrink;
#[cfg(test)]
mod tests;
mod trace;
mod trouble;
mod wanted;
mod world;

use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use trace::Lines;

pub(super) use rng::Draws;

pub use coverage::Coverage;
pub use scenario::Scenario;
pub use shrink::shrink;

/// What a run was, in which every sentence held.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Deliveries that ended.
    pub deliveries: u64,
    /// Things that happened.
    pub events: u64,
    /// How much time went by in the world.
    pub elapsed: Duration,
    /// SHA-256 over everything that happened, in hex.
    pub trace: String,
    /// What happened how often.
    pub coverage: Coverage,
}

/// A sentence that was false. `Display` tells which, and how to repeat the run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The invariant's name.
    pub invariant: &'static str,
    /// How it was false.
    pub problem: String,
    /// SHA-256 over everything that had happened, in hex.
    pub trace: String,
    /// The last things that had happened, a line each; only from [`replay`].
    pub lines: Vec<String>,
    /// The world.
    pub scenario: Scenario,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.invariant, self.problem)?;
        write!(f, "SIM_SEED={} cargo test -p notify-core --lib sim::tests::seeds::replay -- --nocapture", self.seed)
    }
}

impl std::error::Error for Failure {}

/// Runs the world of `seed` to its end.
///
/// # Errors
/// The first sentence that was false.
pub fn run(seed: u64) -> Result<Report, Box<Failure>> {
    run_scenario(&Scenario::draw(seed))
}

/// Runs a world that was drawn, and perhaps made smaller.
///
/// # Errors
/// The first sentence that was false.
pub fn run_scenario(scenario: &Scenario) -> Result<Report, Box<Failure>> {
    run_with(scenario, Lines::Dropped)
}

/// The same, keeping the last lines of the trace for a failure: slower.
///
/// # Errors
/// The first sentence that was false.
pub fn replay(scenario: &Scenario) -> Result<Report, Box<Failure>> {
    run_with(scenario, Lines::Kept)
}

fn run_with(scenario: &Scenario, lines: Lines) -> Result<Report, Box<Failure>> {
    let mut world = world::World::new(scenario, lines);
    world.run();
    let elapsed = Duration::from_millis((world.now - world::START).unsigned_abs());
    let (deliveries, coverage, found) = (world.ledger.settled, world.coverage, world.found);
    let (trace, events, lines) = world.trace.finish();
    match found {
        None => Ok(Report { seed: scenario.seed, deliveries, events, elapsed, trace, coverage }),
        Some((invariant, problem)) => {
            Err(Box::new(Failure { seed: scenario.seed, invariant, problem, trace, lines, scenario: scenario.clone() }))
        }
    }
}

/// The answer of the memory store, which never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the memory store does not wait"),
    }
}
