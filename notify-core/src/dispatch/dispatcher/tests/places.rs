//! A place while it is stored, a slot while it is sent: the next deliveries are stored while the ones before are sent.

use crate::dispatch::{Command, DispatchInput, Dispatcher};
use crate::store::Claimed;

use super::fixture::*;

/// One slot and one place; delivery 1 is being sent, delivery 2 is handed over and waits.
fn one_sent_one_parked() -> (Dispatcher, Claimed, Claimed) {
    let mut d = idle_with_slots(1, 1);
    let first = reserved(&mut d, 1);
    assert_eq!(d.handle(t(1), DispatchInput::Handed(vec![first.clone()])), vec![read(&["a"])]);
    d.handle(t(1), open(&["a"]));
    let second = reserved(&mut d, 2);
    assert_eq!(d.handle(t(2), DispatchInput::Handed(vec![second.clone()])), Vec::<Command>::new());
    (d, first, second)
}

fn reserved(d: &mut Dispatcher, n: u8) -> Claimed {
    let reservation = d.reserve(t(1), &ep("a")).unwrap();
    handed(n, "a", reservation.token, reservation.until)
}

#[test]
fn a_delivery_is_stored_while_the_one_before_is_sent_and_a_third_is_refused() {
    let (mut d, ..) = one_sent_one_parked();
    assert_eq!((d.slots.free(), d.places.free()), (0, 0));
    assert!(d.reserve(t(3), &ep("a")).is_none());
}

/// Waiting helps where places are all taken, not where older deliveries come first or nothing is taken at all.
#[test]
fn an_engine_is_crowded_only_while_places_are_all_that_lacks() {
    let (mut d, ..) = one_sent_one_parked();
    assert!(d.is_crowded(t(3), &ep("a")));
    d.handle(t(3), DispatchInput::StoredDue(eps(&["a"])));
    assert!(!d.is_crowded(t(3), &ep("a")), "an older delivery waits");
    let mut d = idle_with_slots(1, 1);
    assert!(!d.is_crowded(t(3), &ep("a")), "there is a place");
    d.handle(t(3), DispatchInput::Stop { grace: std::time::Duration::from_secs(25) });
    assert!(!d.is_crowded(t(3), &ep("a")), "it stops");
}

#[test]
fn a_freed_slot_goes_to_what_waits_in_memory_and_its_place_is_free_again() {
    let (mut d, first, second) = one_sent_one_parked();
    let written = apply(&[delivered(&first, 5, 5)]);
    assert_eq!(d.handle(t(5), succeeded(1, 5)), vec![written, read(&["a"])]);
    assert_eq!((d.slots.free(), d.places.free()), (0, 1));
    assert_eq!(d.handle(t(6), open(&["a"])), vec![send(&second)]);
}

/// A lease of 50 s leaves an attempt of 30 s and its margin of 10 s another 10 s.
#[test]
fn what_waited_too_long_for_its_lease_is_handed_back() {
    let (mut d, _, second) = one_sent_one_parked();
    assert_eq!(d.next_wake(t(3)), Some(t(10_002)));
    assert_eq!(d.handle(t(10_001), DispatchInput::Tick), Vec::<Command>::new());
    assert_eq!(d.handle(t(10_002), DispatchInput::Tick), vec![apply(&[handed_back(&second, 5, 10_002)])]);
    assert_eq!(d.places.free(), 1);
}

#[test]
fn a_claim_that_runs_keeps_the_slots_it_was_asked_for() {
    let mut d = idle_with_slots(1, 1);
    let parked = reserved(&mut d, 1);
    assert_eq!(d.handle(t(1), DispatchInput::Wake), vec![claim(t(1), draw(3), 1, 1, &[])]);
    assert_eq!(d.handle(t(2), DispatchInput::Handed(vec![parked.clone()])), Vec::<Command>::new());
    assert_eq!(d.handle(t(3), batch(&[], None)), vec![read(&["a"])]);
    assert_eq!(d.handle(t(4), open(&["a"])), vec![send(&parked)]);
}

#[test]
fn a_stop_hands_back_what_waits_for_a_slot() {
    let (mut d, _, second) = one_sent_one_parked();
    let stop = DispatchInput::Stop { grace: std::time::Duration::from_secs(25) };
    assert_eq!(d.handle(t(3), stop), vec![apply(&[handed_back(&second, 5, 3)])]);
    assert_eq!(d.places.free(), 1);
}
