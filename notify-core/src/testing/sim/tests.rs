//! Many seeds, the corpus, and the planted faults.

mod corpus;
mod driver;
mod planted;
mod protocol;
mod seeds;

use super::{Coverage, Failure, run, shrink};

/// What many runs were together.
#[derive(Debug, Default)]
struct Runs {
    seeds: u64,
    deliveries: u64,
    coverage: Coverage,
    failures: Vec<Failure>,
}

impl Runs {
    fn of(seeds: impl IntoIterator<Item = u64>) -> Self {
        let mut runs = Self::default();
        for seed in seeds {
            runs.seeds += 1;
            match run(seed) {
                Ok(report) => {
                    runs.deliveries += report.deliveries;
                    runs.coverage.add(&report.coverage);
                }
                Err(failure) => runs.failures.push(*failure),
            }
        }
        println!("{} seeds, {} virtual deliveries, {} failures", runs.seeds, runs.deliveries, runs.failures.len());
        runs
    }

    /// Fails with each failure's command, and the first one made smaller.
    fn assert_all_held(&self) {
        let Some(first) = self.failures.first() else { return };
        let all: Vec<String> = self.failures.iter().map(ToString::to_string).collect();
        panic!("{}\nmade smaller:\n{:#?}", all.join("\n"), shrink(first, 100).scenario);
    }
}

/// A number from the environment: a seed to replay, or how much a long run does.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}
