//! A claim for each freed slot would cost more than the attempts: claims gather slots for a moment.

use super::fixture::{apply, batch, claim, delivered, draw, ep, open, row, sending, succeeded, t, with_slots};
use crate::dispatch::{Command, DispatchInput};

/// Four slots, all taken by the endpoint `a`, which may have more.
fn full() -> crate::dispatch::Dispatcher {
    let mut d = with_slots(4, 4);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[row(1, "a"), row(2, "a"), row(3, "a"), row(4, "a")], Some(t(0))));
    d.handle(t(0), open(&["a"]));
    d
}

#[test]
fn one_freed_slot_of_four_waits_for_others_and_a_timer_ends_the_wait() {
    let mut d = full();
    assert_eq!(d.handle(t(1), succeeded(1, 1)), vec![apply(&[delivered(&row(1, "a"), 6, 1)])]);
    assert_eq!(d.next_wake(t(1)), Some(t(2)));
    assert_eq!(d.handle(t(2), DispatchInput::Tick), vec![claim(t(2), draw(7), 1, 4, &[("a", 1)])]);
}

#[test]
fn half_of_the_slots_are_worth_a_claim_at_once() {
    let mut d = full();
    d.handle(t(1), succeeded(1, 1));
    assert_eq!(d.handle(t(1), succeeded(2, 1)), vec![claim(t(1), draw(8), 2, 4, &[("a", 2)])]);
}

#[test]
fn what_is_stored_for_a_full_endpoint_wakes_nobody_until_a_slot_comes_free() {
    let mut d = with_slots(256, 1);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[row(1, "a")], None));
    d.handle(t(0), open(&["a"]));
    assert_eq!(d.handle(t(1), DispatchInput::StoredDue(vec![ep("a")])), Vec::<Command>::new());
    let written = apply(&[delivered(&row(1, "a"), 3, 9)]);
    assert_eq!(d.handle(t(9), succeeded(1, 9)), vec![written, claim(t(9), draw(4), 256, 1, &[])]);
}

#[test]
fn what_is_stored_for_an_endpoint_with_a_free_slot_is_claimed_at_once() {
    let mut d = sending(&[row(1, "a")]);
    assert_eq!(
        d.handle(t(1), DispatchInput::StoredDue(vec![ep("a")])),
        vec![claim(t(1), draw(3), 255, 8, &[("a", 7)])]
    );
}
