//! Writing outcomes down.

use crate::dispatch::{Command, DispatchInput};
use crate::id::Version;
use crate::machine::Gate;
use crate::store::ApplyOutcome::{Applied, Missing, Stale};

use super::fixture::*;

#[test]
fn what_ends_while_an_apply_runs_goes_out_with_the_next_together() {
    let rows = [row(1, "a"), row(2, "a"), row(3, "b")];
    let mut d = sending(&rows);
    let first = [delivered(&rows[0], 5, 1)];
    assert_eq!(d.handle(t(1), succeeded(1, 1)), vec![apply(&first)]);
    assert_eq!(d.handle(t(2), succeeded(2, 2)), vec![]);
    assert_eq!(d.handle(t(3), succeeded(3, 3)), vec![]);
    let others = [delivered(&rows[1], 6, 2), delivered(&rows[2], 7, 3)];
    assert_eq!(d.handle(t(4), applied(1)), vec![settled(&first, &[Applied]), apply(&others)]);
}

#[test]
fn what_ends_in_one_turn_is_written_in_one_apply() {
    let rows = [row(1, "a"), row(2, "a")];
    let mut d = sending(&rows);
    let both = [delivered(&rows[0], 4, 1), delivered(&rows[1], 5, 1)];
    assert_eq!(d.handle_all(t(1), [succeeded(1, 1), succeeded(2, 1)]), vec![apply(&both)]);
}

#[test]
fn an_apply_that_failed_is_repeated_with_the_very_same_changes_and_no_others() {
    let rows = [row(1, "a"), row(2, "a")];
    let mut d = sending(&rows);
    let first = [delivered(&rows[0], 4, 1)];
    d.handle(t(1), succeeded(1, 1));
    assert_eq!(d.handle(t(2), DispatchInput::ApplyFailed), vec![]);
    assert_eq!(d.handle(t(3), succeeded(2, 3)), vec![]);
    assert_eq!(d.handle(t(102), DispatchInput::Tick), vec![apply(&first)]);
    let second = [delivered(&rows[1], 5, 3)];
    assert_eq!(d.handle(t(103), applied(1)), vec![settled(&first, &[Applied]), apply(&second)]);
}

#[test]
fn stale_and_missing_outcomes_are_reported_and_schedule_nothing() {
    let rows = [row(1, "a"), row(2, "a")];
    let mut d = sending(&rows);
    d.handle_all(t(1), [failed(1, 1), failed(2, 1)]);
    d.handle(t(2), open(&["a"]));
    let written = [failure(&rows[0], 4, 2, 1, Gate::Open), failure(&rows[1], 5, 2, 1, Gate::Open)];
    let outcomes = [Stale { current: Version::new(9) }, Missing];
    assert_eq!(d.handle(t(3), DispatchInput::Applied(outcomes.to_vec())), vec![settled(&written, &outcomes)]);
    assert!(d.holds_nothing());
    assert_eq!(d.next_wake(t(3)), Some(t(30_000)));
}

#[test]
fn a_retry_that_is_written_is_the_next_wake_up() {
    let mut d = sending(&[row(1, "a")]);
    d.config.idle_claim = std::time::Duration::from_secs(86_400);
    d.handle(t(1), failed(1, 1));
    d.handle(t(2), open(&["a"]));
    d.handle(t(3), applied(1));
    assert_eq!(d.next_wake(t(3)), Some(t(300_001)));
    assert_eq!(d.handle(t(300_001), DispatchInput::Tick), vec![claim(t(300_001), draw(4), 256, 8, &[])]);
}

#[test]
fn a_retry_written_while_a_claim_runs_is_not_forgotten_at_its_answer() {
    let mut d = sending(&[row(1, "a")]);
    d.config.idle_claim = std::time::Duration::from_secs(86_400);
    d.handle(t(1), failed(1, 1));
    d.handle(t(2), open(&["a"]));
    d.handle(t(3), DispatchInput::Wake);
    d.handle(t(4), applied(1));
    assert_eq!(d.handle(t(5), batch(&[], None)), vec![]);
    assert_eq!(d.next_wake(t(5)), Some(t(300_001)));
}

/// The row may be claimed again from the end of its lease on, which would make its outcome stale and send it twice.
#[test]
fn no_claim_is_asked_while_an_outcome_waits_whose_lease_is_over() {
    let mut d = sending(&[row(1, "a")]);
    let written = [delivered(&row(1, "a"), 3, 1)];
    assert_eq!(d.handle(t(1), succeeded(1, 1)), vec![apply(&written)]);
    assert_eq!(d.handle(t(2), DispatchInput::ApplyFailed), vec![]);
    assert_eq!(d.handle(t(LEASE), DispatchInput::Wake), vec![apply(&written)]);
    assert_eq!(d.next_wake(t(LEASE)), None, "the answer is the wake-up");
    assert_eq!(
        d.handle(t(LEASE + 1), applied(1)),
        vec![settled(&written, &[Applied]), claim(t(LEASE + 1), draw(4), 256, 8, &[])]
    );
}

#[test]
fn the_first_lease_of_a_batch_to_end_holds_the_claim_up() {
    let rows = [row(1, "a"), leased(2, "a", draw(1), t(90_000))];
    let mut d = sending(&rows);
    let written = [delivered(&rows[0], 4, 1), delivered(&rows[1], 5, 1)];
    d.handle_all(t(1), [succeeded(1, 1), succeeded(2, 1)]);
    d.handle(t(2), DispatchInput::ApplyFailed);
    assert_eq!(d.handle(t(LEASE), DispatchInput::Wake), vec![apply(&written)]);
}

#[test]
fn claims_go_on_while_an_outcome_waits_whose_lease_lasts() {
    let mut d = sending(&[row(1, "a")]);
    let written = [delivered(&row(1, "a"), 3, 1)];
    assert_eq!(
        d.handle_all(t(1), [succeeded(1, 1), DispatchInput::Wake]),
        vec![apply(&written), claim(t(1), draw(4), 256, 8, &[])]
    );
}

#[test]
fn an_answer_or_a_failure_that_nobody_asked_for_loses_nothing() {
    let mut d = sending(&[row(1, "a")]);
    let written = [delivered(&row(1, "a"), 3, 1)];
    d.handle(t(1), succeeded(1, 1));
    d.handle(t(2), DispatchInput::ApplyFailed);
    for stray in [DispatchInput::ApplyFailed, applied(1), DispatchInput::Endpoints(vec![])] {
        assert_eq!(d.handle(t(2), stray), vec![]);
    }
    assert_eq!(d.handle(t(20_000), DispatchInput::Tick), vec![apply(&written)]);
}

#[test]
fn a_claim_s_failure_that_comes_twice_does_not_lose_the_claim() {
    let mut d = with_slots(256, 8);
    let first = d.handle(t(0), DispatchInput::Tick)[0].clone();
    d.handle(t(1), DispatchInput::ClaimFailed);
    d.handle(t(2), DispatchInput::ClaimFailed);
    assert_eq!(d.handle(t(20_000), DispatchInput::Tick), vec![first]);
}

#[test]
fn ticks_while_everything_is_under_way_repeat_nothing() {
    let mut d = sending(&[row(1, "a")]);
    d.handle_all(t(1), [succeeded(1, 1), DispatchInput::Wake]);
    for at in 2..50 {
        assert_eq!(d.handle(t(at), DispatchInput::Tick), Vec::<Command>::new());
    }
}
