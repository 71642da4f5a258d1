//! Deliveries that a publisher stores under a lease of ours.

use std::time::Duration;

use crate::dispatch::{Command, DispatchInput, Dispatcher, Doubt, Reservation};
use crate::id::{ClaimToken, Version};
use crate::store::ApplyOutcome;

use super::fixture::*;

fn doubtful(n: u8, endpoint: &str, token: ClaimToken) -> DispatchInput {
    DispatchInput::Doubtful(vec![Doubt { endpoint: ep(endpoint), delivery: id(n), token }])
}

fn load(ns: &[u8]) -> Command {
    Command::Load(ns.iter().map(|n| id(*n)).collect())
}

fn refuses(d: &mut Dispatcher, endpoint: &str) -> bool {
    d.reserve(t(9), &ep(endpoint)).is_none()
}

#[test]
fn an_idle_engine_reserves_a_place_under_a_token_and_a_lease_of_its_own() {
    let mut d = idle();
    assert_eq!(d.reserve(t(5), &ep("a")), Some(Reservation { token: draw(2), until: t(5 + LEASE) }));
    assert_eq!(d.reserve(t(6), &ep("a")), Some(Reservation { token: draw(3), until: t(6 + LEASE) }));
    assert_eq!((d.places.free(), d.places.free_for(&ep("a"))), (254, 6));
    assert_eq!(d.slots.free(), 256, "slots are for what is stored");
}

#[test]
fn a_delivery_handed_over_is_read_sent_and_settled_without_a_claim() {
    let mut d = idle();
    let reservation = d.reserve(t(5), &ep("a")).unwrap();
    let row = handed(1, "a", reservation.token, reservation.until);
    assert_eq!(d.handle(t(6), DispatchInput::Handed(vec![row.clone()])), vec![read(&["a"])]);
    assert_eq!(d.handle(t(7), open(&["a"])), vec![send(&row)]);
    let written = [delivered(&row, 4, 8)];
    assert_eq!(d.handle(t(8), succeeded(1, 8)), vec![apply(&written)]);
    assert_eq!(d.handle(t(9), applied(1)), vec![settled(&written, &[ApplyOutcome::Applied])]);
    assert!(d.is_idle(t(9)));
}

#[test]
fn a_released_reservation_frees_its_slot() {
    let mut d = idle();
    d.reserve(t(5), &ep("a"));
    assert!(!d.is_idle(t(5)));
    assert_eq!(d.handle(t(6), DispatchInput::Released(eps(&["a"]))), vec![]);
    assert!(d.is_idle(t(6)));
    assert_eq!(d.places.free(), 256);
}

#[test]
fn a_doubtful_delivery_that_was_stored_under_our_lease_is_handed_back() {
    let mut d = idle();
    let lease = d.reserve(t(5), &ep("a")).unwrap();
    assert_eq!(d.handle(t(6), doubtful(1, "a", lease.token)), vec![load(&[1])]);
    let row = handed(1, "a", lease.token, lease.until);
    let found = DispatchInput::Loaded(vec![row.delivery.clone()]);
    assert_eq!(d.handle(t(7), found), vec![apply(&[handed_back(&row, 3, 7)])]);
    assert_eq!(d.places.free(), 256);
    assert_eq!(d.handle(t(8), applied(1))[1], claim(t(8), draw(4), 256, 8, &[]), "it is due again at once");
}

#[test]
fn a_doubtful_delivery_that_was_not_stored_frees_its_slot() {
    let mut d = idle();
    let lease = d.reserve(t(5), &ep("a")).unwrap();
    d.handle(t(6), doubtful(1, "a", lease.token));
    assert_eq!(d.handle(t(7), DispatchInput::Loaded(vec![])), vec![]);
    assert_eq!(d.places.free(), 256);
    assert!(d.is_idle(t(7)));
}

/// The statement of a publish that was dropped may be carried out after somebody looked for its rows.
#[test]
fn a_doubtful_delivery_that_is_stored_later_is_claimed_when_its_lease_is_over() {
    let mut d = idle();
    // It would hide what is to be seen.
    d.config.idle_claim = Duration::from_secs(3600);
    let lease = d.reserve(t(5), &ep("a")).unwrap();
    d.handle(t(6), doubtful(1, "a", lease.token));
    assert_eq!(d.handle(t(7), DispatchInput::Loaded(vec![])), vec![]);
    let over = t(7).saturating_add(d.config.lease());
    assert!(over >= lease.until);
    assert_eq!(d.next_wake(t(7)), Some(over));
    assert!(matches!(&d.handle(over, DispatchInput::Tick)[..], [Command::Claim(_)]));
}

/// Another publisher stored the same event first, and its engine may be sending it just now.
#[test]
fn a_doubtful_delivery_under_somebody_else_s_lease_is_left_alone() {
    let mut d = idle();
    let lease = d.reserve(t(5), &ep("a")).unwrap();
    d.handle(t(6), doubtful(1, "a", lease.token));
    let theirs = handed(1, "a", draw(77), lease.until).delivery;
    assert_eq!(theirs.version(), Version::FIRST);
    assert_eq!(d.handle(t(7), DispatchInput::Loaded(vec![theirs])), vec![]);
    assert!(d.is_idle(t(7)));
}

