//! The stop: hand back, wait, cut off, flush, report.

use std::slice::from_ref;

use crate::dispatch::{Command, DispatchInput, Doubt, StopReport};
use crate::store::ApplyOutcome::Applied;

use super::fixture::*;

#[test]
fn an_engine_that_holds_nothing_has_stopped_at_once() {
    let mut d = idle();
    assert_eq!(d.stopped(t(1)), None);
    assert_eq!(d.handle(t(1), stop(25)), vec![]);
    assert_eq!(d.stopped(t(1)), Some(StopReport::default()));
}

#[test]
fn what_was_claimed_but_not_sent_is_handed_back_and_what_runs_may_end() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(1), DispatchInput::Wake);
    let unsent = leased(2, "b", draw(3), t(LEASE));
    d.handle(t(2), batch(from_ref(&unsent), None));
    let back = [handed_back(&unsent, 4, 3)];
    assert_eq!(d.handle(t(3), stop(25)), vec![apply(&back)]);
    assert_eq!(d.handle(t(4), applied(1)), vec![settled(&back, &[Applied])]);
    assert_eq!(d.stopped(t(4)), None);
    let last = [delivered(&row(1, "a"), 5, 9)];
    assert_eq!(d.handle(t(9), succeeded(1, 9)), vec![apply(&last)]);
    assert_eq!(d.handle(t(10), applied(1)), vec![settled(&last, &[Applied])]);
    assert_eq!(d.stopped(t(10)), Some(StopReport { finished: 1, handed_back: 1, ..StopReport::default() }));
}

#[test]
fn nothing_is_claimed_or_polled_while_stopping() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(1), stop(25));
    for input in [DispatchInput::Wake, DispatchInput::SomebodyWrote, DispatchInput::StoredDue(eps(&["a"]))] {
        assert_eq!(d.handle(t(2000), input), Vec::<Command>::new());
    }
}

#[test]
fn the_answer_of_a_claim_that_ran_is_handed_back() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(1), stop(25));
    assert_eq!(d.stopped(t(1)), None, "it may have leased rows");
    let back = [handed_back(&row(1, "a"), 2, 2)];
    assert_eq!(d.handle(t(2), batch(&[row(1, "a")], Some(t(0)))), vec![apply(&back)]);
    d.handle(t(3), applied(1));
    assert_eq!(d.stopped(t(3)), Some(StopReport { handed_back: 1, ..StopReport::default() }));
}

#[test]
fn a_claim_that_failed_is_repeated_while_stopping_since_it_may_have_leased_rows() {
    let mut d = with_slots(256, 8);
    let first = d.handle(t(0), DispatchInput::Tick)[0].clone();
    d.handle(t(1), stop(25));
    d.handle(t(2), DispatchInput::ClaimFailed);
    assert_eq!(d.handle(t(102), DispatchInput::Tick), vec![first]);
    assert_eq!(d.handle(t(103), batch(&[], None)), vec![]);
    assert_eq!(d.stopped(t(103)), Some(StopReport::default()));
}

#[test]
fn attempts_still_running_a_fifth_before_the_end_are_cut_off_and_written_as_interrupted() {
    let rows = [row(1, "a"), row(2, "b")];
    let mut d = sending(&rows);
    d.handle(t(0), stop(25));
    assert_eq!(d.next_wake(t(0)), Some(t(20_000)));
    assert_eq!(d.handle(t(19_999), DispatchInput::Tick), vec![]);
    let cut = [interrupted(&rows[0], 4, 20_000), interrupted(&rows[1], 5, 20_000)];
    assert_eq!(d.handle(t(20_000), DispatchInput::Tick), vec![Command::AbortAll, apply(&cut)]);
    assert_eq!((d.in_flight(), d.slots.free()), (0, 256));
    d.handle(t(20_001), applied(2));
    assert_eq!(d.stopped(t(20_001)), Some(StopReport { interrupted: 2, ..StopReport::default() }));
}

#[test]
fn an_end_that_comes_after_the_cut_counts_no_more() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(0), stop(25));
    d.handle(t(20_000), DispatchInput::Tick);
    assert_eq!(d.handle(t(20_001), succeeded(1, 20_001)), vec![]);
}

