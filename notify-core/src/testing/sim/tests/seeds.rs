//! Fixed seeds, fresh ones, one to replay, and the long run.

use sha2::{Digest, Sha256};

use super::super::{Scenario, replay, run, run_scenario, shrink};
use super::{Runs, number};

#[test]
fn every_sentence_holds_for_seeds_0_to_599_and_nothing_is_left_out() {
    let runs = Runs::of(0..600);
    runs.assert_all_held();
    // A fault, a step or a call that never happens would leave every sentence true.
    assert_eq!(runs.coverage.missing(), []);
}

#[test]
fn every_sentence_holds_for_seeds_600_to_1199() {
    Runs::of(600..1200).assert_all_held();
}

#[test]
fn every_sentence_holds_for_seeds_1200_to_1799() {
    Runs::of(1200..1800).assert_all_held();
}

/// Every commit tries others, and the same commit the same.
#[test]
fn every_sentence_holds_for_300_seeds_of_this_commit() {
    let commit = std::env::var("SIM_COMMIT").unwrap_or_else(|_| "no commit".into());
    let digest: [u8; 32] = Sha256::digest(commit.as_bytes()).into();
    let first = u64::from_be_bytes([0, 0, 1, digest[0], digest[1], digest[2], digest[3], 0]);
    println!("seeds {first} and on, of commit {commit:?}");
    Runs::of(first..first + 300).assert_all_held();
}

#[test]
fn a_seed_always_gives_the_same_run() {
    for seed in 0..40 {
        let (first, again) = (run(seed).unwrap(), run(seed).unwrap());
        assert_eq!(first.trace, again.trace, "seed {seed}");
        // Keeping lines must not change what happens.
        assert_eq!(replay(&Scenario::draw(seed)).unwrap().trace, first.trace, "seed {seed}");
    }
}

#[test]
fn another_seed_gives_another_run() {
    let mut traces: Vec<_> = (0..40).map(|seed| run(seed).unwrap().trace).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 40);
}

/// `SIM_SEED=7 cargo test -p notify-core --lib sim::tests::seeds::replay -- --nocapture` tells what happened, and fails
/// as the seed does.
#[test]
fn replay_of_the_seed_that_the_environment_names() {
    let scenario = Scenario::draw(number("SIM_SEED").unwrap_or(0));
    let failure = match replay(&scenario) {
        Ok(report) => return println!("seed {}: every sentence held; trace {}", report.seed, report.trace),
        Err(failure) => failure,
    };
    let small = shrink(&failure, 400);
    println!("{}\n\nmade smaller:\n{:#?}", failure.lines.join("\n"), small.scenario);
    if let Err(again) = replay(&small.scenario) {
        println!("{}\n{}", again.lines.join("\n"), again.problem);
    }
    panic!("{failure}");
}

/// `scripts/sim-long` runs this over many seeds; without it, over a few.
#[test]
fn every_sentence_holds_in_the_long_run() {
    let (from, count) = (number("SIM_FROM").unwrap_or(10_000), number("SIM_COUNT").unwrap_or(100));
    let runs = Runs::of(from..from + count);
    // Added up over all parts there, so that what is rare need not happen in each.
    for (group, kind, times) in runs.coverage.wanted() {
        println!("wanted | {group} | {kind} | {times}");
    }
    for (fault, step, times) in runs.coverage.wanted_pairs() {
        println!("wanted | {fault} | {step} | {times}");
    }
    for (fault, step, times) in runs.coverage.pairs().filter(|(_, _, times)| *times > 0) {
        println!("pair | {fault} | {step} | {times}");
    }
    runs.assert_all_held();
}

#[test]
fn a_world_made_smaller_still_fails_the_same_sentence() {
    use crate::planted::{Fault, plant};

    plant(Some(Fault::SweepTouchesLeased));
    let failure = (0..1000).find_map(|seed| run(seed).err()).unwrap();
    let small = shrink(&failure, 200);
    let again = run_scenario(&small.scenario).unwrap_err();
    plant(None);
    assert_eq!(again.invariant, failure.invariant);
    assert!(small.scenario.size() < failure.scenario.size(), "{:?}", small.scenario);
}
