//! S2 and S3: which rows may be claimed, and what a claim leaves.

use super::super::sample::{event, rows};
use super::{Done, Subject};

pub(crate) async fn a_scheduled_row_is_claimed_at_its_due_time_and_not_a_millisecond_before(
    store: &mut Subject,
) -> Done {
    store.publish(event("e", 0, &["a"], 10)).await;
    assert_eq!(rows(&store.claim(9, 1).await), [""; 0]);
    assert_eq!(rows(&store.claim(10, 2).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn a_leased_row_is_claimed_at_the_end_of_its_lease_and_not_a_millisecond_before(
    store: &mut Subject,
) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    assert_eq!(rows(&store.claim(999, 2).await), [""; 0]);
    assert_eq!(rows(&store.claim(1000, 3).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn the_same_token_again_returns_the_same_rows(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    let first = store.claim(0, 1).await;
    assert_eq!(rows(&first), ["e/a", "f/a"]);
    let mut again = store.claim(500, 1).await;
    again.next_ready_at = first.next_ready_at;
    assert_eq!(rows(&again), rows(&first));
    Ok(())
}
