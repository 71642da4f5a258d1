//! S1: all or nothing, duplicates, conflicts. S14: attach.

use crate::delivery::{Start, State};
use crate::event::EventKey;
use crate::store::{
    DeliveryLog, InsertOutcome, Inserted, MemoryStore, PublishBatch, PublishedEvent, Store, StoreError,
};

use super::fixture::*;

fn duplicate_of(first: &str, deliveries: usize) -> Inserted {
    Inserted::Duplicate { first: first.parse().unwrap(), deliveries }
}

fn conflict(index: usize, existing: &str) -> InsertOutcome {
    InsertOutcome::Conflict { index, existing: existing.parse().unwrap() }
}

fn stored(answers: &[Inserted]) -> InsertOutcome {
    InsertOutcome::Stored(answers.to_vec())
}

fn exists(store: &MemoryStore, event: &str) -> bool {
    run(store.event(&key(event))).unwrap().is_some()
}

#[test]
fn a_new_event_is_stored_with_its_deliveries_in_their_order() {
    let store = MemoryStore::new();
    assert_eq!(insert(&store, 7, vec![publish("e", 0, &["b", "a"], 9)]), stored(&[Inserted::New]));
    let record = run(store.event(&key("e"))).unwrap().unwrap();
    assert_eq!(record.created_at, t(7));
    let shown: Vec<_> = record.deliveries.iter().map(|row| (row.endpoint().as_str(), row.ready_at())).collect();
    assert_eq!(shown, [("b", Some(t(9))), ("a", Some(t(9)))]);
}

#[test]
fn the_same_id_with_the_same_content_changes_nothing_and_names_the_first() {
    let store = holding(&["e"], &["a", "b"]);
    assert_eq!(insert(&store, 5, vec![publish("e", 0, &["c"], 5)]), stored(&[duplicate_of("e", 2)]));
    assert_eq!(run(store.event(&key("e"))).unwrap().unwrap().deliveries.len(), 2);
}

#[test]
fn the_same_id_with_other_content_is_a_conflict_and_nothing_of_its_batch_is_written() {
    let store = holding(&["e"], &["a"]);
    let batch = vec![publish("f", 0, &["a"], 0), publish("e", 1, &["a"], 0), publish("g", 0, &["a"], 0)];
    assert_eq!(insert(&store, 0, batch), conflict(1, "e"));
    assert!(!exists(&store, "f") && !exists(&store, "g"));
    assert_eq!(rows(&claim(&store, 0, 1)), ["e/a"]);
}

#[test]
fn a_conflict_leaves_its_idempotency_keys_free() {
    let store = holding(&["e"], &["a"]);
    let batch = vec![with_key(publish("f", 0, &[], 0), "k"), publish("e", 1, &[], 0)];
    assert_eq!(insert(&store, 0, batch), conflict(1, "e"));
    assert_eq!(insert(&store, 0, vec![with_key(publish("g", 9, &[], 0), "k")]), stored(&[Inserted::New]));
}

#[test]
fn a_duplicate_does_not_stop_the_others_of_its_batch() {
    let store = holding(&["e"], &["a"]);
    let batch = vec![publish("f", 0, &["a"], 0), publish("e", 0, &["a"], 0), publish("g", 0, &["a"], 0)];
    assert_eq!(insert(&store, 0, batch), stored(&[Inserted::New, duplicate_of("e", 1), Inserted::New]));
    assert_eq!(sorted(&claim(&store, 0, 1)), ["e/a", "f/a", "g/a"]);
}

#[test]
fn the_same_event_twice_in_one_batch_is_stored_once() {
    let store = MemoryStore::new();
    let batch = vec![publish("e", 0, &["a", "b"], 0), publish("e", 0, &["a", "b"], 0)];
    assert_eq!(insert(&store, 0, batch), stored(&[Inserted::New, duplicate_of("e", 2)]));
    assert_eq!(sorted(&claim(&store, 0, 1)), ["e/a", "e/b"]);
}

#[test]
fn one_id_with_two_contents_in_one_batch_is_a_conflict() {
    let store = MemoryStore::new();
    let batch = vec![publish("e", 0, &["a"], 0), publish("e", 1, &["a"], 0)];
    assert_eq!(insert(&store, 0, batch), conflict(1, "e"));
    assert!(!exists(&store, "e"));
}

