//! Stores that are wrong in one way each: the kit rejects every one, by the cases that name its fault, and by no other.

use notify_core::testing::kit::{self, CaseResult};

use crate::faults::{Fault, WRONG};
use crate::plain::Plain;

#[test]
fn the_plain_store_without_a_fault_passes_every_case() {
    assert_eq!(failing(Plain(None)), [""; 0]);
}

/// Holds a wrong store against the cases that are to find it.
pub(crate) fn is_rejected(fault: Fault) {
    let (_, text, expected) = WRONG.iter().find(|(wrong, ..)| *wrong == fault).expect("it is in the table");
    let found = failing(Plain(Some(fault)));
    let missed = expected.iter().filter(|case| !case.starts_with('~') && !found.iter().any(|failed| failed == *case));
    let missed: Vec<_> = missed.collect();
    let beyond = found.iter().filter(|failed| !expected.iter().any(|case| case.trim_start_matches('~') == *failed));
    let beyond: Vec<_> = beyond.collect();
    assert!(missed.is_empty() && beyond.is_empty(), "a store that {text} passes {missed:#?} and fails {beyond:#?} too");
}

/// The cases that fail, sorted.
fn failing(fixture: Plain) -> Vec<String> {
    let report = kit::report(&fixture);
    let failed = report.results().iter().filter(|(_, result)| matches!(result, CaseResult::Failed(_)));
    let mut names: Vec<String> = failed.map(|(case, _)| format!("{}::{}", case.group(), case.name())).collect();
    names.sort_unstable();
    names
}
