//! Many seeds, the corpus, and the planted faults.

mod corpus;
mod cpu_time;
mod driver;
mod planted;
mod protocol;
mod seeds;

use std::fmt;
use std::time::Duration;

use mimalloc::MiMalloc;
use sha2::{Digest, Sha256};

use super::{Coverage, Failure, run, shrink};

/// A run allocates and frees all the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What many runs were together.
#[derive(Debug, Default)]
struct Runs {
    seeds: u64,
    deliveries: u64,
    coverage: Coverage,
    failures: Vec<Failure>,
    /// Over the traces of all runs: a change that is to change nothing that happens leaves it as it is.
    traces: Sha256,
    /// The time of one core, where the system tells it.
    took: Option<Duration>,
}

impl Runs {
    fn of(seeds: impl IntoIterator<Item = u64>) -> Self {
        let mut runs = Self::default();
        let began = cpu_time::of_this_thread();
        for seed in seeds {
            runs.seeds += 1;
            match run(seed) {
                Ok(report) => {
                    runs.deliveries += report.deliveries;
                    runs.traces.update(&report.trace);
                    runs.coverage.add(&report.coverage);
                }
                Err(failure) => runs.failures.push(*failure),
            }
        }
        runs.took = began.and_then(|began| Some(cpu_time::of_this_thread()? - began));
        println!("{runs}");
        runs
    }

    /// Fails with each failure's command, and the first one made smaller.
    fn assert_all_held(&self) {
        let Some(first) = self.failures.first() else { return };
        let all: Vec<String> = self.failures.iter().map(ToString::to_string).collect();
        panic!("{}\nmade smaller:\n{:#?}", all.join("\n"), shrink(first, 100).scenario);
    }
}

/// `scripts/test` and `scripts/sim-long` add these lines up.
impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, deliveries, failures, traces, took, .. } = self;
        write!(f, "{seeds} seeds, {deliveries} virtual deliveries, {} failures, ", failures.len())?;
        match took {
            Some(took) => write!(f, "{} ms of CPU time, ", took.as_millis())?,
            None => write!(f, "CPU time unknown, ")?,
        }
        write!(f, "traces {:.8}", hex::encode(traces.clone().finalize()))
    }
}

/// A number from the environment: a seed to replay, or how much a long run does.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}
