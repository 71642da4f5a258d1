//! S2 to S5, S10, S13.

use notify_core::delivery::{Start, State};
use notify_core::id::{ClaimToken, Version};
use notify_core::store::{Free, Store};
use notify_store_sqlite::SqliteStore;

use crate::support::*;

#[tokio::test]
async fn a_row_is_claimable_if_and_only_if_it_is_open_and_its_time_has_come() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "due", &[("ep1", due(10))]).await;
    publish(&store, "later", &[("ep1", due(11))]).await;
    publish(&store, "held", &[("ep1", Start::Held(at(0)))]).await;
    publish(&store, "leased", &[("ep1", leased(9, 10))]).await;
    publish(&store, "leased-on", &[("ep1", leased(9, 12))]).await;
    let none = claim(&store, 9, 1, 10).await;
    assert_eq!((none.claimed.len(), none.next_ready_at), (0, Some(at(10))));
    let some = claim(&store, 10, 2, 10).await;
    assert_eq!(names(&some).iter().map(|(event, _)| event.as_str()).collect::<Vec<_>>(), ["due", "leased"]);
    assert_eq!(some.next_ready_at, Some(at(11)));
}

#[tokio::test]
async fn a_claim_leaves_the_row_that_delivery_claimed_says() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", leased(9, 10))]).await;
    let before = load(&store, "e1", "ep1").await;
    let got = claim(&store, 10, 1, 10).await;
    assert_eq!(got.claimed[0].delivery, before.claimed(ClaimToken::new(1), at(50_010)));
    let row = load(&store, "e1", "ep1").await;
    assert_eq!(row, got.claimed[0].delivery);
    assert_eq!((row.version(), row.as_stored().lost_leases), (Version::new(2), 1));
}

#[tokio::test]
async fn the_same_token_again_returns_the_same_rows_and_leases_no_more() {
    let (_dir, store) = in_file().await;
    for id in ["e1", "e2", "e3"] {
        publish(&store, id, &[("ep1", due(0))]).await;
    }
    let first = claim(&store, 0, 1, 2).await;
    let again = claim(&store, 1, 1, 2).await;
    assert_eq!(first.claimed.len(), 2);
    assert_eq!(again.claimed, first.claimed);
    // What was settled meanwhile is no longer leased under it.
    store.apply(&[answered(&first.claimed[0].delivery, 200, 2, 1)]).await.unwrap();
    assert_eq!(claim(&store, 3, 1, 2).await.claimed, first.claimed[1..]);
    assert_eq!(load(&store, "e3", "ep1").await.state(), State::Scheduled);
    // Once the lease has ended the token is forgotten, and the row is like any other.
    let late = claim(&store, 50_000, 1, 5).await;
    assert_eq!(late.claimed.len(), 2);
}
