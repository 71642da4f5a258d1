//! S2 to S5: which rows, how many, in which order, and when to ask again.

use crate::delivery::State;
use crate::id::Version;
use crate::store::{MemoryStore, Store, SweepAction, SweepRequest};

use super::fixture::*;

fn sweep(store: &MemoryStore, endpoint: &str, action: SweepAction) {
    let request = SweepRequest { endpoint: endpoint.parse().unwrap(), action, now: t(0), limit: 100 };
    run(store.sweep(&request)).unwrap();
}

/// `count` events `prefix0`, `prefix1`, … for one endpoint, due at 0, 1, …
fn backlog(store: &MemoryStore, prefix: &str, endpoint: &str, count: i64) {
    for n in 0..count {
        insert(store, 0, vec![publish(&format!("{prefix}{n}"), 0, &[endpoint], n)]);
    }
}

#[test]
fn a_scheduled_row_may_be_claimed_from_its_due_time_on_and_not_before() {
    let store = MemoryStore::new();
    insert(&store, 0, vec![publish("e", 0, &["a"], 10)]);
    assert_eq!(rows(&claim(&store, 9, 1)), Vec::<String>::new());
    assert_eq!(rows(&claim(&store, 10, 2)), ["e/a"]);
}

#[test]
fn a_claimed_row_is_leased_to_the_claim_s_token_until_its_end_one_version_on() {
    let store = holding(&["e"], &["a"]);
    let batch = claim(&store, 5, 1);
    let row = &batch.claimed[0].delivery;
    assert_eq!((row.state(), row.ready_at(), row.token()), (State::InFlight, Some(t(1005)), Some(token(1))));
    assert_eq!((row.version(), row.as_stored().lost_leases), (Version::new(2), 0));
    assert_eq!(*row, load(&store, "e", "a"));
}

#[test]
fn a_leased_row_may_be_claimed_from_the_end_of_its_lease_on_and_has_then_lost_one() {
    let store = holding(&["e"], &["a"]);
    claim(&store, 0, 1);
    assert_eq!(rows(&claim(&store, 999, 2)), Vec::<String>::new());
    let batch = claim(&store, 1000, 3);
    let row = &batch.claimed[0].delivery;
    assert_eq!((row.version(), row.as_stored().lost_leases, row.lost_unlogged()), (Version::new(3), 1, 1));
}

#[test]
fn held_and_ended_rows_are_never_claimed() {
    let store = holding(&["e"], &["a", "b", "c"]);
    sweep(&store, "a", SweepAction::Hold);
    sweep(&store, "b", SweepAction::Cancel);
    deliver_all(&store, 0, 1);
    let batch = claim(&store, 1_000_000, 2);
    assert_eq!((rows(&batch), batch.next_ready_at), (vec![], None));
}

#[test]
fn the_same_token_again_returns_the_same_rows_and_leases_no_more() {
    let store = holding(&["e", "f"], &["a"]);
    let first = claim_free(&store, 0, 1, 1, (8, &[]));
    insert(&store, 0, vec![publish("g", 0, &["b"], 0)]);
    assert_eq!(claim_free(&store, 0, 1, 1, (8, &[])), first);
    assert_eq!(rows(&claim_free(&store, 500, 1, 100, (8, &[]))), ["e/a"]);
    assert_eq!(load(&store, "e", "a").version(), Version::new(2));
}

#[test]
fn a_repeated_claim_leaves_out_what_was_settled_or_claimed_by_another_meanwhile() {
    let store = holding(&["e", "f"], &["a"]);
    let first = claim(&store, 0, 1);
    assert_eq!(rows(&first), ["e/a", "f/a"]);
    apply(&store, &[delivered(&first.claimed[0].delivery, 1, 5)]);
    assert_eq!(rows(&claim(&store, 0, 1)), ["f/a"]);
    claim(&store, 1000, 2);
    assert_eq!(rows(&claim(&store, 0, 1)), Vec::<String>::new());
}

#[test]
fn no_row_goes_to_two_claims() {
    let store = holding(&["e", "f", "g"], &["a", "b"]);
    let mut seen: Vec<String> = (1..=6).flat_map(|n| rows(&claim_free(&store, 0, n, 1, (8, &[])))).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["e/a", "e/b", "f/a", "f/b", "g/a", "g/b"]);
    assert_eq!(rows(&claim(&store, 0, 7)), Vec::<String>::new());
}

#[test]
fn an_endpoint_s_rows_come_in_the_order_of_their_due_times() {
    let store = MemoryStore::new();
    for (event, due) in [("late", 30), ("early", 10), ("middle", 20)] {
        insert(&store, 0, vec![publish(event, 0, &["a"], due)]);
    }
    assert_eq!(rows(&claim(&store, 100, 1)), ["early/a", "middle/a", "late/a"]);
}

