//! The comparison with the model.

use std::panic::{AssertUnwindSafe, catch_unwind};

use notify_core::testing::kit;

use crate::faults::Fault;
use crate::plain::Plain;

#[test]
fn a_plain_store_answers_like_the_model() {
    kit::compare_with_model(&Plain(None), 1_000);
}

#[test]
fn the_comparison_finds_a_wrong_store_and_shows_few_calls_and_a_seed() {
    let wrong = [
        Fault::HoldForgetsTheDueTime,
        Fault::SweepsLeasedRows,
        Fault::SweepsWithoutAVersion,
        Fault::ReplacesWithoutComparing,
        Fault::LogsNoLostAttempts,
        Fault::ADuplicateAddsDeliveries,
    ];
    for fault in wrong {
        let compared = catch_unwind(AssertUnwindSafe(|| kit::compare_with_model(&Plain(Some(fault)), 2_000)));
        let panic = compared.expect_err(&format!("{fault:?} differs from the model"));
        let text = panic.downcast_ref::<String>().unwrap();
        println!("{fault:?}: {text}");
        let calls = text.split("shrunk:\n").nth(1).and_then(|rest| rest.split("\nagain: NOTIFY_SEED=").next()).unwrap();
        let calls = calls.lines().count();
        assert!(calls <= 6, "{fault:?} is shown with {calls} calls:\n{text}");
    }
}