#[test]
fn doubts_are_loaded_together_once_the_load_before_has_ended() {
    let mut d = idle();
    let tokens: Vec<_> = (0..3).map(|_| d.reserve(t(5), &ep("a")).unwrap().token).collect();
    assert_eq!(d.handle(t(6), doubtful(1, "a", tokens[0])), vec![load(&[1])]);
    assert_eq!(d.handle(t(6), doubtful(2, "a", tokens[1])), vec![]);
    assert_eq!(d.handle(t(6), doubtful(3, "a", tokens[2])), vec![]);
    assert_eq!(d.handle(t(7), DispatchInput::Loaded(vec![])), vec![load(&[2, 3])]);
}

#[test]
fn a_load_that_failed_is_repeated_after_the_pause() {
    let mut d = idle();
    let lease = d.reserve(t(5), &ep("a")).unwrap();
    d.handle(t(6), doubtful(1, "a", lease.token));
    assert_eq!(d.handle(t(7), DispatchInput::LoadFailed), vec![]);
    assert_eq!(d.next_wake(t(7)), Some(t(107)));
    assert_eq!(d.handle(t(107), DispatchInput::Tick), vec![load(&[1])]);
    assert_eq!(d.places.free(), 255, "nobody knows yet");
}

#[test]
fn nothing_is_reserved_before_the_first_claim_was_answered() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    assert!(refuses(&mut d, "a"));
}

#[test]
fn a_claim_that_runs_refuses_only_endpoints_for_whose_sake_it_may_run() {
    let mut d = idle();
    assert_eq!(d.handle(t(1), DispatchInput::StoredDue(eps(&["a"]))), vec![claim(t(1), draw(2), 256, 8, &[])]);
    assert!(refuses(&mut d, "a"));
    assert!(!refuses(&mut d, "b"));
    d.handle(t(2), batch(&[], None));
    assert!(!refuses(&mut d, "a"));
}

#[test]
fn nothing_is_reserved_while_a_failed_claim_waits_to_be_repeated() {
    let mut d = idle();
    d.handle(t(1), DispatchInput::Wake);
    d.handle(t(2), DispatchInput::ClaimFailed);
    assert!(refuses(&mut d, "a"));
}

#[test]
fn nothing_is_reserved_at_an_endpoint_whose_older_deliveries_may_wait() {
    let mut d = with_slots(256, 1);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[row(1, "a")], None));
    assert!(refuses(&mut d, "a"));
    assert!(!refuses(&mut d, "b"));
}

#[test]
fn nothing_is_reserved_while_eligible_rows_of_any_endpoint_wait() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[], Some(t(0))));
    assert!(refuses(&mut d, "b"));
}

/// An outcome whose lease is over holds the claim up, while slots are free.
#[test]
fn nothing_is_reserved_ahead_of_rows_whose_claim_is_held_up() {
    let mut d = with_slots(256, 2);
    d.handle(t(0), DispatchInput::Tick);
    let rows = [row(1, "full"), row(2, "full"), row(3, "b")];
    d.handle(t(0), batch(&rows, None));
    d.handle(t(0), open(&["full", "b"]));
    d.handle(t(1), succeeded(3, 1));
    d.handle(t(2), DispatchInput::ApplyFailed);
    assert_eq!(d.handle(t(LEASE), DispatchInput::Tick).len(), 1, "the same apply again");
    d.handle(t(LEASE), succeeded(1, LEASE));
    assert_eq!(d.handle(t(LEASE), DispatchInput::StoredDue(eps(&["new"]))), vec![]);
    let mut reserves = |endpoint| d.reserve(t(LEASE), &ep(endpoint)).is_some();
    assert_eq!((reserves("full"), reserves("new"), reserves("other")), (false, false, true));
}

#[test]
fn nothing_is_reserved_once_a_retry_has_become_due() {
    let mut d = with_slots(256, 8);
    d.handle(t(0), DispatchInput::Tick);
    d.handle(t(0), batch(&[], Some(t(9))));
    assert!(d.reserve(t(8), &ep("a")).is_some());
    assert!(d.reserve(t(9), &ep("a")).is_none());
}

#[test]
fn nothing_is_reserved_beyond_the_slots_of_the_engine_or_of_the_endpoint() {
    let mut d = idle_with_slots(3, 2);
    assert!(!refuses(&mut d, "a"));
    assert!(!refuses(&mut d, "a"));
    assert!(refuses(&mut d, "a"), "two for one endpoint");
    assert!(!refuses(&mut d, "b"));
    assert!(refuses(&mut d, "c"), "three in all");
}

#[test]
fn nothing_is_reserved_while_the_buffer_is_full() {
    let mut d = sending(&[row(1, "a")]);
    d.config.unsettled_limit = 1;
    assert!(refuses(&mut d, "b"));
}

#[test]
fn nothing_is_reserved_during_an_outage_of_the_store_or_of_the_directory() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(1), succeeded(1, 1));
    d.handle(t(2), DispatchInput::ApplyFailed);
    assert!(refuses(&mut d, "b"));
    let mut d = holding(&[row(1, "a")]);
    d.handle(t(2), DispatchInput::EndpointsFailed);
    assert!(refuses(&mut d, "b"));
}

#[test]
fn nothing_is_reserved_while_the_engine_stops() {
    let mut d = idle();
    d.handle(t(1), stop(25));
    assert!(refuses(&mut d, "a"));
}

#[test]
fn a_delivery_handed_over_too_late_for_its_lease_is_handed_back() {
    let mut d = idle();
    let lease = d.reserve(t(0), &ep("a")).unwrap();
    let row = handed(1, "a", lease.token, lease.until);
    d.handle(t(10_001), DispatchInput::Handed(vec![row.clone()]));
    assert_eq!(d.handle(t(10_002), open(&["a"])), vec![apply(&[handed_back(&row, 4, 10_002)])]);
}
