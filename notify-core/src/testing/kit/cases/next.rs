//! S5: when to ask again.

use crate::store::{ClaimBatch, ClaimRequest, SweepAction};

use super::super::sample::{self, delivered, event, failed, free, t};
use super::{Done, Subject};

/// S5: exactly `now` while eligible rows remain; else after `now` (or the driver would ask for ever) and not later than
/// the next row; nothing where there is none.
#[track_caller]
fn assert_next(batch: &ClaimBatch, now: i64, earliest: Option<i64>) {
    let next = batch.next_ready_at;
    match earliest {
        None => assert_eq!(next, None, "nothing will become claimable"),
        Some(at) if at <= now => assert_eq!(next, Some(t(now)), "eligible rows remain"),
        Some(at) => {
            assert!(
                next.is_some_and(|next| next <= t(at)),
                "{next:?} is later than {:?}, when a row may be claimed",
                t(at)
            );
            assert!(next.is_some_and(|next| next > t(now)), "{next:?} is not after {:?}: a hot loop", t(now));
        }
    }
}

fn claiming(now: i64, n: u128, limit: u32, default: u32, busy: &[(&str, u32)]) -> ClaimRequest {
    ClaimRequest { limit, free: free(default, busy), ..sample::claim(now, n) }
}

pub(crate) async fn an_empty_store_says_nothing(store: &mut Subject) -> Done {
    assert_next(&store.claim(0, 1).await, 0, None);
    Ok(())
}

pub(crate) async fn while_eligible_rows_remain_it_is_now(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    assert_next(&store.claim_up_to(1, 7, 1).await, 7, Some(7));
    Ok(())
}

pub(crate) async fn eligible_rows_of_another_endpoint_count_too(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    assert_next(&store.claims(&claiming(7, 1, 1, 1, &[])).await, 7, Some(7));
    Ok(())
}

pub(crate) async fn a_row_whose_lease_has_ended_counts_as_eligible(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim(0, 1).await;
    assert_next(&store.claim_up_to(1, 1500, 2).await, 1500, Some(1500));
    Ok(())
}

pub(crate) async fn it_is_never_later_than_the_next_due_time(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 500)).await;
    store.publish(event("f", 0, &["b"], 300)).await;
    assert_next(&store.claim(0, 1).await, 0, Some(300));
    Ok(())
}

pub(crate) async fn it_is_never_later_than_the_end_of_a_lease(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_next(&store.claim(0, 1).await, 0, Some(1000));
    assert_next(&store.claim(500, 2).await, 500, Some(1000));
    Ok(())
}

pub(crate) async fn it_is_never_later_than_a_retry(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[failed(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_next(&store.claim(6, 2).await, 6, Some(300_005));
    Ok(())
}

pub(crate) async fn a_row_that_came_meanwhile_is_seen(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 9_000)).await;
    assert_next(&store.claim(0, 1).await, 0, Some(9_000));
    store.publish(event("f", 1, &["a"], 40)).await;
    assert_next(&store.claim(1, 2).await, 1, Some(40));
    Ok(())
}

pub(crate) async fn rows_beyond_an_endpoint_s_number_do_not_count(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    assert_next(&store.claims(&claiming(7, 1, 8, 1, &[])).await, 7, None);
    Ok(())
}

pub(crate) async fn rows_of_a_full_endpoint_do_not_count(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    assert_next(&store.claims(&claiming(7, 1, 8, 8, &[("a", 0)])).await, 7, None);
    Ok(())
}

pub(crate) async fn rows_to_come_of_a_full_endpoint_do_not_count(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 300)).await;
    store.publish(event("f", 0, &["b"], 500)).await;
    assert_next(&store.claims(&claiming(0, 1, 8, 8, &[("a", 0)])).await, 0, Some(500));
    Ok(())
}

pub(crate) async fn an_endpoint_with_a_number_left_counts_beside_a_full_one(store: &mut Subject) -> Done {
    store.backlog("x", "a", 5).await;
    store.publish(event("e", 0, &["b"], 600)).await;
    assert_next(&store.claims(&claiming(10, 1, 8, 2, &[("a", 1)])).await, 10, Some(600));
    Ok(())
}

pub(crate) async fn the_lease_of_an_endpoint_with_a_number_left_counts(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_next(&store.claims(&claiming(0, 1, 8, 2, &[])).await, 0, Some(1000));
    Ok(())
}

pub(crate) async fn a_settled_lease_leaves_no_wake_up_behind(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b", "c"]).await;
    store.deliver_all(0, 1).await;
    assert_next(&store.claim(5, 2).await, 5, None);
    Ok(())
}

pub(crate) async fn held_rows_do_not_count(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 500)).await;
    store.sweep("a", SweepAction::Hold, 0, 10).await;
    assert_next(&store.claim(0, 1).await, 0, None);
    store.sweep("a", SweepAction::Release, 0, 10).await;
    assert_next(&store.claim(0, 2).await, 0, Some(500));
    Ok(())
}

pub(crate) async fn cancelled_rows_do_not_count(store: &mut Subject) -> Done {
    store.publish(event("e", 0, &["a"], 500)).await;
    store.sweep("a", SweepAction::Cancel, 0, 10).await;
    assert_next(&store.claim(0, 1).await, 0, None);
    Ok(())
}

pub(crate) async fn a_repeated_claim_is_told_about_what_came_meanwhile(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.publish(event("f", 0, &["b"], 5)).await;
    assert_next(&store.claim(10, 1).await, 10, Some(10));
    store.applied(&[delivered(&row, 1, 10)]).await;
    Ok(())
}
