//! S9: what a call answered is there after a restart.

use crate::delivery::State;
use crate::endpoint::Endpoint;
use crate::store::{Inserted, PageRequest, SweepAction};

use super::super::sample::{delivered, endpoint, event, failed, handed_back, rows, t, token, with_key};
use super::insert::{duplicate_of, stored};
use super::log::{list_events, query};
use super::{Done, Subject, answer};

pub(crate) async fn a_published_row_is_claimed_after_a_restart(store: &mut Subject) -> Done {
    let e = event("e", 0, &["a", "b"], 0);
    store.publish(e.clone()).await;
    store.reopen().await?;
    let batch = store.claim(0, 1).await;
    assert_eq!(rows(&batch), ["e/a", "e/b"]);
    assert_eq!(batch.claimed[0].event, e.event);
    Ok(())
}

pub(crate) async fn ids_and_keys_are_taken_after_a_restart(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &["a"], 0), "k")).await;
    store.reopen().await?;
    assert_eq!(store.insert(0, vec![event("e", 0, &["a"], 0)]).await, stored(&[duplicate_of("e", 1)]));
    let by_key = with_key(event("f", 0, &["a"], 0), "k");
    assert_eq!(store.insert(0, vec![by_key]).await, stored(&[duplicate_of("e", 1)]));
    Ok(())
}

pub(crate) async fn a_lease_holds_through_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.reopen().await?;
    assert_eq!(store.load("e", "a").await, row);
    assert_eq!(rows(&store.claim(999, 2).await), [""; 0]);
    assert_eq!(store.claim_one(1000, 3).await.as_stored().lost_leases, 1);
    Ok(())
}

pub(crate) async fn the_holder_of_a_lease_may_write_after_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.reopen().await?;
    store.applied(&[delivered(&row, 1, 5)]).await;
    assert_eq!(store.load("e", "a").await.state(), State::Delivered);
    Ok(())
}

pub(crate) async fn the_same_token_returns_the_same_rows_after_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    let first = rows(&store.claim_up_to(1, 0, 1).await);
    store.reopen().await?;
    assert_eq!(rows(&store.claim_up_to(1, 500, 1).await), first);
    Ok(())
}

pub(crate) async fn a_settled_row_and_its_attempts_stay_through_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let change = delivered(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&change)).await;
    store.reopen().await?;
    assert_eq!(store.load("e", "a").await.as_stored(), change.next());
    assert_eq!(store.attempts("e", "a").await?, change.attempts());
    Ok(())
}

pub(crate) async fn a_retry_is_due_at_its_time_after_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[failed(&store.claim_one(0, 1).await, 1, 5)]).await;
    store.reopen().await?;
    assert_eq!(rows(&store.claim(300_004, 2).await), [""; 0]);
    assert_eq!(rows(&store.claim(300_005, 3).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn a_change_that_comes_again_after_a_restart_is_applied(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim(0, 1).await;
    let [bad, back] = [failed(&store.load("e", "a").await, 1, 5), handed_back(&store.load("f", "a").await, 2, 5)];
    store.applied(&[bad.clone(), back.clone()]).await;
    store.reopen().await?;
    store.applied(&[bad, back]).await;
    assert_eq!(store.numbers("e", "a").await?, [1]);
    Ok(())
}

pub(crate) async fn the_fence_holds_through_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let late = delivered(&store.claim_one(0, 1).await, 1, 5);
    store.claim(1000, 2).await;
    store.reopen().await?;
    assert_ne!(store.apply(&[late]).await, [crate::store::ApplyOutcome::Applied]);
    assert_eq!(store.load("e", "a").await.token(), Some(token(2)));
    Ok(())
}

pub(crate) async fn held_and_cancelled_rows_stay_so_through_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    store.sweep("a", SweepAction::Hold, 5, 10).await;
    store.sweep("b", SweepAction::Cancel, 5, 10).await;
    store.reopen().await?;
    assert_eq!(rows(&store.claim(10, 1).await), [""; 0]);
    assert_eq!(store.load("e", "b").await.state(), State::Cancelled);
    Ok(())
}

pub(crate) async fn an_attached_row_is_there_after_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    let key = super::super::sample::key("e");
    let new = [super::super::sample::new_delivery(&key, "a", crate::delivery::Start::Due(t(0)))];
    answer("attach", store.store().attach(&key, &new).await);
    store.reopen().await?;
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn endpoints_are_there_after_a_restart(store: &mut Subject) -> Done {
    let a = Endpoint { description: "kept".to_owned(), ..endpoint("a") };
    store.registers(&[a.clone(), endpoint("b")]).await?;
    answer("delete", store.admin()?.delete(&a.tenant, &endpoint("b").id, t(5)).await);
    store.reopen().await?;
    assert_eq!(store.endpoint("a").await.as_deref(), Some(&a));
    assert_eq!(store.endpoint("b").await, None);
    Ok(())
}

pub(crate) async fn a_cursor_names_its_place_after_a_restart(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a"]).await;
    let first = list_events(store, &query(PageRequest { after: None, limit: 2 })).await?;
    store.reopen().await?;
    store.holds(&["h"], &["a"]).await;
    let rest = list_events(store, &query(PageRequest { after: first.1, limit: 2 })).await?;
    assert_eq!((first.0, rest.0), (vec!["g".to_owned(), "f".to_owned()], vec!["e".to_owned()]));
    Ok(())
}

pub(crate) async fn what_was_pruned_stays_away_after_a_restart(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &["a"], 0), "k")).await;
    store.deliver_all(0, 1).await;
    answer("prune", store.log()?.prune(t(100), 10).await);
    store.reopen().await?;
    assert_eq!(store.record("e").await?, None);
    assert_eq!(store.insert(5, vec![with_key(event("e", 9, &[], 0), "k")]).await, stored(&[Inserted::New]));
    Ok(())
}
