//! What the kit leaves to each store: in which order the endpoints take turns, when the mark moves. All else is held by
//! the kit's cases.

use crate::store::{ClaimRequest, EndpointAdmin, EndpointDirectory, Mark, MemoryStore, Store, SweepAction};
use crate::testing::kit::sample::{self, batch, claim, endpoint, event, named};

/// `count` events for one endpoint, due at 0, 1, …
async fn backlog(store: &MemoryStore, prefix: &str, to: &str, count: i64) {
    let events = (0..count).map(|n| event(&format!("{prefix}{n}"), 0, &[to], n));
    store.insert(&batch(0, events.collect())).await.unwrap();
}

/// The row of each claim of one, as `event/endpoint`.
async fn one_by_one(store: &MemoryStore, claims: std::ops::RangeInclusive<u128>) -> Vec<String> {
    let mut rows = Vec::new();
    for n in claims {
        let request = ClaimRequest { limit: 1, ..claim(100, n) };
        rows.extend(sample::rows(&store.claim(&request).await.unwrap()));
    }
    rows
}

#[tokio::test]
async fn with_one_row_a_claim_the_endpoints_take_turns_each_in_the_order_of_its_due_times() {
    let store = MemoryStore::new();
    for (prefix, endpoint) in [("x", "a"), ("y", "b"), ("z", "c")] {
        backlog(&store, prefix, endpoint, 2).await;
    }
    assert_eq!(one_by_one(&store, 1..=6).await, ["x0/a", "y0/b", "z0/c", "x1/a", "y1/b", "z1/c"]);
}

#[tokio::test]
async fn an_endpoint_that_joins_late_is_not_served_before_all_others_for_ever() {
    let store = MemoryStore::new();
    backlog(&store, "x", "a", 4).await;
    one_by_one(&store, 1..=1).await;
    backlog(&store, "y", "b", 4).await;
    assert_eq!(one_by_one(&store, 2..=5).await, ["y0/b", "x1/a", "y1/b", "x2/a"]);
}

#[tokio::test]
async fn the_mark_moves_with_a_publish_and_a_sweep_and_stands_still_otherwise() {
    let store = MemoryStore::new();
    let empty = store.changed(Mark::default()).await.unwrap();
    backlog(&store, "e", "a", 1).await;
    let published = store.changed(empty).await.unwrap();
    assert_ne!(published, empty);
    assert_eq!(store.changed(published).await.unwrap(), published);
    let nothing = ClaimRequest { free: sample::free(0, &[]), ..claim(0, 1) };
    store.claim(&nothing).await.unwrap();
    assert_eq!(store.changed(published).await.unwrap(), published, "a claim that got nothing");
    store.sweep(&sample::sweep("a", SweepAction::Hold, 0, 10)).await.unwrap();
    assert_ne!(store.changed(published).await.unwrap(), published);
}

#[tokio::test]
async fn clones_share_their_content_and_debug_shows_none_of_it() {
    let store = MemoryStore::new();
    store.clone().create(&endpoint("a")).await.unwrap();
    assert!(store.get(&[named("a")]).await.unwrap()[0].is_some());
    assert_eq!(format!("{store:?}"), "MemoryStore { .. }");
}

/// What the simulator asks now and then must not be blind.
#[tokio::test]
async fn a_row_that_stays_in_a_queue_it_has_left_is_found_by_the_check() {
    use crate::planted::{Fault, plant};

    for fault in [None, Some(Fault::RemovedFromNoQueue)] {
        plant(fault);
        let store = MemoryStore::new();
        backlog(&store, "e", "a", 3).await;
        store.sweep(&sample::sweep("a", SweepAction::Hold, 0, 10)).await.unwrap();
        store.sweep(&sample::sweep("a", SweepAction::Release, 0, 10)).await.unwrap();
        let found = store.check();
        plant(None);
        assert_eq!(found.is_err(), fault.is_some(), "{found:?}");
    }
}
