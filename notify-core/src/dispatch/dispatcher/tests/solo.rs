//! A delivery that lost three leases goes alone: it may be the payload that kills the process.

use std::slice::from_ref;

use crate::dispatch::DispatchInput;
use crate::store::ApplyOutcome::Applied;

use super::fixture::*;

#[test]
fn it_is_sent_first_and_the_others_wait_for_its_end() {
    let rows = [row(1, "a"), solo(2, "b"), row(3, "c")];
    let mut d = holding(&rows);
    assert_eq!(d.handle(t(1), open(&["a", "b", "c"])), vec![send(&rows[1])]);
    let written = apply(&[delivered(&rows[1], 5, 9)]);
    assert_eq!(d.handle(t(9), succeeded(2, 9)), vec![send(&rows[0]), send(&rows[2]), written]);
}

#[test]
fn it_waits_for_the_attempts_that_run_and_nothing_starts_meanwhile() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(1), DispatchInput::Wake);
    let (alone, after) = (solo(2, "b"), leased(3, "c", draw(3), t(LEASE)));
    d.handle(t(2), batch(&[alone.clone(), after], None));
    assert_eq!(d.handle(t(3), open(&["b", "c"])), vec![]);
    let written = apply(&[delivered(&row(1, "a"), 6, 4)]);
    assert_eq!(d.handle(t(4), succeeded(1, 4)), vec![send(&alone), written]);
}

#[test]
fn nothing_is_claimed_while_it_waits_or_runs() {
    let mut d = holding(&[solo(1, "a")]);
    d.handle(t(1), open(&["a"]));
    assert_eq!(d.handle(t(2), DispatchInput::Wake), vec![]);
    assert_eq!(d.next_wake(t(2)), None);
    assert!(d.reserve(t(2), &ep("b")).is_none());
    let written = apply(&[delivered(&solo(1, "a"), 3, 3)]);
    assert_eq!(d.handle(t(3), succeeded(1, 3)), vec![written, claim(t(3), draw(4), 256, 8, &[])]);
}

#[test]
fn two_of_them_go_one_after_the_other() {
    let rows = [solo(1, "a"), solo(2, "b")];
    let mut d = holding(&rows);
    assert_eq!(d.handle(t(1), open(&["a", "b"])), vec![send(&rows[0])]);
    assert_eq!(d.handle(t(9), succeeded(1, 9))[0], send(&rows[1]));
}

/// Else a busy engine would hand it back for ever: each time it is claimed, others would be in flight.
#[test]
fn after_it_had_to_be_handed_back_everything_ends_before_the_next_claim() {
    let mut d = sending(&[row(1, "a"), row(2, "a")]);
    d.handle(t(1), DispatchInput::Wake);
    let alone = solo(3, "b");
    d.handle(t(2), batch(from_ref(&alone), None));
    d.handle(t(3), open(&["b"]));
    let back = [delivered(&row(1, "a"), 6, 20_000), handed_back(&alone, 7, 20_000)];
    assert_eq!(d.handle(t(20_000), succeeded(1, 20_000)), vec![apply(&back)]);
    assert_eq!(d.handle(t(20_001), applied(2)), vec![settled(&back, &[Applied, Applied])], "another still runs");
    let last = [delivered(&row(2, "a"), 8, 29_000)];
    assert_eq!(d.handle(t(29_000), succeeded(2, 29_000)), vec![apply(&last)], "it is not written yet");
    assert_eq!(
        d.handle(t(29_001), applied(1)),
        vec![settled(&last, &[Applied]), claim(t(29_001), draw(9), 256, 8, &[])]
    );
}

#[test]
fn one_that_cannot_be_sent_any_more_does_not_hold_the_others_up() {
    let rows = [solo(1, "a"), leased(2, "b", draw(1), t(90_000))];
    let mut d = holding(&rows);
    assert_eq!(
        d.handle(t(20_000), open(&["a", "b"])),
        vec![send(&rows[1]), apply(&[handed_back(&rows[0], 4, 20_000)])]
    );
}
