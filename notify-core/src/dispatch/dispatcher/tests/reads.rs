//! Endpoints are read between a claim and an attempt, and again after a failure.

use std::slice::from_ref;

use crate::dispatch::{Command, DispatchInput, Dispatcher};
use crate::machine::{Gate, Input};
use crate::store::ApplyOutcome;
use crate::time::Timestamp;

use super::fixture::*;

/// The driver says that an endpoint was written, and turns.
fn changed(d: &mut Dispatcher, now: Timestamp, endpoint: &str) -> Vec<Command> {
    d.endpoint_changed(ep(endpoint));
    d.handle(now, DispatchInput::Tick)
}

#[test]
fn the_endpoints_of_a_claim_are_read_together_each_once() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    let rows = [row(1, "b"), row(2, "a"), row(3, "b")];
    assert_eq!(d.handle(t(1), batch(&rows, None)), vec![read(&["a", "b"])]);
}

#[test]
fn one_read_runs_at_a_time_and_the_next_takes_what_gathered() {
    let mut d = holding(&[row(1, "a")]);
    d.handle(t(1), DispatchInput::Wake);
    let (second, third) = (leased(2, "b", draw(2), t(LEASE)), leased(3, "c", draw(2), t(LEASE)));
    assert_eq!(d.handle(t(2), batch(&[second, third], None)), vec![]);
    assert_eq!(d.handle(t(3), open(&["a"])), vec![send(&row(1, "a")), read(&["b", "c"])]);
}

#[test]
fn an_open_endpoint_s_deliveries_are_sent_in_the_order_of_the_claim() {
    let mut d = holding(&[row(1, "a"), row(2, "b")]);
    assert_eq!(d.handle(t(1), open(&["a", "b"])), vec![send(&row(1, "a")), send(&row(2, "b"))]);
}

#[test]
fn a_disabled_endpoint_s_delivery_is_held_without_an_attempt_and_frees_its_slot() {
    let mut d = holding(&[row(1, "a")]);
    let held = change(&row(1, "a"), 2, 1, Input::Start(Gate::Disabled));
    assert_eq!(d.handle(t(1), disabled("a")), vec![apply(&[held])]);
    assert_eq!(d.slots.free(), 256);
}

#[test]
fn a_deleted_endpoint_s_delivery_is_cancelled_without_an_attempt_and_frees_its_slot() {
    let mut d = holding(&[row(1, "a")]);
    let cancelled = change(&row(1, "a"), 2, 1, Input::Start(Gate::Gone));
    assert_eq!(d.handle(t(1), gone("a")), vec![apply(&[cancelled])]);
    assert_eq!(d.slots.free(), 256);
}

#[test]
fn an_endpoint_that_the_answer_leaves_out_counts_as_deleted() {
    let mut d = holding(&[row(1, "a")]);
    let cancelled = change(&row(1, "a"), 2, 1, Input::Start(Gate::Gone));
    assert_eq!(d.handle(t(1), DispatchInput::Endpoints(vec![])), vec![apply(&[cancelled])]);
}

#[test]
fn an_endpoint_written_while_it_is_read_is_read_again_before_anything_is_sent() {
    let mut d = holding(&[row(1, "a"), row(2, "b")]);
    assert_eq!(changed(&mut d, t(1), "a"), vec![]);
    assert_eq!(d.handle(t(2), open(&["a", "b"])), vec![send(&row(2, "b")), read(&["a"])]);
    assert_eq!(d.handle(t(3), open(&["a"])), vec![send(&row(1, "a"))]);
}

#[test]
fn a_write_before_the_read_was_asked_does_not_repeat_it() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    changed(&mut d, t(1), "a");
    d.handle(t(2), batch(&[row(1, "a")], None));
    assert_eq!(d.handle(t(3), open(&["a"])), vec![send(&row(1, "a"))]);
}

#[test]
fn an_endpoint_written_while_its_delivery_waits_to_be_sent_is_read_again() {
    let mut d = sending(&[solo(1, "a")]);
    let waiting = handed(2, "b", draw(9), t(LEASE));
    d.reserved += 1;
    d.places.take(&ep("b"));
    assert_eq!(d.handle(t(2), DispatchInput::Handed(vec![waiting.clone()])), vec![read(&["b"])]);
    assert_eq!(d.handle(t(3), open(&["b"])), vec![], "it waits: the other one goes alone");
    assert_eq!(changed(&mut d, t(4), "b"), vec![read(&["b"])]);
    let held = change(&waiting, 4, 5, Input::Start(Gate::Disabled));
    assert_eq!(d.handle(t(5), disabled("b")), vec![apply(&[held])]);
}

/// Each directory error once lost as many slots as it had rows.
#[test]
fn a_directory_error_hands_the_rows_back_and_frees_their_slots() {
    let mut d = holding(&[row(1, "a"), row(2, "b")]);
    let back = [handed_back(&row(1, "a"), 2, 1), handed_back(&row(2, "b"), 3, 1)];
    assert_eq!(d.handle(t(1), DispatchInput::EndpointsFailed), vec![apply(&back)]);
    assert_eq!(d.slots.free(), 256);
}

#[test]
fn a_failed_attempt_frees_its_slot_and_has_its_endpoint_read_before_it_is_written_down() {
    let mut d = sending(&[row(1, "a")]);
    assert_eq!(d.handle(t(400), failed(1, 400)), vec![read(&["a"])]);
    assert_eq!(d.slots.free(), 256);
    let retry = failure(&row(1, "a"), 3, 401, 400, Gate::Open);
    assert_eq!(retry.next().ready_at, Some(t(300_400)));
    assert_eq!(d.handle(t(401), open(&["a"])), vec![apply(&[retry])]);
}

