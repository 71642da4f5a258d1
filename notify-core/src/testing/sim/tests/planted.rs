//! Each planted fault is found, and by which sentence.

use crate::planted::{Fault, plant};
use crate::testing::sim::{Failure, run};

use super::number;

fn run_with(fault: Fault, seed: u64) -> Option<Box<Failure>> {
    plant(Some(fault));
    let found = run(seed).err();
    plant(None);
    found
}

#[test]
fn every_planted_fault_is_found_by_its_recorded_seed() {
    assert_eq!(RECORDED.len(), Fault::ALL.len());
    for (fault, seed, invariant) in RECORDED {
        let found = run_with(*fault, *seed).map(|failure| failure.invariant);
        assert_eq!(found, Some(*invariant), "{fault:?} with seed {seed}");
    }
}

#[test]
fn fresh_seeds_find_most_planted_faults_too() {
    let mut found = 0;
    for fault in Fault::ALL {
        let seeds = (20_000..20_010).filter(|seed| run_with(*fault, *seed).is_some()).count();
        println!("{fault:?}: found by {seeds} of 10 fresh seeds");
        found += usize::from(seeds > 0);
    }
    assert!(found > Fault::ALL.len() / 2, "{found} of {}", Fault::ALL.len());
}

#[test]
fn the_table_of_planted_faults_is_in_the_documentation() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulation.md");
    let text = std::fs::read_to_string(path).unwrap();
    for (fault, seed, invariant) in RECORDED {
        let line = format!("| {} | {seed} | {invariant} |", fault.sentence().trim());
        println!("{line}");
        assert!(text.contains(&line), "docs/simulation.md lacks: {line}");
    }
}

/// `SIM_PLANTED=1000` looks for the first seed below it that finds each, and prints the lines of `recorded.rs`.
#[test]
fn every_planted_fault_is_found_within_the_seeds_that_the_environment_allows() {
    let Some(seeds) = number("SIM_PLANTED") else { return };
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        match (0..seeds).find_map(|seed| run_with(*fault, seed)) {
            Some(failure) => println!("    (Fault::{fault:?}, {}, {:?}),", failure.seed, failure.invariant),
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "not found within {seeds} seeds: {missed:?}");
}

/// Which seed finds it first, and the sentence that is then false.
const RECORDED: &[(Fault, u64, &str)] = &[
    (Fault::DelayFromStart, 0, "schedule"),
    (Fault::OffByOne, 0, "schedule"),
    (Fault::OneTooMany, 0, "schedule"),
    (Fault::LossBurnsRetry, 0, "bound"),
    (Fault::FailureNotCounted, 0, "bound"),
    (Fault::LossNotLogged, 0, "log complete and true"),
    (Fault::DisabledForgotten, 3, "none after delete or disable"),
    (Fault::InterruptionBurnsRetry, 3, "bound"),
    (Fault::NeverGivesUp, 29, "bound"),
    (Fault::LossWaitSkipped, 22, "schedule"),
    (Fault::SuccessSentAgain, 0, "log complete and true"),
    (Fault::VersionNotRaised, 0, "legal transitions"),
    (Fault::NumbersBeginAgain, 0, "log complete and true"),
    (Fault::EverySuccess, 0, "log complete and true"),
    (Fault::JitterDown, 0, "schedule"),
    (Fault::OldSecretSigns, 2, "same bytes and a valid signature"),
    (Fault::WrongSecond, 0, "same bytes and a valid signature"),
    (Fault::BornDue, 3, "none after delete or disable"),
    (Fault::FilterIgnored, 1, "conservation"),
    (Fault::IdWithoutEndpoint, 0, "conservation"),
    (Fault::NoTokenCheck, 167, "fencing"),
    (Fault::NoFence, 7, "fencing"),
    (Fault::ClaimNotRepeatable, 3, "exclusive lease"),
    (Fault::ClaimedEarly, 0, "schedule"),
    (Fault::FreeIgnored, 1, "caps"),
    (Fault::Starves, 0, "fairness"),
    (Fault::LeaseEndForgotten, 29, "liveness without a busy loop"),
    (Fault::LogForgotten, 0, "log complete and true"),
    (Fault::RemovedFromNoQueue, 3, "legal transitions"),
    (Fault::RetentionTooEarly, 0, "retention"),
    (Fault::ConflictForgotten, 1, "idempotency"),
    (Fault::SweepTouchesLeased, 3, "legal transitions"),
    (Fault::LossNotCounted, 0, "legal transitions"),
    (Fault::WakeUpLost, 448, "schedule"),
    (Fault::SendsTooLate, 14, "schedule"),
    (Fault::SlotKept, 0, "conservation"),
    (Fault::EndpointCached, 247, "none after delete or disable"),
    (Fault::ApplyNotRepeated, 3, "nothing after stop"),
    (Fault::ClaimTokenRenewed, 3, "nothing after stop"),
    (Fault::DoubtForgotten, 7, "nothing after stop"),
    (Fault::SoloForgotten, 22, "caps"),
    (Fault::BufferUnbounded, 127, "memory bounded"),
    (Fault::HandBackForgotten, 18, "nothing after stop"),
    (Fault::ClaimsWhileStopping, 3, "nothing after stop"),
    (Fault::NoBackoff, 152, "liveness without a busy loop"),
    (Fault::ClockGoesBack, 6, "clock jumps harmless"),
    (Fault::NeverCorrected, 7, "clock jumps harmless"),
    (Fault::NeverSlowed, 7, "clock jumps harmless"),
    (Fault::TurnKept, 0, "fairness"),
    (Fault::OwnScheduleIgnored, 2, "schedule"),
    (Fault::TimeoutNotCut, 39, "liveness without a busy loop"),
    (Fault::PlaceKept, 1, "nothing after stop"),
    (Fault::DoubtKeepsPlace, 7, "nothing after stop"),
    (Fault::NoFreshBudget, 2, "schedule"),
    (Fault::KeyForgotten, 5, "idempotency"),
    (Fault::HeldNotCancelled, 57, "conservation"),
    (Fault::SentBackIsLogged, 1, "no secret outside its place"),
];
