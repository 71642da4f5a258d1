//! Prints what a retry schedule makes of a receiver that a seed draws: `simulate --seed 7 --schedule 1min,10min`.
//!
//! `--any-2xx` widens what counts as a success, `--timeout 5` is an attempt's deadline in seconds. What is printed
//! depends on the options alone. Leaves out the engine: crashes, outages and clocks are the simulator's,
//! `notify_core::testing::sim`.

use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::{Long, ValueExt};
use notify_core::testing::{Timeline, drawn_receiver};
use notify_core::{Policy, SuccessRule, Timestamp};

fn main() -> ExitCode {
    match timeline() {
        Ok(timeline) => {
            println!("{timeline}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("simulate: {error}");
            ExitCode::from(2)
        }
    }
}

fn timeline() -> Result<Timeline, Box<dyn std::error::Error>> {
    let (mut seed, mut policy) = (0, Policy::default());
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Long("seed") => seed = parser.value()?.parse()?,
            Long("schedule") => policy.schedule = parser.value()?.string()?.parse()?,
            Long("timeout") => policy.timeout = Duration::from_secs(parser.value()?.parse()?),
            Long("any-2xx") => policy.success = SuccessRule::Any2xx,
            other => return Err(other.unexpected().into()),
        }
    }
    policy.check()?;
    let first: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    Ok(Timeline::of(&policy, first, drawn_receiver(seed)))
}