#[test]
fn a_failure_at_an_endpoint_disabled_meanwhile_is_held() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(400), failed(1, 400));
    let held = failure(&row(1, "a"), 3, 401, 400, Gate::Disabled);
    assert_eq!(d.handle(t(401), disabled("a")), vec![apply(&[held])]);
}

#[test]
fn a_failure_at_an_endpoint_deleted_meanwhile_is_cancelled() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(400), failed(1, 400));
    let cancelled = failure(&row(1, "a"), 3, 401, 400, Gate::Gone);
    assert_eq!(d.handle(t(401), gone("a")), vec![apply(&[cancelled])]);
}

#[test]
fn a_failure_whose_endpoint_cannot_be_read_is_settled_and_checked_at_its_next_claim() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(400), failed(1, 400));
    let retry = failure(&row(1, "a"), 3, 401, 400, Gate::Open);
    assert_eq!(d.handle(t(401), DispatchInput::EndpointsFailed), vec![apply(&[retry])]);
}

#[test]
fn a_success_is_written_down_without_another_read() {
    let mut d = sending(&[row(1, "a")]);
    assert_eq!(d.handle(t(400), succeeded(1, 400)), vec![apply(&[delivered(&row(1, "a"), 3, 400)])]);
}

/// The store may answer all the while: the pause after a directory error must grow nevertheless.
#[test]
fn directory_errors_in_a_row_double_the_pause_before_the_next_claim() {
    let mut d = holding(&[row(1, "a")]);
    let (mut now, mut draws) = (0, 1);
    let mut held = row(1, "a");
    for pause in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
        let back = [handed_back(&held, draws + 1, now)];
        assert_eq!(d.handle(t(now), DispatchInput::EndpointsFailed), vec![apply(&back)]);
        assert_eq!(d.handle(t(now), applied(1)), vec![settled(&back, &[ApplyOutcome::Applied])]);
        assert_eq!(d.next_wake(t(now)), Some(t(now + pause)), "pause {pause}");
        now += pause;
        draws += 2;
        d.poll_at = Some(t(now + 1));
        assert_eq!(d.handle(t(now), DispatchInput::Tick), vec![claim(t(now), draw(draws), 256, 8, &[])]);
        held = leased(1, "a", draw(draws), t(now + LEASE));
        assert_eq!(d.handle(t(now), batch(&[held.clone()], None)), vec![read(&["a"])]);
    }
    assert_eq!(d.handle(t(now), open(&["a"])), vec![send(&held)]);
}

#[test]
fn an_answer_of_the_directory_resets_its_pause() {
    let mut d = holding(&[row(1, "a"), row(2, "b")]);
    d.handle(t(0), DispatchInput::EndpointsFailed);
    d.handle(t(1), applied(2));
    d.handle(t(100), DispatchInput::Tick);
    let again = leased(1, "a", draw(4), t(LEASE));
    d.handle(t(100), batch(from_ref(&again), None));
    assert_eq!(d.handle(t(101), open(&["a"])), vec![send(&again)]);
    assert_eq!(d.handle(t(102), failed(1, 102)), vec![read(&["a"])]);
    d.handle(t(103), DispatchInput::EndpointsFailed);
    assert_eq!(d.directory.pause(t(103)), Some(t(203)));
}

/// Its outcome must not be lost because the clock jumped or the store was slow: we hold the later lease, too.
#[test]
fn a_delivery_claimed_again_during_its_attempt_is_not_sent_twice_and_is_settled_under_the_later_lease() {
    let mut d = sending(&[row(1, "a")]);
    assert_eq!(d.handle(t(60_000), DispatchInput::Tick)[0], claim(t(60_000), draw(3), 255, 8, &[("a", 7)]));
    let again = claimed_again(&row(1, "a"), draw(3), t(60_000 + LEASE));
    assert_eq!(d.handle(t(60_001), batch(from_ref(&again), None)), vec![]);
    assert_eq!(d.slots.free(), 255);
    assert_eq!(d.handle(t(60_002), succeeded(1, 60_002)), vec![apply(&[delivered(&again, 4, 60_002)])]);
    assert_eq!(d.slots.free(), 256);
}

#[test]
fn a_delivery_claimed_again_before_its_attempt_is_sent_once_under_the_later_lease() {
    let mut d = holding(&[row(1, "a")]);
    d.handle(t(60_000), DispatchInput::Tick);
    let again = claimed_again(&row(1, "a"), draw(2), t(60_000 + LEASE));
    assert_eq!(d.handle(t(60_001), batch(from_ref(&again), None)), vec![]);
    assert_eq!(d.handle(t(60_002), open(&["a"])), vec![send_number(&again, 2)]);
    assert_eq!(d.slots.free(), 255);
}

#[test]
fn a_delivery_claimed_again_while_it_waits_its_turn_is_read_again_and_sent_once() {
    let rows = [solo(1, "a"), row(2, "b")];
    let mut d = holding(&rows);
    d.handle(t(1), DispatchInput::Wake);
    assert_eq!(d.handle(t(2), open(&["a", "b"])), vec![send(&rows[0])]);
    let again = claimed_again(&rows[1], draw(2), t(60_000 + LEASE));
    assert_eq!(d.handle(t(60_001), batch(from_ref(&again), None)), vec![read(&["b"])]);
    assert_eq!(d.handle(t(60_002), open(&["b"])), vec![]);
    assert_eq!(d.handle(t(60_003), succeeded(1, 60_003))[0], send_number(&again, 2));
    assert_eq!(d.handle(t(60_004), DispatchInput::Tick), vec![]);
    assert_eq!((d.in_flight(), d.slots.free()), (1, 255));
}
