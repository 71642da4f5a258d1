//! The driver's worlds find what is planted where the driver is: a layer that finds nothing may be blind.

use std::panic::catch_unwind;

use crate::planted::{Fault, plant};

use super::{Sum, drawn, run_one};

/// What is planted, and a world in which it is found.
const FOUND: &[(Fault, u64)] = &[
    (Fault::DelayFromStart, 1),
    (Fault::OffByOne, 1),
    (Fault::OneTooMany, 1),
    (Fault::LossBurnsRetry, 8),
    (Fault::FailureNotCounted, 1),
    (Fault::LossNotLogged, 8),
    (Fault::InterruptionBurnsRetry, 3),
    (Fault::NumbersBeginAgain, 1),
    (Fault::JitterDown, 1),
    (Fault::IdWithoutEndpoint, 1),
    (Fault::ClaimedEarly, 1),
    (Fault::LogForgotten, 1),
    (Fault::SweepTouchesLeased, 8),
    (Fault::LossNotCounted, 8),
    (Fault::SlotKept, 1),
    (Fault::OwnScheduleIgnored, 2),
    (Fault::NoFreshBudget, 7),
];

#[test]
fn the_real_driver_s_worlds_find_planted_faults_too() {
    for (fault, seed) in FOUND {
        let scenario = drawn(*seed).expect("it is short enough for the driver");
        plant(Some(*fault));
        let found = catch_unwind(|| run_one(scenario, &mut Sum::default())).is_err();
        plant(None);
        assert!(found, "{fault:?} is not found in the world of seed {seed}");
    }
}
