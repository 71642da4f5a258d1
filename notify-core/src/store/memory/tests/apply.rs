//! S6 to S8: fenced writes and the log that goes with them.

use crate::delivery::{Outcome, Reason, State};
use crate::id::Version;
use crate::store::ApplyOutcome::{Applied, Missing, Stale};
use crate::store::{DeliveryLog, MemoryStore, Store, SweepAction, SweepRequest};

use super::fixture::*;

fn numbers(store: &MemoryStore, event: &str) -> Vec<u32> {
    let attempts = run(store.attempts(&dlv(event, "a"))).unwrap();
    attempts.iter().map(|attempt| attempt.number.get()).collect()
}

#[test]
fn a_change_writes_the_row_and_its_attempt_together() {
    let store = holding(&["e"], &["a"]);
    let row = &claim(&store, 0, 1).claimed[0].delivery;
    let change = delivered(row, 1, 5);
    assert_eq!(apply(&store, std::slice::from_ref(&change)), [Applied]);
    assert_eq!(load(&store, "e", "a").as_stored(), change.next());
    assert_eq!(run(store.attempts(&dlv("e", "a"))).unwrap(), change.attempts());
}

#[test]
fn a_change_that_comes_again_is_applied_once() {
    let store = holding(&["e"], &["a"]);
    let change = failed(&claim(&store, 0, 1).claimed[0].delivery, 1, 5);
    assert_eq!(apply(&store, std::slice::from_ref(&change)), [Applied]);
    assert_eq!(apply(&store, &[change.clone(), change]), [Applied, Applied]);
    assert_eq!(numbers(&store, "e"), [1]);
    assert_eq!(load(&store, "e", "a").version(), Version::new(3));
}

#[test]
fn a_change_whose_attempt_is_logged_counts_as_applied_also_after_later_changes() {
    let store = holding(&["e"], &["a"]);
    let first = failed(&claim(&store, 0, 1).claimed[0].delivery, 1, 5);
    apply(&store, std::slice::from_ref(&first));
    let second = delivered(&claim(&store, 400_000, 2).claimed[0].delivery, 2, 400_000);
    apply(&store, std::slice::from_ref(&second));
    assert_eq!(apply(&store, &[first]), [Applied]);
    assert_eq!(load(&store, "e", "a").as_stored(), second.next());
}

#[test]
fn a_change_without_an_attempt_is_stale_once_another_followed_it() {
    let store = holding(&["e"], &["a"]);
    let back = handed_back(&claim(&store, 0, 1).claimed[0].delivery, 1, 5);
    apply(&store, std::slice::from_ref(&back));
    let again = handed_back(&claim(&store, 5, 2).claimed[0].delivery, 2, 6);
    apply(&store, &[again]);
    assert_eq!(apply(&store, &[back]), [Stale { current: Version::new(5) }]);
}

#[test]
fn a_worker_that_lost_its_lease_writes_nothing() {
    let store = holding(&["e"], &["a"]);
    let late = delivered(&claim(&store, 0, 1).claimed[0].delivery, 1, 5);
    let current = claim(&store, 1000, 2).claimed[0].delivery.clone();
    assert_eq!(apply(&store, &[late]), [Stale { current: Version::new(3) }]);
    assert_eq!(load(&store, "e", "a"), current);
    assert_eq!(numbers(&store, "e"), [0; 0]);
}

/// A failover that lost a claim leaves the next one at the same version: only the token tells them apart.
#[test]
fn the_same_version_under_another_token_is_stale() {
    let store = holding(&["e"], &["a"]);
    let lost = claim(&holding(&["e"], &["a"]), 0, 1).claimed[0].delivery.clone();
    let current = claim(&store, 0, 2).claimed[0].delivery.clone();
    assert_eq!(lost.version(), current.version());
    assert_eq!(apply(&store, &[delivered(&lost, 1, 5)]), [Stale { current: Version::new(2) }]);
    assert_eq!(apply(&store, &[delivered(&current, 2, 5)]), [Applied]);
}

#[test]
fn outcomes_come_in_the_order_of_the_changes_and_none_stops_the_next() {
    let store = holding(&["e", "f"], &["a"]);
    let batch = claim(&store, 0, 1);
    let [e, f] = [&batch.claimed[0].delivery, &batch.claimed[1].delivery];
    let stranger = claim(&holding(&["x"], &["a"]), 0, 1).claimed[0].delivery.clone();
    apply(&store, &[handed_back(e, 1, 5)]);
    let outcomes = apply(&store, &[delivered(&stranger, 2, 5), delivered(e, 3, 5), delivered(f, 4, 5)]);
    assert_eq!(outcomes, [Missing, Stale { current: Version::new(3) }, Applied]);
    assert_eq!(load(&store, "f", "a").state(), State::Delivered);
}

#[test]
fn two_changes_of_one_row_in_one_call_leave_the_first() {
    let store = holding(&["e"], &["a"]);
    let row = claim(&store, 0, 1).claimed[0].delivery.clone();
    let outcomes = apply(&store, &[delivered(&row, 1, 5), failed(&row, 2, 5)]);
    assert_eq!(outcomes, [Applied, Stale { current: Version::new(3) }]);
    assert_eq!(numbers(&store, "e"), [1]);
}

#[test]
fn a_failed_row_may_be_claimed_again_at_its_retry_time() {
    let store = holding(&["e"], &["a"]);
    apply(&store, &[failed(&claim(&store, 0, 1).claimed[0].delivery, 1, 5)]);
    assert_eq!(claim(&store, 6, 2).next_ready_at, Some(t(300_005)));
    assert_eq!(rows(&claim(&store, 300_005, 3)), ["e/a"]);
}

#[test]
fn attempts_are_numbered_without_gaps_and_a_lost_one_comes_before_the_next() {
    let store = holding(&["e"], &["a"]);
    claim(&store, 0, 1);
    let row = claim(&store, 1000, 2).claimed[0].delivery.clone();
    apply(&store, &[failed(&row, 1, 1000)]);
    let row = claim(&store, 400_000, 3).claimed[0].delivery.clone();
    apply(&store, &[delivered(&row, 2, 400_000)]);
    let attempts = run(store.attempts(&dlv("e", "a"))).unwrap();
    let shown: Vec<_> = attempts.iter().map(|attempt| (attempt.number.get(), attempt.outcome)).collect();
    let (lost, bad) = (Outcome::Failure(Reason::WorkerLost), Outcome::Failure(Reason::Status5xx));
    assert_eq!(shown, [(1, lost), (2, bad), (3, Outcome::Success)]);
}

#[test]
fn a_worker_that_races_an_operator_loses_cleanly() {
    let store = holding(&["e"], &["a"]);
    apply(&store, &[handed_back(&claim(&store, 0, 1).claimed[0].delivery, 1, 5)]);
    let cancel = SweepRequest { endpoint: "a".parse().unwrap(), action: SweepAction::Cancel, now: t(6), limit: 10 };
    run(store.sweep(&cancel)).unwrap();
    let row = load(&store, "e", "a");
    assert_eq!((row.state(), row.as_stored().settled_at), (State::Cancelled, Some(t(6))));
    assert_eq!(rows(&claim(&store, 7, 2)), Vec::<String>::new());
}

#[test]
fn loading_leaves_out_what_does_not_exist() {
    let store = holding(&["e"], &["a"]);
    let found = run(store.load(&[dlv("e", "a"), dlv("x", "a")])).unwrap();
    assert_eq!(found, [load(&store, "e", "a")]);
}
