//! Store outages, the poll, and clocks that jump.

use std::slice::from_ref;
use std::time::Duration;

use crate::dispatch::{Command, DispatchInput};

use super::fixture::*;

#[test]
fn failures_in_a_row_double_the_pause_from_100_ms_to_5_s() {
    let mut d = with_slots(256, 8);
    let first = d.handle(t(0), DispatchInput::Tick)[0].clone();
    let mut now = 0;
    for pause in [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000] {
        assert_eq!(d.handle(t(now), DispatchInput::ClaimFailed), vec![]);
        assert_eq!(d.next_wake(t(now)), Some(t(now + pause)));
        assert_eq!(d.handle(t(now + pause - 1), DispatchInput::Wake), vec![]);
        now += pause;
        assert_eq!(d.handle(t(now), DispatchInput::Tick), vec![first.clone()]);
    }
}

/// Rounded up to the clock's millisecond it is longer than it says, and is no pause that a clock gone back ended.
#[test]
fn a_pause_of_a_fraction_of_a_millisecond_is_one() {
    let mut d = with_slots(256, 8);
    d.outage = crate::dispatch::outage::Outage::new((Duration::from_micros(10), Duration::from_micros(20)));
    d.handle(t(0), DispatchInput::Tick);
    assert_eq!(d.handle(t(0), DispatchInput::ClaimFailed), vec![]);
    assert_eq!(d.next_wake(t(0)), Some(t(1)));
}

#[test]
fn an_answer_of_the_store_resets_the_pause() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), DispatchInput::ClaimFailed);
    d.handle(t(100), DispatchInput::Tick);
    d.handle(t(100), DispatchInput::ClaimFailed);
    d.handle(t(300), DispatchInput::Tick);
    d.handle(t(301), batch(&[], None));
    d.handle(t(302), DispatchInput::Wake);
    d.handle(t(303), DispatchInput::ClaimFailed);
    assert_eq!(d.next_wake(t(303)), Some(t(403)));
}

#[test]
fn a_failure_in_the_ten_thousandth_round_still_waits_5_s() {
    let mut d = with_slots(256, 8);
    for _ in 0..10_000 {
        d.handle(t(0), DispatchInput::ClaimFailed);
    }
    assert_eq!(d.next_wake(t(0)), Some(t(5000)));
}

#[test]
fn during_the_pause_the_store_is_asked_nothing_at_all() {
    let mut d = sending(&[row(1, "a"), row(2, "b")]);
    d.handle(t(1), DispatchInput::Wake);
    d.handle(t(2), DispatchInput::ClaimFailed);
    for input in [succeeded(1, 3), failed(2, 3), DispatchInput::Wake, DispatchInput::NobodyWrote] {
        assert_eq!(d.handle(t(3), input), Vec::<Command>::new());
    }
}

#[test]
fn the_store_is_polled_every_one_and_a_half_seconds_one_poll_at_a_time() {
    let mut d = idle();
    assert_eq!(d.handle(t(1), DispatchInput::NobodyWrote), vec![]);
    assert_eq!(d.next_wake(t(1)), Some(t(1500)));
    assert_eq!(d.handle(t(1499), DispatchInput::Tick), vec![]);
    assert_eq!(d.handle(t(1500), DispatchInput::Tick), vec![Command::Poll]);
    assert_eq!(d.handle(t(5000), DispatchInput::Tick), vec![], "one at a time");
    assert_eq!(d.handle(t(5001), DispatchInput::NobodyWrote), vec![Command::Poll]);
}

#[test]
fn somebody_else_s_write_causes_a_claim() {
    let mut d = idle();
    assert_eq!(d.handle(t(1), DispatchInput::SomebodyWrote), vec![claim(t(1), draw(2), 256, 8, &[])]);
}

#[test]
fn a_clock_that_went_back_an_hour_claims_and_polls_at_once() {
    let hour = 3_600_000;
    let mut d = with_slots(256, 8);
    d.handle(t(hour), DispatchInput::Tick);
    d.handle_all(t(hour), [batch(&[], None), DispatchInput::NobodyWrote]);
    assert_eq!(d.handle(t(7), DispatchInput::Tick), vec![claim(t(7), draw(2), 256, 8, &[]), Command::Poll]);
}

#[test]
fn a_clock_that_went_back_an_hour_ends_the_pause_of_an_outage() {
    let hour = 3_600_000;
    let mut d = with_slots(256, 8);
    let first = d.handle(t(hour), DispatchInput::Tick)[0].clone();
    d.handle(t(hour), DispatchInput::ClaimFailed);
    assert_eq!(d.handle(t(0), DispatchInput::Tick), vec![first]);
}

#[test]
fn a_clock_that_jumped_a_day_ahead_hands_back_what_was_not_sent() {
    let day = 86_400_000;
    let mut d = holding(&[row(1, "a")]);
    d.handle(t(1), DispatchInput::Wake);
    assert_eq!(d.handle(t(day), open(&["a"])), vec![apply(&[handed_back(&row(1, "a"), 4, day)])]);
}

#[test]
fn the_end_of_the_calendar_is_no_special_case() {
    let mut d = with_slots(256, 8);
    let end = crate::Timestamp::MAX;
    d.handle(end, DispatchInput::Tick);
    let last = leased(1, "a", draw(1), end);
    d.handle(end, batch(from_ref(&last), None));
    assert_eq!(d.handle(end, open(&["a"])), vec![send(&last)]);
}