#[test]
fn a_claim_never_exceeds_its_limit() {
    let store = holding(&["e", "f", "g"], &["a", "b"]);
    assert_eq!(claim_free(&store, 0, 1, 4, (8, &[])).claimed.len(), 4);
}

#[test]
fn an_endpoint_never_gets_more_than_its_free_number() {
    let store = holding(&["e", "f", "g"], &["a", "b", "c"]);
    let batch = claim_free(&store, 0, 1, 100, (2, &[("a", 1), ("b", 0)]));
    assert_eq!(sorted(&batch), ["e/a", "e/c", "f/c"]);
}

#[test]
fn a_backlog_of_1000_rows_does_not_keep_another_endpoint_s_only_row_waiting() {
    let store = MemoryStore::new();
    backlog(&store, "deep", "a", 1000);
    insert(&store, 0, vec![publish("e", 0, &["z"], 2000)]);
    assert!(rows(&claim_free(&store, 2000, 1, 2, (8, &[]))).contains(&"e/z".to_owned()));
}

#[test]
fn a_full_endpoint_s_backlog_does_not_keep_another_endpoint_s_only_row_waiting() {
    let store = MemoryStore::new();
    backlog(&store, "deep", "a", 1000);
    insert(&store, 0, vec![publish("e", 0, &["z"], 2000)]);
    assert_eq!(rows(&claim_free(&store, 2000, 1, 1, (8, &[("a", 0)]))), ["e/z"]);
}

#[test]
fn with_one_row_a_claim_the_endpoints_take_turns() {
    let store = MemoryStore::new();
    for (prefix, endpoint) in [("x", "a"), ("y", "b"), ("z", "c")] {
        backlog(&store, prefix, endpoint, 3);
    }
    let order: Vec<String> = (1..=9).flat_map(|n| rows(&claim_free(&store, 100, n, 1, (8, &[])))).collect();
    let endpoints: Vec<&str> = order.iter().map(|row| row.split('/').nth(1).unwrap()).collect();
    assert_eq!(endpoints, ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
}

#[test]
fn an_endpoint_that_joins_late_is_not_served_before_all_others_for_ever() {
    let store = MemoryStore::new();
    backlog(&store, "x", "a", 4);
    claim_free(&store, 100, 1, 1, (8, &[]));
    backlog(&store, "y", "b", 4);
    let order: Vec<String> = (2..=5).flat_map(|n| rows(&claim_free(&store, 100, n, 1, (8, &[])))).collect();
    assert_eq!(order, ["y0/b", "x1/a", "y1/b", "x2/a"]);
}

#[test]
fn eligible_rows_that_remain_are_due_now() {
    let store = holding(&["e", "f"], &["a"]);
    assert_eq!(claim_free(&store, 7, 1, 1, (8, &[])).next_ready_at, Some(t(7)));
}

#[test]
fn rows_beyond_an_endpoint_s_free_number_do_not_count() {
    let store = holding(&["e", "f"], &["a"]);
    assert_eq!(claim_free(&store, 7, 1, 8, (1, &[])).next_ready_at, None);
    assert_eq!(claim_free(&store, 7, 2, 8, (8, &[("a", 0)])).next_ready_at, None);
}

#[test]
fn the_next_row_to_become_due_says_when_to_ask_again() {
    let store = MemoryStore::new();
    insert(&store, 0, vec![publish("e", 0, &["a"], 500), publish("f", 0, &["b"], 300)]);
    assert_eq!(claim(&store, 0, 1).next_ready_at, Some(t(300)));
    assert_eq!(claim_free(&store, 0, 2, 8, (8, &[("b", 0)])).next_ready_at, Some(t(500)));
}

#[test]
fn the_end_of_a_lease_says_when_to_ask_again() {
    let store = holding(&["e"], &["a"]);
    assert_eq!(claim(&store, 0, 1).next_ready_at, Some(t(1000)));
}

#[test]
fn an_empty_store_says_nothing_about_when_to_ask_again() {
    assert_eq!(claim(&MemoryStore::new(), 0, 1).next_ready_at, None);
}

#[test]
fn a_repeated_claim_counts_its_rows_against_the_free_numbers_too() {
    let store = holding(&["e", "f"], &["a"]);
    let first = claim_free(&store, 0, 1, 8, (1, &[]));
    assert_eq!(first.next_ready_at, None);
    assert_eq!(claim_free(&store, 0, 1, 8, (1, &[])), first);
}

#[test]
fn a_now_that_goes_back_claims_nothing_early_and_harms_nothing() {
    let store = MemoryStore::new();
    insert(&store, 100, vec![publish("e", 0, &["a"], 100)]);
    assert_eq!(claim(&store, 50, 1).next_ready_at, Some(t(100)));
    assert_eq!(rows(&claim(&store, 100, 2)), ["e/a"]);
    assert_eq!(rows(&claim(&store, 0, 2)), ["e/a"], "its own rows, however late it asks again");
}
