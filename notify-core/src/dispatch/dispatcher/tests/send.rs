//! Attempts: their deadline, their number, and whether the lease is long enough.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use crate::dispatch::{Command, DispatchInput, SendOrder};
use crate::endpoint::{Endpoint, PolicyOverrides};
use crate::id::AttemptNumber;

use super::fixture::*;

fn with_timeout(seconds: u64) -> Arc<Endpoint> {
    let policy = PolicyOverrides { timeout: Some(Duration::from_secs(seconds)), ..PolicyOverrides::default() };
    Arc::new(Endpoint { policy, ..endpoint("a") })
}

fn order(endpoint: Arc<Endpoint>, seconds: u64) -> Command {
    Command::Send(Box::new(SendOrder {
        delivery: id(1),
        event: event(),
        endpoint,
        number: AttemptNumber::FIRST,
        timeout: Duration::from_secs(seconds),
    }))
}

fn answer(endpoint: Arc<Endpoint>) -> DispatchInput {
    DispatchInput::Endpoints(vec![(ep("a"), Some(endpoint))])
}

#[test]
fn an_attempt_has_its_endpoint_s_own_deadline() {
    let mut d = holding(&[row(1, "a")]);
    assert_eq!(d.handle(t(1), answer(with_timeout(5))), vec![order(with_timeout(5), 5)]);
}

#[test]
fn an_endpoint_s_deadline_above_the_engine_s_is_cut_to_it() {
    let mut d = holding(&[row(1, "a")]);
    assert_eq!(d.handle(t(1), answer(with_timeout(300))), vec![order(with_timeout(300), 30)]);
}

#[test]
fn an_attempt_that_could_just_end_a_margin_before_its_lease_is_sent() {
    let mut d = holding(&[row(1, "a")]);
    assert_eq!(d.handle(t(10_000), open(&["a"])), vec![send(&row(1, "a"))]);
}

#[test]
fn an_attempt_that_could_outlive_its_lease_is_handed_back_and_frees_its_slot() {
    let mut d = holding(&[row(1, "a")]);
    assert_eq!(d.handle(t(10_001), open(&["a"])), vec![apply(&[handed_back(&row(1, "a"), 3, 10_001)])]);
    assert_eq!(d.slots.free(), 256);
}

#[test]
fn a_shorter_deadline_may_still_be_sent_later() {
    let mut d = holding(&[row(1, "a")]);
    assert_eq!(d.handle(t(35_000), answer(with_timeout(5)))[0], order(with_timeout(5), 5));
}

#[test]
fn the_number_goes_on_from_the_attempts_that_are_logged() {
    let mut stored = row(1, "a").delivery.into_stored();
    stored.attempts = 4;
    let fifth = crate::store::Claimed { delivery: crate::delivery::Delivery::restore(stored).unwrap(), event: event() };
    let mut d = holding(from_ref(&fifth));
    assert_eq!(d.handle(t(1), open(&["a"])), vec![send_number(&fifth, 5)]);
}

#[test]
fn an_attempt_after_a_lost_lease_leaves_a_number_for_the_lost_one() {
    let lost = claimed_again(&row(1, "a"), draw(1), t(LEASE));
    let mut d = holding(from_ref(&lost));
    assert_eq!(d.handle(t(1), open(&["a"])), vec![send_number(&lost, 2)]);
}

#[test]
fn attempts_start_during_a_store_outage_since_their_leases_are_held_already() {
    let mut d = holding(&[row(1, "a")]);
    d.handle(t(1), DispatchInput::Wake);
    d.handle(t(2), DispatchInput::ClaimFailed);
    assert_eq!(d.handle(t(3), open(&["a"]))[0], send(&row(1, "a")));
}

#[test]
fn an_end_that_comes_twice_or_of_an_unknown_delivery_does_nothing() {
    let mut d = sending(&[row(1, "a")]);
    d.handle(t(1), succeeded(1, 1));
    assert_eq!(d.handle(t(2), succeeded(1, 1)), vec![]);
    assert_eq!(d.handle(t(2), failed(9, 1)), vec![]);
    assert_eq!((d.in_flight(), d.slots.free()), (0, 256));
}

#[test]
fn an_end_of_an_attempt_that_has_not_begun_does_nothing() {
    let mut d = holding(&[row(1, "a")]);
    assert_eq!(d.handle(t(1), succeeded(1, 1)), vec![]);
    assert_eq!(d.handle(t(2), open(&["a"])), vec![send(&row(1, "a"))]);
}