#[test]
fn the_same_idempotency_key_with_the_same_content_is_a_duplicate_whatever_the_id() {
    let store = MemoryStore::new();
    insert(&store, 0, vec![with_key(publish("e", 0, &["a"], 0), "k")]);
    assert_eq!(insert(&store, 0, vec![with_key(publish("f", 0, &["a"], 0), "k")]), stored(&[duplicate_of("e", 1)]));
    assert!(!exists(&store, "f"));
}

#[test]
fn the_same_idempotency_key_with_other_content_is_a_conflict_also_within_a_batch() {
    let store = MemoryStore::new();
    let two = vec![with_key(publish("e", 0, &[], 0), "k"), with_key(publish("f", 1, &[], 0), "k")];
    assert_eq!(insert(&store, 0, two), conflict(1, "e"));
    insert(&store, 0, vec![with_key(publish("e", 0, &[], 0), "k")]);
    assert_eq!(insert(&store, 0, vec![with_key(publish("f", 1, &[], 0), "k")]), conflict(0, "e"));
}

/// A batch means the same as its events one after the other: an id that exists decides before a key of the batch.
#[test]
fn a_stored_id_decides_before_a_key_of_the_same_batch() {
    let store = holding(&["e"], &["a"]);
    let batch = vec![with_key(publish("f", 5, &[], 0), "k"), with_key(publish("e", 0, &[], 0), "k")];
    assert_eq!(insert(&store, 0, batch), stored(&[Inserted::New, duplicate_of("e", 1)]));
}

#[test]
fn ids_and_keys_are_unique_for_their_tenant_only() {
    let store = MemoryStore::new();
    let base = with_key(publish("e", 0, &[], 0), "k");
    let mut event = (*base.event).clone();
    event.key = EventKey { tenant: tenant("other"), id: event.key.id };
    let theirs = PublishedEvent { event: event.into(), fingerprint: [1; 32], ..base.clone() };
    assert_eq!(insert(&store, 0, vec![base, theirs]), stored(&[Inserted::New, Inserted::New]));
}

#[test]
fn an_event_that_matches_no_endpoint_is_stored_and_visible() {
    let store = holding(&["e"], &[]);
    assert_eq!(run(store.event(&key("e"))).unwrap().unwrap().deliveries, vec![]);
}

#[test]
fn an_empty_batch_is_a_success() {
    assert_eq!(insert(&MemoryStore::new(), 0, vec![]), stored(&[]));
}

#[test]
fn a_pair_of_event_and_endpoint_that_comes_twice_is_one_delivery() {
    let store = holding(&["e"], &["a", "a"]);
    assert_eq!(run(store.event(&key("e"))).unwrap().unwrap().deliveries.len(), 1);
    deliver_all(&store, 0, 1);
    assert_eq!(claim(&store, 0, 2).next_ready_at, None);
}

#[test]
fn a_delivery_is_born_due_leased_or_held() {
    let store = MemoryStore::new();
    let mut event = publish("e", 0, &["a"], 3);
    event.deliveries.push(new_delivery("e", "b", Start::Leased { token: token(9), until: t(50) }));
    event.deliveries.push(new_delivery("e", "c", Start::Held(t(4))));
    run(store.insert(&PublishBatch { now: t(0), events: vec![event] })).unwrap();
    let shown = |endpoint| {
        let row = load(&store, "e", endpoint);
        (row.state(), row.ready_at(), row.token())
    };
    assert_eq!(shown("a"), (State::Scheduled, Some(t(3)), None));
    assert_eq!(shown("b"), (State::InFlight, Some(t(50)), Some(token(9))));
    assert_eq!(shown("c"), (State::Held, Some(t(4)), None));
    assert_eq!(rows(&claim(&store, 49, 1)), ["e/a"]);
    assert_eq!(rows(&claim(&store, 50, 2)), ["e/b"]);
}

#[test]
fn attach_adds_what_is_missing_and_says_how_much() {
    let store = holding(&["e"], &["a"]);
    let more = ["a", "b", "c", "c"].map(|endpoint| new_delivery("e", endpoint, Start::Due(t(0))));
    assert_eq!(run(store.attach(&key("e"), &more)).unwrap(), 2);
    assert_eq!(run(store.attach(&key("e"), &more)).unwrap(), 0);
    assert_eq!(sorted(&claim(&store, 0, 1)), ["e/a", "e/b", "e/c"]);
}

#[test]
fn attach_refuses_an_event_that_does_not_exist() {
    let refused = run(MemoryStore::new().attach(&key("e"), &[]));
    assert!(matches!(refused, Err(StoreError::UnknownEvent)));
}
