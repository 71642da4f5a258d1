//! What people read after a run.

use notify_core::testing::kit::{self, CaseResult};

use crate::memory::Memory;

#[test]
fn the_report_names_each_rule_and_case_and_what_the_store_does_not_offer() {
    let report = kit::report(&Memory);
    let text = report.to_string();
    println!("{text}");
    assert!(report.is_green());
    for case in kit::cases() {
        assert!(text.contains(&format!("{}::{}", case.group(), case.name())), "{} is missing", case.name());
        assert!(text.contains(&format!("{}  {}", case.rule(), case.sentence())), "{} is missing", case.sentence());
    }
    let missing = report.results().iter().filter(|(_, result)| matches!(result, CaseResult::NotOffered { .. }));
    let tail = format!("{} passed, 0 failed, {} not offered, 0 skipped", passed(&report), missing.count());
    assert!(text.contains(&tail), "{text}");
}

fn passed(report: &kit::Report) -> usize {
    report.results().iter().filter(|(_, result)| *result == CaseResult::Passed).count()
}

#[test]
fn no_two_cases_of_a_group_have_one_name() {
    let mut names: Vec<_> = kit::cases().iter().map(|case| (case.group(), case.name())).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