#[test]
fn the_flush_takes_5_s_of_a_long_grace_period() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(0), stop(60));
    assert_eq!(d.next_wake(t(0)), Some(t(55_000)));
}

#[test]
fn a_stop_without_grace_cuts_everything_off_at_once_and_says_what_is_not_written() {
    let mut d = sending(&[row(1, "a")]);
    assert_eq!(d.handle(t(7), stop(0)), vec![Command::AbortAll, apply(&[interrupted(&row(1, "a"), 3, 7)])]);
    assert_eq!(d.stopped(t(7)), Some(StopReport { interrupted: 1, unsettled: 1, ..StopReport::default() }));
}

#[test]
fn a_store_that_stays_away_cannot_hold_the_stop_beyond_its_grace_period() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(0), stop(25));
    d.handle(t(1), succeeded(1, 1));
    let mut now = t(1);
    while d.stopped(now).is_none() {
        d.handle(now, DispatchInput::ApplyFailed);
        let next = d.next_wake(now).unwrap();
        assert!(next > now, "a stop must not spin");
        now = next;
        d.handle(now, DispatchInput::Tick);
    }
    assert_eq!(now, t(25_000));
    assert_eq!(d.stopped(now), Some(StopReport { finished: 1, unsettled: 1, ..StopReport::default() }));
}

#[test]
fn a_second_stop_does_not_prolong_the_first() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(0), stop(25));
    d.handle(t(10_000), stop(25));
    assert_eq!(d.next_wake(t(10_000)), Some(t(20_000)));
}

#[test]
fn a_failure_during_the_stop_still_has_its_endpoint_read() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(0), stop(25));
    assert_eq!(d.handle(t(1), failed(1, 1)), vec![read(&["a"])]);
    assert_eq!(d.stopped(t(1)), None);
    let retry = failure(&row(1, "a"), 3, 2, 1, crate::machine::Gate::Open);
    assert_eq!(d.handle(t(2), open(&["a"])), vec![apply(&[retry])]);
}

#[test]
fn a_reservation_is_waited_for_and_what_it_brings_is_handed_back() {
    let mut d = idle();
    let lease = d.reserve(t(0), &ep("a")).unwrap();
    d.handle(t(1), stop(25));
    assert_eq!(d.stopped(t(1)), None);
    let row = handed(1, "a", lease.token, lease.until);
    assert_eq!(d.handle(t(2), DispatchInput::Handed(vec![row.clone()])), vec![apply(&[handed_back(&row, 3, 2)])]);
    d.handle(t(3), applied(1));
    assert_eq!(d.stopped(t(3)), Some(StopReport { handed_back: 1, ..StopReport::default() }));
}

#[test]
fn a_doubt_is_cleared_up_before_the_stop_is_over() {
    let mut d = idle();
    let lease = d.reserve(t(0), &ep("a")).unwrap();
    d.handle(t(1), stop(25));
    let doubt = Doubt { endpoint: ep("a"), delivery: id(1), token: lease.token };
    assert_eq!(d.handle(t(2), DispatchInput::Doubtful(vec![doubt])), vec![Command::Load(vec![id(1)])]);
    let row = handed(1, "a", lease.token, lease.until);
    let back = [handed_back(&row, 3, 3)];
    assert_eq!(d.handle(t(3), DispatchInput::Loaded(vec![row.delivery])), vec![apply(&back)]);
    assert_eq!(d.stopped(t(3)), None);
    d.handle(t(4), applied(1));
    assert_eq!(d.stopped(t(4)), Some(StopReport { handed_back: 1, ..StopReport::default() }));
}

/// Else the stop would take the grace period and the hour.
#[test]
fn a_clock_that_goes_back_an_hour_during_the_stop_does_not_prolong_it() {
    let hour = 3_600_000;
    let mut d = idle();
    d.reserve(t(hour), &ep("a"));
    d.handle(t(hour), stop(25));
    assert_eq!(d.stopped(t(hour)), None);
    d.handle(t(1), DispatchInput::Tick);
    assert!(d.stopped(t(1)).is_some());
}
